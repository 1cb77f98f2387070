"""What has come into a source since it was opened, batch by batch, for whoever extends what he has read by what is new."""

from dataclasses import dataclass
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

MOST_ROWS = 200_000
"""Rows that are held for those who have not asked for them so far; a later one reads everything again."""
MOST_BYTES = 64 << 20
"""Bytes that they may take: a route alone has 1,200."""

COLUMNS = pa.schema(
    [
        ("order_id", pa.string()),
        ("event_type", pa.string()),
        ("ts", pa.timestamp("us")),
        ("sequence", pa.float64()),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("progress", pa.float64()),
        ("body", pa.string()),
        ("flag", pa.string()),
    ]
)
"""The columns of queries/window.sql."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """The used rows that one refresh found, with their `location`, between two marks."""

    begin: int
    end: int
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class _State:
    """`first` is the earliest mark of which all that came after it is in `batches`."""

    mark: int = 0
    first: int = 0
    batches: tuple[_Batch, ...] = ()


class Arrivals:
    """Batches by mark. One thread adds, any may ask: all that is asked lies in one value, which is replaced."""

    def __init__(self, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._state = _State()
        self._most_rows, self._most_bytes = most_rows, most_bytes

    @property
    def mark(self) -> int:
        """How many rows have been read since the source was opened, rejected ones included."""
        return self._state.mark

    def add(self, rows: pa.Table, read: int) -> None:
        """Add the used rows of a refresh, `COLUMNS` and `location`, out of `read` rows that it found."""
        before = self._state
        batches = (*before.batches, _Batch(before.mark, before.mark + read, rows))
        excess = max(
            _beyond(batches, [len(one.rows) for one in batches], self._most_rows),
            _beyond(batches, [one.rows.nbytes for one in batches], self._most_bytes),
        )
        first = batches[excess - 1].end if excess else before.first
        self._state = _State(before.mark + read, first, batches[excess:])

    def restart(self, read: int = 1) -> None:
        """Note that everything was read again, and that nobody can be told what is new; `read` rows more than before, or so."""
        mark = self._state.mark + max(read, 1)
        self._state = _State(mark, mark)

    def of(self, location: str, after: int) -> pa.Table | None:
        """Return a location's rows that came in after a mark; None where that is not known any more."""
        state = self._state
        if not state.first <= after <= state.mark:
            return None
        batches = [batch for batch in state.batches if batch.end > after]
        if batches and batches[0].begin != after:
            return None
        found = [batch.rows.filter(pc.equal(batch.rows["location"], location)) for batch in batches]
        return pa.concat_tables([COLUMNS.empty_table(), *(rows.select(COLUMNS.names) for rows in found)])


def _beyond(batches: tuple[_Batch, ...], sizes: list[int], most: int) -> int:
    """Return how many batches, from the oldest on, have to go for the rest to be at most `most`."""
    return sum(total > most for total in accumulate(reversed(sizes)))
