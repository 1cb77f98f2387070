"""How the map and the browser speak: the columns of what is sent as one buffer, and the times by which both reckon.

One buffer, because each is two messages on Bokeh's wire. What it holds is declared here once, packed by `pack`, and sent along
as a header, so that `unpack` here and in wire.js read any layout. wire.py knows no other module: motion.js imports from it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Layout = Mapping[str, str]
"""The columns of a buffer in their order: names and dtypes (little-endian, as NumPy writes them)."""

WINDOW: Layout = {
    # n trips: seconds, their order's row, the knots of trip i from offsets[i] to offsets[i + 1] (n + 1,)
    "start": "<f8", "end": "<f8", "order": "<i4", "offsets": "<i4",
    # k knots: seconds since the trip's start, metres east and north of the kitchen
    "t": "<f4", "x": "<f4", "y": "<f4",
    # n trips: the customer's place, metres, NaN if unknown; the seconds since the order was created and those promised for the
    # trip, both at its start, NaN if unknown
    "cx": "<f4", "cy": "<f4", "age": "<f4", "promise": "<f4",
    # g gaps: the trip's number among these, seconds since its start between which positions are inferred, see `Motion`
    "gap_trip": "<i4", "gap_from": "<f4", "gap_to": "<f4",
    # s stalls: the trip's number, data seconds between which its order had stalled, so that its driver is on no road
    "stall_trip": "<i4", "stall_from": "<f8", "stall_to": "<f8",
}  # fmt: skip
"""The trips of a window."""

PINS: Layout = {"begin": "<f8", "until": "<f8", "order": "<i4", "cx": "<f4", "cy": "<f4"}
"""The customers of a stage, n pins in the order of begin: data seconds in it, the order's row, metres, NaN if unknown."""

WINDOW_MIN_S, WINDOW_WALL_S = 60.0, 4.0
"""A window lasts four seconds of playback and at least a minute of data."""
LEAD_WALL_S = 2.0
"""Seconds of playback that a window is asked for ahead."""
KEPT_S = 120.0
"""A browser that is given a further window keeps at least two minutes of what has passed."""
FADE_S, FADE_WALL_S = 30.0, 0.5
"""A delivered driver fades for 30 data seconds, but at least half a second of the viewer's time: at 1000x 30 s are one frame."""


def pack(layout: Layout, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return one buffer of columns, "packed", and how to read it, "layout": [[name, dtype, length], …]."""
    if columns.keys() != layout.keys():
        raise ValueError(f"The columns {', '.join(columns)} are not those declared: {', '.join(layout)}.")
    arrays = {name: np.asarray(columns[name], dtype) for name, dtype in layout.items()}
    return {
        "layout": [[name, layout[name], len(array)] for name, array in arrays.items()],
        "packed": np.frombuffer(b"".join(array.tobytes() for array in arrays.values()), np.uint8),
    }


def unpack(message: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of a message by name, as the browser reads them."""
    raw, at = message["packed"].tobytes(), 0
    columns: dict[str, NDArray[Any]] = {}
    for name, dtype, length in message["layout"]:
        columns[name] = np.frombuffer(raw, dtype, length, at)
        at += columns[name].nbytes
    return columns


def fade_span(speed: float) -> float:
    """Return the data seconds for which a delivery stays visible at a speed, as `fadeSpan` in motion.js."""
    return max(FADE_S, FADE_WALL_S * speed)


def window_at(t: float, speed: float) -> tuple[float, float]:
    """Return the window (from, to) that a browser needs to show `t`: what it would ask for (`want` in motion.js)."""
    return t - fade_span(speed), t + max(WINDOW_MIN_S, WINDOW_WALL_S * speed)
