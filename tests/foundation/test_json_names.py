"""Of two equal names in one object the first counts: for DuckDB, for Python, and in what leaves the API."""

import json
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.json_names import parse, without_repeats
from twin.sources.queries import json_bodies
from twin.timeline import bodies

REPEATED: dict[str, dict[str, Any]] = {
    '{"a":1,"a":2}': {"a": 1},
    '{"a":1,"b":{"a":2},"a":3}': {"a": 1, "b": {"a": 2}},
    '{"a":[{"b":1,"b":2},{"b":3}]}': {"a": [{"b": 1}, {"b": 3}]},
    '{"a":[1,{"b":1}],"c":"}","a" :2}': {"a": [1, {"b": 1}], "c": "}"},
    r'{"a":1,"\u0061":2}': {"a": 1},
    r'{"x\"":1,"x\"":2}': {'x"': 1},
    '{"' + '":1,"'.join(str(n) for n in range(300)) + '":1,"7":2}': {str(n): 1 for n in range(300)},
}
UNIQUE = (
    "{}",
    '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}',
    '{"a":"a","b":"a\\": 1"}',
    '{"a":"{\\"a\\":1}"}',
    '{ "a" : [] }',
)


@pytest.mark.parametrize("text", REPEATED, ids=lambda text: text[:30])
def test_the_first_counts_everywhere(text: str) -> None:
    expected = REPEATED[text]
    assert parse(text) == expected
    assert json_bodies.may_repeat(pa.array([text])).tolist() == [True]
    written = without_repeats(text)
    assert json.loads(written) == expected
    assert not repeats(written)
    for name, value in expected.items():
        if isinstance(value, int) and name.isalnum():  # DuckDB's paths have no quotes in names
            assert duckdb.execute("SELECT json_extract(?::JSON, ?)", [text, f'$."{name}"']).fetchall() == [
                (str(value),)
            ]


@pytest.mark.parametrize("text", UNIQUE)
def test_what_has_no_name_twice_stays_as_it_is(text: str) -> None:
    assert without_repeats(text) is text
    assert json.loads(text) == parse(text)


def written_object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}: {value}" for name, value in pairs) + "}"


NAMES = st.sampled_from(["a", "b", "a ", 'a"', "é", "{"])
VALUES = st.recursive(
    st.sampled_from(["1", '"a"', '"{"', '"}:"', "null"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]"),
        st.lists(st.tuples(NAMES, inner), max_size=4).map(written_object),
    ),
    max_leaves=10,
)


def repeats(text: str) -> bool:
    """Whether an object of a JSON text has a name twice, by Python's own parser."""
    found = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.append(len({name for name, _ in pairs}) < len(pairs))

    json.loads(text, object_pairs_hook=look)
    return any(found)


@given(st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=4).map(written_object), max_size=4))
def test_no_repeated_name_is_overlooked(texts: list[str]) -> None:
    suspected = json_bodies.may_repeat(pa.array(texts, pa.string())).tolist()
    for text, suspicious in zip(texts, suspected, strict=True):
        assert suspicious or not repeats(text)
        assert suspicious == repeats(text) or "\\" in text
        assert not repeats(without_repeats(text))


def test_a_part_of_a_column_and_nulls() -> None:
    column = pa.array(['{"a":1,"a":1}', None, "{}", '{"a":1,"a":1}'])
    assert json_bodies.may_repeat(column[1:]).tolist() == [False, False, True]
    assert json_bodies.may_repeat(pa.chunked_array([column[:2], column[3:]])).tolist() == [True, False, True]
    assert json_bodies.may_repeat(column[:0]).tolist() == []


def test_an_orders_items_are_read_with_the_first_of_equal_names() -> None:
    body = '{"items":[{"name":"Pho","price":9,"price":1,"qty":2,"qty":7}],"customer_addr":"1 Main","customer_addr":"2 Main"}'
    (read,) = bodies._parse(pa.table({"body": [body]}), bodies._ITEMS).to_pylist()
    assert (read["customer_addr"], read["items"][0]["price"], read["items"][0]["qty"]) == ("1 Main", 9.0, 2.0)
    assert parse(body)["items"][0] == {"name": "Pho", "price": 9, "qty": 2}
