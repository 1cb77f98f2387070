"""What goes wrong with a service: each ends in right answers or in one clear sentence, and leaves nothing behind."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import twin
from tests.warehouse.conftest import add_orders, tables
from tests.warehouse.double import Warehouse
from tests.warehouse.test_answers import same
from twin.foundation.errors import CancelledError, SourceError
from twin.foundation.progress import Task
from twin.foundation.settings import Settings
from twin.foundation.times import DAY
from twin.notebook.door import Twin
from twin.sources.warehouse import CONNECTIONS
from twin.timeline.timeline import READING

pytestmark = pytest.mark.slow

LARGE = 20_000
"""Bytes of a result that is linked here; a day of the tests' kitchens has more."""

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]


@pytest.fixture
def held(demos: Callable[[str], Path]) -> dict[str, Path | str]:
    return tables(demos("2025"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.sources.warehouse.RETRY_S", 0.2)


def test_a_wrong_token_is_refused_with_what_to_do(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_of(held)
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-somebody-else")
    with pytest.raises(SourceError, match=r"refused the credentials.*sign in anew") as caught:
        lakehouse()
    assert "dapi" not in str(caught.value)
    assert (warehouse.sessions, warehouse.statements) == (set(), [])


def test_no_credentials_at_all_are_said(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse_of(held)
    monkeypatch.delenv("DATABRICKS_TOKEN")
    with pytest.raises(SourceError, match="credentials"):
        lakehouse()


@pytest.mark.parametrize("missing", ["DATABRICKS_WAREHOUSE_ID"])
def test_a_missing_setting_is_named(
    missing: str, held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse_of(held)
    monkeypatch.delenv(missing)
    with pytest.raises(SourceError, match=missing):
        lakehouse()


def test_a_warehouse_that_does_not_exist_is_said(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse_of(held)
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "another")
    with pytest.raises(SourceError, match=r"no SQL warehouse at /sql/1\.0/warehouses/another"):
        lakehouse()


def test_credentials_do_not_travel_over_plain_http_beyond_this_machine(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse_of(held)
    monkeypatch.setattr("twin.sources.warehouse.LOCAL", ())
    with pytest.raises(SourceError, match="https:// only"):
        lakehouse()


def test_tables_that_may_not_be_read_are_said(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse_of(held).faults.denied = True
    with pytest.raises(SourceError, match="grant USE SCHEMA and SELECT"):
        lakehouse()


def test_a_missing_table_is_said(warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of({})
    with pytest.raises(SourceError, match=r"no table `caspers`\.`lakeflow`\.`all_events`.*run the pipeline"):
        lakehouse()


def test_missing_columns_are_named(warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of({"lakeflow.all_events": "SELECT 'x' AS event_type, 'A' AS order_key"})
    with pytest.raises(SourceError, match="has no column ts, order_id"):
        lakehouse()


def test_an_empty_table_is_said(warehouse_of: Start, lakehouse: Open) -> None:
    columns = ", ".join(f"''::VARCHAR AS {name}" for name in ("event_type", "ts", "location", "order_id", "body"))
    warehouse_of({"lakeflow.all_events": f"SELECT {columns} WHERE false"})
    with pytest.raises(SourceError, match="is empty: no event row"):
        lakehouse()


def test_a_table_without_body_and_place_is_one_kitchen(warehouse_of: Start, lakehouse: Open) -> None:
    row = "SELECT 'order_created' AS event_type, '2025-10-16 12:00:00' AS ts, 'A' AS order_id"
    warehouse_of({"lakeflow.all_events": row})
    place = lakehouse().locations[0]
    assert (place.id, place.orders) == ("kitchen", 1)


def test_a_large_result_comes_from_the_storage_where_it_can_be_reached(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(held)
    warehouse.linked_bytes = LARGE
    place = (source := lakehouse()).locations[0]
    assert source.source.window(place.id, place.start, place.end).nbytes > LARGE
    assert warehouse.downloads > 0


def test_a_storage_that_cannot_be_reached_is_tried_once_and_nobody_waits_for_it(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse = warehouse_of(held)
    warehouse.linked_bytes = LARGE
    source = lakehouse()
    place = source.locations[0]
    days = int(place.end // DAY - place.start // DAY) + 1
    warehouse.faults.no_storage = True
    before = len(warehouse.statements)
    first = source.source.window(place.id, place.start, place.end)
    at_once = len(warehouse.statements) - before
    assert days < at_once <= 2 * days, "what could not be fetched is asked again, without links"
    assert "TWIN_CLOUD_FETCH" in caplog.text
    shutil.rmtree(os.environ["TWIN_CACHE"])
    before = len(warehouse.statements)
    assert same(source.source.window(place.id, place.start, place.end), first)
    assert len(warehouse.statements) - before == days, "that is remembered"


@pytest.mark.parametrize(
    "variables", [{"TWIN_CLOUD_FETCH": "off"}, {"DATABRICKS_APP_PORT": "8000"}], ids=["by a setting", "in an app"]
)
def test_no_links_are_asked_for_where_they_would_not_work(
    variables: dict[str, str],
    held: dict[str, Path | str],
    warehouse_of: Start,
    lakehouse: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warehouse = warehouse_of(held)
    warehouse.faults.no_storage, warehouse.linked_bytes = True, LARGE
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    place = (source := lakehouse()).locations[0]
    assert source.source.window(place.id, place.start, place.end).num_rows > 0
    assert warehouse.stored == {}


@pytest.mark.parametrize("fault", ["dead_sessions", "torn_results"])
def test_what_breaks_once_is_done_again(
    fault: str, held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    whole = source.source.history(place.id, place.start, place.end)
    setattr(warehouse.faults, fault, 1)
    before = len(warehouse.statements)
    assert same(source.source.history(place.id, place.start, place.end), whole)
    assert len(warehouse.statements) - before == (1 if fault == "dead_sessions" else 2)
    assert getattr(warehouse.faults, fault) == 0


def test_what_breaks_again_and_again_is_said_once_and_then_left_alone(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    warehouse.faults.torn_results = 2

    def ask() -> pa.Table:
        return source.source.history(place.id, place.start, place.end)

    with pytest.raises(SourceError, match="broke off twice"):
        ask()
    asked = len(warehouse.statements)
    for _ in range(10):
        with pytest.raises(SourceError, match=r"broke off twice.*Asked again in \d+ s"):
            ask()
    assert len(warehouse.statements) == asked, "ten viewers do not hammer it"
    monkeypatch.setattr("time.monotonic", lambda now=time.monotonic: now() + 60)
    assert ask().num_rows > 0


def test_a_warehouse_that_starts_is_waited_for_and_the_wait_is_told(
    held: dict[str, Path | str], warehouse_of: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_of(held)
    warehouse.faults.starting_s = 2.5
    messages: list[str] = []
    opened = twin.open("databricks", progress=lambda words, _share: messages.append(words))
    opened.source.close()  # type: ignore[attr-defined]
    waits = [words for words in messages if words.startswith("Starting the SQL warehouse")]
    assert len(waits) > 3
    assert waits[0] != waits[-1], "with the time that has passed"


def test_a_warehouse_that_never_starts_is_given_up(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.warehouse.START_S", 1.0)
    warehouse_of(held).faults.starting_s = 3600
    with pytest.raises(SourceError, match="did not start within"):
        lakehouse()


def test_a_service_that_is_gone_is_said(held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of(held).faults.down = True
    with pytest.raises(SourceError, match="does not answer"):
        lakehouse()


def test_a_moment_of_overload_costs_a_retry(held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of(held).faults.unavailable = 1
    assert lakehouse().locations


@pytest.mark.parametrize("refused", [1, 4])
def test_a_statement_whose_state_cannot_be_asked_for_a_while_is_executed_once(
    refused: int, held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    whole = source.source.history(place.id, place.start, place.end)
    gate = warehouse.faults.hold = threading.Event()
    warehouse.faults.refused_polls = refused
    before = len(warehouse.statements)
    answers: list[pa.Table] = []
    asking = threading.Thread(
        target=lambda: answers.append(source.source.history(place.id, place.start, place.end)), daemon=True
    )
    asking.start()
    wait_until(lambda: warehouse.faults.refused_polls == 0 or not asking.is_alive())
    gate.set()
    asking.join(30)
    assert [same(answer, whole) for answer in answers] == [True]
    assert warehouse.faults.refused_polls == 0, "it was turned away as often"
    assert len(warehouse.statements) - before == 1
    assert warehouse.cancelled == 0


def test_a_long_range_leaves_a_place_for_short_questions(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    """However many long ranges are loaded: their days are statements of their own, and each holds one of the four places.

    The ranges are of two kitchens, as two of one would wait for each other's days, with fewer statements than places.
    """
    warehouse, long = warehouse_of(held), ("sanfrancisco", "chicago")
    for place in long:
        add_orders(warehouse, place, 240)
    source = lakehouse().source
    places = {place.id: place for place in source.locations()}
    other = next(place for place in places if place not in long)
    assert all(places[place].end - places[place].start > 10 * DAY for place in long)
    gate = warehouse.faults.hold = threading.Event()
    warehouse.faults.holds = lambda one: one.parameters.get("location") in long
    ranges = [
        threading.Thread(target=source.window, args=(place, places[place].start, places[place].end), daemon=True)
        for place in long
    ]
    for one in ranges:
        one.start()
    wait_until(lambda: warehouse.held == CONNECTIONS - 1)
    rows: list[pa.Table] = []
    end = places[other].end
    short = threading.Thread(target=lambda: rows.append(source.window(other, end - 3600, end)), daemon=True)
    short.start()
    wait_until(lambda: not short.is_alive())
    answered, still = bool(rows) and len(rows[0]) > 0, warehouse.held
    gate.set()
    for one in ranges:
        one.join(60)
    assert answered, "a kitchen's hour waits for another kitchen's week"
    assert still == CONNECTIONS - 1


def test_a_statement_that_nobody_answers_for_is_given_up(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.warehouse.LOST_S", 0.5)
    warehouse = warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    warehouse.faults.hold, warehouse.faults.refused_polls = threading.Event(), 10**6
    before = len(warehouse.statements)
    with pytest.raises(SourceError, match="broke off twice"):
        source.source.history(place.id, place.start, place.end)
    assert len(warehouse.statements) - before == 2
    warehouse.faults.hold.set()


def test_a_full_disk_only_makes_the_next_opening_slower(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse_of(held)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("twin.sources.table_cache.pq.write_table", full)
    source = lakehouse()
    place = source.locations[0]
    assert source.source.window(place.id, place.start, place.start + 3600).num_rows > 0
    assert [file.name for file in (tmp_path / "cache").iterdir()] == []


def test_a_spoilt_chunk_is_fetched_again(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, tmp_path: Path
) -> None:
    warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    first = source.source.window(place.id, place.start, place.start + 3600)
    chunks = list((tmp_path / "cache").iterdir())
    assert len(chunks) == 2, "what opening learnt, and the day"
    for chunk in chunks:
        chunk.write_bytes(b"half a file")
    assert source.source.window(place.id, place.start, place.start + 3600).num_rows == first.num_rows


def test_the_cache_keeps_to_its_bytes(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse_of(held)
    monkeypatch.setenv("TWIN_CACHE_MB", "0")
    nothing = lakehouse()
    nothing.timeline(nothing.locations[0].id)
    assert not (tmp_path / "cache").exists()
    monkeypatch.delenv("TWIN_CACHE_MB")
    source = lakehouse(settings=replace(Settings.from_environment(), cache_bytes=1000))
    for place in source.locations:
        source.source.window(place.id, place.start, place.start + 3600)
    assert len(list((tmp_path / "cache").iterdir())) <= 1


def test_what_nobody_waits_for_is_cancelled_in_the_warehouse(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    warehouse.faults.hold = threading.Event()
    asked = len(warehouse.statements)
    task = Task()

    def load() -> None:
        with task.as_current(), pytest.raises(CancelledError):
            source.timeline(place.id, place.start, place.end)

    loading = threading.Thread(target=load)
    loading.start()
    wait_until(lambda: len(warehouse.statements) > asked)
    task.cancel()
    loading.join(30)
    assert not loading.is_alive()
    wait_until(lambda: warehouse.cancelled >= 1)
    warehouse.faults.hold = None
    assert source.timeline(place.id, place.start, place.end).has_orders, "the next one loads it"
    assert warehouse.most_sessions <= 4


def test_who_waits_hears_how_far_it_is(held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    shares: list[float] = []
    with Task(lambda share, _words: shares.append(share)).as_current():
        source.timeline(place.id, place.start, place.end)
    days = sum(share < READING for share in shares)
    assert days >= 1
    assert shares == sorted(shares)
    assert len(set(shares)) > days > 0
    assert 0 < shares[0] <= shares[-1] <= 1


def test_a_warehouse_that_has_gone_to_sleep_says_that_it_starts(
    held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(held)
    source = lakehouse()
    place = source.locations[0]
    source.source._warehouse._free.clear()  # type: ignore[attr-defined]  # as after hours without a question
    warehouse.faults.starting_s, warehouse._begun = 1.0, None
    messages: list[str] = []
    with Task(lambda _share, words: messages.append(words)).as_current():
        source.timeline(place.id, place.start, place.end)
    assert any(words.startswith("Starting the SQL warehouse") for words in messages)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within two minutes"
        time.sleep(0.02)


def test_nothing_is_left_behind(held: dict[str, Path | str], warehouse_of: Start, lakehouse: Open) -> None:
    warehouse = warehouse_of(held)
    before = ours()
    source = lakehouse()
    place = source.locations[0]
    for fault in ("dead_sessions", "torn_results"):
        setattr(warehouse.faults, fault, 1)
        source.source.history(place.id, place.start, place.end)
    assert warehouse.most_sessions <= 5, "four at once, and one that replaced a dead one"
    source.source.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 120
    while (left := ours() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (warehouse.sessions, left) == (set(), set())


def ours() -> set[threading.Thread]:
    """The threads that are alive, without the double's own."""
    return {thread for thread in threading.enumerate() if "process_request" not in thread.name}
