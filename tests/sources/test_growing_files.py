"""Files that grow: only what is new is read, and the result is what opening them afresh would give."""

import json
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.raw_orders import ROUTE
from twin.foundation.errors import SourceError
from twin.foundation.times import seconds
from twin.sources import tails
from twin.sources.base import Source
from twin.sources.changing_files import ChangingFiles
from twin.sources.files import FileSource

Row = dict[str, Any]
START = "2025-10-13 01:00:00"
EVERYTHING = (0.0, 4e9)
EXAMPLES = int(os.environ.get("TWIN_EXAMPLES", "15"))


def row(order: str, kind: str, minutes: float = 0.0, place: str = "sf", sequence: int = 0, **body: Any) -> Row:
    """Return a raw row of an order, minutes after `START`."""
    at = seconds(START) + 60 * minutes
    ts = str(pa.scalar(round(at * 1e6), pa.timestamp("us")).as_py())
    return {
        "event_type": kind, "ts": ts, "location": place, "order_id": order, "sequence": str(sequence),
        "body": json.dumps(body),
    }  # fmt: skip


def order(name: str, minutes: float = 0.0, place: str = "sf") -> list[Row]:
    """Return the rows of a whole order that is created minutes after `START`."""
    items = [{"brand_id": "7", "name": "Pho", "price": 12.5, "qty": 2}]
    return [
        row(name, "order_created", minutes, place, customer_lat=37.8, customer_lon=-122.4 - len(name) / 100, items=items),
        row(name, "gk_started", minutes + 2, place),
        row(name, "gk_ready", minutes + 12, place),
        row(name, "driver_picked_up", minutes + 15, place, route_points=[[lat, lon + minutes / 1e4] for lat, lon in ROUTE]),
        row(name, "driver_ping", minutes + 18, place, loc_lat=37.79, loc_lon=-122.4, progress_pct=40),
        row(name, "delivered", minutes + 25, place, delivered_lat=37.8, delivered_lon=-122.4),
    ]  # fmt: skip


def line(one: Row | str, form: str) -> str:
    """Return a row as a line of a file; a text as it is."""
    if isinstance(one, str):
        return f"{one}\n"
    if form == "jsonl":
        return json.dumps(one) + "\n"
    return ",".join('"' + str(value).replace('"', '""') + '"' for value in one.values()) + "\n"


def text(rows: Sequence[Row | str], form: str) -> str:
    """Return rows as lines."""
    return "".join(line(one, form) for one in rows)


def begin(folder: Path, form: str, rows: Sequence[Row | str], name: str = "events") -> Path:
    """Write a file with rows."""
    path = folder / f"{name}.{form}"
    header = ",".join(row("", "")) + "\n" if form == "csv" else ""
    path.write_text(header + text(rows, form))
    return path


def append(path: Path, more: str) -> None:
    """Add text to the end of a file."""
    with path.open("a") as file:
        file.write(more)


def rows_in(table: pa.Table) -> Counter[str]:
    """Return rows with how often each is there."""
    names = sorted(table.column_names)
    return Counter(repr([one[name] for name in names]) for one in table.to_pylist())


def all_of(source: Source) -> dict[str, Any]:
    """Return whatever a source answers that does not depend on the order of rows."""
    places = source.locations()
    found: dict[str, Any] = {"all": source.quality(), "times": source.times}
    # a percentile of distances, whose last digit depends on who takes the cosine
    found["places"] = [replace(place, radius_m=place.radius_m and round(place.radius_m, 6)) for place in places]
    for place in [place.id for place in places]:
        volume = source.volume(place)
        found[place] = (
            source.quality(place),
            (volume.hour.tolist(), volume.orders.tolist()),
            rows_in(source.window(place, *EVERYTHING)),
            rows_in(source.window(place, seconds("2025-10-13 05:00:00"), seconds("2025-10-13 06:00:00"))),
            rows_in(source.history(place, *EVERYTHING)),
            rows_in(source.query("ledger_orders", location=place, from_ts=0.0, to_ts=4e9)),
        )
    return found


def same_as_afresh(source: Source) -> None:
    """Check that a source answers what its files would if they were opened now."""
    afresh = FileSource(source.name)
    try:
        assert all_of(source) == all_of(afresh)
        quality = source.quality()
        assert quality.used + sum(quality.rejected.values()) == quality.read
    finally:
        afresh.close()


def only_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on reading everything again fails the test."""
    monkeypatch.setattr("twin.sources.changing_files.FileSource", None)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_only_what_was_appended_is_read_and_told(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = begin(tmp_path, form, order("A"))
    source = ChangingFiles(path)
    source.query("ledger_orders", location="sf", from_ts=0.0, to_ts=4e9)  # the tables that it makes must grow, too
    before = source.window("sf", *EVERYTHING)
    assert source.mark == 0
    only_new(monkeypatch)
    read = list[int]()
    behind = tails.behind
    monkeypatch.setattr(tails, "behind", lambda *of: [found := behind(*of), read.append(len(found[0].lines))][0])
    more = text([*order("B", 60)[:3], *order("C", 61, "chi"), order("A")[0], "no row at all"], form)
    append(path, more)
    assert source.refresh() is True
    assert read == [len(more)]
    assert source.mark == 3 + 6 + 1 + 1
    assert rows_in(pa.concat_tables([before, source.arrived("sf", 0) or before])) == rows_in(
        source.window("sf", *EVERYTHING)
    )
    assert source.arrived("chi", 0).num_rows == 6  # type: ignore[union-attr]
    assert source.quality().rejected == {"duplicate": 1, "no order" if form == "csv" else "broken line": 1}
    same_as_afresh(source)
    mark = source.mark
    append(path, text(order("B", 60)[3:], form))
    assert source.refresh() is True
    assert source.arrived("sf", mark)["event_type"].to_pylist() == ["driver_picked_up", "driver_ping", "delivered"]  # type: ignore[index]
    assert source.arrived("chi", mark).num_rows == 0  # type: ignore[union-attr]
    assert source.refresh() is False
    same_as_afresh(source)


def test_a_file_that_comes_is_read_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path, "jsonl", order("A"))
    (tmp_path / "later.jsonl").touch()
    source = ChangingFiles(tmp_path)
    assert source.quality().left_out == ("later.jsonl is empty",)
    only_new(monkeypatch)
    begin(tmp_path, "csv", order("B", 60), "more")
    begin(tmp_path, "jsonl", order("C", 90), "later")
    assert source.refresh() is True
    same_as_afresh(source)
    (tmp_path / "next.jsonl").write_text(text(order("D", 120), "jsonl")[:-20])  # it is being written
    assert source.refresh() is True
    assert source.quality().read == 6 * 4 - 1
    append(tmp_path / "next.jsonl", text(order("D", 120), "jsonl")[-20:])
    append(tmp_path / "more.csv", text(order("E", 120), "csv"))
    assert source.refresh() is True
    assert source.quality().read == 6 * 5
    same_as_afresh(source)


MORE = text(order("B", 60), "jsonl")
OTHERWISE = {
    "shorter": (lambda path: path.write_text(text(order("A")[:2], "jsonl")), "has become shorter"),
    "rewritten and longer": (
        lambda path: path.write_text(text([*order("X"), *order("Y", 30), *order("Z", 60)], "jsonl")),
        "was rewritten",
    ),
    "replaced": (lambda path: begin(path.parent, "jsonl", [*order("A"), *order("B")], ".new").replace(path), "was replaced"),
    "gone": (lambda path: path.rename(path.with_name("other.jsonl")), "is gone"),
    "with columns": (
        lambda path: append(path, json.dumps({**row("A", "gk_ready"), "location_id": "chi", "location": None}) + "\n"),
        "it has columns of events that were not there before",
    ),
    "with zones": (
        lambda path: append(path, text([{**row("A", "gk_ready"), "ts": "2025-10-13T01:00:00Z"}], "jsonl")),
        "its times are also written in other ways now",
    ),
    "with an id used again": (lambda path: append(path, text(order("A", 3 * 24 * 60), "jsonl")), "an order id is used again"),
    "with names": (lambda path: (path.parent / "brands.csv").write_text("id,name\n7,Pho\n"), "a table of names has come, brands"),
}  # fmt: skip


SAID = [
    pytest.param(*given, id=name, marks=() if name in {"shorter", "with columns"} else pytest.mark.slow)
    for name, given in OTHERWISE.items()
]
"""The quick run tries a file that is no longer the same, and one that has grown by other rows."""


@pytest.mark.parametrize(("change", "why"), SAID)
def test_whatever_is_not_growth_is_read_again_as_a_whole_and_said(
    tmp_path: Path, change: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = begin(tmp_path, "jsonl", order("A"))
    source = ChangingFiles(tmp_path)
    caplog.set_level(logging.INFO, "twin.sources.changing_files")
    append(path, MORE)
    assert source.refresh() is True
    mark = source.mark
    assert not caplog.messages
    change(path)
    assert source.refresh() is True
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path.name} is read again as a whole: ")
    assert why in message
    assert source.mark > mark
    assert source.arrived("sf", mark) is None
    same_as_afresh(source)
    append(next(tmp_path.glob("*.jsonl")), text(order("Z", 90), "jsonl"))
    assert source.refresh() is True
    same_as_afresh(source)


ORDERS = st.sampled_from(["A", "B", "C", "D", "E"])
KINDS = st.sampled_from(
    [
        "order_created",
        "gk_started",
        "gk_ready",
        "driver_picked_up",
        "driver_ping",
        "delivered",
        "order_cancelled",
        "odd",
    ]
)
BODIES = st.sampled_from(
    [
        {},
        {"customer_lat": 37.8, "customer_lon": -122.3, "items": [{"brand_id": "1", "price": 3, "qty": 1}]},
        {"route_points": [[37.7, -122.4], [37.8, -122.41]], "customer_lat": 95, "customer_lon": 3},
        {"loc_lat": 37.75, "loc_lon": -122.42, "progress_pct": 3, "route_points": [[37.6, -122.5]]},
    ]
)
ROWS = st.builds(
    lambda order, kind, minutes, place, sequence, body: row(order, kind, minutes, place, sequence, **body),
    ORDERS,
    KINDS,
    st.one_of(st.integers(0, 900), st.sampled_from([0.0, 0.5, 7 * 60.0])),  # late ones, and orders that live long
    st.sampled_from(["sf", "sf", "sf", "chi"]),
    st.integers(0, 1),
    BODIES,
)
BROKEN = st.sampled_from(
    [
        {**row("A", "gk_ready"), "body": "{broken"},
        {**row("A", "gk_ready"), "ts": "yesterday"},
        {**row("", "gk_ready")},
        {**row("A", "gk_ready"), "location": ""},
        "no row",
    ]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["events.jsonl", "events.csv", "new.jsonl", "new.csv"]),
        st.lists(st.one_of(ROWS, ROWS, ROWS, BROKEN), min_size=1, max_size=6),
        st.floats(0, 1),  # where a look finds the text half-written
        st.booleans(),  # whether there is a look between this step and the next
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(ROWS, min_size=1, max_size=8), STEPS)
def test_any_sequence_of_rows_is_as_if_opened_afresh(
    tmp_path_factory: pytest.TempPathFactory, first: list[Row], steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("growing")
    begin(folder, "jsonl", first)
    begin(folder, "csv", order("F", 30))
    source = ChangingFiles(folder)
    try:
        # a duplicate of what is there, so that copies come in later batches, too
        for name, rows, cut, looked in [*steps, ("events.csv", [*first[:2], *first[-1:]], 0.5, True)]:
            path, form = folder / name, name.rpartition(".")[2]
            if not path.exists():
                begin(folder, form, [], "new")
            more = text(rows, form)
            half = round(cut * len(more))
            append(path, more[:half])
            if looked:
                source.refresh()
            append(path, more[half:])
            mark, before = source.mark, source.window("sf", *EVERYTHING) if _has(source, "sf") else None
            source.refresh()
            new = source.arrived("sf", mark)
            if new is not None and before is not None:
                assert rows_in(pa.concat_tables([before, new])) == rows_in(source.window("sf", *EVERYTHING))
        assert source.quality().read == FileSource(folder).quality().read
        same_as_afresh(source)
    finally:
        source.close()


def _has(source: Source, place: str) -> bool:
    return any(one.id == place for one in source.locations())


@pytest.mark.slow
def test_whatever_happens_nothing_is_lost_and_nothing_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten cuts within lines, a rotation, a truncated file, a full disk and a clock that is set back, one after the other."""
    chance = random.Random(22)
    path = begin(tmp_path, "jsonl", order("first"))
    source = ChangingFiles(tmp_path)
    sent = len(order("first"))

    def send(name: str, cut: float) -> None:
        nonlocal sent
        more = text(order(name, chance.uniform(0, 600)), "jsonl")
        append(path, more[: round(cut * len(more))])
        source.refresh()
        append(path, more[round(cut * len(more)) :])
        sent += len(order(name))

    def all_there() -> None:
        source.refresh()
        assert (source.quality().read, source.quality().used, source.quality().rejected) == (sent, sent, {})

    for number in range(10):
        send(f"cut-{number}", chance.random())
    all_there()
    path.rename(tmp_path / "events-1.jsonl")  # rotated
    path.touch()
    all_there()
    send("rotated", 0.4)
    all_there()
    with path.open("r+b") as file:  # a writer that failed takes back what it had not acknowledged
        file.truncate(path.stat().st_size - 40)
    source.refresh()
    assert source.quality().used == sent - 1
    sent -= 1
    path.write_bytes(path.read_bytes().rpartition(b"\n")[0] + b"\n")
    send("truncated", 0.7)
    all_there()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    send("full", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr("twin.sources.file_forms.Copier.write", full)
        patched.setattr("twin.sources.changing_files.FileSource", FullDisk)
        with pytest.raises(SourceError, match="what was read before is shown"):
            source.refresh()
        assert source.quality().used == sent - len(order("full")), "what was read stays"
    monkeypatch.setattr("twin.sources.changing_files.REST_S", 0.0)
    all_there()
    clock = time.time() - 86_400
    monkeypatch.setattr(time, "time", lambda: clock)
    send("set back", 0.5)
    os.utime(path, (clock, clock))
    all_there()
    same_as_afresh(source)


class FullDisk:
    """A source that cannot be opened."""

    def __init__(self, *_: object, **__: object) -> None:
        raise SourceError("events needs more room than the temporary folder has.")
