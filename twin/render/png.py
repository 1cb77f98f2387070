"""Palette PNGs whose palette can be replaced: another theme of a tile then needs no compression of its pixels.

Pillow cannot replace a palette without decoding the image.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_AT = len(_SIGNATURE) + 25
"""Offset of the PLTE chunk: it follows the header chunk, which always has 25 bytes."""

_LEVEL = 6
"""zlib level: 9 takes three times as long to save one percent."""


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode(levels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Return a PNG of `levels`, (height, width) uint8 indices into `palette`, (n, 3) uint8 RGB; north row first."""
    height, width = levels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # a row begins with its filter: 0, best for palettes
    rows[:, 1:] = levels
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, palette, not interlaced
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), _LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


def repaint(png: bytes, palette: NDArray[np.uint8]) -> bytes:
    """Return a PNG made by `encode` with another palette of the same length; takes microseconds for any size.

    Raises ValueError for a PNG without a palette of that length in the place where `encode` writes it.
    """
    chunk = _chunk(b"PLTE", palette.tobytes())
    if png[_PALETTE_AT : _PALETTE_AT + 8] != chunk[:8]:
        raise ValueError("The PNG has no palette of this length: it was not made by encode() with an equal one.")
    return png[:_PALETTE_AT] + chunk + png[_PALETTE_AT + len(chunk) :]
