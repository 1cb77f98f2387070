"""A base map from a PMTiles file: a city's tiles in one file, raster or vector, read where it lies.

The format is that of https://docs.protomaps.com/pmtiles; the header, the directories and the numbering of tiles are read by the
library `pmtiles`. Its own reader would parse the directories again for each tile, and its memory map would end the process
if somebody cut the file off meanwhile, so the bytes are read here.
"""

import hashlib
import html
import io
import json
import os
import re
import threading
import zlib
from pathlib import Path
from typing import Any

from cachetools import LRUCache
from PIL import Image
from pmtiles.tile import (
    Compression,
    Entry,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from twin.foundation.errors import ConfigError
from twin.foundation.geo import project
from twin.render.grid import TILE_PX
from twin.render.places import clean
from twin.render.streets import Box

RASTER = {
    TileType.PNG: "image/png",
    TileType.JPEG: "image/jpeg",
    TileType.WEBP: "image/webp",
    TileType.AVIF: "image/avif",
}
"""Kinds of pictures, and what a browser is told that they are."""

HEADER_BYTES = 127
MAX_DIRECTORY = 4 << 20
"""Bytes of a directory, compressed; the format's own tools write 16 kB, and leaves of some 100 kB."""
MAX_ENTRIES = 16 << 20
"""Bytes of a directory, unpacked: over a million tiles."""
MAX_METADATA = 4 << 20
MAX_TILE = 8 << 20
"""Bytes of a tile, compressed or not; a dense one has half a megabyte."""
MAX_CREDIT = 300
DIRECTORIES = 64
"""Directories that are kept parsed."""
OVERZOOM = 6
"""Zoom levels for which the last one of the file is enlarged: beyond, there would be nothing to see."""
DEEPEST = 4
"""Directories from the root to a tile, as the format allows."""

BROKEN = (
    ValueError,
    OSError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    UnicodeDecodeError,
    RecursionError,
    zlib.error,
)
"""What reading damaged bytes raises, in the library and here."""


class TileFile:
    """The tiles of one PMTiles file; safe to use from any number of threads."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises `ConfigError` with a sentence that names it, without its folder."""
        self.name = path.name
        try:
            self._file = os.open(path.expanduser(), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(f"The map {self.name} cannot be opened: {error.strerror or error}.") from error
        self._lock = threading.Lock()
        self._directories: LRUCache[tuple[int, int], list[Entry]] = LRUCache(DIRECTORIES)
        try:
            self._open()
        except BaseException as error:
            self.close()
            if isinstance(error, ConfigError):
                raise
            if isinstance(error, BROKEN):
                raise ConfigError(
                    f"The map {self.name} is damaged: bring it again, or take it out of TWIN_TILES."
                ) from error
            raise

    def _open(self) -> None:
        state = os.fstat(self._file)
        self._size = state.st_size
        raw = b"" if self._size == 0 else self._read(0, min(HEADER_BYTES, self._size))
        try:
            header = deserialize_header(raw.ljust(HEADER_BYTES, b"\0"))
        except (MagicNumberNotFound, UnicodeDecodeError) as error:
            raise ConfigError(f"The map {self.name} is no PMTiles file.") from error
        except SpecVersionUnsupported as error:
            raise ConfigError(f"The map {self.name} is of another version of PMTiles than 3: convert it.") from error
        if len(raw) < HEADER_BYTES:
            raise ValueError("the header ends too early")
        kind = header["tile_type"]
        if kind not in RASTER and kind != TileType.MVT:
            raise ConfigError(
                f"The map {self.name} has tiles of the type {kind.name.lower()}: it must be png, jpeg, webp, avif or mvt."
            )
        packed = (header["internal_compression"], header["tile_compression"])
        if packed[0] != Compression.GZIP or packed[1] not in (Compression.GZIP, Compression.NONE, Compression.UNKNOWN):
            names = " and ".join(sorted({one.name.lower() for one in packed}))
            raise ConfigError(f"The map {self.name} is compressed by {names}: only gzip is read. Convert it.")
        self._header = header
        self._gzipped = packed[1] == Compression.GZIP
        self.is_vector = kind == TileType.MVT
        self.mime = RASTER.get(kind, "image/png")
        """Type of the tiles that `picture` returns for raster files, for a browser."""
        self.zooms = int(header["min_zoom"]), int(header["max_zoom"])
        west, south = project(header["min_lat_e7"] / 1e7, header["min_lon_e7"] / 1e7)
        east, north = project(header["max_lat_e7"] / 1e7, header["max_lon_e7"] / 1e7)
        self.box: Box = (float(west), float(south), float(east), float(north))
        """The area that the file says it covers, Web Mercator metres."""
        metadata = self._metadata()
        self.layers = _layers(metadata)
        """The vector layers that it says it has."""
        self.label = clean(str(metadata.get("name") or "")) or clean(Path(self.name).stem)
        self.credit = credit_text(metadata.get("attribution"))
        """Who made it, as plain text; empty if the file does not tell."""
        self.version = hashlib.blake2s(raw + f"{state.st_size} {state.st_mtime_ns}".encode(), digest_size=6).hexdigest()
        """Changes with the file."""
        self._directory(header["root_offset"], header["root_length"])  # a damaged one is found now

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            self.close()

    def raw(self, z: int, x: int, y: int) -> bytes | None:
        """Return the bytes of a tile, unpacked; None where the file has none. Raises ValueError for damaged ones."""
        if not self.zooms[0] <= z <= self.zooms[1]:
            return None
        try:
            entry = self._entry(zxy_to_tileid(z, x, y))
            if entry is None:
                return None
            if entry.length > MAX_TILE:
                raise ValueError(f"a tile of {entry.length:,} bytes")
            content = self._read(self._header["tile_data_offset"] + entry.offset, entry.length)
            return unpacked(content, MAX_TILE) if self._gzipped else content
        except BROKEN as error:
            raise ValueError(f"The tile {z}/{x}/{y} of {self.name} is damaged ({type(error).__name__}).") from error

    def nearest(self, z: int, x: int, y: int) -> tuple[int, bytes] | None:
        """Return the tile that shows this one, and how many zoom levels above it lies: 0 for itself, more beyond the file's
        last level. None outside of the file's area and levels. Raises ValueError for damaged ones."""
        up = max(0, z - self.zooms[1])
        if up > OVERZOOM or z < self.zooms[0]:
            return None
        content = self.raw(z - up, x >> up, y >> up)
        return None if content is None else (up, content)

    def picture(self, z: int, x: int, y: int) -> tuple[bytes, str] | None:
        """Return a raster tile and its type; beyond the last level a part of it, enlarged. None where there is none.

        Raises ValueError for a damaged tile.
        """
        found = self.nearest(z, x, y)
        if found is None:
            return None
        up, content = found
        return (content, self.mime) if up == 0 else (enlarged(content, up, x, y), "image/png")

    def _metadata(self) -> dict[str, Any]:
        length = self._header["metadata_length"]
        if length > MAX_METADATA:
            raise ValueError("too much metadata")
        raw = self._read(self._header["metadata_offset"], length)
        metadata = json.loads(unpacked(raw, MAX_METADATA)) if raw else {}
        return metadata if isinstance(metadata, dict) else {}

    def _entry(self, number: int) -> Entry | None:
        """Return the entry of a tile by its number in the format's order."""
        offset, length = self._header["root_offset"], self._header["root_length"]
        for _ in range(DEEPEST):
            entry = find_tile(self._directory(offset, length), number)
            if entry is None or entry.run_length:
                return entry
            offset, length = self._header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def _directory(self, offset: int, length: int) -> list[Entry]:
        key = (offset, length)
        with self._lock:
            known = self._directories.get(key)
        if known is not None:
            return known
        if length > MAX_DIRECTORY:
            raise ValueError("too large a directory")
        packed = self._read(offset, length)
        unpacked(packed, MAX_ENTRIES)  # the library unpacks it without a limit
        entries = deserialize_directory(packed)
        with self._lock:
            self._directories[key] = entries
        return entries

    def _read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file. Raises ValueError if it does not have them."""
        if offset + length > self._size:
            raise ValueError("the file ends before")
        content = os.pread(self._file, length, offset)
        if len(content) != length:
            raise ValueError("the file was cut off")
        return content


def unpacked(content: bytes, most: int) -> bytes:
    """Return gzipped bytes unpacked. Raises ValueError if they are more than `most`, so that no small file fills the memory."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    raw = inflate.decompress(content, most)
    if inflate.unconsumed_tail:
        raise ValueError("too much in it")
    if not inflate.eof:
        raise ValueError("the compression ends too early")
    return raw


def enlarged(content: bytes, up: int, x: int, y: int) -> bytes:
    """Return the part of a raster tile `up` levels above that shows tile x, y, as PNG of its size. Raises ValueError."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if max(image.size) > 4 * TILE_PX:
                raise ValueError("a tile is a square of at most 1,024 pixels")
            side = image.width / 2**up
            west, north = (x % 2**up) * side, (y % 2**up) * side
            part = image.convert("RGBA").resize(
                image.size, Image.Resampling.BILINEAR, (west, north, west + side, north + side)
            )
    except (*BROKEN, Image.DecompressionBombError, SyntaxError) as error:
        raise ValueError("no picture") from error
    made = io.BytesIO()
    part.save(made, "PNG", compress_level=1)
    return made.getvalue()


_TAG = re.compile(r"<[^<>]*>")


def credit_text(raw: object) -> str:
    """Return an attribution, which is HTML, as plain text: the tags go, the page shows the rest as text.

    >>> credit_text('<a href="https://osm.org">&copy; OpenStreetMap</a>')
    '© OpenStreetMap'
    """
    if not isinstance(raw, str):
        return ""
    text = " ".join("".join(c if c.isprintable() else " " for c in html.unescape(_TAG.sub(" ", raw[:10_000]))).split())
    return text if len(text) <= MAX_CREDIT else f"{text[: MAX_CREDIT - 1]}…"


def _layers(metadata: dict[str, Any]) -> frozenset[str]:
    listed = metadata.get("vector_layers")
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(str(layer.get("id")) for layer in listed if isinstance(layer, dict))
