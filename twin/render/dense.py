"""Frames of a crowd: how many drivers are in each cell of a grid, for a browser to colour.

A pure function of places, and of which part of the map is wanted. What is wanted is rounded to a level and to whole blocks of
cells, so that sessions which look at about the same thing share a frame, and a map that is moved a little needs no other.
"""

import math
import zlib
from dataclasses import dataclass

import datashader as ds
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.render.grid import MAX_ZOOM, metres_per_pixel
from twin.timeline.fleet import Box, Crowd

BLOCK = 128
"""Cells to a side of a block. An extent is whole blocks: a view moved by less than what is left over has the same one."""

MOST_CELLS = 4_000_000
"""Cells of a frame, beyond any screen's; a larger extent gets coarser cells."""

MOST_COUNT = 255
"""A byte per cell. More drivers than this in one cell are told as this many."""

COMPRESSION = 1
"""zlib's fastest: a frame lives for a tenth of a second, and the next level saves a tenth of its bytes for twice the time."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Whole blocks of cells: level as the zoom of web maps, the first block east and north of the kitchen, and how many."""

    level: int
    column: int
    row: int
    across: int
    up: int

    @classmethod
    def around(cls, box: Box, pixel: float) -> "Extent":
        """Return what shows a box on a screen with `pixel` metres to a pixel: cells of one to two pixels, all of the box.

        Raises ValueError where the box or the pixel is none.
        """
        x0, y0, x1, y1 = box
        if not (all(map(math.isfinite, (*box, pixel))) and x1 > x0 and y1 > y0 and pixel > 0):
            raise ValueError(f"No extent has the box {box} with {pixel} metres to a pixel.")
        level = min(math.floor(math.log2(metres_per_pixel(0) / pixel) + 1e-9), MAX_ZOOM)
        while True:
            side = metres_per_pixel(level) * BLOCK
            left, bottom = math.floor(x0 / side), math.floor(y0 / side)
            found = cls(level, left, bottom, math.ceil(x1 / side) - left, math.ceil(y1 / side) - bottom)
            if found.columns * found.rows <= MOST_CELLS:
                return found
            level -= 1

    @property
    def columns(self) -> int:
        """Cells from west to east."""
        return self.across * BLOCK

    @property
    def rows(self) -> int:
        """Cells from south to north."""
        return self.up * BLOCK

    @property
    def box(self) -> Box:
        """What it covers, metres from the kitchen."""
        side = metres_per_pixel(self.level) * BLOCK
        return (
            self.column * side, self.row * side, (self.column + self.across) * side, (self.row + self.up) * side,
        )  # fmt: skip


def counts(crowd: Crowd, extent: Extent) -> NDArray[np.uint8]:
    """Return the drivers in each cell, (rows, columns) uint8, at most `MOST_COUNT`, the south row first."""
    x0, y0, x1, y1 = extent.box
    canvas = ds.Canvas(plot_width=extent.columns, plot_height=extent.rows, x_range=(x0, x1), y_range=(y0, y1))
    places = pd.DataFrame({"x": crowd.x, "y": crowd.y}, copy=False)
    found = canvas.points(places, "x", "y", ds.count()).to_numpy()
    return np.minimum(found, MOST_COUNT, dtype=found.dtype).astype(np.uint8)


def pack(cells: NDArray[np.uint8]) -> bytes:
    """Return a frame's cells as they are sent and kept: the most that is in any cell, one byte, then all, deflated."""
    return bytes([int(cells.max(initial=0))]) + zlib.compress(cells.tobytes(), COMPRESSION)
