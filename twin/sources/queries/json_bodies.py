"""What counts as the JSON of a body, for the whole product: one object by RFC 8259, such that every program reads it alike.

DuckDB's own parser also reads NaN, trailing commas, numbers beyond a double and any depth; programs that get a body from us
(Python, browsers) do not. So a body is judged once, where its row is decoded (events.sql), and all code behind it may parse it.
Compiled, because a million events have 170 MB of bodies: of the 6.5 s of CPU in which they are loaded, judging takes 0.25 s and
handing them over from DuckDB 0.2 s; DuckDB's own `json_valid` takes 0.2 s, a token expression in RE2 24 s.
"""

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.lazily import at_first_use

if TYPE_CHECKING:
    import duckdb
    from duckdb import func, sqltypes
else:  # which only who opens a source needs
    func, sqltypes = at_first_use("duckdb.func"), at_first_use("duckdb.sqltypes")
json_scan = at_first_use("twin.sources.queries.json_scan")

LARGEST_BODY = 256 << 10
"""Bytes of a body that are read; events.sql, which is plain SQL, has it in bits. A route of 10,000 points has less."""
MOST_DEPTH = 32
"""Objects and arrays inside each other; a body of the feed has 3. Parsers that call themselves give up at 200 to 1,000."""
MOST_DIGITS = 100
"""Digits before and after a number's point: a double has 17 that count. Python refuses to read 4,300."""


def register(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let a database's queries call `is_json(text)` and `null_for_nan(text)`."""
    text, truth = sqltypes.VARCHAR, sqltypes.BOOLEAN
    connection.create_function("is_json", judge, [text], truth, type=func.ARROW)
    connection.create_function("null_for_nan", null_for_nan, [text], text, type=func.ARROW)


def warm() -> None:
    """Load the compiled code, which takes some 0.4 s once per process; the very first time it compiles for some seconds."""
    judge(pa.array(["{}"]))
    may_repeat(pa.array(["{}"]))


def only_json(rows: pa.Table) -> pa.Table:
    """Return rows whose column `body`, if there is one, is NULL where it is not JSON.

    For rows from a warehouse, whose own parser is not ours: what it takes beyond `DATABRICKS` has no body here.
    """
    if "body" not in rows.column_names:
        return rows
    at, texts = rows.column_names.index("body"), rows["body"].combine_chunks()
    judged = pc.fill_null(judge(texts.cast(pa.string())), True)
    if pc.all(judged).as_py() is not False:
        return rows
    return rows.set_column(at, "body", pc.if_else(judged, texts, pa.scalar(None, texts.type)))


def null_for_nan(texts: pa.Array) -> pa.Array:
    """Return JSON (n,) of typed columns with null for the numbers that JSON has none for: NaN and the infinities."""
    read = json.JSONDecoder(parse_constant=lambda _: None).decode
    return pa.array([None if text is None else json.dumps(read(text)) for text in texts.to_pylist()], pa.string())


def judge(bodies: pa.Array) -> pa.Array:
    """Return whether each text (n,) is one JSON object; NULL for NULL."""
    texts = bodies.combine_chunks() if isinstance(bodies, pa.ChunkedArray) else bodies
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    found = np.empty(len(texts), np.bool_)
    json_scan.judge(np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8), bounds, found)
    return pa.array(found, mask=np.asarray(texts.is_null()) if texts.null_count else None)


def may_repeat(bodies: pa.Array) -> NDArray[np.bool_]:
    """Return whether an object in a JSON text (n,) may have a name twice; False, as for nearly all, is certain. NULL: False.

    Which of the two counts is `twin.foundation.json_names`.
    """
    texts = bodies.combine_chunks() if isinstance(bodies, pa.ChunkedArray) else bodies
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    found = np.zeros(len(texts), np.bool_)
    json_scan.look_for_repeats(np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8), bounds, found)
    return found & np.asarray(texts.is_valid())


CALL = "is_json(body)"
"""How events.sql asks; DuckDB has a function of this name by `register`, for a warehouse it is replaced by `DATABRICKS`."""

# Java's regular expressions call themselves for every repetition of a group, so no group here repeats without a bound. The
# sentinel is element 1 only if the body is one value with nothing behind it. \x22 and \x27 are the quotes.
_ESCAPES_PAIRED = r"replace(body, r'\\', '')"
_BARE = rf"regexp_replace(replace({_ESCAPES_PAIRED}, r'\"', ''), r'\x22[^\x22\x00-\x1f]*\x22', 's')"
_DEEP = rf"(?:[\[{{][^\[\]{{}}]*){{{MOST_DEPTH + 1}}}"
_LOOK = rf"[\x00-\x1f\x27]|\\u|[0-9]{{{MOST_DIGITS + 1}}}|[0-9][eE][+-]?[0-9]{{3}}|{_DEEP}"
_WRONG = "|".join(
    [
        r"[\x22\x27]",  # a control character in a string leaves the string's quotes
        rf"[0-9]{{{MOST_DIGITS + 1}}}",
        r"[eE]-[0-9]{5}",
        r"[eE]\+?(?:309|3[1-9][0-9]|[4-9][0-9]{2}|[0-9]{4})",
        r"[^0-9.][0-9]{2,}(?:\.[0-9]+)?[eE]\+?[0-9]{3}",
        r"[^0-9.](?:[2-9]|1\.[89]|1\.79[89])[0-9.]*[eE]\+?308",
        _DEEP,
    ]
)
_PAIR, _HALF = r"(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}", r"(?i)\\ud[89a-f]"
DATABRICKS = (
    f"(get_json_object(concat('[', body, ',\"end\"]'), '$[1]') = 'end' "
    f"AND (NOT body RLIKE r'{_LOOK}' OR (NOT {_BARE} RLIKE r'{_WRONG}' "
    f"AND NOT regexp_replace({_ESCAPES_PAIRED}, r'{_PAIR}', '') RLIKE r'{_HALF}')))"
)
