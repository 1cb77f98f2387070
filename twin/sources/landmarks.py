"""Where a kitchen is and how far it delivers, as queries/locations.sql computes it, of rows that become more and more.

The query takes the median start of all routes and a percentile of all customers' distances. Both need all values, but not all
rows: the values are here, those of which a median is taken in their order, so that some more cost no new look at the table.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DEGREE_M = 111_195
"""Metres of a degree of latitude; as in the query."""
SHARE = 0.95
"""Share of the customers that live within the radius; as in the query."""
_NONE: NDArray[np.float64] = np.empty(0)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Starts of routes and places of customers, (n,) degrees each; starts are sorted, each coordinate by itself, without NaN."""

    start_lat: NDArray[np.float64] = field(default_factory=lambda: _NONE)
    start_lon: NDArray[np.float64] = field(default_factory=lambda: _NONE)
    lat: NDArray[np.float64] = field(default_factory=lambda: _NONE)
    lon: NDArray[np.float64] = field(default_factory=lambda: _NONE)

    def with_more(self, rows: pa.Table) -> "Landmarks":
        """Return those of more rows, of the columns event_type, lat, lon, start_lat and start_lon."""
        kinds = np.asarray(rows["event_type"].to_pylist(), dtype=object)
        start_lat, start_lon, lat, lon = (_numbers(rows[name]) for name in ("start_lat", "start_lon", "lat", "lon"))
        starts, customers = kinds == "driver_picked_up", kinds == "order_created"
        return Landmarks(
            _inserted(self.start_lat, start_lat[starts]),
            _inserted(self.start_lon, start_lon[starts]),
            np.append(self.lat, lat[customers]),
            np.append(self.lon, lon[customers]),
        )

    def figures(self) -> dict[str, Any]:
        """Return lat, lon (degrees) and radius_m of the kitchen; None for what nothing tells."""
        lat, lon = _quantile(self.start_lat, 0.5), _quantile(self.start_lon, 0.5)
        radius = None
        if lat is not None and lon is not None:
            east = np.abs(self.lon - lon)
            east = np.minimum(east, 360 - east) * math.cos(math.radians(lat))
            metres = DEGREE_M * np.sqrt((self.lat - lat) ** 2 + east**2)
            radius = _quantile(np.sort(metres[~np.isnan(metres)]), SHARE)
        return {"lat": lat, "lon": lon, "radius_m": radius}


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _inserted(values: NDArray[np.float64], more: NDArray[np.float64]) -> NDArray[np.float64]:
    more = np.sort(more[~np.isnan(more)])
    return np.insert(values, np.searchsorted(values, more), more)


def _quantile(values: NDArray[np.float64], share: float) -> float | None:
    """Return what percentile_cont does of sorted values."""
    if not len(values):
        return None
    place = (len(values) - 1) * share
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return float(low + (place - math.floor(place)) * (high - low))
