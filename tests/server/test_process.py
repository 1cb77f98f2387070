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
from twin.foundation.errors import SourceError
from twin.hub import Hub
from twin.render.streets import Streets
from twin.render.tiles import TileSet
from twin.server.process import Process, process
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
    waiting = threading.Thread(target=mine.tileset, args=("sf",), daemon=True)
    waiting.start()
    assert source.reading.wait(SOON)
    assert within(mine.hub) is hub
    assert within(lambda: mine.has_tileset("sf")) is False
    assert isinstance(within(lambda: mine.tileset("chicago")), TileSet)
    assert waiting.is_alive()
    source.gate.set()
    waiting.join(SOON)
    assert mine.has_tileset("sf")


def test_a_base_map_is_read_once_for_all_and_again_after_a_failure(source: Held) -> None:
    mine = Process()
    mine.use(Hub(source))
    source.failing = True
    got: list[object] = []

    def read() -> None:
        try:
            got.append(mine.tileset("sf"))
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
                for _ in range(4)  # one more than there are threads that render
            ]
            for one in held:
                one.start()
            assert source.reading.wait(SOON)
            threading.Event().wait(0.3)  # so that all four hang
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
    mine.use(Hub(source))
    for place in ("chicago", "sf"):
        mine.tileset(place)
    assert [place for place in ("chicago", "sf") if mine.has_tileset(place)] == held


def test_the_bytes_of_a_base_map_are_those_of_its_distinct_steps() -> None:
    walked = Streets(np.array([0.0, 100.0, 200.0] * 50), np.zeros(150), np.arange(0, 151, 3, dtype=np.int32))
    assert TileSet(walked).nbytes == 2 * 5 * 4
