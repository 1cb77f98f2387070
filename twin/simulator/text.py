"""Whole columns of text: ids, timestamps, JSON bodies. There is no Python loop over events."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.simulator.geometry import Bools, Floats, Ints

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_ALNUM = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", dtype=np.uint8)
ORDER_IDS = len(_ALNUM) ** 6
"""Number of distinct order ids of six letters and digits."""

_STRIDE = 1_304_969_377
"""Coprime to ORDER_IDS: counting in steps of it visits every id once, in an order that looks random."""


class Field(NamedTuple):
    """A field of JSON objects: values: (n,) JSON text; null: (n,) where the value is null instead, None for nowhere."""

    name: str
    values: pa.Array
    null: Bools | None = None


def fixed(characters: np.ndarray) -> pa.Array:
    """Return (n, width) uint8 characters as n strings."""
    n, width = characters.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32) if width else np.zeros(n + 1, np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters)))


def hex_ids(n: int, rng: np.random.Generator) -> pa.Array:
    """Return n ids of 32 hexadecimal digits."""
    return fixed(_hex(n, rng))


def uuids(n: int, rng: np.random.Generator) -> pa.Array:
    """Return n version-4 UUIDs with dashes."""
    digits = _hex(n, rng)
    digits[:, 12] = ord("4")
    digits[:, 16] = _HEX[8 + rng.integers(0, 4, n)]
    return fixed(np.insert(digits, [8, 12, 16, 20], ord("-"), axis=1))


def order_ids(first: int, n: int, salt: int) -> pa.Array:
    """Return n ids of six letters and digits: those from number `first` on of a sequence without repeats."""
    number = (np.arange(first, first + n, dtype=np.int64) % ORDER_IDS * _STRIDE + salt) % ORDER_IDS
    return fixed(np.column_stack([_ALNUM[number // 36**k % 36] for k in range(6)]))


def timestamps(seconds: Floats, *, whole_seconds: bool) -> pa.Array:
    """Return text like `2025-10-13 01:52:23.293453`, or `2024-01-01 12:34:56.000` for the generation of whole seconds."""
    unit, digits = ("ms", 1) if whole_seconds else ("us", 1_000_000)
    ticks = np.floor(np.asarray(seconds)) if whole_seconds else np.round(np.asarray(seconds) * digits)
    stamp = (ticks * (1000 if whole_seconds else 1)).astype(np.int64).astype(f"datetime64[{unit}]")
    width = len("2025-10-13T01:52:23.000") if whole_seconds else len("2025-10-13T01:52:23.293453")
    characters = np.datetime_as_string(stamp).astype(f"S{width}").view(np.uint8).reshape(len(stamp), width).copy()
    characters[:, 10] = ord(" ")
    return fixed(characters)


def numbers(values: Floats) -> pa.Array:
    """Return the shortest text of each float, as json.dumps writes it. Only distinct values are formatted: they are few."""
    distinct, index = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True)
    return pa.array([repr(value) for value in distinct.tolist()], pa.string()).take(pa.array(index.ravel()))


def body(fields: Sequence[Field]) -> pa.Array:
    """Return the fields as n JSON objects."""
    parts: list[pa.Array | pa.Scalar] = []
    for number, (name, values, null) in enumerate(fields):
        if null is not None and null.any():
            values = pc.if_else(pa.array(null), "null", values)
        parts += [pa.scalar(f'{"{" if number == 0 else ", "}"{name}": '), values]
    return pc.binary_join_element_wise(*parts, pa.scalar("}"), pa.scalar(""))


def integers(values: Ints) -> pa.Array:
    """Return integers as text."""
    return pa.array(np.asarray(values)).cast(pa.string())


def _hex(n: int, rng: np.random.Generator) -> np.ndarray:
    raw = np.frombuffer(rng.bytes(16 * n), dtype=np.uint8).reshape(n, 16)
    return np.stack([_HEX[raw >> 4], _HEX[raw & 15]], axis=2).reshape(n, 32)
