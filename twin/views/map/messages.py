"""The map's data for the browser, as plain arrays: windows of trips, the first view, circles. Independent of Panel and Bokeh."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.foundation.geo import ground_scale, project, unproject
from twin.sources.base import Location
from twin.timeline.orders import Orders
from twin.timeline.timeline import Motion, Timeline
from twin.views.map import wire

Floats = NDArray[np.floating[Any]]

FINE_M, COARSE_M = 1.0, 12.0
"""Tolerances, in Web Mercator metres, of the simplified knots: 1 m is under a pixel at every zoom the map offers; 12 m is a
pixel of the first view, and at `COARSE_FROM` a driver crosses several pixels per frame."""
COARSE_FROM = 500.0
"""Speed (data seconds per second) from which windows are sent with `COARSE_M`: many trips pass per second of wall time."""

PASSES = 5
"""Each pass can halve the knots, so that five could leave one of 32: more than enough for routes of 14 to 81 points."""

TILE_M = 156_543.033_928_040_97
"""Web Mercator metres per pixel at zoom 0 with tiles of 256 pixels: 2π · 6378137 / 256."""

HALF_WORLD_M = TILE_M * 128

FEW_ROUTES = 300
"""With fewer routes than this the base map is too sparse to judge distances: range rings and a scale are added."""

RINGS_SHOWN = 4

LONGEST_WINDOW_S = 6 * 3600.0
"""Longest window that is sent. A browser requests some seconds of playback (4000 s of data at 1000x)."""


def simplify(offsets: NDArray[np.int32], t: Floats, x: Floats, y: Floats, tolerance: float) -> NDArray[np.bool_]:
    """Return which knots to keep, (k,) bool, so that no position at any time moves by more than `tolerance`.

    Every pass drops those odd interior knots of a trip that are, at their own time, near the straight line between their two
    neighbours. If only alternate knots are dropped, the line moves by at most their distance from it. Each pass may use an
    equal share of the tolerance, so the bound holds without recursion, and whole windows are simplified in a few array
    operations.
    """
    kept = np.arange(len(t))
    first, last = np.zeros(len(t), bool), np.zeros(len(t), bool)
    filled = np.diff(offsets) > 0
    first[offsets[:-1][filled]] = True
    last[offsets[1:][filled] - 1] = True
    share = tolerance / PASSES
    for _ in range(PASSES):
        if len(kept) < 3:
            break
        starts = np.flatnonzero(first[kept])
        rank = np.arange(len(kept)) - np.repeat(starts, np.diff(np.append(starts, len(kept))))
        here = np.flatnonzero((rank % 2 == 1) & ~last[kept])
        before, at, after = kept[here - 1], kept[here], kept[here + 1]
        # knots that were never reached have an infinite time: the result is NaN, and they are kept
        with np.errstate(invalid="ignore"):
            span = t[after] - t[before]
            f = np.divide(t[at] - t[before], span, out=np.zeros(len(at)), where=span > 0)
            off = np.hypot(
                x[before] + f * (x[after] - x[before]) - x[at], y[before] + f * (y[after] - y[before]) - y[at]
            )
        # negated, so that a knot without a position (NaN) is kept
        kept = np.delete(kept, here[~(off > share) & np.isfinite(off)])
    mask = np.zeros(len(t), bool)
    mask[kept] = True
    return mask


def window_message(motion: Motion, orders: Orders, speed: float) -> dict[str, Any]:
    """Return the trips of a window for the browser, with the columns of `wire.WINDOW`."""
    tolerance = COARSE_M if speed >= COARSE_FROM else FINE_M
    keep = simplify(motion.offsets, motion.t, motion.x, motion.y, tolerance)
    offsets = np.concatenate([[0], np.cumsum(keep)])[motion.offsets]
    order = motion.order
    stall_trip, stall_from, stall_to = _stalls(motion, orders)
    return wire.pack(
        wire.WINDOW,
        {
            "start": motion.start,
            "end": motion.end,
            "order": order,
            "offsets": offsets,
            "t": motion.t[keep],
            "x": motion.x[keep],
            "y": motion.y[keep],
            "cx": orders.customer_x[order],
            "cy": orders.customer_y[order],
            "age": motion.start - orders.created[order],
            "promise": orders.eta_mins[order] * 60.0,
            "gap_trip": motion.gap_trip,
            "gap_from": motion.gap_from,
            "gap_to": motion.gap_to,
            "stall_trip": stall_trip,
            "stall_from": stall_from,
            "stall_to": stall_to,
        },
    )


def _stalls(motion: Motion, orders: Orders) -> tuple[list[int], list[float], list[float]]:
    """Return the stalls (trip, from, to) after which the trip goes on; a trip ends where its order stalls for good."""
    stalled, begin, end = orders.stalls
    back = np.isfinite(end) & np.isin(stalled, motion.order)
    trip_of = {order: trip for trip, order in enumerate(motion.order.tolist())} if back.any() else {}
    spells = [
        (trip_of[order], since, until)
        for order, since, until in zip(stalled[back].tolist(), begin[back].tolist(), end[back].tolist(), strict=True)
        if until > motion.start[trip_of[order]]
    ]
    return [trip for trip, _, _ in spells], [since for _, since, _ in spells], [until for _, _, until in spells]


def kitchen_of(timeline: Timeline) -> tuple[float, float] | None:
    """Return the kitchen in Web Mercator metres, or None if the location has no position."""
    location: Location = timeline.location
    if location.lat is None or location.lon is None:
        return None
    x, y = project(location.lat, location.lon)
    return float(x), float(y)


def origin_of(timeline: Timeline) -> tuple[float, float] | None:
    """Return where the map's positions count from, Web Mercator metres: the kitchen, or the midst of the customers.

    None without any coordinates.
    """
    if timeline.origin is None:
        return None
    x, y = project(timeline.origin.lat, timeline.origin.lon)
    return float(x), float(y)


def radius_of(location: Location) -> float | None:
    """Return the delivery radius in Web Mercator metres (which are longer than true metres by 1/cos of the latitude)."""
    if location.radius_m is None or location.lat is None:
        return None
    return location.radius_m / ground_scale(location.lat)


def first_view(timeline: Timeline, origin: tuple[float, float]) -> tuple[float, float, float, float]:
    """Return the first view (x0, y0, x1, y1) in Web Mercator metres: the kitchen and nearly all its customers.

    It is the box of the 5th to 95th percentiles, so that a stray address does not shrink the city; or the whole delivery
    radius, if that is not much larger.
    """
    kx, ky = origin
    x, y = np.asarray(timeline.orders.customer_x, float), np.asarray(timeline.orders.customer_y, float)
    placed = np.isfinite(x) & np.isfinite(y)
    radius = radius_of(timeline.location)
    reach = radius or 4000.0
    if not placed.any():
        return kx - reach, ky - reach, kx + reach, ky + reach
    (x0, x1), (y0, y1) = np.percentile(x[placed], [5, 95]), np.percentile(y[placed], [5, 95])
    x0, x1, y0, y1 = min(x0, 0.0), max(x1, 0.0), min(y0, 0.0), max(y1, 0.0)
    widest = max(x1 - x0, y1 - y0, 500.0)
    if radius is not None and 2 * radius <= 1.35 * widest:
        x0, x1, y0, y1 = -radius, radius, -radius, radius
    margin = 0.04 * widest
    return kx + x0 - margin, ky + y0 - margin, kx + x1 + margin, ky + y1 + margin


def circle(kitchen: tuple[float, float], radius: float) -> tuple[Floats, Floats]:
    """Return a closed circle, two (97,) float64 arrays in Web Mercator metres: accurate to a pixel at city scale."""
    angle = np.linspace(0.0, 2 * np.pi, 97)
    return kitchen[0] + radius * np.cos(angle), kitchen[1] + radius * np.sin(angle)


def ring_radii(reach_m: float) -> list[float]:
    """Return up to four round distances, in true metres, that divide `reach_m` evenly enough for range rings."""
    for step in (100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0):
        if reach_m / step <= RINGS_SHOWN:
            return [step * k for k in range(1, RINGS_SHOWN + 1) if step * k <= reach_m * 1.05] or [step]
    return [50_000.0]


def to_viewport(x: float, y: float, metres_per_pixel: float) -> tuple[float, float, float]:
    """Return (lon, lat, zoom) of a centre in Web Mercator metres and a resolution; zoom as in web maps, any fraction."""
    lat, lon = unproject(x, y)
    return float(lon), float(lat), float(np.log2(TILE_M / metres_per_pixel))
