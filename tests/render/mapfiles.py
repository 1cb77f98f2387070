"""Small PMTiles files for tests, written with the format's own library; vector tiles are encoded as the specification says."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

Part = Sequence[tuple[int, int]]


def picture(colour: tuple[int, int, int], side: int = 256, kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(made, kind)
    return made.getvalue()


def write(
    path: Path,
    tiles: Mapping[tuple[int, int, int], bytes],
    metadata: Mapping[str, Any] | None = None,
    kind: TileType = TileType.PNG,
    compression: Compression = Compression.NONE,
    bounds: tuple[float, float, float, float] = (-123.0, 37.0, -122.0, 38.0),
) -> Path:
    """Write a file of tiles by (z, x, y); bounds: west, south, east, north in degrees."""
    with path.open("wb") as file:
        writer = Writer(file)
        for place in sorted(tiles, key=lambda one: zxy_to_tileid(*one)):
            writer.write_tile(zxy_to_tileid(*place), tiles[place])
        west, south, east, north = (round(degrees * 1e7) for degrees in bounds)
        header = {
            "tile_type": kind, "tile_compression": compression, "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east,
            "max_lat_e7": north, "center_zoom": 12, "center_lon_e7": west, "center_lat_e7": south,
        }  # fmt: skip
        writer.finalize(header, dict(metadata or {}))
    return path


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def feature(kind: int, parts: Sequence[Part], tags: Sequence[int]) -> bytes:
    """One feature: kind 1 points, 2 lines, 3 rings (without their closing point); tags: indices of keys and values in turn."""
    commands: list[int] = []
    x = y = 0

    def go(to: tuple[int, int]) -> None:
        nonlocal x, y
        commands.extend(step << 1 ^ step >> 63 for step in (to[0] - x, to[1] - y))
        x, y = to

    for first, *rest in parts:
        commands.append(1 | 1 << 3)
        go(first)
        if rest:
            commands.append(2 | len(rest) << 3)
            for to in rest:
                go(to)
        if kind == 3:
            commands.append(7 | 1 << 3)
    packed = b"".join(varint(one) for one in commands)
    return field(2, b"".join(map(varint, tags))) + number_field(3, kind) + field(4, packed)


def layer(name: str, features: Sequence[tuple[int, Sequence[Part], Mapping[str, object]]], extent: int = 4096) -> bytes:
    """One layer of a tile; the values of properties are texts or whole numbers."""
    keys: list[str] = []
    values: list[object] = []
    bodies = []
    for kind, parts, properties in features:
        tags: list[int] = []
        for key, value in properties.items():
            if key not in keys:
                keys.append(key)
            if value not in values:
                values.append(value)
            tags += [keys.index(key), values.index(value)]
        bodies.append(field(2, feature(kind, parts, tags)))
    content = number_field(15, 2) + field(1, name.encode()) + b"".join(bodies)
    content += b"".join(field(3, key.encode()) for key in keys)
    for value in values:
        content += field(4, field(1, value.encode()) if isinstance(value, str) else number_field(4, int(str(value))))
    return field(3, content + number_field(5, extent))
