"""Many drivers: the cost of a dense frame on server and wire, compared with HoloViews, and frames per second while panning."""

import functools
import statistics
import time
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from holoviews.operation.datashader import rasterize
from playwright.sync_api import Locator

import twin
from benchmarks import data
from benchmarks.browser import READY_MS, SIZE, chromium, new_page
from benchmarks.served import serving, serving_plain
from benchmarks.table import Row, spread
from benchmarks.timing import milliseconds
from twin.render import dense
from twin.render.dense import Extent
from twin.timeline import fleet
from twin.timeline.timeline import Timeline

GOALS = {10_000: None, 100_000: 5.0, 1_000_000: 20.0}
"""Drivers on the road -> milliseconds of the server's CPU for a frame, at most."""
DENSE_FROM = 5_000
"""Drivers above which the map shows density here; with the default, ten thousand would be drawn one by one."""
MOST_MB = 0.1
FEWEST_A_SECOND = 15.0
WIDTH, HEIGHT, METRES = 1200, 800, 12.0
"""Size of the view in pixels, and metres per pixel: the middle of the city."""
EXTENT = Extent.around((-WIDTH * METRES / 2, -HEIGHT * METRES / 2, WIDTH * METRES / 2, HEIGHT * METRES / 2), METRES)
FRAMES, PAN_S = 15, 6.0
SETTLE_S = 20.0
"""Seconds until the background computation of usual values and moments has finished for a million orders."""
HOUR = {"start": "2025-10-16T18:00:00", "end": "2025-10-16T19:00:00", "t": "2025-10-16T18:20:00"}
MAP = "[...globalThis.__twin.motion.values()][0]"


def measure(quick: bool) -> list[Row]:
    """Return the rows of frames on the server and in the browser."""
    rows: list[Row] = []
    for drivers in list(GOALS)[: 2 if quick else None]:
        rows += _server(drivers)
        rows.append(_browser(drivers))
    return rows


def _server(drivers: int) -> list[Row]:
    source = twin.open(data.metropolis(drivers)).source
    timeline = Timeline.load(source, data.LOCATION, HOUR["start"], HOUR["end"])
    moments = timeline.window.start + np.arange(1, FRAMES + 1) * 6.0

    def theirs(t: float) -> Any:
        everyone = fleet.gather(timeline.trips, t)
        x0, y0, x1, y1 = EXTENT.box
        points = hv.Points(pd.DataFrame({"x": everyone.x, "y": everyone.y}), ["x", "y"])
        return rasterize(
            points, x_range=(x0, x1), y_range=(y0, y1), width=EXTENT.columns, height=EXTENT.rows, dynamic=False
        )

    ours = functools.partial(packed, timeline)
    goal, size = GOALS[drivers], ours(moments[0])
    theirs(moments[0])  # both compile on first use
    mine, other = (milliseconds(do, moments.tolist(), time.process_time) for do in (ours, theirs))
    named = f"dense frame, {drivers:,} drivers, {WIDTH}×{HEIGHT}"
    ratio = statistics.median(other) / statistics.median(mine)
    return [
        Row(
            f"{named}: server CPU", f"≤ {goal:g} ms" if goal else "–", spread(mine, "ms", 1),
            statistics.median(mine) <= goal if goal else None, statistics.median(mine),
            "HoloViews' rasterize of the same places", ratio,
        ),
        Row(f"{named}: on the wire", f"≤ {MOST_MB:g} MB", f"{size / 1e6:.2f} MB", size <= MOST_MB * 1e6, size / 1e6),
    ]  # fmt: skip


def packed(timeline: Timeline, t: float) -> int:
    """Make the frame at t; return its size in bytes."""
    return len(dense.pack(dense.counts(fleet.gather(timeline.trips, t), EXTENT)))


def _browser(drivers: int) -> Row:
    plain = _plain(drivers)
    with serving(data.metropolis(drivers), TWIN_DENSE_DRIVERS=str(DENSE_FROM)) as server, chromium() as browser:
        page = new_page(browser)
        page.goto(server.page(location=data.LOCATION, speed="60", **HOUR))
        page.wait_for_function(f"() => globalThis.__twin?.motion?.size && {MAP}.frameAt", timeout=READY_MS * 4)
        page.wait_for_timeout(SETTLE_S * 1000)
        page.get_by_test_id("play").click()
        page.wait_for_timeout(1000)
        x, y = _middle(page.get_by_test_id("map"))
        page.mouse.move(x + 40, y + 40)
        page.mouse.down()
        before, began, turn = page.evaluate(f"() => {MAP}.framesShown"), time.monotonic(), 0
        while time.monotonic() - began < PAN_S:
            turn += 1
            page.mouse.move(x + 150 * np.sin(turn / 8), y + 100 * np.cos(turn / 8))
            page.wait_for_timeout(30)
        shown = (page.evaluate(f"() => {MAP}.framesShown") - before) / (time.monotonic() - began)
        page.mouse.up()
    return Row(
        f"dense frames shown while panning, {drivers:,} drivers at 60x", f"≥ {FEWEST_A_SECOND:g} /s", f"{shown:.1f} /s",
        shown >= FEWEST_A_SECOND, shown,
        f"a plain page with HoloViews' rasterize, standing still, draws when a drag ends, {plain:.1f} /s: ours to that",
        shown / plain,
    )  # fmt: skip


def _plain(drivers: int) -> float:
    """Return the frames per second that a plain HoloViews page shows of the same drivers, paused, with drag after drag."""
    moment = str(twin.foundation.times.seconds(HOUR["t"]))
    with (
        serving_plain("plaindense", CROWD=str(data.metropolis(drivers)), CROWD_T=moment) as server,
        chromium() as browser,
    ):
        page = browser.new_context(viewport=SIZE).new_page()
        page.goto(f"{server.address}/plaindense")
        figure = page.locator(".bk-Figure")
        figure.wait_for(timeout=READY_MS * 4)
        page.wait_for_timeout(3000)
        page.evaluate(COUNT_IMAGES)
        x, y = _middle(figure)
        shown, began = 0, time.monotonic()
        while time.monotonic() - began < PAN_S:
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + (20 if shown % 2 else -20), y)
            page.mouse.up()
            page.wait_for_function("(shown) => globalThis.__images > shown", arg=shown, polling="raf")
            shown = page.evaluate("() => globalThis.__images")
        return shown / (time.monotonic() - began)


def _middle(shown: Locator) -> tuple[float, float]:
    box = shown.bounding_box()
    if box is None:
        raise AssertionError("the map is not shown")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


COUNT_IMAGES = """() => {
  globalThis.__images = 0;
  for (const model of Bokeh.documents[0]._all_models.values())
    if (model.type === "ColumnDataSource") model.properties.data.change.connect(() => globalThis.__images++);
}"""
