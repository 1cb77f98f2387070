"""Frames of many drivers: the number of drivers in each cell of a grid, which the browser turns into colours.

A frame is a pure function of positions and an extent. Extents are rounded to a zoom level and to whole blocks of cells, so
that sessions with similar views share a frame, and a small movement of the map does not need another one.
"""

import math
import zlib
from dataclasses import dataclass

import datashader as ds
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.render.grid import MAX_ZOOM, metres_per_pixel
from twin.timeline.fleet import Box, Fleet

BLOCK = 128
"""Cells along the side of a block. An extent is made of whole blocks, so nearby views have the same extent."""

MOST_CELLS = 4_000_000
"""Cells of a frame at most, more than any screen has; a larger extent gets coarser cells."""

MOST_COUNT = 255
"""A cell is one byte: higher counts are cut to this."""

COMPRESSION = 1
"""zlib's fastest level: the next one takes twice the time for 10 % fewer bytes, of a frame that is shown for 0.1 s."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle of whole blocks. level: zoom of web maps; column, row: first block, counted east and north from the kitchen;
    across, up: number of blocks."""

    level: int
    column: int
    row: int
    across: int
    up: int

    @classmethod
    def around(cls, box: Box, pixel: float) -> "Extent":
        """Return the extent that covers a box on a screen of `pixel` metres per pixel, with cells of one to two pixels.

        Raises ValueError for a box or pixel without a size.
        """
        x0, y0, x1, y1 = box
        if not (all(map(math.isfinite, (*box, pixel))) and x1 > x0 and y1 > y0 and pixel > 0):
            raise ValueError(f"No extent has the box {box} with {pixel} metres to a pixel.")
        level = math.floor(min(math.log2(metres_per_pixel(0) / pixel) + 1e-9, MAX_ZOOM))
        while True:
            side = metres_per_pixel(level) * BLOCK
            left, bottom = math.floor(x0 / side), math.floor(y0 / side)
            extent = cls(level, left, bottom, math.ceil(x1 / side) - left, math.ceil(y1 / side) - bottom)
            if extent.columns * extent.rows <= MOST_CELLS:
                return extent
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
        """The rectangle in metres from the kitchen."""
        side = metres_per_pixel(self.level) * BLOCK
        return (
            self.column * side, self.row * side, (self.column + self.across) * side, (self.row + self.up) * side,
        )  # fmt: skip


def counts(fleet: Fleet, extent: Extent) -> NDArray[np.uint8]:
    """Return the drivers in each cell as (rows, columns) uint8, at most `MOST_COUNT`, south row first."""
    x0, y0, x1, y1 = extent.box
    canvas = ds.Canvas(plot_width=extent.columns, plot_height=extent.rows, x_range=(x0, x1), y_range=(y0, y1))
    positions = pd.DataFrame({"x": fleet.x, "y": fleet.y}, copy=False)
    counted = canvas.points(positions, "x", "y", ds.count()).to_numpy()
    return np.minimum(counted, MOST_COUNT, dtype=counted.dtype).astype(np.uint8)


def pack(cells: NDArray[np.uint8]) -> bytes:
    """Return a frame as bytes: the highest count of a cell (one byte), then all cells, compressed by zlib."""
    return bytes([int(cells.max(initial=0))]) + zlib.compress(cells.tobytes(), COMPRESSION)
