"""Dirt, as feeds have it: repeated rows, nulls, cut JSON, impossible timestamps, rows without an order."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

KINDS = ("duplicated", "null_field", "truncated_json", "bad_timestamp", "no_order_id")
BAD_TIMESTAMPS = ("not a time", "2025-13-45 99:99:99", "", "0000-00-00 00:00:00")
_NULLABLE = r'": (?:"[^"]*"|-?[0-9.]+)'


def soil(table: pa.Table, level: float, rng: np.random.Generator) -> tuple[pa.Table, dict[str, int]]:
    """The table with a share `level` of its rows spoilt, in equal parts by kind, and how many of each.

    A row has one fault at most. Duplicates are added; the others replace what a row says.
    """
    n = table.num_rows
    count = round(level * n)
    if not count:
        return table, dict.fromkeys(KINDS, 0)
    rows = rng.permutation(n)[:count]
    kind = np.arange(count) % len(KINDS)
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    bodies = columns["body"]
    full = np.asarray(pc.greater(pc.utf8_length(bodies), 2))

    def at(number: int) -> np.ndarray:
        mask = np.zeros(n, dtype=bool)
        mask[rows[kind == number]] = True
        return mask

    # Most kitchen events have an empty body, where nothing can be null or cut: those rows stay clean.
    nulled, cut, bad, lost = at(1) & full, at(2) & full, at(3), at(4)
    changed = pc.replace_substring_regex(bodies.filter(pa.array(nulled)), _NULLABLE, '": null', max_replacements=1)
    bodies = _replaced(bodies, nulled, changed)
    where = np.flatnonzero(cut)
    share = rng.uniform(0.2, 0.9, len(where))
    pieces = [
        str(bodies[int(row)])[: max(2, int(len(str(bodies[int(row)])) * part))]
        for row, part in zip(where, share, strict=True)
    ]
    bodies = _replaced(bodies, cut, pa.array(pieces, pa.string()))
    wrong = pa.array([BAD_TIMESTAMPS[k] for k in rng.integers(0, len(BAD_TIMESTAMPS), int(bad.sum()))], pa.string())
    columns |= {
        "body": bodies,
        "ts": _replaced(columns["ts"], bad, wrong),
        "order_id": pc.if_else(pa.array(lost), pa.scalar(None, pa.string()), columns["order_id"]),
    }
    spoilt = pa.table(columns, schema=table.schema)
    again = np.sort(rows[kind == 0])
    order = np.sort(np.concatenate([np.arange(n), again]), kind="stable")
    counts = (len(again), int(nulled.sum()), int(cut.sum()), int(bad.sum()), int(lost.sum()))
    return spoilt.take(pa.array(order)), dict(zip(KINDS, counts, strict=True))


def _replaced(column: pa.Array, mask: np.ndarray, values: pa.Array) -> pa.Array:
    return pc.replace_with_mask(column, pa.array(mask), values) if mask.any() else column
