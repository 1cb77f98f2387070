"""Files that change while they are served: what is new is found, what was read stays, and nothing is read twice for nothing."""

import asyncio
import gc
import json
import os
import weakref
from pathlib import Path
from typing import Any

import pytest

from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.hub import Hub, open_source
from twin.replay.controller import ReplayController
from twin.sources import file_states
from twin.sources.changing_files import ChangingFiles
from twin.sources.files import FileSource
from twin.views.session.session import MINUTE, ReplaySession

MORE = [{**row, "order_id": "B", "ts": row["ts"].replace("2025-10-13", "2025-10-15")} for row in ROWS]


def text(rows: list[dict[str, Any]], form: str, folder: Path) -> str:
    """Return rows as the lines of a file without a header."""
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows)
    path = write_csv(folder / ".lines.csv", rows)
    return path.read_text().partition("\n")[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "events.csv", ROWS)


def append(path: Path, more: str) -> None:
    with path.open("a") as file:
        file.write(more)


def test_a_look_at_files_that_have_not_changed_reads_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ChangingFiles(path.parent)
    as_of = source.as_of
    assert as_of is not None
    monkeypatch.setattr("twin.sources.changing_files.FileSource", None)
    monkeypatch.setattr("time.time", lambda: as_of + 60)
    assert source.refresh() is False
    assert source.as_of == as_of + 60


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_that_grows_is_read_again_and_its_last_line_once_it_is_complete(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"events.{form}"
    path.write_text(write_csv(path, ROWS).read_text() if form == "csv" else text(ROWS, form, tmp_path))
    source = ChangingFiles(path)
    more = text(MORE, form, tmp_path)
    for cut in (len(more) // 2, len(more) - 3):
        append(path, more[:cut])
        assert source.refresh() is True
        complete = more[:cut].count("\n")
        assert (source.quality().read, source.quality().rejected) == (3 + complete, {}), more[:cut]
        more = more[cut:]
        append(path, more)
        assert source.refresh() is True
        assert (source.quality().read, source.quality().used, source.quality().rejected) == (6, 6, {})
        assert source.refresh() is False
        path.unlink()
        path.write_text(write_csv(path, ROWS).read_text() if form == "csv" else text(ROWS, form, tmp_path))
        assert source.refresh() is True
        more = text(MORE, form, tmp_path)


def test_a_half_line_that_nobody_completes_is_counted_at_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(text(ROWS, "jsonl", tmp_path))
    source = ChangingFiles(path)
    append(path, '{"event_type": "gk_re')
    assert source.refresh() is True
    assert (source.quality().read, source.quality().rejected) == (3, {})
    assert source.refresh() is True
    assert (source.quality().read, source.quality().rejected) == (4, {"broken line": 1})
    assert source.refresh() is False


def test_new_replaced_and_removed_files_are_noticed(path: Path) -> None:
    source = ChangingFiles(path.parent)
    other = write_csv(path.parent / "more.csv", MORE)
    assert source.refresh() is True
    assert (source.quality().used, source.locations()[0].orders) == (6, 2)
    state = path.stat()
    new = write_csv(path.parent / ".new.csv", [{**row, "order_id": "C"} for row in ROWS])
    os.utime(new, ns=(state.st_atime_ns, state.st_mtime_ns))
    new.replace(path)
    assert path.stat().st_size == state.st_size
    assert source.refresh() is True
    assert set(source.window("sf", 0, 2e9)["order_id"].to_pylist()) == {"B", "C"}
    other.unlink()
    assert source.refresh() is True
    assert source.quality().used == 3
    assert source.refresh() is False


def test_names_stay_when_their_table_is_taken_away(path: Path) -> None:
    brands = path.parent / "brands.csv"
    brands.write_text("id,name\n7,Pho\n")
    (path.parent / "locations.csv").write_text("location_id,name,lat,lon\nsf,The Bay,37.8,-122.4\n")
    source = ChangingFiles(path.parent)
    source.quality()
    source._opened._names_read.result()
    brands.unlink()
    (path.parent / "locations.csv").write_bytes(b"\0\1\2 no table any more")
    assert source.names("brands") == {"7": "Pho"}, "nobody asked for them before"
    for _ in range(2):
        write_csv(path, MORE)
        os.utime(path, ns=(0, source._opened.states[str(path)][1] + 1))
        assert source.refresh() is True
        assert source.names("brands") == {"7": "Pho"}
        assert [place.display_name for place in source.locations()] == ["The Bay"]
        assert (
            "The table of brands is gone or cannot be read: the names that it had are shown"
            in source.quality().left_out
        )
    brands.write_text("id,name\n7,Pho Sure\n")
    assert source.refresh() is True
    assert source.names("brands") == {"7": "Pho Sure"}
    assert not any("brands" in sentence for sentence in source.quality().left_out)


def test_a_table_of_names_that_vanishes_before_it_is_read_breaks_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    brands = path.parent / "brands.csv"
    brands.write_text("id,name\n7,Pho\n")
    source = FileSource(path.parent)
    source._names_read.result()
    source._dimensions.clear()  # as if the other thread had not come to it
    brands.unlink()
    assert source.names("brands") == {}
    assert source.quality().left_out == (
        "The table of brands is gone or cannot be read: ids are shown in place of names",
    )
    assert len(source.window("sf", 0, 2e9)) == 3


def test_a_source_that_is_gone_or_broken_stays_as_it_was_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(ChangingFiles(path))
    timeline, as_of, content = hub.timeline("sf"), hub.as_of, path.read_text()
    looks: list[str] = []
    find = file_states.of
    monkeypatch.setattr("twin.sources.file_states.of", lambda paths: looks.append("") or find(paths))
    path.unlink()
    with pytest.raises(SourceError, match=r"cannot be read again, so what was read before is shown: .* does not exist"):
        hub.refresh()
    assert "what was read before is shown" in hub.stale
    assert hub.as_of == as_of
    assert hub.timeline("sf") is timeline
    path.write_text("event_type,ts\n")
    with pytest.raises(SourceError, match="does not exist"):  # it is not looked at again at once
        hub.refresh()
    assert looks == []
    monkeypatch.setattr("twin.sources.changing_files.REST_S", 0.0)
    with pytest.raises(SourceError, match="has no column order_id"):
        hub.refresh()
    assert hub.quality().used == 3
    path.write_text(content)
    assert hub.refresh() is True
    assert hub.stale == ""


@pytest.mark.slow
def test_the_old_database_is_let_go(path: Path) -> None:
    source = ChangingFiles(path)
    source.quality()
    old = weakref.ref(source._opened)
    append(path, text(MORE, "csv", path.parent))
    assert source.refresh() is True
    source.quality()
    gc.collect()
    assert old() is None
    source.close()


def test_a_page_offers_what_is_newer_in_files_and_moves_nothing_by_itself(path: Path) -> None:
    hub = Hub(open_source(path, Settings()))
    session = ReplaySession(hub, ReplayController())
    asyncio.run(session.choose("sf"))
    shown = session.controller.timeline
    assert hub.as_of is not None
    assert session.as_of == hub.as_of // MINUTE * MINUTE
    assert asyncio.run(session.check_for_newer()) == "There is nothing newer."
    append(path, text(MORE, "csv", path.parent))
    assert asyncio.run(session.check_for_newer()) == "Newer orders have come in."
    assert session.newer == hub.last_hours("sf").end
    assert session.controller.timeline is shown
    session.newer = None
    session._is_latest = False
    (path.parent / "brands.csv").write_text("id,name\n7,Pho\n")
    assert asyncio.run(session.check_for_newer()) == "The data has changed, with nothing newer than what is shown."
    path.unlink()
    assert "what was read before is shown" in asyncio.run(session.check_for_newer())
    assert "what was read before is shown" in session.stale


@pytest.mark.parametrize(
    ("content", "begin"),
    [
        (b"a,b\n1,2\n", None),
        (b"a,b\n1,2\n3", 8),
        (b"a,b\n1,2\n3,4", 8),
        (b'a,b\n1,2\n3,"4', 8),
        (b'{"a": 1}\n{"a"', 9),
        (b'{"a": 1}\n{"a": 2}', None),
        (b"a,b", None),
        (b"", None),
        (b"\xff\xfea\0,\0b\0\n\x001\0", None),  # UTF-16 is left as it is
        (b"a,b\n" + b"x" * (1 << 21), None),
    ],
)
def test_a_half_line_is_one_that_does_not_end(tmp_path: Path, content: bytes, begin: int | None) -> None:
    (tmp_path / "e").write_bytes(content)
    assert file_states.end_of_lines(str(tmp_path / "e")) == begin
