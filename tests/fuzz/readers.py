"""Everything that reads a log, over one file of rows: what each must hold whatever the bodies are."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel
from pydantic_core import from_json

from tests.hostile_bodies import MOST_DEPTH, read_strictly
from twin.analysis import wording
from twin.analysis.lifecycle import lifecycle
from twin.api import answers, parameters, stream
from twin.api.position import StreamPosition, parse_position
from twin.notebook import tables
from twin.notebook.door import Twin
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline
from twin.views.order.order import story_of

DAY = 1_760_572_800.0
END = DAY + 10 * 86_400
AROUND = 3
"""How deep a body lies in an answer."""
NOT_NUMBERS = re.compile(r"\b(nan|inf|NaN|Infinity|1e\+?\d{2,})\b")


def strictly(text: str) -> Any:
    """Read JSON with two strict parsers, which must agree; no object has a name twice, of which every parser takes another."""
    read = read_strictly(text, MOST_DEPTH + AROUND)
    json.loads(text, object_pairs_hook=_no_name_twice)
    assert from_json(text, allow_inf_nan=False) == read
    return read


def _no_name_twice(pairs: list[tuple[str, Any]]) -> None:
    assert len({name for name, _ in pairs}) == len(pairs), pairs


def dump(model: BaseModel) -> dict[str, Any]:
    return strictly(model.model_dump_json(exclude_unset=True))


def check(path: Path, rows: list[dict[str, Any]]) -> Twin:
    """Let everything read the rows of one location, `sf`, which the file holds. Return the open source."""
    source = FileSource(path)
    twin = Twin(source)
    quality = source.quality()
    assert quality.read == len(rows) == quality.used + sum(quality.rejected.values())
    timeline = Timeline.load(source, "sf", DAY, END)
    _page(timeline)
    _notebook(timeline)
    _api(twin, timeline, quality.used)
    return twin


def _page(timeline: Timeline) -> None:
    """The order panel and the feed."""
    everything = timeline.between(DAY, END)
    lines = wording.describe(timeline, everything, 1800.0, 300.0)
    assert len(lines) == len(everything)
    for row in range(len(timeline.orders)):
        story = story_of(timeline, lifecycle(timeline, row), 1800.0, 300.0)
        strictly(json.dumps(story, allow_nan=False))
        for fact in story["facts"]:
            assert fact["label"] == "Address" or not NOT_NUMBERS.search(fact["value"] + fact["note"]), fact
    odd = timeline.data_quality.flagged.get("odd number", 0)
    assert odd == np.count_nonzero(timeline.orders.odd)
    for numbers in (timeline.orders.revenue, timeline.orders.item_qty, timeline.orders.item_price):
        assert np.isfinite(numbers).all()


def _notebook(timeline: Timeline) -> None:
    assert len(tables.orders(timeline)) == len(timeline.orders)
    tables.events(timeline, timeline.between(DAY, END)).to_html()
    tables.rejects(timeline.data_quality).to_html()


def _api(twin: Twin, timeline: Timeline, used: int) -> None:
    events = []
    query = parameters.EventFilter.model_validate(
        {"start": "2025-10-16T00:00:00Z", "end": "2025-10-26T00:00:00Z", "limit": "1000"}
    )
    while True:
        page = answers.events(twin, "sf", query)
        events += dump(page)["events"]
        if page.next_cursor is None:
            break
        query = query.model_copy(update={"cursor": parse_position(page.next_cursor)})
    assert len(events) == used
    streamed = list(_streamed(twin))
    assert [event["event_id"] for event in streamed] == [event["event_id"] for event in events]
    assert [event["data"] for event in streamed] == [event["data"] for event in events]
    span = parameters.BucketedRange.model_validate(
        {"start": "2025-10-16T00:00:00Z", "end": "2025-10-26T00:00:00Z", "granularity": "day"}
    )
    whole = dump(answers.time_range(twin, "sf", span))
    assert _is_money(whole["metrics"]["total_revenue"], float(timeline.orders.revenue.sum(dtype=np.float64)), abs=0.05)
    dump(answers.brands(twin, "sf", span))
    dump(answers.data_quality(twin, "sf", parameters.Parameters()))
    for number, order in enumerate(timeline.orders.ids.to_pylist()):
        if number % max(1, len(timeline.orders) // 50) == 0:
            found = dump(answers.order(twin, order, parameters.OneOrder()))
            assert _is_money(found["revenue"], float(timeline.orders.revenue[number]), abs=0.01)


def _is_money(found: float | None, amount: float, abs: float) -> bool:  # as pytest calls it
    """Whether an answer tells a sum of prices: null where nothing has a price."""
    return found is None if amount == 0 else found == pytest.approx(amount, rel=1e-4, abs=abs)


def _streamed(twin: Twin) -> Any:
    after, ended = StreamPosition(round(DAY * 1e6)), False
    while not ended:
        page, ended = stream._read(twin, "sf", after, round(END * 1e6), 2000)
        for text in page.messages.to_pylist():
            kind, position, data, *rest = text.split("\n")
            assert (kind, rest) == ("event: order_event", ["", ""]), text[:200]
            event = strictly(data.removeprefix("data: "))
            assert position == f"id: {event['event_id']}"
            yield event
        after = page.end or after
