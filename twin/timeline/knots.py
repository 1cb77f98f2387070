"""Computes the knots of trips: pins observations onto the route, and times the vertices between two pins by distance.

Compiled, one trip after the other, because a million events have three million knots and opening a kitchen waits for them. The
rules are in trips.py. Metres are Web Mercator east/north of the kitchen, times are seconds since the trip's start.
"""

from functools import cache
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import STALLED_AFTER

ON_VERTEX_M = 30.0
"""A ping this near to the vertex given by its progress is placed on that vertex (the generator rounds to 7 decimals)."""
ON_ROUTE_M = 150.0
"""If a ping is farther than this from the route, the driver left it, and the trip is drawn through its pings."""
IMPOSSIBLE_SPEED = 50.0
"""Metres per second (180 km/h) between two observations; no delivery is faster, so the data is wrong."""
STRAIGHT_M = 0.5
"""A route's vertex within this distance (metres) of the line between its neighbours is left out: far less than a pixel."""
SAME_M = 0.01
"""A vertex this near to a pin coincides with it and is left out."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Paths(NamedTuple):
    """Routes of n trips: offsets (n + 1,) into the vertices x, y, which are NaN where unknown."""

    offsets: NDArray[np.int64]
    x: Floats
    y: Floats


class Pings(NamedTuple):
    """Pings of n trips in time order: offsets (n + 1,) into t, x, y and progress (0..1); all but t are NaN where unknown."""

    offsets: NDArray[np.int64]
    t: Floats
    x: Floats
    y: Floats
    progress: Floats


class Goals(NamedTuple):
    """The ends of n trips, (n,) each: arrival is NaN where the trip did not end, x, y where the place is unknown."""

    arrival: Floats
    x: Floats
    y: Floats


class Knots(NamedTuple):
    """The knots of n trips, k in all: per_trip, routed, too_fast and speed are (n,), t, x, y and observed are (k,).

    per_trip is the number of knots of each trip; speed its mean in m/s, NaN where the trip is not finished.
    """

    per_trip: NDArray[np.int64]
    routed: Flags
    too_fast: Flags
    speed: Floats
    t: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    observed: Flags


@cache
def warm() -> None:
    """Load the compiled code, which takes half a second once per process; the very first time it compiles for some seconds."""
    none, no_offsets = np.empty(0), np.zeros(1, np.int64)
    weave(Paths(no_offsets, none, none), Pings(no_offsets, none, none, none, none), Goals(none, none, none), 1.0)


@numba.njit(cache=True, nogil=True)
def weave(paths: Paths, pings: Pings, goals: Goals, scale: float) -> Knots:
    """Return the knots of n trips; `scale` is true metres per Web Mercator metre."""
    n = len(goals.arrival)
    most = len(paths.x) + len(pings.t) + 2 * n
    count, routed, too_fast = np.zeros(n, np.int64), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    speed = np.full(n, np.nan)
    out_t, out_x, out_y = np.empty(most, np.float32), np.empty(most, np.float32), np.empty(most, np.float32)
    out_seen = np.empty(most, np.bool_)
    longest = 2
    for i in range(n):
        vertices = paths.offsets[i + 1] - paths.offsets[i]
        longest = max(longest, vertices + pings.offsets[i + 1] - pings.offsets[i] + 2)
    # buffers for one trip: its route, its pins, its knots
    vx, vy, vs = np.empty(longest), np.empty(longest), np.empty(longest)
    place, pin_t, pin_s = np.empty(longest), np.empty(longest), np.empty(longest)
    t, x, y, seen = np.empty(longest), np.empty(longest), np.empty(longest), np.empty(longest, np.bool_)
    end = 0
    for i in range(n):
        own, arrival = slice(paths.offsets[i], paths.offsets[i + 1]), goals.arrival[i]
        vertices = _route(paths.x[own], paths.y[own], vx, vy, vs)
        own = slice(pings.offsets[i], pings.offsets[i + 1])
        ping_t, ping_x, ping_y, progress = pings.t[own], pings.x[own], pings.y[own], pings.progress[own]
        on_route = _pin(ping_x, ping_y, progress, vx[:vertices], vy[:vertices], vs[:vertices], scale, place)
        routed[i] = vertices > 0 and on_route
        if routed[i]:
            pins = _pins(ping_t, place, arrival, vs[vertices - 1], pin_t, pin_s)
            knots = _along(vx[:vertices], vy[:vertices], vs[:vertices], pin_t[:pins], pin_s[:pins], t, x, y, seen)
            knots = _thin(t, x, y, seen, knots, scale)
        else:
            knots = _through(
                ping_t, ping_x, ping_y, vx[:vertices], vy[:vertices], arrival, goals.x[i], goals.y[i], t, x, y, seen
            )
        count[i] = knots
        too_fast[i], speed[i] = _speed(t, x, y, seen, knots, arrival, scale)
        for k in range(knots):
            out_t[end + k], out_x[end + k], out_y[end + k], out_seen[end + k] = t[k], x[k], y[k], seen[k]
        end += knots
    return Knots(count, routed, too_fast, speed, out_t[:end], out_x[:end], out_y[:end], out_seen[:end])


@numba.njit(cache=True, nogil=True)
def _route(x: Floats, y: Floats, vx: Floats, vy: Floats, vs: Floats) -> int:
    """Write a route's valid vertices and the distance along the route to each; return their number, 0 if only one is valid."""
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
    """Write each ping's distance along the route, NaN if unknown; return whether the driver followed the route.

    The generator puts a ping on vertex int(progress × (n - 1)), so that one is tried before a search. A ping without a position
    gets the vertex of its progress. A ping behind an earlier one means that the driver turned, or that the route crosses itself.
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
        if not np.isfinite(x[k]) and np.isinf(away):  # neither position nor progress: no reason to doubt the route
            away = 0.0
        along = along and away <= ON_ROUTE_M
        if np.isfinite(place[k]):
            along = along and not (last - place[k]) * scale > ON_ROUTE_M
            last = place[k]
    return along


@numba.njit(cache=True, nogil=True)
def _nearest(x: float, y: float, vx: Floats, vy: Floats, vs: Floats) -> tuple[float, float]:
    """Return the distance along a route to its point nearest to x, y, and the distance of that point from x, y."""
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
    """Write the times and distances along the route that were observed: start, pings, arrival; return their number."""
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
    """Write the knots of a trip that follows its route, pins and the vertices between them; return their number."""
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
        before = next_pin - 1  # exists, because the start is pinned at 0
        if pin_s[before] >= vs[v] - SAME_M or (next_pin < pins and pin_s[next_pin] <= vs[v] + SAME_M):
            continue
        t[n], x[n], y[n], seen[n] = (
            np.inf,
            vx[v],
            vy[v],
            False,
        )  # stays inf on the part of a route that was never reached
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
    """Write the knots of a trip from the route's start (or the kitchen) through its pings to its goal; return their number."""
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
    # a trip without any position besides the kitchen's is not drawn: the driver would seem to stand there
    return n if n > 1 else 0


@numba.njit(cache=True, nogil=True)
def _thin(t: Floats, x: Floats, y: Floats, seen: Flags, n: int, scale: float) -> int:
    """Remove, in place, vertices within `STRAIGHT_M` of the line between their neighbours; return the number of knots left.

    Pins stay, and of two consecutive vertices at most one is removed, so that the error stays below `STRAIGHT_M`.
    """
    left, removed_last = 0, False
    before_x, before_y = 0.0, 0.0
    for k in range(n):
        remove = False
        if 0 < k < n - 1 and not seen[k] and np.isfinite(t[k]) and not removed_last:
            bx, by = x[k + 1] - before_x, y[k + 1] - before_y
            px, py = x[k] - before_x, y[k] - before_y
            length = np.hypot(bx, by)
            ahead = px * bx + py * by
            remove = abs(px * by - py * bx) * scale <= STRAIGHT_M * length and 0 <= ahead <= length * length
        before_x, before_y = x[k], y[k]
        removed_last = remove
        if not remove:
            t[left], x[left], y[left], seen[left] = t[k], x[k], y[k], seen[k]
            left += 1
    return left


@numba.njit(cache=True, nogil=True)
def _speed(t: Floats, x: Floats, y: Floats, seen: Flags, n: int, arrival: float, scale: float) -> tuple[bool, float]:
    """Return whether a trip contains an impossible speed, and its mean speed (m/s, NaN if the trip is not finished)."""
    walked, seen_t, seen_walked, fast = 0.0, 0.0, 0.0, False
    for k in range(n):
        if k:
            walked += np.hypot(x[k] - x[k - 1], y[k] - y[k - 1]) * scale
        if seen[k]:
            fast = fast or (k > 0 and walked - seen_walked > IMPOSSIBLE_SPEED * max(t[k] - seen_t, 1.0))
            seen_t, seen_walked = t[k], walked
    finished = np.isfinite(arrival) and 0 < arrival < STALLED_AFTER and walked > 0
    return fast, walked / arrival if finished else np.nan
