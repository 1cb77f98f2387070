"""The knots of trips: what was measured is pinned onto the route, the time of the vertices between two pins follows the way.

Compiled, one trip after the other: a million events have three million knots, and whoever opens a kitchen waits for them.
trips.py has the rules; metres are Web Mercator east/north of the kitchen, times seconds since the trip's start.
"""

from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import STALLED_AFTER

ON_VERTEX_M = 30.0
"""A ping this near to the vertex that its progress names is that vertex (the generator rounds to 7 decimals)."""
ON_ROUTE_M = 150.0
"""A ping farther than this from the route was not driven along it: the trip is drawn through its pings."""
IMPOSSIBLE_SPEED = 50.0
"""Metres per second (180 km/h) between two observations that no delivery drives."""
STRAIGHT_M = 0.5
"""A route's vertex this near to the line between its neighbours is left out: metres, well below a pixel."""
SAME_M = 0.01
"""A vertex this near to a pin is that pin."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@cache
def warm() -> None:
    """Load what is compiled, half a second once per process; the first time ever it is compiled, some seconds."""
    none, no_offsets = np.empty(0), np.zeros(1, np.int64)
    weave(no_offsets, none, none, no_offsets, none, none, none, none, none, none, none, 1.0)


@numba.njit(cache=True, nogil=True)
def weave(
    path: NDArray[np.int64],
    path_x: Floats,
    path_y: Floats,
    ping: NDArray[np.int64],
    ping_t: Floats,
    ping_x: Floats,
    ping_y: Floats,
    progress: Floats,
    arrival: Floats,
    goal_x: Floats,
    goal_y: Floats,
    scale: float,
) -> tuple[
    NDArray[np.int64], Flags, Flags, Floats, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], Flags
]:
    """Return the knots of n trips: count, routed, too_fast, speed (m/s, NaN unfinished) (n,), t, x, y, observed (k,).

    path (n + 1,) are offsets into the vertices path_x, path_y (NaN where unknown), ping (n + 1,) into the pings, in time order
    (place NaN and progress 0..1 NaN where unknown). arrival (n,) is NaN where there was none, goal_x, goal_y where unknown.
    scale: true metres per Web Mercator metre.
    """
    n = len(arrival)
    most = len(path_x) + len(ping_t) + 2 * n
    count, routed, too_fast = np.zeros(n, np.int64), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    speed = np.full(n, np.nan)
    out_t, out_x, out_y = np.empty(most, np.float32), np.empty(most, np.float32), np.empty(most, np.float32)
    out_seen = np.empty(most, np.bool_)
    longest = 2
    for i in range(n):
        longest = max(longest, path[i + 1] - path[i] + ping[i + 1] - ping[i] + 2)
    # what one trip needs meanwhile: its route, its pins, its knots
    vx, vy, vs = np.empty(longest), np.empty(longest), np.empty(longest)
    place, pin_t, pin_s = np.empty(longest), np.empty(longest), np.empty(longest)
    t, x, y, seen = np.empty(longest), np.empty(longest), np.empty(longest), np.empty(longest, np.bool_)
    end = 0
    for i in range(n):
        vertices = _route(path_x[path[i] : path[i + 1]], path_y[path[i] : path[i + 1]], vx, vy, vs)
        some = slice(ping[i], ping[i + 1])
        pings_t, pings_x, pings_y = ping_t[some], ping_x[some], ping_y[some]
        on_route = _pin(pings_x, pings_y, progress[some], vx[:vertices], vy[:vertices], vs[:vertices], scale, place)
        routed[i] = vertices > 0 and on_route
        if routed[i]:
            pins = _pins(pings_t, place, arrival[i], vs[vertices - 1], pin_t, pin_s)
            knots = _along(vx[:vertices], vy[:vertices], vs[:vertices], pin_t[:pins], pin_s[:pins], t, x, y, seen)
            knots = _thin(t, x, y, seen, knots, scale)
        else:
            knots = _through(
                pings_t, pings_x, pings_y, vx[:vertices], vy[:vertices], arrival[i], goal_x[i], goal_y[i], t, x, y, seen
            )
        count[i] = knots
        too_fast[i], speed[i] = _speed(t, x, y, seen, knots, arrival[i], scale)
        for k in range(knots):
            out_t[end + k], out_x[end + k], out_y[end + k], out_seen[end + k] = t[k], x[k], y[k], seen[k]
        end += knots
    return count, routed, too_fast, speed, out_t[:end], out_x[:end], out_y[:end], out_seen[:end]


@numba.njit(cache=True, nogil=True)
def _route(x: Floats, y: Floats, vx: Floats, vy: Floats, vs: Floats) -> int:
    """Write a route's known vertices and the way to each; return how many: one alone is none."""
    n = 0
    for k in range(len(x)):
        if np.isfinite(x[k]):
            vx[n], vy[n] = x[k], y[k]
            vs[n] = 0.0 if n == 0 else vs[n - 1] + np.hypot(vx[n] - vx[n - 1], vy[n] - vy[n - 1])
            n += 1
    return n if n > 1 else 0


@numba.njit(cache=True, nogil=True)
def _pin(
    x: Floats, y: Floats, progress: Floats, vx: Floats, vy: Floats, vs: Floats, scale: float, place: Floats
) -> bool:
    """Write for each ping the way along the route to where it belongs, NaN if unknown; return whether all went along it.

    The generator puts a ping on vertex int(progress × (n - 1)); where that holds nothing needs to be searched. A ping without
    a position takes its progress's vertex. Who is behind an earlier ping has turned, or the route crosses itself.
    """
    n, along, last = len(vx), True, np.nan
    for k in range(len(x)):
        place[k], away = np.nan, np.inf
        if n and np.isfinite(progress[k]):
            for offset in (0, 1, -1):  # progress is rounded to 0.1 %
                v = min(max(int(progress[k] * (n - 1)) + offset, 0), n - 1)
                off = np.hypot(vx[v] - x[k], vy[v] - y[k]) * scale
                if np.isnan(off):
                    off = 0.0 if offset == 0 else np.inf
                if off <= ON_VERTEX_M:
                    place[k], away = vs[v], off
                    break
        if n and np.isinf(away) and np.isfinite(x[k]):
            place[k], away = _nearest(x[k], y[k], vx, vy, vs)
            away *= scale
        if not np.isfinite(x[k]) and np.isinf(away):  # neither position nor progress: says nothing about the place
            away = 0.0
        along = along and away <= ON_ROUTE_M
        if np.isfinite(place[k]):
            along = along and not (last - place[k]) * scale > ON_ROUTE_M
            last = place[k]
    return along


@numba.njit(cache=True, nogil=True)
def _nearest(x: float, y: float, vx: Floats, vy: Floats, vs: Floats) -> tuple[float, float]:
    """Return the way along a route to its point nearest to x, y, and the distance to that."""
    best, along = np.inf, np.nan
    for k in range(len(vx) - 1):
        bx, by = vx[k + 1] - vx[k], vy[k + 1] - vy[k]
        px, py = x - vx[k], y - vy[k]
        length = bx * bx + by * by
        share = min(max((px * bx + py * by) / length, 0.0), 1.0) if length > 0 else 0.0
        away = np.hypot(px - share * bx, py - share * by)
        if away < best:
            best, along = away, vs[k] + share * (vs[k + 1] - vs[k])
    return along, best


@numba.njit(cache=True, nogil=True)
def _pins(times: Floats, place: Floats, arrival: float, whole: float, pin_t: Floats, pin_s: Floats) -> int:
    """Write what is known of when the driver was where along the route: start, pings, arrival; return how many."""
    pin_t[0], pin_s[0], n = 0.0, 0.0, 1
    for k in range(len(times)):
        if np.isfinite(place[k]):
            pin_t[n], pin_s[n] = times[k], max(place[k], pin_s[n - 1])  # a small step back is a stop
            n += 1
    if np.isfinite(arrival):
        pin_t[n], pin_s[n] = arrival, max(whole, pin_s[n - 1])
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _along(
    vx: Floats, vy: Floats, vs: Floats, pin_t: Floats, pin_s: Floats, t: Floats, x: Floats, y: Floats, seen: Flags
) -> int:
    """Write the knots of a trip that follows its route: pins and the vertices between them; return how many."""
    pins, n, next_pin, segment = len(pin_t), 0, 0, 0
    for v in range(len(vx) + 1):
        # the pins up to this vertex; after the last vertex, the rest
        while next_pin < pins and (v == len(vx) or pin_s[next_pin] <= vs[v]):
            s = pin_s[next_pin]
            while segment < len(vx) - 2 and vs[segment + 1] <= s:
                segment += 1
            length = vs[segment + 1] - vs[segment]
            share = min((s - vs[segment]) / length, 1.0) if length > 0 else 0.0
            x[n] = vx[segment] + share * (vx[segment + 1] - vx[segment])
            y[n] = vy[segment] + share * (vy[segment + 1] - vy[segment])
            t[n], seen[n] = pin_t[next_pin], True
            n += 1
            next_pin += 1
        if v == len(vx):
            break
        before = next_pin - 1  # the start is at 0: there is one
        if pin_s[before] >= vs[v] - SAME_M or (next_pin < pins and pin_s[next_pin] <= vs[v] + SAME_M):
            continue
        t[n], x[n], y[n], seen[n] = np.inf, vx[v], vy[v], False  # the rest of a route that was never reached
        if next_pin < pins:
            share = (vs[v] - pin_s[before]) / (pin_s[next_pin] - pin_s[before])
            t[n] = pin_t[before] + share * (pin_t[next_pin] - pin_t[before])
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _through(
    times: Floats, px: Floats, py: Floats, vx: Floats, vy: Floats, arrival: float, goal_x: float, goal_y: float,
    t: Floats, x: Floats, y: Floats, seen: Flags,
) -> int:  # fmt: skip
    """Write the knots of a trip from its start (the route's, else the kitchen) through its pings to its goal; return how many."""
    n = 1
    t[0], x[0], y[0], seen[0] = 0.0, 0.0, 0.0, True
    if len(vx):
        x[0], y[0] = vx[0], vy[0]
        if not np.isfinite(goal_x):
            goal_x, goal_y = vx[-1], vy[-1]
    for k in range(len(times)):
        if np.isfinite(px[k]):
            t[n], x[n], y[n], seen[n] = times[k], px[k], py[k], True
            n += 1
    if np.isfinite(arrival) and np.isfinite(goal_x):
        t[n], x[n], y[n], seen[n] = arrival, goal_x, goal_y, True
        n += 1
    # a trip without any place but the kitchen's is not drawn: it would pretend that the driver stands there
    return n if n > 1 else 0


@numba.njit(cache=True, nogil=True)
def _thin(t: Floats, x: Floats, y: Floats, seen: Flags, n: int, scale: float) -> int:
    """Leave out, in place, vertices within `STRAIGHT_M` of the line between their neighbours; return how many knots are left.

    Of two vertices in a row at most one goes, so that the error stays below `STRAIGHT_M` for each; pins always stay.
    """
    kept, went = 0, False
    before_x, before_y = 0.0, 0.0
    for k in range(n):
        goes = False
        if 0 < k < n - 1 and not seen[k] and np.isfinite(t[k]) and not went:
            bx, by = x[k + 1] - before_x, y[k + 1] - before_y
            px, py = x[k] - before_x, y[k] - before_y
            length = np.hypot(bx, by)
            ahead = px * bx + py * by
            goes = abs(px * by - py * bx) * scale <= STRAIGHT_M * length and 0 <= ahead <= length * length
        before_x, before_y = x[k], y[k]
        went = goes
        if not goes:
            t[kept], x[kept], y[kept], seen[kept] = t[k], x[k], y[k], seen[k]
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _speed(t: Floats, x: Floats, y: Floats, seen: Flags, n: int, arrival: float, scale: float) -> tuple[bool, float]:
    """Return whether a trip contains an impossible speed, and its mean speed (m/s; NaN where it is not finished)."""
    walked, seen_t, seen_walked, fast = 0.0, 0.0, 0.0, False
    for k in range(n):
        if k:
            walked += np.hypot(x[k] - x[k - 1], y[k] - y[k - 1]) * scale
        if seen[k]:
            fast = fast or (k > 0 and walked - seen_walked > IMPOSSIBLE_SPEED * max(t[k] - seen_t, 1.0))
            seen_t, seen_walked = t[k], walked
    finished = np.isfinite(arrival) and 0 < arrival < STALLED_AFTER and walked > 0
    return fast, walked / arrival if finished else np.nan
