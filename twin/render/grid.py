"""The XYZ tile scheme of web maps: which square of the world a tile shows. y counts from the north."""

import math

from twin.render.streets import EARTH_RADIUS_M, Box

TILE_PX = 256
MIN_ZOOM, MAX_ZOOM = 0, 20
"""Zoom 20 is 15 cm per pixel: closer than any route was measured."""

HALF_WORLD_M = math.pi * EARTH_RADIUS_M
"""Half the side of the Web Mercator square: its origin is in the middle."""


def metres_per_pixel(z: float) -> float:
    """Return Web Mercator metres per pixel of a 256-pixel tile."""
    return 2 * HALF_WORLD_M / TILE_PX / 2**z


def is_tile(z: int, x: int, y: int) -> bool:
    """Return whether the scheme has this tile and the renderer draws it."""
    return MIN_ZOOM <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z


def tile_box(z: int, x: int, y: int, across: int = 1) -> Box:
    """Return the square of the tile, or of a block of `across` × `across` tiles whose north-west one it is."""
    side = 2 * HALF_WORLD_M / 2**z
    return (
        x * side - HALF_WORLD_M,
        HALF_WORLD_M - (y + across) * side,
        (x + across) * side - HALF_WORLD_M,
        HALF_WORLD_M - y * side,
    )
