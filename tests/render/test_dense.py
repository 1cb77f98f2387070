"""Frames of many drivers: counts equal a plain histogram, and similar views share a frame."""

import threading
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_roads import DAY0, RoadTimeline
from twin.render import dense, densestore
from twin.render.dense import BLOCK, Extent
from twin.render.densestore import DenseStore
from twin.timeline import fleet
from twin.timeline.fleet import Fleet

T = DAY0 + 1800.0


def fleet_of(x, y) -> Fleet:
    return Fleet(T, np.arange(len(x), dtype=np.int32), np.asarray(x, float), np.asarray(y, float))


def histogram(x, y, extent: Extent) -> np.ndarray:
    x0, y0, x1, y1 = extent.box
    found, _, _ = np.histogram2d(y, x, (extent.rows, extent.columns), ((y0, y1), (x0, x1)))
    return np.minimum(found, 255).astype(np.uint8)


@pytest.mark.parametrize("spread", [60.0, 3000.0, 40_000.0])
def test_a_frame_is_the_histogram_of_the_places(spread: float) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, spread, (2, 50_000))
    extent = Extent.around((-4000.0, -2500.0, 4000.0, 2500.0), 9.0)

    cells = dense.counts(fleet_of(x, y), extent)

    assert cells.dtype == np.uint8
    np.testing.assert_array_equal(cells, histogram(x, y, extent))
    assert cells.any()


def test_a_cell_with_more_than_a_byte_holds_is_full_not_started_over() -> None:
    extent = Extent.around((-100.0, -100.0, 100.0, 100.0), 1.0)
    cells = dense.counts(fleet_of(np.full(300, 10.2), np.full(300, 20.3)), extent)
    assert sorted(np.unique(cells)) == [0, 255]


def test_a_frame_of_a_timeline_shows_every_driver_where_the_roads_put_it() -> None:
    timeline = RoadTimeline(500)
    extent = Extent.around((-20_000.0, -20_000.0, 20_000.0, 20_000.0), 37.0)
    packed = DenseStore().frame(timeline, T, extent)

    cells = np.frombuffer(zlib.decompress(packed[1:]), np.uint8).reshape(extent.rows, extent.columns)
    kx, ky = timeline.kitchen
    truth = np.array([(x - kx, y - ky) for x, y in timeline.truth(T).values()])
    assert int(cells.sum()) == len(truth) > 400
    assert packed[0] == cells.max()
    side = (extent.box[2] - extent.box[0]) / extent.columns
    column, row = ((truth - extent.box[:2]) / side).astype(int).T
    # float32 times of the knots move a driver by centimetres, which may be over a cell's edge
    moved = np.abs(cells.astype(int) - histogram(*truth.T, extent).astype(int)).sum()  # type: ignore[call-arg]
    assert moved <= 4
    assert (cells[row, column] > 0).mean() > 0.99


boxes = st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(200, 5e4), st.floats(200, 5e4))


@given(box=boxes, pixel=st.floats(0.3, 400))
def test_an_extent_covers_its_box_with_cells_of_one_to_two_pixels(box, pixel: float) -> None:
    x, y, width, height = box
    wanted = (x, y, x + width, y + height)
    extent = Extent.around(wanted, pixel)

    x0, y0, x1, y1 = extent.box
    hair = 1e-6  # metres
    assert max(x0 - wanted[0], y0 - wanted[1], wanted[2] - x1, wanted[3] - y1) <= hair
    cell = (x1 - x0) / extent.columns
    assert cell == pytest.approx((y1 - y0) / extent.rows)
    assert cell > pixel * 0.999
    assert extent.columns * extent.rows <= dense.MOST_CELLS
    coarse = (width / pixel + 2 * BLOCK) * (height / pixel + 2 * BLOCK) > dense.MOST_CELLS
    assert cell < 2.001 * pixel or coarse


def test_views_that_differ_by_a_little_share_an_extent() -> None:
    one = Extent.around((-3000.0, -2000.0, 3000.0, 2000.0), 5.0)
    assert Extent.around((-3010.0, -1990.0, 2990.0, 2010.0), 5.1) == one
    assert Extent.around((-3000.0, -2000.0, 3000.0, 2000.0), 40.0) != one


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 5.0), (0.0, 0.0, float("nan"), 5.0), (0.0, 0.0, float("inf"), 5.0)])
def test_what_is_no_box_has_no_extent(box) -> None:
    with pytest.raises(ValueError, match="No extent"):
        Extent.around(box, 1.0)


def test_a_frame_is_made_once_and_shared(monkeypatch) -> None:
    timeline, store, made = RoadTimeline(50), DenseStore(), []
    real = dense.counts
    monkeypatch.setattr(densestore.dense, "counts", lambda *given: (made.append(given), real(*given))[1])
    extent = Extent.around((-2000.0, -2000.0, 2000.0, 2000.0), 5.0)

    first, second = store.frame(timeline, T, extent), store.frame(timeline, T, extent)

    assert first == second
    assert len(made) == 1
    store.frame(timeline, T + 1, extent)
    store.frame(RoadTimeline(50), T, extent)
    assert len(made) == 3


def test_two_who_ask_at_once_wait_for_one_frame(monkeypatch) -> None:
    timeline, store, made, entered, go_on = RoadTimeline(50), DenseStore(), [], threading.Event(), threading.Event()
    real = dense.counts

    def slow(*given):
        made.append(given)
        entered.set()
        assert go_on.wait(20)
        return real(*given)

    monkeypatch.setattr(densestore.dense, "counts", slow)
    extent, frames = Extent.around((-2000.0, -2000.0, 2000.0, 2000.0), 5.0), []
    threads = [threading.Thread(target=lambda: frames.append(store.frame(timeline, T, extent))) for _ in range(4)]
    threads[0].start()
    assert entered.wait(20)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(20)

    assert len(made) == 1
    assert len(frames) == 4
    assert len(set(frames)) == 1


def test_frames_are_cached_within_their_bytes() -> None:
    timeline = RoadTimeline(50)
    extents = [Extent.around((-2000.0 + k, -2000.0, 2000.0 + k, 2000.0), 5.0) for k in range(0, 20_000, 1000)]
    size = len(DenseStore().frame(timeline, T, extents[0]))
    store = DenseStore(most=3 * size)
    for extent in extents:
        store.frame(timeline, T, extent)
        assert 0 < store.frames.size <= 3 * size


def test_drivers_are_cached_for_a_few_times_only() -> None:
    timeline, store = RoadTimeline(50), DenseStore()
    cached = store.fleet(timeline, T)
    assert store.fleet(timeline, T) is cached
    for k in range(densestore.MOST_TIMES):
        store.fleet(timeline, T + 1 + k)
    assert store.fleet(timeline, T) is not cached


def test_a_window_through_a_box_has_everyone_who_is_in_it() -> None:
    timeline = RoadTimeline(200)
    box = (500.0, -800.0, 1500.0, 300.0)
    found = set(fleet.through(timeline.trips, box, T, T + 120.0).tolist())
    for t in np.arange(T, T + 120.0, 7.0):
        for trip, road in enumerate(timeline.roads):
            x, y = road.at(t)
            if road.start <= t < road.end and box[0] <= x <= box[2] and box[1] <= y <= box[3]:
                assert trip in found
    assert 0 < len(found) < 200
