"""The kitchen's clock, against zoneinfo."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twin.foundation.times import DAY, HOUR, UTC, text
from twin.foundation.zones import NAIVE, Zone, is_zone

ZONES = (
    "America/Los_Angeles",
    "Europe/London",
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "America/Havana",  # the clock goes from 01:00 back to midnight
    "Asia/Beirut",  # from midnight back to 23:00, and from midnight on to 01:00
    "America/St_Johns",  # changed at 00:01 until 2011
    "Pacific/Apia",  # left out 30 December 2011
    "Africa/Casablanca",  # an hour back for Ramadan
    "UTC",
)
SPRING, FALL = (dt.datetime(*day, tzinfo=UTC).timestamp() for day in ((2025, 3, 9, 10), (2025, 11, 2, 9)))
"""When clocks change in Los Angeles: from 02:00 to 03:00, from 02:00 to 01:00."""

zones = st.sampled_from(ZONES)
moments = st.integers(0, 4_000_000_000).map(float)
near_a_change = st.integers(-2 * 86_400, 2 * 86_400).map(lambda s: (FALL if s % 2 else SPRING) + s)
anytime = moments | near_a_change


def shown(name: str, t: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(t, ZoneInfo(name))


@given(zones, anytime)
@example("Pacific/Apia", 1_325_239_200.0 - 1)
@example("Asia/Beirut", 1_761_426_000.0 - 1)
def test_the_clock_shows_what_the_zone_says(name: str, t: float) -> None:
    zone, there = Zone(name), shown(name, t)
    assert zone.datetime(t) == there.replace(tzinfo=None)
    assert zone.weekday(t) == f"{there:%A}"
    assert zone.hour(t) == there.hour
    assert zone.day(t) == (there.date() - dt.date(1970, 1, 1)).days
    assert dt.datetime.fromisoformat(zone.iso(t)).timestamp() == t
    other = there.replace(fold=1 - there.fold, tzinfo=ZoneInfo(name))
    assert zone.doubled(t) == (other.utcoffset() != there.utcoffset())


@given(zones, anytime)
def test_a_day_is_all_that_the_clock_shows_of_its_date(name: str, t: float) -> None:
    zone = Zone(name)
    start, end = zone.midnight(t), zone.next_midnight(t)
    assert start <= t < end
    assert (start, end) == zone.whole_days(t, t)
    assert start == zone.start_of(zone.day(t))
    assert shown(name, start).date() == shown(name, t).date() == shown(name, end - 1).date()
    assert shown(name, start - 1).date() < shown(name, t).date() < shown(name, end).date()


@given(zones, st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2096, 1, 1)))  # noqa: DTZ001 - a wall clock
def test_what_a_clock_shows_is_taken_as_zoneinfo_takes_it(name: str, wall: dt.datetime) -> None:
    wall = wall.replace(microsecond=0, tzinfo=ZoneInfo(name))
    zone, naive = Zone(name), wall.replace(tzinfo=None)
    assert zone.seconds(naive) == zone.seconds(str(naive)) == wall.timestamp()
    assert zone.seconds(np.datetime64(naive)) == wall.timestamp()
    assert zone.from_local(float(np.datetime64(naive, "s").astype(int)), later=True) == wall.replace(fold=1).timestamp()
    assert zone.seconds(wall) == wall.timestamp() == zone.seconds(wall.timestamp())


@given(zones, st.lists(anytime, max_size=20))
def test_an_array_is_as_its_parts(name: str, moments: list[float]) -> None:
    zone, array = Zone(name), np.array(moments, np.float64)
    for function in (zone.local, zone.from_local, zone.day, zone.midnight, zone.next_midnight, zone.hour):
        assert function(array).tolist() == [function(t) for t in moments]


@given(zones, anytime, st.integers(0, 400 * 86_400))
def test_a_browser_can_show_a_range_with_what_it_gets(name: str, start: float, span: int) -> None:
    zone = Zone(name, "by the settings")
    sent = zone.to_browser(start, start + span)
    assert (sent["name"], sent["origin"]) == (name, "by the settings")
    assert sent["changes"] == sorted(sent["changes"])
    for t in np.linspace(start, start + span, 50).tolist():
        offset, label = [row[1:] for row in sent["changes"] if row[0] <= t][-1]
        assert t + offset == zone.local(t)
        assert label == zone.label(t)


@pytest.mark.parametrize(("t", "hours"), [(SPRING, 23.0), (FALL, 25.0), (FALL + DAY, 24.0)])
def test_two_days_of_a_year_are_shorter_and_longer(t: float, hours: float) -> None:
    start, end = Zone("America/Los_Angeles").whole_days(t, t)
    assert (end - start) / HOUR == hours


def test_the_doubled_hour_is_told_apart() -> None:
    zone = Zone("America/Los_Angeles")
    both = FALL - HOUR / 2, FALL + HOUR / 2
    assert [zone.text(t) for t in both] == ["2025-11-02 01:30:00 PDT", "2025-11-02 01:30:00 PST"]
    assert [zone.clock(t) for t in both] == ["01:30 PDT", "01:30 PST"]
    assert [zone.iso(t) for t in both] == ["2025-11-02T01:30:00-07:00", "2025-11-02T01:30:00-08:00"]
    assert [zone.seconds(zone.iso(t)) for t in both] == list(both)
    assert zone.text(FALL + HOUR) == "2025-11-02 02:00:00"


def test_the_same_time_of_other_days_is_that_of_the_clock() -> None:
    zone = Zone("America/Los_Angeles")
    t = zone.seconds("2025-11-03 18:30")
    assert [zone.text(one) for one in zone.days_later(t, np.array([-7, -1]))] == [
        "2025-10-27 18:30:00",
        "2025-11-02 18:30:00",
    ]


@given(anytime)
def test_naive_times_are_the_clock_itself(t: float) -> None:
    assert NAIVE.local(t) is t
    assert NAIVE.from_local(t) is t
    assert NAIVE.midnight(t) == (t - t % DAY)
    assert NAIVE.text(t) == text(t)
    assert NAIVE.label(t) == "kitchen time"
    assert NAIVE.to_browser(t, t + DAY) == {}
    assert NAIVE.seconds("2025-10-16T18:30:00Z") == NAIVE.seconds("2025-10-16 18:30")


def test_a_zone_is_one_of_the_iana_names() -> None:
    assert all(map(is_zone, ZONES))
    assert not any(
        map(is_zone, ("", "PDT+1", "San Francisco", "/etc/passwd", "../../etc/passwd", "america/los angeles", "a\0"))
    )


@given(name=st.sampled_from(["", *ZONES]), start=moments, hours=st.floats(0, 60))
def test_all_ticks_lie_in_the_range(name: str, start: float, hours: float) -> None:
    end = start + hours * HOUR
    ticks = Zone(name).ticks(start, end, HOUR)
    assert ((ticks >= start) & (ticks <= end)).all()
    if not name:
        assert len(ticks) == end // HOUR - (start - 1) // HOUR
