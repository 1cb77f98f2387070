"""Two ranges on one clock: the second is at the same time of day, on the day it is compared with, whatever the clocks do."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.analysis.alignment import SAME, align
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.sources.base import Window

LA, CHICAGO, BERLIN = (Zone(name) for name in ("America/Los_Angeles", "America/Chicago", "Europe/Berlin"))
ZONES = (Zone(), LA, CHICAGO, BERLIN)


def days(tz: Zone, first: str, n: int = 1) -> Window:
    start = tz.day(tz.seconds(first))
    return Window(float(tz.start_of(start)), float(tz.start_of(start + n)))


def shown(tz: Zone, first: Window, other_tz: Zone, second: Window, at: str) -> str:
    return other_tz.text(align((first, tz), (second, other_tz)).second(tz.seconds(at)))


def test_two_cities_are_at_the_same_time_of_their_own_days() -> None:
    one, other = days(LA, "2025-10-17"), days(CHICAGO, "2025-10-17")
    pieces = align((one, LA), (other, CHICAGO))
    assert pieces.second(LA.seconds("2025-10-17 18:30")) == CHICAGO.seconds("2025-10-17 18:30")
    assert pieces.moves == (True,)


def test_a_range_beside_itself_is_the_same_time_on_every_day_of_the_year() -> None:
    for tz in ZONES:
        year = days(tz, "2025-01-01", 365)
        pieces = align((year, tz), (year, tz))
        assert (pieces.since, pieces.shown, pieces.moves) == ((year.start,), (year.start,), (True,))


@pytest.mark.parametrize(
    ("first", "second", "at", "beside"),
    [
        # the day that has 25 hours beside one of 24, and the other way round
        ("2025-11-02", "2025-10-26", "2025-11-02T01:30-07:00", "2025-10-26 01:30:00"),
        ("2025-11-02", "2025-10-26", "2025-11-02T01:30-08:00", "2025-10-26 01:30:00"),
        ("2025-11-02", "2025-10-26", "2025-11-02T18:00", "2025-10-26 18:00:00"),
        ("2025-10-26", "2025-11-02", "2025-10-26T01:30", "2025-11-02 01:30:00 PDT"),
        ("2025-10-26", "2025-11-02", "2025-10-26T02:00", "2025-11-02 02:00:00"),
        ("2025-10-26", "2025-11-02", "2025-10-26T18:00", "2025-11-02 18:00:00"),
        # the day that has 23
        ("2025-03-09", "2025-03-02", "2025-03-09T03:00", "2025-03-02 03:00:00"),
        ("2025-03-02", "2025-03-09", "2025-03-02T01:59", "2025-03-09 01:59:00"),
        ("2025-03-02", "2025-03-09", "2025-03-02T02:30", "2025-03-09 03:00:00"),
        ("2025-03-02", "2025-03-09", "2025-03-02T03:30", "2025-03-09 03:30:00"),
    ],
)
def test_days_on_which_the_clock_changes(first: str, second: str, at: str, beside: str) -> None:
    assert shown(LA, days(LA, first), LA, days(LA, second), at) == beside


def test_the_hour_that_the_other_clock_leaves_out_is_waited_for() -> None:
    pieces = align((days(LA, "2025-03-02"), LA), (days(LA, "2025-03-09"), LA))
    assert pieces.moves == (True, False, True)
    assert {pieces.second(LA.seconds(f"2025-03-02 02:{m:02}")) for m in (0, 20, 59)} == {LA.seconds("2025-03-09 03:00")}


def test_weeks_lie_on_each_other_by_weekday_and_other_ranges_by_their_order() -> None:
    one, other = days(LA, "2025-10-06", 7), days(LA, "2025-10-16", 7)  # Monday to Sunday, Thursday to Wednesday
    pieces = align((one, LA), (other, LA))
    for n in range(7):
        at = LA.seconds(f"2025-10-{6 + n:02} 12:00")
        assert LA.weekday(pieces.second(at)) == LA.weekday(at)
    two = align((days(LA, "2025-10-06", 2), LA), (days(LA, "2025-10-10", 2), LA))
    assert [LA.date(two.second(LA.seconds(f"2025-10-{d:02} 12:00"))) for d in (6, 7)] == ["10 Oct", "11 Oct"]


def test_ranges_of_different_length_show_the_same_weekday_where_there_is_one() -> None:
    week, friday = days(LA, "2025-10-06", 7), days(LA, "2025-10-17")
    assert shown(LA, friday, LA, week, "2025-10-17 12:00") == "2025-10-10 12:00:00"
    assert {shown(LA, week, LA, friday, f"2025-10-{6 + n:02} 12:00") for n in range(7)} == {"2025-10-17 12:00:00"}


def test_a_second_range_that_covers_less_of_the_day_waits_outside_of_it() -> None:
    day = days(LA, "2025-10-17")
    evening = Window(LA.seconds("2025-10-10 17:00"), LA.seconds("2025-10-10 22:00"))
    for at, beside in (("03:00", "17:00"), ("17:00", "17:00"), ("18:30", "18:30"), ("23:00", "22:00")):
        assert shown(LA, day, LA, evening, f"2025-10-17 {at}") == f"2025-10-10 {beside}:00"


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Window, Zone]:
    tz = draw(st.sampled_from(ZONES))
    first = int(dt.datetime(2025, 1, 1, tzinfo=dt.UTC).timestamp() // DAY) + draw(st.integers(0, 400))
    window = Window(float(tz.start_of(first)), float(tz.start_of(first + draw(st.integers(1, 8)))))
    cut = draw(st.sampled_from([0.0, 5.5 * HOUR, 17 * HOUR]))
    return Window(window.start + cut, window.end - draw(st.sampled_from([0.0, 3 * HOUR]))), tz


@given(ranges(), ranges(), st.floats(0, 1))
def test_wherever_the_second_moves_it_is_the_same_time_of_day(
    first: tuple[Window, Zone], second: tuple[Window, Zone], share: float
) -> None:
    (window, tz), (other, other_tz) = first, second
    pieces = align(first, second)
    t = window.start + share * (window.end - window.start - 2 * SAME)
    beside = pieces.second(t)
    assert other.start - SAME <= beside <= other.end + SAME
    i = max(n for n, since in enumerate(pieces.since) if since <= t)
    if pieces.moves[i]:
        assert clock_at(tz, t) == pytest.approx(clock_at(other_tz, beside), abs=0.01)
        assert pieces.second(pieces.first(beside, t)) == pytest.approx(beside, abs=2 * SAME)


def clock_at(tz: Zone, t: float) -> float:
    """Seconds since midnight, by the standard library."""
    zone = zoneinfo.ZoneInfo(tz.name) if tz.name else dt.UTC
    at = dt.datetime.fromtimestamp(round(t, 2), zone)
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6
