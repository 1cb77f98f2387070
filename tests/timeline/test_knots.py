"""What the knots of a trip must be, whatever the route and the pings: worked out here by interpolation along the route."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.timeline import knots

NAN = float("nan")
SCALE = 0.75


def woven(*trips: dict) -> knots.Knots:
    """The knots of trips, each with route (p, 2), pings (t, x, y, progress), arrival and goal."""
    route = [np.reshape(np.asarray(trip.get("route", []), float), (-1, 2)) for trip in trips]
    pings = [np.reshape(np.asarray(trip.get("pings", []), float), (-1, 4)) for trip in trips]
    goals = np.array([trip.get("goal", (NAN, NAN)) for trip in trips], float)
    path, ping = (np.cumsum([0, *map(len, parts)]) for parts in (route, pings))
    arrival = np.array([trip.get("arrival", NAN) for trip in trips], float)
    return knots.weave(
        knots.Paths(path, *np.concatenate(route).T.copy()),
        knots.Pings(ping, *np.concatenate(pings).T.copy()),
        knots.Goals(arrival, *goals.T.copy()),
        SCALE,
    )


def way(route: np.ndarray) -> np.ndarray:
    return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(route, axis=0).T))))


@st.composite
def drives(draw) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """A route through a street grid, moments, how far the driver was by each, and when it was at the end."""
    legs = draw(st.lists(st.tuples(st.sampled_from("ns"), st.integers(5, 400)), min_size=2, max_size=30))
    route = [np.zeros(2)]
    for number, (turn, length) in enumerate(legs):  # never back: a route that crosses itself is another case
        step = np.array([length, 0.0]) if number % 2 else np.array([0.0, length if turn == "n" else length / 3])
        route.append(route[-1] + step)
    whole = way(np.array(route))[-1]
    shares = sorted(draw(st.lists(st.floats(0.0, 1.0), max_size=12)))
    gaps = draw(st.lists(st.floats(1.0, 90.0), min_size=len(shares) + 1, max_size=len(shares) + 1))
    times = np.cumsum(gaps)
    return np.array(route), times[:-1], np.array(shares) * whole, float(times[-1])


@given(drives())
def test_a_driver_is_where_it_was_measured_and_in_between_as_far_as_the_time_tells(drive) -> None:
    route, times, along, arrival = drive
    s = way(route)
    x, y = np.interp(along, s, route[:, 0]), np.interp(along, s, route[:, 1])
    pings = np.column_stack([times, x, y, np.full(len(times), NAN)])
    count, routed, _, speed, t, kx, ky, seen = woven({"route": route, "pings": pings, "arrival": arrival})

    assert routed.tolist() == [True]
    assert count[0] == len(t)
    assert np.all(np.diff(t) >= 0)
    assert set(np.float32([0.0, *times, arrival])) <= set(t[seen])
    length = np.hypot(*np.diff([kx, ky], axis=1)).sum() * SCALE
    assert speed[0] == pytest.approx(length / arrival, rel=1e-3)
    # a straight vertex that was left out lies within STRAIGHT_M of the line, so the driver is that near to where it was
    pin_t, pin_s = np.array([0.0, *times, arrival]), np.array([0.0, *along, s[-1]])
    for moment in np.linspace(0.0, arrival, 40):
        far = np.interp(moment, pin_t, pin_s)
        truth = np.interp(far, s, route[:, 0]), np.interp(far, s, route[:, 1])
        drawn = np.interp(moment, t, kx), np.interp(moment, t, ky)
        assert np.hypot(drawn[0] - truth[0], drawn[1] - truth[1]) * SCALE <= 2 * knots.STRAIGHT_M + 0.1


@given(st.lists(drives(), min_size=1, max_size=5))
def test_trips_made_together_are_what_each_is_alone(made) -> None:
    trips = [
        {
            "route": route,
            "pings": np.column_stack([times, times, times, np.linspace(0, 1, len(times))]),
            "arrival": arrival,
        }
        for route, times, _, arrival in made
    ]
    together, alone = woven(*trips), [woven(trip) for trip in trips]
    for column, parts in zip(together, zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(column, np.concatenate(parts))


ROAD = [(0, 0), (500, 0), (500, 500), (1000, 500)]


@pytest.mark.parametrize(
    ("what", "pings"),
    [
        ("a ping far off the road", [(60, 250, 0, NAN), (120, 250, 900, NAN)]),
        ("a turn", [(60, 500, 400, NAN), (120, 200, 0, NAN)]),
    ],
)
def test_what_was_measured_wins_over_the_route(what: str, pings: list) -> None:
    count, routed, _, _, t, x, y, seen = woven({"route": ROAD, "pings": pings, "arrival": 300.0, "goal": (990, 510)})
    assert routed.tolist() == [False], what
    assert count.tolist() == [4]
    assert t.tolist() == [0, 60, 120, 300]
    assert list(zip(x, y, strict=True)) == [(0, 0), *((px, py) for _, px, py, _ in pings), (990, 510)]
    assert seen.all()


def test_of_a_trip_that_never_arrived_the_rest_of_the_route_is_without_time() -> None:
    _, routed, _, speed, t, x, _, seen = woven({"route": ROAD, "pings": [(60, 500, 100, NAN)]})
    assert routed.tolist() == [True]
    assert np.isnan(speed[0])
    assert x.tolist() == [0, 500, 500, 500, 1000]
    assert t.tolist() == [0, 50, 60, np.inf, np.inf]
    assert seen.tolist() == [True, False, True, False, False]


def test_a_ping_without_a_position_takes_the_vertex_of_its_progress() -> None:
    _, _, _, _, t, x, y, seen = woven({"route": ROAD, "pings": [(60, NAN, NAN, 0.67)], "arrival": 90.0})
    assert [(float(a), float(b), float(c)) for a, b, c in zip(t[seen], x[seen], y[seen], strict=True)] == [
        (0, 0, 0),
        (60, 500, 500),
        (90, 1000, 500),
    ]


def test_a_trip_without_any_place_is_not_drawn() -> None:
    count, *_ = woven({"pings": [(60, NAN, NAN, NAN)]}, {"arrival": 60.0}, {"route": [(0, 0)]})
    assert count.tolist() == [0, 0, 0]


def test_a_speed_that_nobody_drives_is_told() -> None:
    slow, fast = {"pings": [(60, 1000, 0, NAN)]}, {"pings": [(60, 1000, 0, NAN), (62, 1400, 0, NAN)]}
    assert woven(slow, fast)[2].tolist() == [False, True]
