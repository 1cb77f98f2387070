"""Snapshots at random times, and a tick of a session, with a million events loaded."""

import statistics
import time

import numpy as np

import twin
from benchmarks import baselines, data
from benchmarks.table import Row, percentile
from benchmarks.timing import milliseconds
from twin.timeline.timeline import Timeline
from twin.views.map import messages, wire

MOMENTS = 5000
SPEED = 60


def measure(quick: bool) -> list[Row]:
    """Return the rows of `Timeline.at` and of a tick's work in the views."""
    source = twin.open(data.week()).source
    place = source.locations()[0]
    timeline = Timeline.load(source, place.id, place.start, place.end + 1)
    moments = np.random.default_rng(1).uniform(place.start, place.end, MOMENTS // 5 if quick else MOMENTS)
    for t in moments[:100]:  # load the compiled code, as in a running server
        timeline.at(t)
    times, alone, drivers = [], [], []
    for t in moments:
        began = time.perf_counter()
        snapshot = timeline.at(t)
        alone.append((time.perf_counter() - began) * 1e3)
        drivers.append(len(snapshot.drivers))
        times.append((time.perf_counter() - began) * 1e3)
    orders, _, _ = baselines.pandas_load(data.week(), data.LOCATION)
    plain = statistics.median(milliseconds(lambda t: baselines.pandas_counts(orders, t), moments[:50].tolist()))
    return [
        Row(
            "snapshot at a random time, 1 M events loaded",
            "≤ 0.1 ms",
            f"{statistics.median(times):.3f} ms (p95 {percentile(times, 0.95):.3f}, n={len(times):,}), "
            f"{statistics.median(alone):.3f} without its {statistics.median(drivers):.0f} drivers (at most {max(drivers)})",
            statistics.median(times) <= 0.1,
            statistics.median(times),
            f"masks over pandas' columns count the stages, no drivers, in {plain:.1f} ms",
            plain / statistics.median(times),
        ),
        *_tick(timeline, moments[: len(moments) // 10]),
        _motion(timeline, moments[: len(moments) // 50]),
    ]


def _motion(timeline: Timeline, moments: np.ndarray) -> Row:
    """Compare a window of motion for four seconds of playback with a single frame as in HoloViews' guides."""
    piped = baselines.PipedMap()

    def window(t: float) -> object:
        start, end = wire.window_at(t, SPEED)
        return messages.window_message(timeline.motion(start, end), timeline.orders, SPEED)

    def frame(t: float) -> None:
        drivers = timeline.at(t).drivers
        piped.send(drivers.lon, drivers.lat)

    ours, theirs = (statistics.median(milliseconds(do, moments.tolist())) for do in (window, frame))
    return Row(
        f"drivers moved for {wire.WINDOW_WALL_S:.0f} s of playback at {SPEED}x, at any frame rate: server", "–",
        f"{ours:.2f} ms (n={len(moments)})", None, ours, f"one frame through a HoloViews Pipe {theirs:.1f} ms", theirs / ours,
    )  # fmt: skip


def _tick(timeline: Timeline, moments: np.ndarray) -> list[Row]:
    whole, spent = ticks(timeline, moments)
    costly = sorted(((statistics.median(values), name) for name, values in spent.items()), reverse=True)[:3]
    parts = ", ".join(f"{name} {cost:.2f}" for cost, name in costly)
    return [
        Row(
            "a tick on the server: snapshot and all views, without the wire",
            "–",
            f"{statistics.median(whole):.2f} ms (p95 {percentile(whole, 0.95):.2f}, n={len(whole)}); {parts}",
            None,
            statistics.median(whole),
        )
    ]


def ticks(timeline: Timeline, moments: np.ndarray) -> tuple[list[float], dict[str, list[float]]]:
    """Seek to each time and show it in every view; return the milliseconds of each seek, in total and by view."""
    from twin.replay.controller import ReplayController
    from twin.views.data_quality.data_quality import DataQualityView
    from twin.views.feed.feed import FeedView
    from twin.views.kpis.kpis import KpiView
    from twin.views.map.map import MapView
    from twin.views.pipeline.pipeline import PipelineView
    from twin.views.transport.transport import TransportView

    controller = ReplayController(timeline)
    kinds = (PipelineView, KpiView, FeedView, MapView, TransportView, DataQualityView)
    views = [kind(controller) for kind in kinds]
    for view in views:
        view.reset()
    spent: dict[str, list[float]] = {kind.__name__: [] for kind in kinds}
    whole = []
    for t in moments:
        controller.seek(float(t))
        began = time.perf_counter()
        snapshot = timeline.at(controller.now())
        for view in views:
            start = time.perf_counter()
            view.show(snapshot)
            spent[type(view).__name__].append((time.perf_counter() - start) * 1e3)
        whole.append((time.perf_counter() - began) * 1e3)
    return whole, spent
