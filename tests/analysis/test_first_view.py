"""Which day a page opens on, and at which moment, for records that end in other ways than the demo."""

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fake_timeline import DAY0, FakeTimeline
from tests.sources.test_files import write_csv
from twin.analysis.first_view import LastDay, last_day
from twin.foundation.times import DAY, HOUR, text
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.sources.base import Location, Volume
from twin.sources.files import FileSource

MINUTE = 60.0
SHIFT = [11, 12, 13, 14, 17, 18, 19, 20, 21]
"""Hours of the day with orders, of a kitchen that closes between meals and at night."""


def times(days: range, a_day: int = 90, hours: list[int] = SHIFT, begin: float = DAY0) -> list[float]:
    """When orders begin: some days with as many each, evenly spread over their hours."""
    each = a_day // len(hours)
    return [begin + day * DAY + hour * HOUR + n * HOUR / each for day in days for hour in hours for n in range(each)]


def found(began: list[float], delivered: list[float] | None = None, zone: str = "") -> LastDay:
    """What is said of a kitchen with these orders, delivered half an hour later if nothing else is said."""
    ends = [t + 30 * MINUTE for t in began] if delivered is None else delivered
    hours = sorted(Counter(t // HOUR * HOUR for t in began).items())
    volume = Volume(np.array([hour for hour, _ in hours]), np.array([n for _, n in hours], np.int64))
    place = Location(
        "sf",
        "SF",
        None,
        None,
        None,
        len(began),
        min(began),
        max([*began, *ends]),
        last_delivered=max(ends, default=None),
        zone=zone or None,
    )
    return last_day(place, volume)


def end_of(day: int, hour: float) -> float:
    return DAY0 + day * DAY + hour * HOUR


WEEK = times(range(7))


@pytest.mark.parametrize(
    ("later", "count"),
    [
        pytest.param([end_of(7, 20)], 1, id="one the next evening"),
        pytest.param([end_of(7, 14)], 1, id="one after the next day's lunch"),
        pytest.param([end_of(40, 12)], 1, id="one a month later"),
        pytest.param([end_of(365 * 70, 3)], 1, id="one in the future"),
        pytest.param([end_of(9 + 2 * n, 12) for n in range(12)], 12, id="twelve over weeks"),
        pytest.param([end_of(9 + n, 12 + n % 9) for n in range(120)], 120, id="one a day for months"),
        pytest.param([end_of(9, 20) + 60 * n for n in range(12)], 12, id="an evening of twelve"),
    ],
)  # fmt: skip
def test_stragglers_are_not_the_last_day(later: list[float], count: int) -> None:
    last = found([*WEEK, *later])
    assert last == LastDay(end_of(6, 22), count, max(later) // HOUR * HOUR + HOUR)


@pytest.mark.parametrize(
    "began",
    [
        pytest.param(times(range(7))[: -4 * 10], id="the last day is cut in the afternoon"),
        pytest.param([*WEEK, *times(range(7, 8))[:5]], id="the next day has just begun"),
        pytest.param([*WEEK, *times(range(7, 8), 36)], id="a quiet last day"),
        pytest.param([*WEEK, *[t for t in times(range(7, 8)) if not 17 <= t % DAY / HOUR < 21]], id="hours of outage"),
        pytest.param([*WEEK, *times(range(180, 187))], id="months of holes"),
        pytest.param(times(range(1)), id="one day"),
        pytest.param(times(range(1))[-30:], id="an evening"),
        pytest.param([DAY0 + 12 * HOUR + 60.0 * n for n in range(9)], id="minutes"),
        pytest.param([DAY0], id="one order"),
        pytest.param([t for day in range(60) for t in times(range(day, day + 1), 900 - 14 * day)], id="decline"),
        pytest.param([t for day in range(60) for t in times(range(day, day + 1), 9 + 15 * day)], id="growth"),
        pytest.param([DAY0 + day * DAY + HOUR * hour for day in range(9) for hour in range(24)], id="all hours alike"),
    ],
)  # fmt: skip
def test_a_record_that_ends_in_orders_is_seen_to_its_end(began: list[float]) -> None:
    last = found(began)
    assert last == LastDay(np.floor((began[-1] + 30 * MINUTE) / 60) * 60 + 60, 0, last.end)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kathmandu", "Pacific/Auckland", ""])
@pytest.mark.parametrize("day", [dt.date(2025, 3, 9), dt.date(2025, 11, 2), dt.date(2025, 4, 6), dt.date(2025, 9, 28)])
def test_days_are_those_of_the_kitchens_clock(day: dt.date, zone: str) -> None:
    """One day, on which some clock changes, and a dozen orders on the next evening, which are no day to open on.

    In UTC an American evening belongs to the next day: of three days each had a third, and a dozen was not few.
    """
    tz = Zone(zone)
    midnight = float((day - dt.date(1970, 1, 1)).days) * DAY
    began = tz.from_local(np.array(times(range(1), begin=midnight)))
    later = tz.from_local(np.array([midnight + DAY + 20 * HOUR + MINUTE * n for n in range(12)]))
    last = found([*began.tolist(), *later.tolist()], zone=zone)
    assert last.later_orders == 12
    quarter = "45" if zone == "Asia/Kathmandu" else "00"  # orders are counted by the hours of UTC
    assert tz.text(last.end) == f"{day} 22:{quarter}:00"


def test_the_end_does_not_follow_a_delivery_far_from_the_orders() -> None:
    late = [*(t + 30 * MINUTE for t in WEEK), WEEK[-1] + 10 * DAY]
    assert found(WEEK, late).end == end_of(6, 22)
    early = [WEEK[0] + 30 * MINUTE]
    assert found(WEEK, early).end == found(WEEK, []).end, (
        "that deliveries are no longer recorded does not end the record"
    )
    assert found(WEEK, []).end == np.floor(WEEK[-1] / 60) * 60 + 60


def rows(began: list[float], kinds: dict[str, float]) -> list[dict[str, Any]]:
    """The raw rows of orders with some kinds of events, minutes after the order began."""
    return [
        {
            "event_type": kind,
            "ts": text(t + after * MINUTE),
            "location": "sf",
            "order_id": f"{n}",
            "body": json.dumps({}),
        }
        for n, t in enumerate(began)
        for kind, after in kinds.items()
    ]


def test_the_hub_opens_on_it_and_counts_what_comes_later(tmp_path: Path) -> None:
    late = [end_of(8, 20), end_of(9, 20)]
    path = write_csv(tmp_path / "e.csv", rows([*WEEK, *late], {"order_created": 0, "delivered": 30}))
    hub = Hub(FileSource(path))
    window = hub.last_hours("sf")
    assert (window.end, window.end - window.start) == (end_of(6, 22), DAY)
    assert hub.last_day("sf") == LastDay(end_of(6, 22), 2, end_of(9, 21))
    assert hub.timeline("sf").window == window
    assert hub.reach("sf").end == end_of(10, 0)


def test_without_pick_ups_the_busiest_moment_has_most_open_orders() -> None:
    """Deliveries alone put nobody on the road; the page used to open at midnight then."""
    many = [
        {"created": DAY0 + 18 * HOUR + n * MINUTE, "delivered": DAY0 + 18 * HOUR + (n + 30) * MINUTE} for n in range(20)
    ]
    line = FakeTimeline([{"created": DAY0 + MINUTE, "delivered": DAY0 + 31 * MINUTE}, *many])
    assert line.busiest() == DAY0 + 18 * HOUR + 19 * MINUTE


def test_one_pick_up_among_many_orders_does_not_say_when_it_was_busiest() -> None:
    many = [
        {"created": DAY0 + 18 * HOUR + n * MINUTE, "delivered": DAY0 + 18 * HOUR + (n + 30) * MINUTE} for n in range(20)
    ]
    odd = {"created": DAY0 + 5 * HOUR, "picked_up": DAY0 + 5.5 * HOUR, "delivered": DAY0 + 6 * HOUR}
    assert FakeTimeline([odd, *many]).busiest() == DAY0 + 18 * HOUR + 19 * MINUTE


def test_of_orders_with_one_event_each_the_busiest_moment_ends_their_densest_hour() -> None:
    many = [{"created": DAY0 + 18 * HOUR + n * MINUTE} for n in range(20)]
    line = FakeTimeline([{"created": DAY0 + MINUTE}, {"created": DAY0 + 20 * HOUR}, *many])
    assert line.busiest() == DAY0 + 18 * HOUR + 19 * MINUTE
