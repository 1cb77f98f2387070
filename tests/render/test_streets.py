"""Streets: which routes and which of their steps are drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.pictures import KITCHEN, streets_of, wandering
from twin.render.streets import Streets, Strokes


def test_a_sample_is_spread_evenly_keeps_routes_whole_and_is_always_the_same() -> None:
    lengths = np.arange(2, 102)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    owner = np.repeat(np.arange(100.0), lengths)
    few = Streets(owner, owner, offsets).sample(12)
    assert few.routes == 12
    routes = [np.unique(few.x[few.offsets[i] : few.offsets[i + 1]]) for i in range(12)]
    assert all(len(route) == 1 for route in routes)
    numbers = [int(route[0]) for route in routes]
    assert (numbers[0], numbers[-1]) == (0, 99)
    assert set(np.diff(numbers)) <= {9, 10}
    assert np.diff(few.offsets).tolist() == lengths[numbers].tolist()
    assert few.version == Streets(owner, owner, offsets).sample(12).version


def test_offsets_that_do_not_fit_the_points_are_refused() -> None:
    with pytest.raises(ValueError, match="offsets"):
        Streets(np.zeros(3), np.zeros(3), np.array([0, 2], np.int32))


@given(
    west=st.floats(-2000, 2000), south=st.floats(-2000, 2000), width=st.floats(1, 3000), height=st.floats(1, 3000)
)  # fmt: skip
def test_only_steps_whose_box_touches_the_asked_one_are_drawn(
    west: float, south: float, width: float, height: float
) -> None:
    strokes = Strokes.of(wandering(15))
    east, north = strokes.origin
    near = strokes.within((east + west, north + south, east + west + width, north + south + height))
    expected = 0
    for x0, y0, x1, y1 in zip(strokes.x0, strokes.y0, strokes.x1, strokes.y1, strict=True):
        apart = max(x0, x1) < west or min(x0, x1) > west + width or max(y0, y1) < south or min(y0, y1) > south + height
        expected += not apart
    # float32 against float64 may differ on the very border
    assert abs(len(near) - expected) <= 1


def test_planned_routes_are_told_from_measured_ones() -> None:
    x, y = KITCHEN
    grid = [[(x, y), (x + 100, y), (x + 200, y + 10.0 * (i % 3))] for i in range(12)]
    assert Strokes.of(streets_of(*grid)).on_roads
    assert not Strokes.of(wandering(12)).on_roads
