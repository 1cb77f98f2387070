"""One process, many sessions: what holds one of them up holds up nobody else."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from bokeh.document import Document
from bokeh.models.widgets import Div

import twin.api as api
from tests.api.serving import fetch, served
from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import ForeignColumnsError, SourceError, TwinError
from twin.hub import Hub
from twin.render.streets import Streets
from twin.render.tiles import TileSet
from twin.server.process import FIRST_RETRY_S, Process, process
from twin.server.tiles import READ_THREADS
from twin.sources.files import FileSource

SOON = 20.0
"""Seconds within which anything that does not wait for the held query has happened, on a busy machine, too."""


class Held(FileSource):
    """A source of two kitchens; the routes of `sf` are answered when the gate opens."""

    def __init__(self, folder: Path) -> None:
        rows = [{**row, "location": place} for place in ("sf", "chicago") for row in ROWS]
        super().__init__(write_csv(folder / "events.csv", rows))
        self.gate = threading.Event()
        self.reading = threading.Event()
        self.asked: list[str] = []
        self.failing = False

    def routes(self, location: str, most: int) -> pa.Table:
        self.asked.append(location)
        if location == "sf":
            self.reading.set()
            assert self.gate.wait(60)
            if self.failing:
                raise SourceError("The warehouse does not answer.")
        return super().routes(location, most)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Held]:
    held = Held(tmp_path)
    yield held
    held.gate.set()


def within(work: Callable[[], object]) -> object:
    """What `work` returns, in a thread that may be held up, soon."""
    got: list[object] = []
    worker = threading.Thread(target=lambda: got.append(work()), daemon=True)
    worker.start()
    worker.join(SOON)
    assert got, "it waits for somebody else's query"
    return got[0]


def test_a_base_map_that_is_being_read_holds_up_no_other_session(source: Held) -> None:
    mine = Process()
    hub = Hub(source)
    mine.use(hub)
    waiting = threading.Thread(target=mine.tileset, args=(hub, "sf"), daemon=True)
    waiting.start()
    assert source.reading.wait(SOON)
    assert within(mine.hub) is hub
    assert within(lambda: mine.has_tileset(hub, "sf")) is False
    assert isinstance(within(lambda: mine.tileset(hub, "chicago")), TileSet)
    assert waiting.is_alive()
    source.gate.set()
    waiting.join(SOON)
    assert mine.has_tileset(hub, "sf")


def test_a_base_map_is_read_once_for_all_and_again_after_a_failure(source: Held) -> None:
    mine = Process()
    hub = Hub(source)
    source.failing = True
    got: list[object] = []

    def read() -> None:
        try:
            got.append(mine.tileset(hub, "sf"))
        except SourceError as error:
            got.append(str(error))

    def all_at_once() -> None:
        source.gate.clear()
        source.reading.clear()
        readers = [threading.Thread(target=read) for _ in range(4)]
        readers[0].start()
        assert source.reading.wait(SOON)
        for reader in readers[1:]:
            reader.start()
        threading.Event().wait(0.2)  # long enough for all of them to wait for the first
        source.gate.set()
        for reader in readers:
            reader.join(SOON)

    all_at_once()
    assert got == ["The warehouse does not answer."] * 4
    assert source.asked == ["sf"]
    source.failing = False
    got.clear()
    all_at_once()
    assert len(got) == 4
    assert len(set(map(id, got))) == 1
    assert source.asked == ["sf", "sf"]


def test_pages_probes_and_other_tiles_are_served_while_a_query_hangs(source: Held) -> None:
    def page(doc: Document) -> None:
        doc.add_root(Div(text=process.hub().location("chicago").display_name))

    process.use(Hub(source))
    try:
        with served(page, extra_patterns=api.ROUTES) as address:
            held = [
                threading.Thread(target=fetch, args=(f"{address}/tiles/sf/dark/0/0/0.png",), daemon=True)
                for _ in range(READ_THREADS + 1)  # more than there are threads that render, or that read routes
            ]
            for one in held:
                one.start()
            assert source.reading.wait(SOON)
            threading.Event().wait(0.3)  # so that all hang
            assert within(lambda: fetch(f"{address}/healthz").status) == 200
            assert within(lambda: fetch(f"{address}/page").status) == 200
            assert within(lambda: fetch(f"{address}/tiles/chicago/dark/0/0/0.png").status) == 200
            assert all(one.is_alive() for one in held)
            source.gate.set()
            for one in held:
                one.join(SOON)
    finally:
        source.gate.set()
        process.use(None)


@pytest.mark.parametrize(("size", "held"), [(40, ["chicago", "sf"]), (60, ["sf"]), (1_000, ["sf"])])
def test_base_maps_are_limited_by_their_bytes_and_the_last_is_always_held(
    size: int, held: list[str], source: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.server.process.TILESETS_BYTES", 100)
    monkeypatch.setattr(TileSet, "nbytes", property(lambda _: size))
    source.gate.set()
    mine = Process()
    hub = Hub(source)
    for place in ("chicago", "sf"):
        mine.tileset(hub, place)
    assert [place for place in ("chicago", "sf") if mine.has_tileset(hub, place)] == held


def test_the_bytes_of_a_base_map_are_those_of_its_distinct_steps() -> None:
    walked = Streets(np.array([0.0, 100.0, 200.0] * 50), np.zeros(150), np.arange(0, 151, 3, dtype=np.int32))
    assert TileSet(walked).nbytes == 2 * 5 * 4


class Opening:
    """`open_source` that fails with each of `errors`, then returns the source; None: it takes until the gate opens."""

    def __init__(self, source: FileSource, *errors: TwinError | None) -> None:
        self.gate = threading.Event()
        self.times = 0
        self._source, self._errors = source, list(errors)

    def __call__(self, *_: object) -> FileSource:
        self.times += 1
        error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error
        assert self.gate.wait(60)
        return self._source


@pytest.fixture
def opened(source: Held, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Opening]:
    def make(*errors: TwinError | None) -> Opening:
        opening = Opening(source, *errors)
        monkeypatch.setattr("twin.server.process.open_source", opening)
        monkeypatch.setattr("twin.server.process.warm", lambda: None)
        return opening

    return make


def test_all_who_come_while_the_source_is_being_opened_wait_for_one_opening(opened: Callable[..., Opening]) -> None:
    opening, mine = opened(), Process()
    waiting = [mine.begin_opening() for _ in range(20)]
    assert len(set(map(id, waiting))) == 1
    assert not mine.is_open
    opening.gate.set()
    assert waiting[0].result(SOON) is mine.hub()
    assert mine.begin_opening().result(SOON) is mine.hub()
    assert opening.times == 1


def test_a_source_that_cannot_be_opened_at_the_start_is_tried_again_and_the_reason_shown(
    opened: Callable[..., Opening], caplog: pytest.LogCaptureFixture
) -> None:
    opening = opened(SourceError("The warehouse may not read the tables."), SourceError("It does not answer."))
    opening.gate.set()
    mine, pauses, failures = Process(), [], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        failures.append(mine.failure)

    mine.open_until_it_is(sleep)
    assert mine.is_open
    assert pauses == [FIRST_RETRY_S, 2 * FIRST_RETRY_S]
    assert failures == ["The warehouse may not read the tables.", "It does not answer."]
    assert mine.failure is None
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_what_only_a_person_can_mend_is_not_tried_again(opened: Callable[..., Opening]) -> None:
    opening, mine = opened(ForeignColumnsError("It has columns of its own.")), Process()
    mine.open_until_it_is(sleep=lambda _: pytest.fail("it waits"))
    assert (opening.times, mine.needs_adapter) == (1, True)


def test_probes_and_metrics_are_answered_while_the_source_is_being_opened(
    opened: Callable[..., Opening], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.api.probes.READY_WITHIN_S", 0.1)
    process.use(None)
    opening = opened()
    try:
        with served(lambda doc: doc.add_root(Div(text="page")), extra_patterns=api.ROUTES) as address:
            asking = [
                threading.Thread(target=fetch, args=(f"{address}/api/v1/locations",), daemon=True) for _ in range(4)
            ]
            for one in asking:  # more than there are threads for answers
                one.start()
            for path in ("/readyz", "/api/v1/readyz"):
                assert within(lambda path=path: fetch(address + path).status) == 503
            for path in ("/healthz", "/metrics", "/api/v1/healthz", "/api/v1/metrics"):
                assert within(lambda path=path: fetch(address + path).status) == 200
            assert opening.times == 1
            opening.gate.set()
            for one in asking:
                one.join(SOON)
            assert not any(one.is_alive() for one in asking)
            monkeypatch.setattr("twin.api.probes.READY_WITHIN_S", SOON)
            assert within(lambda: fetch(f"{address}/readyz").status) == 200
    finally:
        opening.gate.set()
        process.use(None)
