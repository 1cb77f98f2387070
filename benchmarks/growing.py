"""How fast a batch comes into a timeline that grows: 1,000 rows onto up to a million events, and a load of all of them."""

import time
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data import part, week
from benchmarks.table import Row, spread
from twin.sources.base import Location, Quality, Source
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

ROWS, BATCHES = 1_000, 12
SHARES = (0.02, 0.11, 1.0)
"""Shares of the week's million events, the batches included."""
GOAL_MS = 20.0


@dataclass(frozen=True)
class _Read:
    """One kitchen's rows as a source that has read them already: what is measured is the timeline, not the reading."""

    place: Location
    rows: pa.Table
    brands: dict[str, str]

    def locations(self) -> list[Location]:
        return [self.place]

    def window(self, location: str, start: float, end: float) -> pa.Table:
        return self.rows

    def quality(self, location: str | None = None) -> Quality:
        return Quality(len(self.rows), len(self.rows))

    def names(self, dimension: str) -> dict[str, str]:
        return self.brands


def measure(quick: bool) -> list[Row]:
    """Return two rows for each size: a batch, and a load of all rows from memory."""
    return [row for share in (SHARES[:2] if quick else SHARES) for row in _of(share)]


def _of(share: float) -> list[Row]:
    source = FileSource(week() if share == 1 else part(share))
    place = source.locations()[0]
    rows = source.window(place.id, place.start, place.end + 1)
    rows = rows.take(pc.sort_indices(rows, [("ts", "ascending")])).combine_chunks()
    brands = dict(source.names("brands"))
    source.close()
    first = len(rows) - BATCHES * ROWS
    read = _Read(place, rows.slice(0, first), brands)
    timeline = Timeline.load(cast(Source, read), place.id, place.start, place.end + 1, growing=True)
    loaded, took = timeline.event_count, list[float]()
    for begin in range(first, len(rows), ROWS):
        batch = rows.slice(begin, ROWS)
        began = time.perf_counter()
        timeline = timeline.extended(batch, quality=Quality(begin + ROWS, begin + ROWS))
        took.append((time.perf_counter() - began) * 1e3)
    began = time.perf_counter()
    again = Timeline.load(cast(Source, _Read(place, rows, brands)), place.id, place.start, place.end + 1)
    whole = (time.perf_counter() - began) * 1e3
    assert again.event_count == timeline.event_count
    middle = float(np.median(took))
    return [
        Row(f"{ROWS:,} rows put into {loaded:,} events", f"≤ {GOAL_MS:g} ms", spread(took, "ms", 1), middle <= GOAL_MS, middle),
        Row("all of them loaded again, rows in memory", "", spread([whole], "ms", 0), None, whole),
    ]  # fmt: skip


if __name__ == "__main__":
    print("\n".join(f"{row.what}: {row.measured} {row.goal}" for row in measure(quick=False)))
