"""Decodes Mapbox Vector Tiles (version 2 of the specification), as far as a map is drawn from them.

The library for it, mapbox-vector-tile, needs protobuf below 7 and cannot be installed beside that of telemetry (7); the format
is four nested messages that have not changed since 2016, and NumPy reads their numbers in one go.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

POINT, LINE, POLYGON = 1, 2, 3

MAX_FEATURES = 100_000
"""Features of one layer; a dense tile of a city has some thousands."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""

_MOVE, _DRAW, _CLOSE = 1, 2, 7


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature. kind: POINT, LINE or POLYGON; properties: its tags; geometry: packed commands."""

    kind: int
    properties: dict[str, Any]
    geometry: bytes

    @property
    def parts(self) -> list[NDArray[np.float64]]:
        """Its points, lines or rings, each (n, 2) in tile units, x east, y south. Decoded here, because of most features a map
        uses the properties only. Raises ValueError for what is no geometry."""
        return _parts(_varints(self.geometry))


@dataclass(frozen=True, slots=True)
class Layer:
    """A named layer; extent: tile units of a side."""

    name: str
    extent: int
    features: list[Feature]


def decode(content: bytes, wanted: Collection[str]) -> dict[str, Layer]:
    """Return the layers of a tile whose names are wanted. Raises ValueError for what is no vector tile."""
    try:
        layers = [_layer(body, wanted) for number, body in _fields(content) if number == 3 and isinstance(body, bytes)]
    except (IndexError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError("no vector tile") from error
    return {layer.name: layer for layer in layers if layer is not None}


def _layer(content: bytes, wanted: Collection[str]) -> Layer | None:
    name, extent = "", 4096
    keys: list[str] = []
    values: list[Any] = []
    bodies: list[bytes] = []
    for number, body in _fields(content):
        if number == 1 and isinstance(body, bytes):
            name = body.decode()
            if name not in wanted:
                return None
        elif number == 2 and isinstance(body, bytes):
            bodies.append(body)
        elif number == 3 and isinstance(body, bytes):
            keys.append(body.decode())
        elif number == 4 and isinstance(body, bytes):
            values.append(_value(body))
        elif number == 5 and isinstance(body, int):
            extent = body
    if name not in wanted:
        return None
    if len(bodies) > MAX_FEATURES or not 1 <= extent <= 1 << 16:
        raise ValueError("no vector tile: too many features, or no extent")
    return Layer(name, extent, [_feature(body, keys, values) for body in bodies])


def _feature(content: bytes, keys: list[str], values: list[Any]) -> Feature:
    kind, tags, geometry = 0, b"", b""
    for number, body in _fields(content):
        if number == 2 and isinstance(body, bytes):
            tags = body
        elif number == 3 and isinstance(body, int):
            kind = body
        elif number == 4 and isinstance(body, bytes):
            geometry = body
    at, pairs = 0, []
    while at < len(tags):
        key, at = _varint(tags, at)
        value, at = _varint(tags, at)
        pairs.append((keys[key], values[value]))
    return Feature(kind, dict(pairs), geometry)


def _parts(geometry: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Return the points, lines or rings of a geometry's commands."""
    is_step = np.ones(len(geometry), bool)
    starts: list[int] = []
    at = points = 0
    while at < len(geometry):
        command, count = int(geometry[at]) & 7, int(geometry[at]) >> 3
        is_step[at] = False
        at += 1
        if command == _CLOSE:
            continue
        if command not in (_MOVE, _DRAW) or at + 2 * count > len(geometry):
            raise ValueError("no vector tile: a geometry ends too early")
        if command == _MOVE:
            starts += range(points, points + count)
        points += count
        at += 2 * count
    if not points:
        return []
    zigzag = geometry[is_step].reshape(-1, 2)
    places = np.cumsum((zigzag >> 1) ^ -(zigzag & 1), axis=0).astype(np.float64)
    if starts == [0]:
        return [places]
    return [places[start:end] for start, end in pairwise([0, *starts, points]) if end > start]


def _value(content: bytes) -> Any:
    for number, body in _fields(content):
        if number == 1 and isinstance(body, bytes):
            return body.decode()
        if number == 2 and isinstance(body, bytes):
            return float(np.frombuffer(body, "<f4")[0])
        if number == 3 and isinstance(body, bytes):
            return float(np.frombuffer(body, "<f8")[0])
        if isinstance(body, int):
            return bool(body) if number == 7 else (body >> 1) ^ -(body & 1) if number == 6 else body
    return None


def _fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield the fields of a protobuf message: number, and its integer or bytes (also those of fixed width)."""
    at, end = 0, len(content)
    while at < end:
        key, at = _varint(content, at)
        wire = key & 7
        if wire == _VARINT:
            number, at = _varint(content, at)
            yield key >> 3, number
            continue
        if wire == _BYTES:
            length, at = _varint(content, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("no vector tile: an unknown wire type")
        if at + length > end:
            raise ValueError("no vector tile: a field ends too early")
        yield key >> 3, content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return the varint at a place, and where it ends."""
    result = shift = 0
    while True:
        byte = content[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
        if shift > 63:
            raise ValueError("no vector tile: an endless number")


def _varints(content: bytes) -> NDArray[np.int64]:
    """Return packed 32-bit varints."""
    raw = np.frombuffer(content, np.uint8)
    last = np.flatnonzero(raw < 0x80)
    if not len(raw) or raw[-1] >= 0x80:
        if len(raw):
            raise ValueError("no vector tile: a number ends too early")
        return np.empty(0, np.int64)
    first = np.concatenate([[0], last[:-1] + 1])
    place = np.arange(len(raw)) - np.repeat(first, last - first + 1)
    if place.max() > 4:
        raise ValueError("no vector tile: a number is too large")
    return np.add.reduceat((raw & 0x7F).astype(np.int64) << (7 * place), first)
