"""What a stream sends of events is, byte for byte, what formatting them one by one gives."""

import json
import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import hostile_bodies as hostile
from tests.api.conftest import World
from twin.api import event_log, stream
from twin.api.event_log import Block
from twin.api.instants import write_all, write_micros
from twin.api.position import StreamPosition
from twin.foundation import json_names
from twin.sources.files import FileSource

COLUMNS = {
    "order_id": pa.string(), "event_type": pa.string(), "ts": pa.timestamp("us"), "sequence": pa.float64(),
    "lat": pa.float64(), "lon": pa.float64(), "progress": pa.float64(), "body": pa.string(), "flag": pa.string(),
}  # fmt: skip
NOON = datetime(2025, 10, 16, 12)  # noqa: DTZ001  # as rows have their times


def one_by_one(rows: list[dict[str, Any]]) -> str:
    """The messages of rows that are in order and have no copies."""
    found, before, number = [], None, 0
    for row in rows:
        number = number + 1 if row["ts"] == before else 1
        before = row["ts"]
        at = f"{row['ts'].isoformat()}Z"
        sequence = "null" if row["sequence"] is None else repr(row["sequence"])
        found.append(
            f"event: order_event\nid: {at}~{number}\n"
            f'data: {{"event_type":{json.dumps(row["event_type"])},"timestamp":"{at}","order_id":{json.dumps(row["order_id"])},'
            f'"sequence":{sequence},"event_id":"{at}~{number}","data":{data(row)}}}\n\n'
        )
    return "".join(found)


def data(row: dict[str, Any]) -> str:
    if row["body"] is not None:
        return json_names.without_repeats(row["body"]).replace("\n", " ").replace("\r", " ")
    lat, lon, progress = ("null" if row[name] is None else repr(row[name]) for name in ("lat", "lon", "progress"))
    return {
        "driver_ping": f'{{"lat":{lat},"lon":{lon},"progress_pct":{progress}}}',
        "delivered": f'{{"delivered_lat":{lat},"delivered_lon":{lon}}}',
    }.get(row["event_type"], "{}")


numbers = st.one_of(st.none(), st.floats(-180, 180), st.sampled_from([0.0, -0.0, 1e-7, 5e-324, 41.9, 50.0]))
progress = st.one_of(st.none(), st.floats(0, 100), st.sampled_from([0.0, 1e-7, 50.0]))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "order_id": st.sampled_from(["A", "é\u2028", 'quo"te', "back\\slash", "🍜", "x\ny"]),
            "event_type": st.sampled_from(["driver_ping", "delivered", "order_created", "driver_picked_up", "mädchen"]),
            "ts": st.sampled_from([NOON, NOON + timedelta(microseconds=1), NOON + timedelta(milliseconds=250)]),
            "sequence": st.one_of(st.none(), st.integers(-3, 30).map(float), st.just(1.5)),
            "lat": numbers, "lon": numbers, "progress": progress,
            "body": st.sampled_from([None, "{}", '{"a":\r\n1}', '{"a":1,"a":2}', '{"items":[{"name":"🍜"}]}']),
            "flag": st.none(),
        }
    ),
    max_size=12,
)  # fmt: skip


def order_of(row: dict[str, Any]) -> tuple[Any, ...]:
    sequence = math.inf if row["sequence"] is None else row["sequence"]
    known = stream.event_log.ev.EVENT_TYPES
    kind = known.index(row["event_type"]) if row["event_type"] in known else len(known)
    return row["ts"], sequence, row["order_id"].encode(), kind


@given(rows=rows)
def test_any_events_are_written_as_one_by_one(rows: list[dict[str, Any]]) -> None:
    distinct = {order_of(row): row for row in rows}
    table = pa.Table.from_pylist(list(distinct.values()), pa.schema(COLUMNS))
    events = event_log.ev.decode(table)
    block = event_log._block(events, table, 0, len(table))
    expected = [row for _, row in sorted(distinct.items())]
    assert "".join(stream.event_messages(block).to_pylist()) == one_by_one(expected)
    for first in range(0, len(table), 3):  # whatever was read before goes on counting
        later = event_log._block(events, table, first, len(table))
        assert stream.event_messages(later).equals(stream.event_messages(block).slice(first))


def test_the_demos_events_are_written_as_one_by_one(demo_world: World) -> None:
    """All of a kitchen, page by page, from the source itself."""
    source, place = demo_world.twin.source, demo_world.twin.locations[0]
    asked = source.query(
        "event_page", location=place.id, from_ts=0.0, to_ts=4e9, types="", order_id="", most=10_000_000
    )
    found, after, ended = [], StreamPosition(0), False
    while not ended:
        page, ended = stream._read(demo_world.twin, place.id, after, 4 * 10**15, 300)
        after = page.end or after
        found += [page.text(0, len(page.at))] * bool(len(page.at))
    events = event_log.ev.decode(asked)
    assert "".join(found) == one_by_one(asked.take(pa.array(events.row)).to_pylist())


@pytest.mark.slow
def test_bodies_as_nobody_should_write_them_are_written_as_one_by_one(tmp_path: Any) -> None:
    source = FileSource(hostile.write(hostile.record(), tmp_path / "events.jsonl"))
    asked = source.query("event_page", location="sf", from_ts=0.0, to_ts=4e9, types="", order_id="", most=10_000_000)
    events = event_log.ev.decode(asked)
    block = event_log._block(events, asked, 0, len(events.ts))
    assert "".join(stream.event_messages(block).to_pylist()) == one_by_one(asked.take(pa.array(events.row)).to_pylist())


def test_a_page_gives_any_of_its_messages() -> None:
    texts = ["a\n\n", "é🍜\n\n", "", "d"]
    page = stream._Page(np.arange(4), np.ones(4, np.int64), pa.array(["z", *texts]).slice(1))
    for first in range(5):
        for stop in range(first, 5):
            assert page.text(first, stop) == "".join(texts[first:stop])


@given(values=st.lists(st.integers(631_152_000_000_000, 4_102_444_799_999_999), max_size=20))
def test_many_times_are_written_as_each_is(values: list[int]) -> None:
    values += [value - value % 1_000_000 for value in values]
    assert write_all(np.array(values, np.int64)).to_pylist() == [write_micros(value) for value in values]


def test_no_events_are_no_messages() -> None:
    empty = pa.schema(COLUMNS).empty_table()
    block = event_log._block(event_log.ev.decode(empty), empty, 0, 0)
    assert isinstance(block, Block)
    assert stream.event_messages(block).to_pylist() == list(block.entries()) == []
