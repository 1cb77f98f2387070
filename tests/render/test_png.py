"""The PNGs written by hand, read by a library."""

import io

import numpy as np
import pytest
from PIL import Image

from twin.render.png import encode, repaint

PALETTE = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [10, 20, 30]], np.uint8)


def read(png: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.mode == "P"
    return np.asarray(image.convert("RGB"))


def test_a_reader_sees_the_palettes_colours_in_place() -> None:
    levels = np.random.default_rng(1).integers(0, 4, (7, 13)).astype(np.uint8)
    assert (read(encode(levels, PALETTE)) == PALETTE[levels]).all()


def test_repainting_equals_encoding_with_the_other_palette() -> None:
    levels = np.random.default_rng(2).integers(0, 4, (9, 5)).astype(np.uint8)
    other = PALETTE[::-1].copy()
    assert repaint(encode(levels, PALETTE), other) == encode(levels, other)


def test_repainting_with_a_palette_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="palette"):
        repaint(encode(np.zeros((2, 2), np.uint8), PALETTE), PALETTE[:2])
