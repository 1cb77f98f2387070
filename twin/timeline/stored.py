"""Timelines on the disk: made once of a source's rows, then mapped into memory by every process that wants the same range.

A file has all columns as they are in memory, in Arrow's format, so that nothing is read before it is looked at, the system may
let go of it at any time, and processes share it. It is named after the source's content, the kitchen, the range and the code
(`twin.foundation.disk_cache` has the rules): a timeline that would be another one has another name.
"""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twin.foundation import memory
from twin.foundation.columns import numbers
from twin.foundation.disk_cache import DiskCache
from twin.foundation.geo import Frame
from twin.foundation.settings import Settings
from twin.foundation.version import code
from twin.sources import tables
from twin.sources.base import Location, Source, Window
from twin.timeline.event_log import EventLog
from twin.timeline.orders import Orders
from twin.timeline.timeline import Timeline, data_quality
from twin.timeline.trips import Trips

log = logging.getLogger(__name__)

ENDING = ".arrow"
LEAST_EVENTS = 100_000
"""Events below which a timeline is made as fast as it is found."""
SHAPES = b"shapes"
"""Where a file's schema has what its columns are, as JSON."""


class StoredTimelines:
    """The timelines of one source on the disk."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._files = DiskCache(settings.cache_folder, settings.cache_bytes)
        self._writing = ThreadPoolExecutor(1, "store-timeline")

    def find(self, location: str, window: Window) -> Timeline | None:
        """Return the timeline of a location over a range, None if it is not there."""
        place = tables.find_place(location, self._source.locations())
        path = self._files.find(self._key(place, window), ENDING) if self._source.content else None
        if path is None:
            return None
        try:
            return self._read(path, place, window)
        except (OSError, pa.ArrowException, LookupError, TypeError, ValueError) as error:
            log.warning("a timeline on the disk cannot be read, and is made anew: %s", type(error).__name__)
            return None

    def store(self, timeline: Timeline, content: str) -> None:
        """Begin to write a timeline that was made of a source with this content, and return at once.

        What making it took is given back to the system.
        """
        if content and content == self._source.content and timeline.event_count >= LEAST_EVENTS:
            key = self._key(timeline.location, timeline.window)
            self._writing.submit(self._files.store, key, ENDING, lambda path: write(timeline, path))
        self._writing.submit(memory.release)

    def _key(self, place: Location, window: Window) -> object:
        return self._source.content, place, window, code()

    def _read(self, path: Path, place: Location, window: Window) -> Timeline:
        batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        cells = [cell.values for cell in batch.columns]
        shapes = json.loads(batch.schema.metadata[SHAPES])
        events, orders, trips = (
            {name: _taken(shape, cells) for name, shape in shapes[kind.__name__].items()}
            for kind in (EventLog, Orders, Trips)
        )
        made, drawn = Orders(**orders), Trips(**trips)
        quality = data_quality(self._source.quality(place.id), made, drawn)
        origin = shapes["origin"] and Frame(*shapes["origin"])
        return Timeline(place, window, EventLog(**events), made, drawn, quality, origin)


def write(timeline: Timeline, path: Path) -> None:
    """Write the columns of a timeline. Raises OSError."""
    cells = list[pa.Array]()
    parts = (timeline.events, timeline.orders, timeline.trips)
    shapes: dict[str, Any] = {
        type(part).__name__: {one.name: _put(getattr(part, one.name), cells) for one in fields(part)} for part in parts
    }
    shapes["origin"] = timeline.origin and (timeline.origin.lat, timeline.origin.lon)
    columns = {str(number): pa.LargeListArray.from_arrays([0, len(cell)], cell) for number, cell in enumerate(cells)}
    batch = pa.record_batch(columns).replace_schema_metadata({SHAPES: json.dumps(shapes)})
    with pa.ipc.new_file(str(path), batch.schema) as file:
        file.write_batch(batch)


def _put(value: Any, cells: list[pa.Array]) -> Any:
    """Return a value as JSON takes it; its arrays are added to `cells`."""
    if isinstance(value, np.ndarray):
        cells.append(pa.array(np.ascontiguousarray(value).reshape(-1).view(np.uint8)))
        return {"cell": len(cells) - 1, "dtype": value.dtype.str, "shape": value.shape}
    if isinstance(value, pa.Array):
        cells.append(value)
        return {"cell": len(cells) - 1}
    return [_put(one, cells) for one in value] if isinstance(value, tuple) else value


def _taken(shape: Any, cells: list[pa.Array]) -> Any:
    """Return the value that `_put` was given."""
    if isinstance(shape, dict):
        cell = cells[shape["cell"]]
        return numbers(cell).view(shape["dtype"]).reshape(shape["shape"]) if "dtype" in shape else cell
    return tuple(_taken(one, cells) for one in shape) if isinstance(shape, list) else shape
