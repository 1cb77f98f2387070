"""Puts some rows into columns that are sorted by another one, new ones between the others and changed ones in their places."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ROOM = 1.3
"""How much longer than what they hold columns are made that will grow."""

Column = TypeVar("Column", bound=np.generic)
Edit = tuple[int, int, int, int]
"""Rows [a, b) of a column become rows [c, d) of another: a, b, c, d. Edits come in order, and do not overlap."""


@dataclass(frozen=True)
class Merge:
    """Where rows go: n old ones, and k that are put in or changed.

    moved: (n,) the new row of each old one. rows: (k,) the new rows of those put in or changed, ascending; before: (k,) how many
    old rows come before each; changed: (k,) bool, whether it takes the place of the old row of that number. size: of the result.
    """

    moved: NDArray[np.int64]
    rows: NDArray[np.int64]
    before: NDArray[np.int64]
    changed: NDArray[np.bool_]
    size: int

    @cached_property
    def touched(self) -> NDArray[np.bool_]:
        """Whether each old row is changed, (n,)."""
        found = np.zeros(len(self.moved), np.bool_)
        found[self.before[self.changed]] = True
        return found

    def column(self, old: NDArray[Column], values: NDArray[Column]) -> NDArray[Column]:
        """Return a column (..., n) with the `values` (..., k) in it."""
        out = np.empty((*old.shape[:-1], self.size), old.dtype)
        at = 0  # a piece between two new rows is copied as a whole: row by row takes ten times as long
        for k, begin in enumerate([*self.before[~self.changed].tolist(), len(self.moved)]):
            out[..., at + k : begin + k] = old[..., at:begin]
            at = begin
        out[..., self.rows] = values
        return out

    def edits(self, chosen: NDArray[np.bool_]) -> list[Edit]:
        """Return the edits of those rows that are put in, and of those changed ones that are `chosen`, (k,) bool."""
        at = np.flatnonzero(chosen | ~self.changed)
        begin = self.before[at]
        stop = begin + self.changed[at]
        return list(zip(begin.tolist(), stop.tolist(), at.tolist(), (at + 1).tolist(), strict=True))


def insertion(old: pa.StringArray, names: Sequence[str], row: NDArray[np.int64]) -> Merge:
    """Return where `names` (k,), sorted, go among `old` (n,), sorted; `row` is the row of each in `old`, -1 where it is new."""
    changed = row >= 0
    before = row.copy()
    text, lowest = _texts(old), 0
    for k in np.flatnonzero(~changed).tolist():
        lowest = bisect_left(range(len(old)), names[k].encode(), lowest, key=text)
        before[k] = lowest
    new: NDArray[np.int64] = np.cumsum(~changed) - ~changed  # how many new ones come before each
    moved = np.arange(len(old)) + np.bincount(before[~changed], minlength=len(old) + 1)[: len(old)].cumsum()
    return Merge(moved, before + new, before, changed, len(old) + int((~changed).sum()))


def _texts(texts: pa.StringArray) -> Callable[[int], bytes]:
    """Return what returns each of the texts: one as a scalar of Arrow takes ten times as long."""
    _, offsets, content = texts.buffers()
    if offsets is None or content is None:  # they are all empty
        return lambda _: b""
    bounds, letters = np.frombuffer(offsets, np.int32)[texts.offset :], memoryview(content)
    return lambda i: bytes(letters[bounds[i] : bounds[i + 1]])


def resorted(times: NDArray[Column], without: NDArray[Column], more: NDArray[Column]) -> NDArray[Column]:
    """Return sorted `times` without some of them, and with others, sorted."""
    gone, new = np.sort(without), np.sort(more)
    if not len(gone) and not len(new):
        return times
    # what comes in is late in the day: all before it stays as it is
    same = int(times.searchsorted(min(part[0] for part in (gone, new) if len(part))))
    head, tail = times[:same], times[same:]
    at = tail.searchsorted(gone)
    at += np.arange(len(gone)) - gone.searchsorted(gone)  # of equal ones each takes one away
    left = np.delete(tail, at)
    return np.concatenate((head, np.insert(left, left.searchsorted(new), new)))


def places(
    keys: NDArray[np.float64], rows: NDArray[np.int32], more: NDArray[np.float64], more_rows: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Return how many come before each of some keys among others; both are sorted by key, and by row where keys are equal."""
    at = keys.searchsorted(more, "left")
    for k in np.flatnonzero(keys.searchsorted(more, "right") > at).tolist():
        while at[k] < len(keys) and keys[at[k]] == more[k] and rows[at[k]] < more_rows[k]:
            at[k] += 1
    return at


def sorted_rows(
    times: NDArray[np.float64], before: NDArray[np.int32] | None = None, merge: Merge | None = None
) -> NDArray[np.int32]:
    """Return the rows with a finite time (n,), sorted by time, and by row where times are equal.

    With the same of the column that this one was merged from, and where its rows went, they are nearly sorted already.
    """
    number = int(np.isfinite(times).sum())
    if before is not None and merge is not None:
        was = merge.moved[before]
        fresh = np.zeros(merge.size, np.bool_)
        fresh[merge.rows] = True
        fresh[was] = False
        rows = np.concatenate((was, np.flatnonzero(fresh)))
        rows = rows[np.argsort(times[rows], kind="stable")][:number]  # NaN sorts last
        found = times[rows]
        if not ((found[1:] == found[:-1]) & (rows[1:] < rows[:-1])).any():
            return rows.astype(np.int32)
    return np.argsort(times, kind="stable")[:number].astype(np.int32)


class Room:
    """Columns with room at their end, into which the newest version writes; older ones do not look there."""

    def __init__(self, columns: Sequence[NDArray[Any]]) -> None:
        self._columns = list(columns)
        self._used = len(columns[0])
        self._lock = threading.Lock()

    def appended(self, length: int, more: Sequence[NDArray[Any]]) -> "tuple[Room, list[NDArray[Any]]]":
        """Return the first `length` rows with more after them, and the room that they are in.

        It is another one where this has no room, or where another version has written there.
        """
        end = length + len(more[0])
        with self._lock:
            if self._used == length and end <= len(self._columns[0]):
                room = self
            else:
                room = Room([np.empty(int(ROOM * end) + 1, column.dtype) for column in self._columns])
                for column, old in zip(room._columns, self._columns, strict=True):
                    column[:length] = old[:length]
            for column, new in zip(room._columns, more, strict=True):
                column[length:end] = new
            room._used = end
        return room, [column[:end] for column in room._columns]


def of_parts(edits: Iterable[Edit], offsets: NDArray[Any], other: NDArray[Any]) -> list[Edit]:
    """Return edits of rows as edits of their parts: row i has the parts from offsets[i] on, and in the other column other[i]."""
    return [(int(offsets[a]), int(offsets[b]), int(other[c]), int(other[d])) for a, b, c, d in edits]


def spliced(old: NDArray[Column], new: NDArray[Column], edits: Iterable[Edit]) -> NDArray[Column]:
    """Return a column with edits."""
    parts, at = list[NDArray[Column]](), 0
    for begin, stop, first, last in edits:
        parts += [old[at:begin], new[first:last]]
        at = stop
    return np.concatenate([*parts, old[at:]]) if parts else old


def spliced_arrow(old: pa.Array, new: pa.Array, edits: Iterable[Edit]) -> pa.Array:
    """Return an Arrow column with edits; both have the same type."""
    parts, at = list[pa.Array](), 0
    for begin, stop, first, last in edits:
        if begin > at:
            parts.append(old.slice(at, begin - at))
        if last > first:
            parts.append(new.slice(first, last - first))
        at = stop
    return pa.concat_arrays([*parts, old.slice(at)])


def spliced_dictionary(old: pa.DictionaryArray, new: pa.DictionaryArray, edits: Iterable[Edit]) -> pa.DictionaryArray:
    """Return a column of texts with edits; the texts that it had keep their codes."""
    texts: list[str | None] = old.dictionary.to_pylist()
    code_of = {text: code for code, text in enumerate(texts)}
    for text in new.dictionary.to_pylist():
        if code_of.setdefault(text, len(texts)) == len(texts):
            texts.append(text)
    codes = [code_of[text] for text in new.dictionary.to_pylist()]
    kind = pa.int16() if len(texts) <= np.iinfo(np.int16).max else pa.int32()
    indices = pa.array(codes, kind).take(new.indices) if codes else new.indices.cast(kind)
    merged = spliced_arrow(old.indices.cast(kind), indices.cast(kind), edits)
    return pa.DictionaryArray.from_arrays(merged, pa.array(texts, pa.string()))
