"""What was driven, in pieces, against each trip walked knot by knot."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from twin.timeline.segments import driven
from twin.timeline.timeline import Timeline


@pytest.fixture(scope="module")
def timeline(demo: Path) -> Timeline:
    opened = twin.open(demo)
    return opened.timeline("sanfrancisco")


def walked(timeline: Timeline, start: float, end: float) -> tuple[float, float]:
    """Seconds on the road and metres driven in [start, end), second by second along each trip."""
    trips, seconds, metres = timeline.trips, 0.0, 0.0
    for trip in range(len(trips)):
        a, b = trips.knots_from[trip], trips.knots_to[trip]
        t = trips.start[trip] + trips.t[a:b].astype(float)
        known = np.isfinite(t)
        t, x, y = t[known], trips.x[a:b][known] * trips.unit, trips.y[a:b][known] * trips.unit
        last = min(end, trips.end[trip], t[-1]) if len(t) else -np.inf
        first = max(start, t[0]) if len(t) else np.inf
        if last <= first:
            continue
        at = np.union1d(np.linspace(first, last, max(2, int(last - first))), t[(t > first) & (t < last)])
        seconds += last - first
        metres += np.hypot(np.diff(np.interp(at, t, x)), np.diff(np.interp(at, t, y))).sum()
    return seconds, metres


def test_seconds_and_metres_are_those_of_the_trips(timeline: Timeline) -> None:
    middle = timeline.busiest()
    for start, end in ((middle - 900, middle), (middle - 3600, middle + 1800), (-np.inf, np.inf)):
        seconds, metres = walked(timeline, start, end)
        part = driven(timeline.trips, start, end, 20.0)
        assert part.seconds.sum() == pytest.approx(seconds, rel=0.02)
        assert part.metres.sum() == pytest.approx(metres, rel=0.02)
        assert part.metres.max() <= 20.0 + 1e-6


@given(st.floats(-7200, 7200), st.floats(1, 5400), st.floats(5, 500))
def test_two_stretches_that_meet_are_the_whole(timeline: Timeline, begin: float, length: float, longest: float) -> None:
    start = timeline.busiest() + begin
    middle, end = start + length / 3, start + length
    whole = driven(timeline.trips, start, end, longest)
    parts = [driven(timeline.trips, start, middle, longest), driven(timeline.trips, middle, end, longest)]
    assert sum(map(len, parts)) == len(whole)
    assert sum(part.seconds.sum() for part in parts) == pytest.approx(whole.seconds.sum())


def test_every_piece_is_where_its_driver_was(timeline: Timeline) -> None:
    t = timeline.busiest()
    part = driven(timeline.trips, t - 1.0, t + 1.0, 1.0)
    drivers = timeline.at(t).drivers
    kitchen = timeline.at(t).drivers.x - np.array(  # absolute, while pieces are from the kitchen
        [part.x[timeline.trips.order[part.trip] == order].mean() for order in drivers.order]
    )
    assert len(drivers) > 3
    assert np.ptp(kitchen) < 40.0


def test_a_spell_without_observations_is_not_measured(timeline: Timeline) -> None:
    trips = timeline.trips
    seen = driven(trips, -np.inf, np.inf, 50.0)
    kept = trips.observed.copy()
    try:
        trips.observed[:] = False
        trips.observed[trips.knots_from] = True
        unseen = driven(trips, -np.inf, np.inf, 50.0)
    finally:
        trips.observed[:] = kept
    long = (trips.end - trips.start)[unseen.trip] > 200
    assert seen.measured.mean() > 0.9
    assert unseen.measured[long].mean() < 0.05


def test_without_trips_nothing_was_driven(timeline: Timeline) -> None:
    assert len(driven(timeline.trips, timeline.window.end + 1e6, timeline.window.end + 2e6, 50.0)) == 0
