"""Helpers of the rendering tests: small maps, and PNGs read back by a library that did not write them."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from twin.render.ground import palette
from twin.render.streets import Streets

KITCHEN = (-13_624_911.0, 4_549_012.0)
"""Web Mercator metres of a kitchen in San Francisco."""


def streets_of(*routes: list[tuple[float, float]]) -> Streets:
    """Return streets from routes of (x, y) metres."""
    points = np.array([point for route in routes for point in route], float).reshape(-1, 2)
    offsets = np.concatenate([[0], np.cumsum([len(route) for route in routes])]).astype(np.int32)
    return Streets(points[:, 0].copy(), points[:, 1].copy(), offsets)


def wandering(routes: int, seed: int = 0) -> Streets:
    """Return routes of 20 random steps around the kitchen, none of which shares a step with another."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 250, (routes, 20, 2)).cumsum(axis=1) + KITCHEN
    return Streets(steps[..., 0].ravel(), steps[..., 1].ravel(), np.arange(0, routes * 20 + 1, 20, dtype=np.int32))


def levels(png: bytes, theme: str) -> NDArray[np.int64]:
    """Return the palette index of every pixel, from the colours that a browser would show."""
    colours = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int64)
    known = palette(theme).astype(np.int64)
    code = colours @ [65536, 256, 1]
    codes = (known @ [65536, 256, 1]).tolist()
    index = {value: i for i, value in reversed(list(enumerate(codes)))}  # of equal colours the first: streets on land
    return np.vectorize(index.__getitem__)(code)
