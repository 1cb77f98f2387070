"""Drivers at a time: their positions, their progress along the route, and their estimated arrivals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.foundation.geo import unproject
from twin.foundation.lazily import at_first_use
from twin.timeline.orders import Orders
from twin.timeline.trips import MEASURED_GAP, Trips

if TYPE_CHECKING:
    from twin.timeline import walking
    from twin.timeline.walking import Walk
else:
    walking = at_first_use("twin.timeline.walking")

Floats = NDArray[np.float64]

OWN_PACE_FROM = 0.1
"""Share of the way after which a driver's own pace predicts the arrival better than the promise."""

DETOUR = 1.3
"""Ratio of road distance to straight distance in a street grid, for trips without a route."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """Drivers on the road at a time, (k,) each; lat, lon in degrees, x, y absolute Web Mercator metres (NaN if unknown)."""

    order: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    heading: NDArray[np.float64]
    progress: NDArray[np.float64]
    eta: NDArray[np.float64]
    measured: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.order)


def locate(
    trips: Trips, active: NDArray[np.int32], orders: Orders, kitchen_xy: tuple[float, float], t: float
) -> Drivers:
    """Return the drivers of the trips `active`, all of which must be on the road at t."""
    walk = walking.walk(
        trips.knots_from, trips.knots_to, trips.t, trips.x, trips.y, trips.observed, trips.start, active, t, trips.unit
    )
    x, y = kitchen_xy[0] + walk.x, kitchen_xy[1] + walk.y
    lat, lon = unproject(x, y)
    return Drivers(
        order=trips.order[active],
        x=x,
        y=y,
        lat=lat,
        lon=lon,
        heading=np.degrees(np.arctan2(walk.east, walk.north)) % 360,
        progress=np.divide(walk.driven, walk.length, out=np.zeros(len(active)), where=walk.length > 0),
        eta=_arrivals(trips, active, orders, t, walk),
        measured=(walk.next_t - walk.seen_t <= MEASURED_GAP) | (t - trips.start[active] - walk.seen_t < 1.0),
    )


def remaining_at_own_pace(elapsed: float | Floats, done: float | Floats, length: float | Floats) -> float | Floats:
    """Return the seconds for the rest of a way of `length`, of which `done` took `elapsed` seconds."""
    return elapsed * (length - done) / done


def _arrivals(trips: Trips, active: NDArray[np.int32], orders: Orders, t: float, walk: "Walk") -> Floats:
    """Return the arrivals estimated at t, from the route, the last observation, the promise and the usual speed.

    From `OWN_PACE_FROM` of the route on, the trip's own pace is used; before, the promised minutes, or else the usual speed. For
    a trip without a route it is the straight distance to the customer times `DETOUR` at the usual speed, or else the promise.
    """
    start = trips.start[active]
    order = trips.order[active]
    promised = orders.eta_mins[order].astype(np.float64) * 60
    usual = trips.usual_speed / trips.scale  # Web Mercator metres per second
    routed = trips.routed[active]
    length, seen_way, seen_t = walk.length, walk.seen_way, walk.seen_t
    with np.errstate(divide="ignore", invalid="ignore"):
        planned = np.where(np.isfinite(promised) & (promised > 0), length / promised, usual)
        has_pace = (seen_way > OWN_PACE_FROM * length) & (seen_t > 0)
        remaining = np.where(has_pace, remaining_at_own_pace(seen_t, seen_way, length), (length - seen_way) / planned)
        by_route = start + seen_t + remaining
        to_x = orders.customer_x[order] - walk.seen_x
        to_y = orders.customer_y[order] - walk.seen_y
        straight = np.hypot(to_x, to_y) * DETOUR
        by_line = start + seen_t + straight / usual
        by_line = np.where(np.isfinite(by_line), by_line, start + promised)
        eta = np.where(routed, by_route, by_line)
    return np.where(np.isfinite(eta), np.maximum(eta, t), np.nan)
