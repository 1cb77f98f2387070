"""Every place of the notebook API that takes a time or a step takes the same ones, and refuses what is wrong in a sentence."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from tests.notebook.conftest import DAY
from twin.foundation.zones import Zone
from twin.notebook.door import Twin
from twin.notebook.given_times import GivenTimes, step_seconds
from twin.notebook.kitchen import Kitchen
from twin.sources.base import Window

NOON = pd.Timestamp(f"{DAY} 12:45")
SAME: list[Any] = [
    f"{DAY} 12:45", f"{DAY}T12:45:00", "12:45", "12:45:00", "12:45pm", "12:45 PM", "12:45 p.m.", dt.time(12, 45), NOON,
    NOON.to_pydatetime(), NOON.to_datetime64(), NOON.timestamp(), pd.Period(f"{DAY} 12:45", "min"),
]  # fmt: skip
ZONED = dt.datetime(2025, 10, 20, 12, tzinfo=ZoneInfo("America/Los_Angeles"))
OUTSIDE = ["2025-10-20 12:00", 1845, "2025-10-15 23:59:59", ZONED, pd.Timestamp(ZONED), dt.date(2025, 10, 18)]
NO_TIMES = [
    "noon",
    "18:75",
    "13:00pm",
    "0am",
    "25:00",
    "24:30",
    pd.NaT,
    np.datetime64("NaT"),
    True,
    dt.time(1, tzinfo=dt.UTC),
]
STEPS = ["1h", "60min", "3600s", "h", 3600, 3600.0, pd.Timedelta("1h"), dt.timedelta(hours=1), np.timedelta64(1, "h")]
NO_STEPS = ["", "5", "soon", "18:45", 0, -5, "-5min", float("nan"), float("inf"), pd.NaT, True, pd.offsets.MonthBegin()]

TAKES_A_TIME: dict[str, Callable[[Kitchen, Any], object]] = {
    "at": lambda k, time: k.at(time).time,
    "seek": lambda k, time: (k.replay.seek(time), k.replay.now()),
    "events": lambda k, time: k.events(time).to_dict("list"),
    "events' end": lambda k, time: k.events(end=time).to_dict("list"),
    "brands": lambda k, time: k.brands(time).to_dict(),
    "why": lambda k, time: k.why(time).sentence,
    "troubles_at": lambda k, time: k.troubles_at(time).to_dict(),
    "card": lambda k, time: k.card(time, "18:00").content.when,
    "known_at": lambda k, time: k.card("12:00", "18:00", known_at=time).markdown,
    "set_range": lambda k, time: (k.replay.set_range(time, "18:00"), k.replay.start),
}


@pytest.mark.parametrize("name", TAKES_A_TIME)
def test_every_place_refuses_a_time_outside_and_none_at_all(kitchen: Kitchen, name: str) -> None:
    for time in [*OUTSIDE, *NO_TIMES]:
        with pytest.raises(ValueError, match=r"2025-10-16 00:00:00 to 2025-10-17 00:00:00|is no|time of day in a zone"):
            TAKES_A_TIME[name](kitchen, time)


@pytest.mark.parametrize("name", [name for name in TAKES_A_TIME if name not in ("card", "known_at")])  # which draw maps
def test_every_place_takes_a_time_of_every_kind(kitchen: Kitchen, name: str) -> None:
    expected = repr(TAKES_A_TIME[name](kitchen, f"{DAY} 12:45"))
    for time in ("12:45pm", dt.time(12, 45), pd.Period(f"{DAY} 12:45", "min")):
        assert repr(TAKES_A_TIME[name](kitchen, time)) == expected


@pytest.mark.parametrize("time", SAME, ids=repr)
def test_the_same_time_in_every_form(kitchen: Kitchen, time: Any) -> None:
    assert kitchen.at(time).time == NOON


def test_a_range_must_end_after_it_starts(kitchen: Kitchen) -> None:
    for take in (kitchen.events, kitchen.brands, kitchen.why, kitchen.card, kitchen.replay.set_range):
        with pytest.raises(ValueError, match="must end after it starts"):
            take("19:00", "18:00")


def test_midnight_is_the_begin_of_a_day_and_the_end_of_one(kitchen: Kitchen) -> None:
    assert kitchen.at("0:00").time == kitchen.at("12am").time == kitchen.start
    assert kitchen.at("24:00").time == kitchen.end
    assert len(kitchen.events("0:00", "0:00")) == len(kitchen.events())


def test_a_kitchen_is_opened_with_the_same_times(source: Twin) -> None:
    evening = source.kitchen("sanfrancisco", start=f"{DAY} 18:00", end=pd.Period(f"{DAY} 20:00", "h"))
    for part in (
        source.kitchen("sanfrancisco", day=pd.Period(DAY, "D"), start="6pm", end=dt.time(20)),
        source.kitchen(
            "sanfrancisco", start=pd.Timestamp(f"{DAY} 18:00").to_pydatetime(), end=np.datetime64(f"{DAY}T20:00")
        ),
    ):
        assert (part.start, part.end) == (evening.start, evening.end)
    last = source.kitchen("sanfrancisco", start="18:00", end="20:00")
    whole = source.kitchen("sanfrancisco")
    assert whole.start <= last.start < last.end <= whole.end
    assert (last.start.hour, last.end.hour) == (18, 20)


def test_a_zoned_kitchen_reads_times_on_its_own_clock() -> None:
    zone = Zone("America/Los_Angeles")
    day = GivenTimes(Window(zone.seconds("2025-11-02"), zone.seconds("2025-11-03")), zone)
    expected = pd.Timestamp("2025-11-02 18:45", tz="America/Los_Angeles").timestamp()
    utc = pd.Timestamp("2025-11-03 02:45", tz="UTC")
    for time in (
        "18:45",
        "6:45pm",
        dt.time(18, 45),
        "2025-11-02 18:45",
        "2025-11-02T18:45-08:00",
        utc,
        pd.Period("2025-11-02 18:45", "min"),
    ):
        assert day.at(time) == expected
    with pytest.raises(ValueError, match="comes 2 times"):
        day.at("1:30")  # the clock is put back at 2:00
    with pytest.raises(ValueError, match="not in the range"):
        day.at(pd.Timestamp("2025-11-03 09:00", tz="UTC"))


def test_a_step_in_every_form(kitchen: Kitchen) -> None:
    assert {step_seconds(step) for step in STEPS} == {3600.0}
    hourly = kitchen.history(3600)
    pd.testing.assert_frame_equal(kitchen.history("1h"), hourly)
    assert kitchen.curve("active", pd.Timedelta("1h"))["active"].tolist() == hourly["active"].tolist()
    assert len(kitchen.volume("1h")) == 24


@pytest.mark.parametrize("step", NO_STEPS, ids=repr)
def test_what_is_no_step_is_refused(kitchen: Kitchen, tmp_path: Path, step: Any) -> None:
    for take in (kitchen.history, kitchen.volume, lambda every: kitchen.save(tmp_path / "replay.html", every)):
        with pytest.raises(ValueError, match="step"):
            take(step)


def test_a_browsers_seek_is_cut_to_the_range(kitchen: Kitchen) -> None:
    kitchen.replay.set_range("12:00", "18:00")
    kitchen.replay.handle_message({"verb": "seek", "t": kitchen.data.window.end + 5})
    assert kitchen.replay.now() == kitchen.replay.end
