"""Colour ramps: a few colours, interpolated to as many as a palette needs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def interpolate(ramp: Sequence[str], levels: int) -> NDArray[np.float64]:
    """Return (levels, 3) RGB values 0..255, not rounded, evenly spaced along a ramp of colours like "#5b21b6"."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in ramp], float)
    at, places = np.linspace(0, 1, levels), np.linspace(0, 1, len(stops))
    return np.stack([np.interp(at, places, stops[:, channel]) for channel in range(3)], axis=1)
