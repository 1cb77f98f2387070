"""The inbox: what is acknowledged is on the disk, once, and is what a source uses."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from twin.foundation.errors import SourceError
from twin.sources.files import FileSource
from twin.sources.inbox import FullError, Inbox, Receipt


def line(**columns: Any) -> str:
    row = {
        "event_type": "order_created", "ts": "2025-10-17 18:00:00.000", "location": "sf", "order_id": "o1", "sequence": 1,
        "body": {},
    }  # fmt: skip
    return json.dumps(row | columns)


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for path in sorted(folder.glob("*.jsonl")) for text in path.read_text().splitlines()]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox", segment_bytes=2_000)


ODD = [
    line(order_id="zoned", ts="2025-10-17T18:00:00Z"),
    line(order_id="day-first", ts="17/10/2025 18:00"),
    line(order_id="year", ts="2225-10-17 18:00:00"),
    line(order_id="month", ts="2025-13-17 18:00:00"),
    line(order_id="no time", ts=None),
    line(order_id="number", ts=1760000000),
    line(order_id=None),
    line(order_id="  "),
    line(order_id={"a": 1}),
    line(order_id="a\0b"),
    line(order_id="no type", event_type=""),
    line(order_id="no kitchen", location=None),
    line(order_id="half", body='{"a": 1'),
    line(order_id="nan", body='{"a": NaN}'),
    line(order_id="array", body=[1]),
    line(order_id="deep", body='{"a":' * 40 + "1" + "}" * 40),
    line(order_id="long", body={"note": "x" * 300_000}),
    line(order_id="sequence", sequence="three"),
    line(order_id="far", sequence=1e300),
    '{"event_type": "order_created"',
    "[1, 2]",
    "",
    "[" * 100_000,
    '{"event_type":"order_created","ts":"2025-10-17 18:00:00","location":"sf","order_id":"\\ud83d"}',
]
FINE = [
    line(order_id="plain"),
    line(order_id="text of a number", sequence="10"),
    line(order_id="no sequence", sequence=""),
    line(order_id="T", ts="2025-10-17T18:00:00"),
    line(order_id="nanoseconds", ts="2025-10-17 18:00:00.123456789"),
    line(order_id=7, location=None, location_id=3, body=None, sequence=None),
    line(order_id="other", event_type=" Something_New "),
    line(order_id="text", body='{"customer_lat": 37.7, "customer_lon": -122.4}'),
    line(order_id="🍜", body={"note": "naïve\nnew line"}),
    line(order_id="kitchen", location=None, gk_id="gk-1"),
]


def test_only_what_a_source_uses_is_accepted(inbox: Inbox) -> None:
    receipt = inbox.append([FINE[0], *ODD, *FINE[1:]])
    assert (receipt.accepted, receipt.repeated, receipt.rejected) == (len(FINE), 0, len(ODD))
    assert [one.line for one in receipt.examples] == list(range(2, 22))
    assert all(one.reason for one in receipt.examples)
    source = FileSource(inbox.folder)
    quality = source.quality()
    assert (quality.read, quality.used) == (len(FINE), len(FINE))
    source.close()


def test_what_is_here_already_is_not_written_again_not_even_after_a_restart(inbox: Inbox) -> None:
    batch = [line(order_id=f"o{number}") for number in range(50)]
    assert inbox.append([*batch, *batch[:10]]) == Receipt(50, 10)
    assert inbox.append([line(order_id="o1", sequence=2), *batch]) == Receipt(1, 50)
    assert len(list(inbox.folder.glob("*.jsonl"))) > 1, "more than one file"
    inbox.close()
    again = Inbox(inbox.folder)
    assert again.append([*batch, line(order_id="new")]) == Receipt(1, 50)
    assert again.append([line(order_id="zone", ts="2025-10-17T18:00:00+02:00")]).rejected == 1
    assert len(written(inbox.folder)) == 52


def test_one_instant_is_one_however_its_zone_is_written(inbox: Inbox) -> None:
    assert inbox.append([line(ts="2025-10-17T18:00:00Z")]) == Receipt(1)
    assert inbox.append([line(ts="2025-10-17T11:00:00-07:00")]) == Receipt(0, 1)


def test_only_the_recent_events_are_remembered(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox", remembered=10)
    batch = [line(order_id=f"o{number}") for number in range(20)]
    inbox.append(batch)
    assert inbox.append(batch[10:]) == Receipt(0, 10)
    assert inbox.append(batch[:1]) == Receipt(1), "older than what is remembered: a copy, which a source leaves out"
    source = FileSource(inbox.folder)
    assert (source.quality().read, source.quality().used) == (21, 20)
    source.close()


def test_one_process_writes_a_folder(inbox: Inbox) -> None:
    with pytest.raises(SourceError, match="Another process writes"):
        Inbox(inbox.folder)
    inbox.close()
    Inbox(inbox.folder).close()


def test_half_a_line_is_cut_off_and_a_full_disk_acknowledges_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.append([line(order_id="first")])
    write = os.write

    def full(file: int, data: bytes) -> int:
        write(file, bytes(data)[:40])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(FullError, match="No space left on device"):
            inbox.append([line(order_id="second")])
    assert inbox.append([line(order_id="third")]) == Receipt(1), "the next batch comes in place of the half line"
    assert [row["order_id"] for row in written(inbox.folder)] == ["first", "third"]
    inbox.close()
    path = sorted(inbox.folder.glob("*.jsonl"))[-1]
    with path.open("a") as file:
        file.write(line(order_id="half")[:30])
    again = Inbox(inbox.folder)
    assert again.append([line(order_id="half"), line(order_id="first")]) == Receipt(1, 1)
    assert [row["order_id"] for row in written(inbox.folder)] == ["first", "third", "half"]


def killed_while_writing(folder: Path, batches: Sequence[Sequence[str]], after_s: float) -> int:
    """Write batches in a process that is killed after a while; return how many it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            inbox = Inbox(folder, segment_bytes=3_000)
            for batch in batches:
                inbox.append(batch)
                os.write(writing, b".")
        finally:
            os._exit(0)
    os.close(writing)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        return len(pipe.read())


@pytest.mark.slow
@pytest.mark.soak
def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(
    tmp_path: Path, lasting: Callable[[float, float], float]
) -> None:
    chance = random.Random(22)
    batches = [[line(order_id=f"{number}-{one}") for one in range(chance.randint(1, 9))] for number in range(400)]
    Inbox(tmp_path / "warm").append(batches[0])  # what is compiled is compiled before the forks
    cut = 0
    for number in range(round(lasting(8, 200))):
        folder = tmp_path / f"{number}"
        done = killed_while_writing(folder, batches, chance.uniform(0.0, 0.06))
        cut += 0 < done < len(batches)
        inbox = Inbox(folder, segment_bytes=3_000)
        there = [row["order_id"] for row in written(folder)]
        sent = [json.loads(text)["order_id"] for batch in batches for text in batch]
        acknowledged = [json.loads(text)["order_id"] for batch in batches[:done] for text in batch]
        assert there[: len(acknowledged)] == acknowledged, "nothing that was acknowledged is lost"
        assert there == sent[: len(there)], "and nothing is there twice, or half"
        inbox.append([text for batch in batches for text in batch])
        assert [row["order_id"] for row in written(folder)] == sent, "sent again, everything is there once"
        inbox.close()
    assert cut, "some were cut off in the middle"
