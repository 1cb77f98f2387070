"""One definition of a body's JSON: what is taken, every strict reader reads; what a sane writer wrote is taken."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from tests import hostile_bodies as hostile
from twin.api import inbox
from twin.server import limits as limited
from twin.server import sessions
from twin.sources import queries
from twin.sources.queries import json_bodies

ROOT = Path(__file__).parents[2]
EVENT = "'order_created' AS event_type, '2025-10-16 12:00:00' AS ts, 'sf' AS location, 'o' AS order_id, '1' AS sequence"
AROUND = [*hostile.AROUND, '{"items":[],"note":"x",}']


def taken(*bodies: str | None) -> list[bool | None]:
    return json_bodies.judge(pa.array(bodies, pa.string())).to_pylist()


def decoded(bodies: list[str]) -> list[tuple[str | None, str | None]]:
    """Return of each body why its row is rejected, None if it is not; and the body as it is used."""
    with duckdb.connect() as connection:
        json_bodies.register(connection)
        connection.execute("CREATE TABLE raw AS SELECT unnest(?::VARCHAR[]) AS body", [bodies])
        return connection.execute(
            f"SELECT reason, body FROM ({queries.decode_for_duckdb(f'SELECT {EVENT}, body FROM raw')})"
        ).fetchall()


def around(value: str) -> tuple[str, ...]:
    """Bodies that hold a value as a field, between others, and inside a list."""
    return (
        f'{{"a":{value}}}',
        f'{{"items":[],"note":{value},"z":0}}',
        f'{{ "a" : [ {{"b":{value}\r\n}} ,\t1 ] , "c" : 1 }}',
    )


@pytest.mark.parametrize("value", hostile.GOOD, ids=lambda value: value[:30])
def test_legal_json_is_taken(value: str) -> None:
    bodies = around(value)[: 1 if value in hostile.DEEP else None]  # the last is two deeper
    for body in bodies:
        hostile.read_strictly(body)
    assert taken(*bodies) == [True] * len(bodies)


@pytest.mark.parametrize("value", hostile.BAD, ids=lambda value: value[:30])
def test_what_some_parsers_read_and_others_do_not_is_refused(value: str) -> None:
    for body in around(value):
        with pytest.raises(ValueError, match=r".+"):
            hostile.read_strictly(body)
    assert taken(*around(value)) == [False] * 3


def test_a_body_is_one_object_and_nothing_else() -> None:
    assert taken(*AROUND) == [False] * len(AROUND)
    assert taken("", None, " {} ", "\n{}\n", "{}") == [False, None, True, True, True]


def test_part_of_a_column_is_judged_as_the_whole() -> None:
    column = pa.array(["{", "{}", None, "[]", '{"a":1}'])
    assert json_bodies.judge(column[1:4]).to_pylist() == [True, None, False]
    assert json_bodies.judge(pa.chunked_array([column[:2], column[2:]])).to_pylist() == [False, True, None, False, True]
    assert json_bodies.judge(column[:0]).to_pylist() == []


def test_the_decoding_takes_what_is_json_and_counts_the_rest_with_its_reason() -> None:
    good = [around(value)[0] for value in hostile.GOOD]
    bad = [body for value in hostile.BAD for body in around(value)] + AROUND
    found = decoded([*good, *bad])
    assert found[: len(good)] == [(None, body) for body in good]
    assert found[len(good) :] == [("broken JSON", None)] * len(bad)
    assert decoded(["", "{}", "null", "NULL"]) == [(None, "{}")] * 4


def test_the_size_of_a_body_is_one_number_in_code_queries_and_documents() -> None:
    found = {
        int(bits) // 8
        for folder in ("twin/sources/queries", "pipelines")
        for file in (ROOT / folder).glob("*.sql")
        for bits in re.findall(r"bit_length\(body\) > (\d+)", file.read_text())
    }
    assert found == {json_bodies.LARGEST_BODY} == {256 << 10}
    assert "the body has over 256 KB;" in (ROOT / "docs/figures.md").read_text()


def test_the_sizes_of_requests_are_as_the_readme_says() -> None:
    limits = limited.RequestLimits()
    readme = " ".join((ROOT / "README.md").read_text().split())
    for size, words in (
        (limits.body >> 10, "{} kB for a request's body"),
        (f"{inbox.MOST_BYTES >> 20} MB and {inbox.MOST_EVENTS:,}", "{} events for one that sends events"),
        (json_bodies.LARGEST_BODY >> 10, "{} kB for an event's own body"),
        (limits.message >> 20, "{} MB for a part of a page's message"),
        (sessions.LONGEST_MESSAGE >> 20, "and {} MB for the whole"),
        (f"{limits.first_s:g}", "{} s for a connection's first request"),
        (f"{limits.idle_s:g}", "{} s between two requests"),
    ):
        assert words.format(size) in readme


def test_the_largest_body() -> None:
    largest = json.dumps({"a": "é" * (((256 << 10) - 8) // 2)}, ensure_ascii=False, separators=(",", ":"))
    assert len(largest.encode()) == 256 << 10
    assert decoded([largest, largest.replace("é", "éa", 1)]) == [(None, largest), ("large body", None)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**60), 10**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text(), JSON, max_size=4), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_a_sane_writer_wrote_is_taken(value: Any, ascii_only: bool, indent: Any) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent, allow_nan=False)
    assert taken(body) == [True], body


PIECES = [*"{}[]\",:\\'+-.eE05u \n\x00", "NaN", "1e308", "9" * 60, "\\ud83c", "\\udf5c", "true", "null", "{}", "[", "é"]
BASE = (
    '{"items":[{"brand_id":"7","name":"Pho \\"x\\"","price":12.5,"qty":2}],"customer_addr":"1 Main","n":[1,-2e3,null]}'
)


@given(st.lists(st.tuples(st.integers(0, len(BASE)), st.integers(0, 2), st.sampled_from(PIECES)), max_size=6))
def test_what_is_taken_is_what_a_strict_parser_reads(changes: list[tuple[int, int, str]]) -> None:
    body = BASE
    for at, gone, piece in changes:
        body = body[:at] + piece + body[at + gone :]
    try:
        read = hostile.read_strictly(body)
    except ValueError:
        read = None
    assert taken(body) == [isinstance(read, dict)], body
    if isinstance(read, dict):
        assert from_json(body, allow_inf_nan=False) == read
