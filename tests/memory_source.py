"""A source in memory that grows when rows are sent to it: for what follows from the rows, whatever they are read from."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.foundation.errors import SourceError
from twin.foundation.times import HOUR
from twin.sources import lives
from twin.sources.arrivals import COLUMNS
from twin.sources.base import Location, Quality, Times, Volume
from twin.timeline.timeline import Timeline


def row(order: str, kind: str, t: float, sequence: float | None = 0.0, **columns: Any) -> dict[str, Any]:
    """One decoded row; t in data seconds."""
    at = np.datetime64(round(t * 1e6), "us")
    return {"order_id": order, "event_type": kind, "ts": at, "sequence": sequence, **columns}


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Decoded rows as a source returns them."""
    columns = {
        name: pa.array([one.get(name) for one in rows], kind)
        for name, kind in zip(COLUMNS.names, COLUMNS.types, strict=True)
    }
    return pa.table(columns, COLUMNS)


def seconds_of(rows: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The times of rows in data seconds."""
    return rows["ts"].to_numpy().astype("datetime64[us]").astype(np.int64) / 1e6


class MemorySource:
    """One kitchen's rows. What is sent is there after the next refresh."""

    metered = False
    content = ""
    times: Times = "naive"

    def __init__(
        self, rows: pa.Table | None = None, place: str = "sf", at: tuple[float, float] | None = (37.791, -122.393),
        brands: Mapping[str, str] | None = None, zone: str | None = None,
    ) -> None:  # fmt: skip
        self.name = "memory"
        self.as_of: float | None = time.time()
        self.rows = COLUMNS.empty_table() if rows is None else rows
        self.waiting: list[pa.Table] = []
        self.failing = False
        self.windows_read = 0
        self._place, self.at, self._brands, self._zone = place, at, dict(brands or {}), zone

    def send(self, rows: pa.Table) -> None:
        """Have rows come in with the next refresh."""
        self.waiting.append(rows)

    @property
    def mark(self) -> int:
        return len(self.rows)

    def arrived(self, location: str, after: int) -> pa.Table | None:
        return self.rows.slice(after)

    def refresh(self) -> bool:
        if self.failing:
            raise SourceError("The warehouse does not answer.")
        some = bool(self.waiting)
        self.rows = pa.concat_tables([self.rows, *self.waiting])
        self.waiting = []
        return some

    def locations(self) -> list[Location]:
        t = seconds_of(self.rows)
        lat, lon = self.at or (None, None)
        kind = self.rows["event_type"].to_numpy(zero_copy_only=False)
        delivered = t[kind == "delivered"]
        return [
            Location(
                self._place, self._place.upper(), lat, lon, 3000.0, len(self.rows["order_id"].unique()), float(t.min()),
                float(t.max()), float(delivered.max()) if len(delivered) else None, zone=self._zone,
            )
        ]  # fmt: skip

    def quality(self, location: str | None = None) -> Quality:
        key = ["order_id", "event_type", "ts", "sequence"]
        used = len(self.rows.select(key).group_by(key).aggregate([])) if len(self.rows) else 0
        repeated = len(self.rows) - used
        return Quality(len(self.rows), used, {"duplicate": repeated} if repeated else {})

    def volume(self, location: str) -> Volume:
        _, first = self._lives()
        hour, orders = np.unique(first // HOUR * HOUR, return_counts=True)
        return Volume(hour, orders.astype(np.int64))

    def _lives(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, np.dtype[np.float64]]]:
        t = seconds_of(self.rows)
        _, order = np.unique(self.rows["order_id"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
        first = np.full(int(order.max(initial=-1)) + 1, np.inf)
        np.minimum.at(first, order, t)
        return order, first

    def window(self, location: str, start: float, end: float) -> pa.Table:
        self.windows_read += 1
        t = seconds_of(self.rows)
        order, first = self._lives()
        last = np.full(len(first), -np.inf)
        np.maximum.at(last, order, t)
        near = (t >= start - lives.LONG_S) & (t < end + lives.LONG_S)
        alive = (first < end) & (last >= start)
        return self.rows.filter(pa.array(near | alive[order]))

    def history(self, location: str, start: float, end: float) -> pa.Table:
        raise SourceError("There is no history.")

    def begun(self, start: float, end: float) -> pa.Table:
        raise SourceError("There are no other kitchens.")

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        raise SourceError("There are no queries.")

    def routes(self, location: str, most: int) -> pa.Table:
        raise SourceError("There are no routes.")

    def gold(self) -> Mapping[str, int]:
        return {}

    def names(self, dimension: str) -> Mapping[str, str]:
        return self._brands if dimension == "brands" else {}

    def close(self) -> None:
        pass


def loaded(source: MemorySource, start: float, end: float) -> Timeline:
    """The timeline of everything that has been read."""
    return Timeline.load(source, source.locations()[0].id, start, end)
