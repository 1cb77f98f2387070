"""The base map of a file of the user's own: its tiles as a browser gets them, raster as they are, vector drawn by us."""

from pathlib import Path

from twin.foundation.cache import ByteCache
from twin.render.places import Name
from twin.render.streets import Box
from twin.render.tilefile import TileFile
from twin.render.vector import VectorMap


class FileMap:
    """One PMTiles file as a base map; safe to use from any number of threads."""

    def __init__(self, path: Path, rendered: ByteCache[bytes]) -> None:
        """Open the file; drawn tiles are cached in `rendered`. Raises `ConfigError` with one sentence if it cannot be used."""
        self._file = TileFile(path)
        self._vector = VectorMap(self._file, rendered) if self._file.is_vector else None
        self.label, self.credit, self.version = self._file.label, self._file.credit, self._file.version

    def tile(self, z: int, x: int, y: int, theme: str, scale: int) -> tuple[bytes, str] | None:
        """Return a tile and its type; None outside of the file's area and levels. Raises ValueError if it is damaged."""
        if self._vector is None:
            return self._file.picture(z, x, y)
        drawn = self._vector.tile(z, x, y, theme, scale)
        return None if drawn is None else (drawn, "image/png")

    def names(self, box: Box | None) -> list[Name]:
        """Return the names in a box. Pictures have theirs in them, and none here. Takes a second for a city."""
        return [] if self._vector is None or box is None else self._vector.names(box)
