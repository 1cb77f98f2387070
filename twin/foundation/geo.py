"""Web Mercator (EPSG:3857) for arrays, without a projection library: the formula is four lines and runs on every event."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_378_137.0
"""Equatorial radius of WGS 84, which EPSG:3857 uses as the radius of its sphere."""

HALF_WORLD_M = float(np.pi) * EARTH_RADIUS_M
"""Half the side of the Web Mercator square, metres; the origin is at its centre."""


def project(lat: ArrayLike, lon: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Web Mercator (x, y) in metres for degrees of latitude and longitude (within ±85.05°)."""
    x = EARTH_RADIUS_M * np.radians(np.asarray(lon, dtype=np.float64))
    y = EARTH_RADIUS_M * np.arcsinh(np.tan(np.radians(np.asarray(lat, dtype=np.float64))))
    return x, y


def unproject(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (lat, lon) in degrees for Web Mercator metres; also for those beyond the antimeridian, see `nearest_copy`."""
    lat = np.degrees(np.arctan(np.sinh(np.asarray(y, dtype=np.float64) / EARTH_RADIUS_M)))
    lon = np.degrees(np.asarray(x, dtype=np.float64) / EARTH_RADIUS_M)
    return lat, np.where(np.abs(lon) > 180, (lon + 180) % 360 - 180, lon)


def nearest_copy(x: ArrayLike, to: float) -> NDArray[np.float64]:
    """Return Web Mercator x such that each is within half a world of `to`, beyond the antimeridian where that is nearer.

    A kitchen at 179.9° E has customers at 179.95° W: they are eleven kilometres east of it, not a world west.
    """
    x = np.asarray(x, dtype=np.float64)
    return np.where(np.abs(x - to) > HALF_WORLD_M, x - 2 * HALF_WORLD_M * np.sign(x - to), x)


def ground_scale(lat: float) -> float:
    """Return true metres per Web Mercator metre at a latitude in degrees."""
    return float(np.cos(np.radians(lat)))


FAR_FROM_KITCHEN_M = 200_000.0
"""A coordinate farther from the kitchen than this is a GPS error and is treated as missing."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Local coordinates: Web Mercator metres east and north of a position in degrees, which is the kitchen's where known."""

    lat: float
    lon: float

    @classmethod
    def amid(cls, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> "Frame | None":
        """Return the frame of the median of places in degrees, NaN for those that are missing; None if all are."""
        known = np.isfinite(lat) & np.isfinite(lon)
        if not known.any():
            return None
        first = float(lon[known][0])
        east = (lon[known] - first + 180) % 360 - 180  # the antimeridian may be among them
        middle = (first + float(np.median(east)) + 180) % 360 - 180
        return cls(float(np.median(lat[known])), middle)

    @property
    def scale(self) -> float:
        """True metres per Web Mercator metre."""
        return ground_scale(self.lat)

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return metres (east, north) of positions in degrees, NaN where missing or beyond `FAR_FROM_KITCHEN_M`."""
        x0, y0 = project(self.lat, self.lon)
        x, y = project(lat, lon)
        x, y = nearest_copy(x, float(x0)) - x0, y - y0
        far = ~(np.hypot(x, y) * self.scale <= FAR_FROM_KITCHEN_M)
        x[far] = y[far] = np.nan
        return x, y
