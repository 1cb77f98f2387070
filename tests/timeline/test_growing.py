"""A timeline that is extended batch by batch is the one that loading everything at once makes, whatever comes when."""

import json
import os
import random
import threading
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.answers_of import answers, differences, digest
from tests.memory_source import MemorySource, loaded, row, table
from twin.analysis.metrics import metrics_of
from twin.foundation.times import HOUR
from twin.timeline.growing import OutgrownError
from twin.timeline.timeline import Timeline

START = 1_760_572_800.0
"""2025-10-16 00:00."""
KITCHEN = (37.791, -122.393)
KINDS = (
    "order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "driver_ping",
    "driver_ping", "delivered",
)  # fmt: skip
BRANDS = {"1": "Pho", "2": "Bowl", "3": "Pho"}


def body(kind: str, rng: random.Random, lat: float, lon: float) -> str | None:
    if kind == "order_created":
        items = [
            {"brand_id": rng.choice(["1", "2", "3", "9", None]), "name": rng.choice(["Soup", None, f"Dish {rng.random():.2f}"]),
             "price": rng.choice([4.5, 12.0, 1e9]), "qty": rng.choice([1, 2, None])}
            for _ in range(rng.randrange(4))
        ]  # fmt: skip
        return json.dumps(
            {"customer_lat": lat, "customer_lon": lon, "customer_addr": f"{rng.randrange(99)} Main St", "items": items}
        )
    if kind == "driver_picked_up":
        route = [
            [KITCHEN[0] + k / 9 * (lat - KITCHEN[0]), KITCHEN[1] + k / 9 * (lon - KITCHEN[1])]
            for k in range(rng.choice([0, 1, 10]))
        ]
        return json.dumps({"route_points": route, "eta_mins": rng.choice([9.5, 20, 1e6, None])})
    return None


def order(rng: random.Random, name: str, begin: float) -> list[dict[str, Any]]:
    """An order whose events come as in life, or not at all, or in another order, or hours apart."""
    reach = rng.choice([0.02, 0.02, 0.02, 0.3])
    lat, lon = KITCHEN[0] + rng.uniform(-reach, reach), KITCHEN[1] + rng.uniform(-reach, reach)
    kinds = [kind for kind in KINDS if rng.random() < 0.9]
    if rng.random() < 0.2:
        kinds.append("order_cancelled")
    if rng.random() < 0.2:
        kinds.insert(rng.randrange(len(kinds) + 1), rng.choice(["driver_sang", "audit", "zebra"]))
    if rng.random() < 0.1:
        rng.shuffle(kinds)
    rows, t = [], begin
    for sequence, kind in enumerate(kinds):
        there = rng.random() < 0.8 and kind in ("order_created", "driver_ping", "delivered")
        share = rng.random()
        rows.append(
            row(
                name,
                kind,
                t,
                rng.choice([float(sequence), float(sequence), None]),
                lat=KITCHEN[0] + share * (lat - KITCHEN[0])
                if there and kind == "driver_ping"
                else lat
                if there
                else None,
                lon=KITCHEN[1] + share * (lon - KITCHEN[1])
                if there and kind == "driver_ping"
                else lon
                if there
                else None,
                progress=100 * share if kind == "driver_ping" and rng.random() < 0.8 else None,
                body=body(kind, rng, lat, lon),
            )
        )
        t += rng.choice([0.0, 0.5, 45.0, 60.0, 300.0, 300.0, 900.0, rng.choice([900.0, 5 * HOUR])])
    return rows


def with_copies(rng: random.Random, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows, some of them again: the same, with less, or with another position."""
    more = []
    for one in rows:
        if rng.random() < 0.15:
            copy = dict(one)
            if rng.random() < 0.5:
                copy["lat"] = copy["lon"] = None
            if rng.random() < 0.3:
                copy["progress"] = None
            more.append(copy)
    return [*rows, *more]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[list[dict[str, Any]]], list[float]]:
    """Batches of rows, the first of which is loaded, and where the window ends after each."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    begin = START + 8 * HOUR
    rows = [
        one
        for number in range(draw(st.integers(1, 14)))
        for one in order(
            rng, f"{rng.choice('ABCD')}{number:03}", begin + rng.choice([1, 1, 1, 3]) * rng.random() * 4 * HOUR
        )
    ]
    rows = with_copies(rng, rows)
    if draw(st.booleans()):
        rng.shuffle(rows)
    else:
        rows.sort(
            key=lambda one: (
                one["ts"] + np.timedelta64(int(rng.choice([0, 0, 0, 1, 40, 7000]) * rng.random() * 1e6), "us")
            )
        )
    cuts = sorted(rng.randrange(1, len(rows) + 1) for _ in range(draw(st.integers(1, 5))))
    batches = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    if draw(st.booleans()):
        batches.insert(rng.randrange(1, len(batches) + 1), batches[0])
    ends = sorted(begin + rng.uniform(0.1, 14) * HOUR for _ in batches)
    return batches, ends


@settings(
    max_examples=int(os.environ.get("TWIN_EXAMPLES", "25")), deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(stream=streams())
def test_every_version_is_what_loading_all_its_rows_at_once_makes(
    stream: tuple[list[list[dict[str, Any]]], list[float]],
) -> None:
    batches, ends = stream
    source = MemorySource(table(batches[0]), at=KITCHEN, brands=BRANDS)
    first = growing = Timeline.load(source, "sf", START, ends[0], growing=True)
    before = digest(answers(first))
    looked_at = len(ends) // 2  # and the last one
    for number, (batch, end) in enumerate(zip(batches[1:], ends[1:], strict=True), 1):
        source.send(table(batch))
        source.refresh()
        growing = growing.extended(table(batch), end, quality=source.quality(), place=source.locations()[0])
        metrics_of(growing)  # the next version's is made from it
        if number in (looked_at, len(ends) - 1):
            assert differences(growing, loaded(source, START, end)) == []
    assert digest(answers(first)) == before, "a version has changed"


def first_rows() -> list[dict[str, Any]]:
    rng = random.Random(1)
    return [one for number in range(5) for one in order(rng, f"A{number}", START + 9 * HOUR + 600 * number)]


def grown_from(rows: list[dict[str, Any]], at: tuple[float, float] | None = KITCHEN) -> Timeline:
    return Timeline.load(MemorySource(table(rows), at=at), "sf", START, START + 12 * HOUR, growing=True)


def test_two_versions_may_be_made_from_one() -> None:
    rows = first_rows()
    first = grown_from(rows)
    one, other = (order(random.Random(k), name, START + 10 * HOUR) for k, name in ((2, "ONE"), (3, "OTHER")))
    for more in (one, other, one):
        version = first.extended(table(more))
        source = MemorySource(table([*rows, *more]), at=KITCHEN)
        assert set(differences(version, loaded(source, START, START + 12 * HOUR))) <= {"quality"}
    assert len(first.extended(table([])).orders) == 5


@pytest.mark.slow
def test_readers_of_a_version_are_undisturbed_while_the_next_ones_are_made() -> None:
    version = grown_from(first_rows())
    before, wrong, over = digest(answers(version)), list[str](), threading.Event()

    def read() -> None:
        while not over.is_set():
            if digest(answers(version)) != before:
                wrong.append("a version has changed")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    newest = version
    for number in range(20):
        newest = newest.extended(table(order(random.Random(number), f"B{number}", START + 9 * HOUR + 40 * number)))
    over.set()
    for reader in readers:
        reader.join(20)
    assert wrong == []
    assert len(newest.orders) == 25


def test_a_batch_at_the_end_shares_all_but_the_last_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.timeline.growing_log.CHUNK", 8)
    rows = sorted(first_rows(), key=lambda one: one["ts"])
    version = grown_from(rows)
    chunks = version._growth.log.chunks if version._growth else ()
    assert len(chunks) > 2
    late = row("NEW", "gk_started", START + 9 * HOUR + 1)
    for more, shared in ((row("NEW", "gk_started", START + 20 * HOUR), chunks[:-1]), (late, chunks[1:])):
        after = version.extended(table([more]), START + 21 * HOUR)
        log = after._growth.log.chunks if after._growth else ()
        assert all(any(chunk is one for one in log) for chunk in shared)
        source = MemorySource(table([*rows, more]), at=KITCHEN)
        assert set(differences(after, loaded(source, START, START + 21 * HOUR))) <= {"quality"}


def test_late_rows_are_counted_by_how_late_they_are() -> None:
    version = grown_from([row("A", "order_created", START + 9 * HOUR)])
    assert version.late() == 0
    batch = [
        row("A", "order_created", START + 9 * HOUR),  # a copy
        row("A", "gk_started", START + 9 * HOUR - 0.5),  # neighbours change places
        row("A", "gk_finished", START + 9 * HOUR + 60),
        row("B", "order_created", START + 9 * HOUR - 90),
        row("B", "gk_started", START + 9 * HOUR - 30),
    ]
    after = version.extended(table(batch))
    assert (after.late(), after.late(60), after.late(100)) == (2, 1, 0)
    assert after.extended(table([row("B", "delivered", START + 8 * HOUR)])).late(100) == 1
    assert version.late() == 0


def test_what_a_batch_cannot_change_has_to_be_read_again() -> None:
    rows = first_rows()
    version = grown_from(rows)
    with pytest.raises(OutgrownError, match="not loaded to grow"):
        loaded(MemorySource(table(rows), at=KITCHEN), START, START + HOUR).extended(table([]))
    with pytest.raises(OutgrownError, match="moved"):
        version.extended(table([]), place=replace(version.location, lat=38.0))
    with pytest.raises(OutgrownError, match="middle of the customers"):
        grown_from(rows, at=None).extended(table([]))
    with pytest.raises(OutgrownError, match="types"):
        version.extended(table([row("A0", f"type {k}", START + 10 * HOUR) for k in range(250)]))
    placeless = grown_from([row("A", "order_created", START + 9 * HOUR)], at=None)
    with pytest.raises(OutgrownError, match="place is not known"):
        placeless.extended(table([row("B", "order_created", START + 9 * HOUR, lat=1.0, lon=2.0)]))
    with pytest.raises(ValueError, match="cannot end before"):
        version.extended(table([]), START + 11 * HOUR)


def test_a_kitchen_without_coordinates_grows_without_them() -> None:
    rows = [row(f"A{k}", kind, START + 9 * HOUR + 60 * k) for k in range(4) for kind in ("order_created", "delivered")]
    version = grown_from(rows[:4], at=None).extended(table(rows[4:]))
    assert set(differences(version, loaded(MemorySource(table(rows), at=None), START, START + 12 * HOUR))) <= {
        "quality"
    }


@pytest.mark.slow
def test_knots_that_no_trip_has_any_more_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.timeline.growing.MOST_UNUSED", 20)
    begin = START + 9 * HOUR
    rows = [
        row(
            "A", "driver_picked_up", begin, body=json.dumps({"route_points": [KITCHEN, [37.8, -122.4]], "eta_mins": 60})
        )
    ]
    version = grown_from(rows)
    lengths = []
    for minute in range(1, 60):
        more = row("A", "driver_ping", begin + 60 * minute, lat=37.791 + minute / 1e4, lon=-122.393, progress=minute)
        version = version.extended(table([more]))
        rows.append(more)
        lengths.append(len(version.trips.t))
    source = MemorySource(table(rows), at=KITCHEN)
    assert set(differences(version, loaded(source, START, START + 12 * HOUR))) <= {"quality"}
    assert max(lengths) < 3 * 62 + 20
    assert any(after < before for before, after in pairwise(lengths))
