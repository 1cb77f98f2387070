"""The XYZ tile scheme of web maps: the square of the world that a tile shows. y counts from the north."""

from twin.foundation.geo import HALF_WORLD_M
from twin.render.streets import Box

TILE_PX = 256
MIN_ZOOM, MAX_ZOOM = 0, 20
"""Zoom 20 is 15 cm per pixel: more precise than any measured route."""


def metres_per_pixel(z: float) -> float:
    """Return Web Mercator metres per pixel of a 256-pixel tile."""
    return 2 * HALF_WORLD_M / TILE_PX / 2**z


def is_tile(z: int, x: int, y: int) -> bool:
    """Return whether this tile exists and the renderer draws its zoom level."""
    return MIN_ZOOM <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z


def tile_box(z: int, x: int, y: int, across: int = 1) -> Box:
    """Return the square of a tile, or of the `across` × `across` block with that tile in its north-west corner."""
    side = 2 * HALF_WORLD_M / 2**z
    return (
        x * side - HALF_WORLD_M,
        HALF_WORLD_M - (y + across) * side,
        (x + across) * side - HALF_WORLD_M,
        HALF_WORLD_M - y * side,
    )
