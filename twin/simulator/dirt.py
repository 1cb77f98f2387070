"""Dirt as real feeds have it: repeated rows, nulls, truncated JSON, impossible timestamps, rows without an order."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

KINDS = ("duplicated", "null_field", "truncated_json", "bad_timestamp", "no_order_id")
BAD_TIMESTAMPS = ("not a time", "2025-13-45 99:99:99", "", "0000-00-00 00:00:00")
_NULLABLE = r'": (?:"[^"]*"|-?[0-9.]+)'


def soil(table: pa.Table, share: float, rng: np.random.Generator) -> tuple[pa.Table, dict[str, int]]:
    """Return the table with a share of its rows spoilt, in equal parts by kind, and the number of each kind.

    A row has one fault at most. Duplicates are additional rows, all other faults replace a value.
    """
    n = table.num_rows
    count = round(share * n)
    if not count:
        return table, dict.fromkeys(KINDS, 0)
    rows = rng.permutation(n)[:count]
    kind = np.arange(count) % len(KINDS)
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    bodies = columns["body"]
    has_fields = np.asarray(pc.greater(pc.utf8_length(bodies), 2))

    def chosen(name: str) -> np.ndarray:
        mask = np.zeros(n, dtype=bool)
        mask[rows[kind == KINDS.index(name)]] = True
        return mask

    # Most kitchen events have an empty body, which has nothing to null or truncate: those rows stay clean.
    nulled, cut = chosen("null_field") & has_fields, chosen("truncated_json") & has_fields
    bad, lost = chosen("bad_timestamp"), chosen("no_order_id")
    changed = pc.replace_substring_regex(bodies.filter(pa.array(nulled)), _NULLABLE, '": null', max_replacements=1)
    bodies = _replaced(bodies, nulled, changed)
    where = np.flatnonzero(cut)
    length = rng.uniform(0.2, 0.9, len(where))
    pieces = [
        str(bodies[int(row)])[: max(2, int(len(str(bodies[int(row)])) * part))]
        for row, part in zip(where, length, strict=True)
    ]
    bodies = _replaced(bodies, cut, pa.array(pieces, pa.string()))
    invalid = pa.array([BAD_TIMESTAMPS[k] for k in rng.integers(0, len(BAD_TIMESTAMPS), int(bad.sum()))], pa.string())
    columns |= {
        "body": bodies,
        "ts": _replaced(columns["ts"], bad, invalid),
        "order_id": pc.if_else(pa.array(lost), pa.scalar(None, pa.string()), columns["order_id"]),
    }
    spoilt = pa.table(columns, schema=table.schema)
    again = np.flatnonzero(chosen("duplicated"))
    order = np.sort(np.concatenate([np.arange(n), again]), kind="stable")
    counts = (len(again), int(nulled.sum()), int(cut.sum()), int(bad.sum()), int(lost.sum()))
    return spoilt.take(pa.array(order)), dict(zip(KINDS, counts, strict=True))


def _replaced(column: pa.Array, mask: np.ndarray, values: pa.Array) -> pa.Array:
    return pc.replace_with_mask(column, pa.array(mask), values) if mask.any() else column
