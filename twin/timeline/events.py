"""Decoded rows become typed columns in time order, and repeated rows are left out.

Sources cast and validate in SQL (`sources/queries/events.sql`); this module turns their rows into arrays. Orders are numbered by
their row in `order_ids` and event types by their code, so that a million events stay small and fast.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.event_types import DELIVERED as DELIVERED
from twin.foundation.event_types import DRIVER_ARRIVED as DRIVER_ARRIVED
from twin.foundation.event_types import DRIVER_PICKED_UP as DRIVER_PICKED_UP
from twin.foundation.event_types import DRIVER_PING as DRIVER_PING
from twin.foundation.event_types import EVENT_TYPES as EVENT_TYPES
from twin.foundation.event_types import GK_FINISHED as GK_FINISHED
from twin.foundation.event_types import GK_READY as GK_READY
from twin.foundation.event_types import GK_STARTED as GK_STARTED
from twin.foundation.event_types import ORDER_CANCELLED as ORDER_CANCELLED
from twin.foundation.event_types import ORDER_CREATED as ORDER_CREATED

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class EventSlice:
    """Some events as columns; `order` is the row in the timeline's orders, `progress` is in percent (NaN except for pings).

    lat, lon: (n,) float64 degrees of pings, NaN for all else; None where whoever made the slice has no positions.
    """

    ts: NDArray[np.float64]
    type: list[str]
    order: NDArray[np.int32]
    progress: NDArray[np.float32]
    lat: NDArray[np.float64] | None = None
    lon: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class EventCodes:
    """Some events as columns, n rows, as `EventSlice` has them but with types as codes: code (n,) uint8 into `names`.

    A name for each event, of hundreds of thousands, takes twenty times as long as all the rest.
    """

    ts: NDArray[np.float64]
    code: NDArray[np.uint8]
    names: tuple[str, ...]
    order: NDArray[np.int32]
    progress: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Events:
    """Events sorted by (ts, sequence, order id, type), n rows.

    ts: (n,) int64 microseconds since 1970; type: (n,) uint8 code into `type_names`; order: (n,) int32 row of `order_ids`.
    lat, lon: (n,) float64 degrees, NaN where absent; progress: (n,) float32 percent, NaN except for pings.
    row: (n,) int64 position in the decoded table, which holds the bodies. duplicates: the number of rows left out as copies.
    """

    ts: NDArray[np.int64]
    type: NDArray[np.uint8]
    order: NDArray[np.int32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    progress: NDArray[np.float32]
    row: NDArray[np.int64]
    order_ids: pa.StringArray
    type_names: tuple[str, ...]
    duplicates: int


def extremes(events: Events) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times of each order's first and last event, (n_orders,) each, in seconds."""
    ts = events.ts / MICROSECONDS
    first, last = np.full(len(events.order_ids), np.nan), np.full(len(events.order_ids), np.nan)
    first[events.order[::-1]] = ts[::-1]  # backwards: the earliest is written last
    last[events.order] = ts
    return first, last


def of_orders(events: Events, counts: NDArray[np.bool_]) -> Events:
    """Return the events of some orders, those for which `counts` (n_orders,) is true."""
    if counts.all():
        return events
    keep = counts[events.order]
    row = np.cumsum(counts, dtype=np.int32) - np.int32(1)
    columns = {name: getattr(events, name)[keep] for name in ("ts", "type", "lat", "lon", "progress", "row")}
    ids = events.order_ids.filter(np.asarray(counts))
    return replace(events, order=row[events.order[keep]], order_ids=ids, **columns)


def decode(rows: pa.Table) -> Events:
    """Return the events of decoded rows, which may be in any order; columns as in `sources/queries/window.sql`."""
    order_ids, order = codes(rows["order_id"], ordered=True)
    names, code = codes(rows["event_type"], ordered=True)
    type_names = names_of_types(names.to_pylist())
    kind = codes_of_types(names.to_pylist(), type_names)[code]

    ts = microseconds(rows["ts"])
    sequence = floats(rows["sequence"])
    lat, lon, progress = (floats(rows[name]) for name in ("lat", "lon", "progress"))

    by_time, duplicates = distinct(ts, sequences(sequence), order, kind, lat, progress)
    return Events(
        ts=ts[by_time],
        type=kind[by_time],
        order=order[by_time],
        lat=lat[by_time],
        lon=lon[by_time],
        progress=progress[by_time].astype(np.float32),
        row=by_time,
        order_ids=order_ids,
        type_names=type_names,
        duplicates=duplicates,
    )


MOST_TYPES = 255
"""Types that are told apart; what is beyond is "other"."""


def names_of_types(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names by code of the recognised types and of the others among `names`."""
    unrecognised = sorted(set(names) - set(EVENT_TYPES), key=str.encode)[: MOST_TYPES - len(EVENT_TYPES)]
    return (*EVENT_TYPES, *unrecognised)


def codes_of_types(names: Iterable[str], type_names: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return the codes of some names."""
    code_of = {name: number for number, name in enumerate(type_names)}
    return np.array([code_of.get(name, MOST_TYPES) for name in names], np.uint8)


def microseconds(ts: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return times as microseconds since 1970."""
    return pc.cast(ts, pa.timestamp("us")).to_numpy().astype("datetime64[us]").astype(np.int64)


def sequences(sequence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sequences as they are compared: a missing one comes last, and equals another."""
    return np.nan_to_num(sequence, nan=np.inf)


def distinct(
    ts: NDArray[np.int64], sequence: NDArray[np.float64], order: NDArray[np.int32], kind: NDArray[np.uint8],
    lat: NDArray[np.float64], progress: NDArray[np.float64],
) -> tuple[NDArray[np.int64], int]:  # fmt: skip
    """Return the positions of the distinct events in the order of `Events`, and how many copies there are beside them.

    Of copies the most complete one is taken; of equal ones the first.
    """
    by_time = time_order(ts, sequence, order, kind)
    copy = _is_copy(ts[by_time], order[by_time], kind[by_time], sequence[by_time])
    if copy.any():
        by_time = _best_copies(by_time, copy, lat, progress)
    return by_time, int(copy.sum())


def codes(column: pa.ChunkedArray, *, ordered: bool) -> tuple[pa.StringArray, NDArray[np.int32]]:
    """Return the distinct texts, sorted so that codes do not depend on the rows' order, and each row's code."""
    encoded = pc.dictionary_encode(column.combine_chunks() if column.num_chunks != 1 else column.chunk(0))
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    by_text = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(by_text), dtype=np.int32)
    rank[by_text] = np.arange(len(by_text), dtype=np.int32)
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    return encoded.dictionary.take(pa.array(by_text)).cast(pa.string()), rank[indices] if len(rank) else indices.astype(
        np.int32
    )


def floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)


def time_order(
    ts: NDArray[np.int64], sequence: NDArray[np.float64], order: NDArray[np.int32], kind: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the positions that sort rows by (ts, sequence, order, type); only rows with equal times need the last three."""
    by_time = np.argsort(ts, kind="stable")
    same = ts[by_time[1:]] == ts[by_time[:-1]]
    tied = np.zeros(len(ts), dtype=bool)
    tied[1:] = same
    tied[:-1] |= same
    rows = by_time[tied]
    by_time[tied] = rows[np.lexsort((kind[rows], order[rows], sequence[rows], ts[rows]))]
    return by_time


def _is_copy(
    ts: NDArray[np.int64], order: NDArray[np.int32], kind: NDArray[np.uint8], sequence: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return whether each row repeats the row before it in (ts, order, type, sequence)."""
    copy = np.zeros(len(ts), dtype=bool)
    copy[1:] = (
        (ts[1:] == ts[:-1]) & (order[1:] == order[:-1]) & (kind[1:] == kind[:-1]) & (sequence[1:] == sequence[:-1])
    )
    return copy


def _best_copies(
    by_time: NDArray[np.int64], copy: NDArray[np.bool_], lat: NDArray[np.float64], progress: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return `by_time` with one row of each run of copies, the most complete one, whatever the rows' order."""
    run = np.cumsum(~copy) - 1
    repeated = np.flatnonzero(np.bincount(run)[run] > 1)
    rows, run = by_time[repeated], run[repeated]
    completeness = np.isfinite(lat[rows]) * 2 + np.isfinite(progress[rows])
    best = np.lexsort((np.nan_to_num(lat[rows]), -completeness, run))
    first = np.ones(len(best), dtype=bool)
    first[1:] = run[best][1:] != run[best][:-1]
    distinct = by_time[~copy]
    distinct[run[best[first]]] = rows[best[first]]
    return distinct
