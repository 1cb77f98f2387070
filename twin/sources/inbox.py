"""Keeps events that arrive one by one or in batches, durably: a folder of JSON lines, which is a source like any other.

What `append` returns is on the disk: a process that is killed at any byte, or a machine without power, loses nothing that was
acknowledged. Half a batch that was never acknowledged may remain; whoever sends it again is told which events are here already.
Only what a source would use is accepted, so that nothing is acknowledged that would be set aside later.
"""

import fcntl
import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from twin.foundation import json_names
from twin.foundation.errors import SourceError
from twin.sources.base import Times
from twin.sources.event_files import LOCATION
from twin.sources.queries import json_bodies

SEGMENT_BYTES = 64 << 20
"""A file is closed once it has so many bytes, and the next one begun: a few files are read faster than many or a huge one."""
REMEMBERED = 100_000
"""Events of which a copy is recognised when it arrives, half an hour at 50 a second; of older copies the source leaves one out.

A server that starts reads so many back, in some seconds."""
MOST_SEQUENCE = 2**53
"""Beyond it a sequence is not read, as whole numbers are not told apart."""
NAMED = 20
"""Rejected lines that a receipt names."""
FIRST_YEAR, LAST_YEAR = 1990, 2099
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,16}(?:\.\d{1,20})?", re.ASCII)
_NAME = "events-{:06d}.jsonl"
_LOCK = ".inbox-lock"


class FullError(SourceError):
    """An event cannot be written: the disk is full, gone or not writable. Nothing of its batch was acknowledged."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line of a batch, counted from 1, that is not accepted, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: `accepted + repeated + rejected` lines. `examples` are the first of those rejected."""

    accepted: int = 0
    repeated: int = 0
    rejected: int = 0
    examples: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place between two lines of an inbox: the number of a file, and bytes from its beginning."""

    segment: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event in an inbox. `place` is after its line; `at` is UTC, of naive times the time as it is written."""

    place: Place
    location: str
    kind: str
    order_id: str
    sequence: float | None
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class _Event:
    """An event as it is written. `key` is what makes two rows copies of each other: kitchen, order, type, time, sequence."""

    text: str
    key: bytes
    times: Times


class _RefusedError(Exception):
    """A line cannot be accepted; the message says why."""


class Inbox:
    """The events of one folder, which this process alone writes. Thread-safe."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES, remembered: int = REMEMBERED) -> None:
        """Open the folder, which is made where it is absent, and mend what a killed process left.

        Raises `SourceError` if the folder cannot be written, or if another process writes it.
        """
        self.folder = folder
        self._segment_bytes, self._remembered = segment_bytes, remembered
        self._writing = threading.Lock()
        self._recent: OrderedDict[bytes, None] = OrderedDict()
        self._times: Times | None = None
        self._size = 0
        self._segment: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SourceError(
                f"The inbox {folder} cannot be written ({error.strerror}): name another folder."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise SourceError(
                f"Another process writes the inbox {folder}: end it, or give each server an inbox of its own."
            ) from None
        try:
            self._read_back()
        except OSError as error:
            self.close()
            raise SourceError(f"The inbox {folder} cannot be read ({error.strerror}): mend or move it.") from error

    def append(self, lines: Sequence[str]) -> Receipt:
        """Write the usable events among `lines`, JSON objects each; when this returns they are on the disk.

        Raises `FullError` if they cannot be written; then none of them counts.
        """
        read = list(_read(lines))
        with self._writing:
            fresh, receipt, times = self._judged(read)
            if fresh:
                self._write("".join(f"{event.text}\n" for event in fresh.values()))
                self._times = times
                self._remember(fresh)
        return receipt

    @property
    def end(self) -> Place:
        """The place after the last event."""
        with self._writing:
            return Place(self._segment or 1, self._size)

    def read(self, after: Place, most_bytes: int) -> tuple[list[Arrived], Place]:
        """Return events after a place, of some `most_bytes` of one file, and the place after them.

        Raises `SourceError` if the file cannot be read.
        """
        end = self.end
        segment, offset = after.segment, after.offset
        stop = end.offset if segment == end.segment else None
        try:
            with (self.folder / _NAME.format(segment)).open("rb") as file:
                file.seek(offset)
                content = file.read(most_bytes if stop is None else max(0, min(most_bytes, stop - offset)))
                if content and not content.endswith(b"\n"):
                    content += file.readline()
        except FileNotFoundError:  # somebody has put it away
            content, stop = b"", None
        except OSError as error:
            raise SourceError(f"The inbox {self.folder} cannot be read ({error.strerror}): mend or move it.") from error
        found: list[Arrived] = []
        for line in content.splitlines(keepends=True):
            offset += len(line)
            one = _parsed(line.decode("utf-8", "replace"))
            if not isinstance(one, str):
                found.append(_arrived(Place(segment, offset), one))
        if not content and stop is None and segment < end.segment:
            return found, Place(segment + 1, 0)
        return found, Place(segment, offset)

    @property
    def has_events(self) -> bool:
        """Whether there are any events in it."""
        return self._segment is not None and (self._segment > 1 or self._size > 0)

    def close(self) -> None:
        """Let another process write the folder."""
        os.close(self._lock)

    def _judged(self, read: Iterable[_Event | str]) -> tuple[dict[bytes, _Event], Receipt, Times | None]:
        """Return the new events of a batch by key, the receipt, and what the times of the folder are with them."""
        fresh: dict[bytes, _Event] = {}
        rejected: list[Rejected] = []
        repeated, times = 0, self._times
        for number, event in enumerate(read, 1):
            if isinstance(event, str):
                rejected.append(Rejected(number, event))
            elif times not in (None, event.times):
                has = "no zone" if times == "naive" else "a zone"
                rejected.append(
                    Rejected(number, f"the times before have {has}: give all events of an inbox times of one kind")
                )
            elif event.key in self._recent or event.key in fresh:
                repeated += 1
            else:
                times = event.times
                fresh[event.key] = event
        return fresh, Receipt(len(fresh), repeated, len(rejected), tuple(rejected[:NAMED])), times

    def _write(self, text: str) -> None:
        data = text.encode()
        try:
            if self._segment is None or self._size >= self._segment_bytes:
                self._begin_segment()
            file = os.open(self._path(), os.O_WRONLY)
            try:
                os.ftruncate(file, self._size)  # without what an earlier try may have left
                os.lseek(file, self._size, os.SEEK_SET)
                written = 0
                while written < len(data):
                    written += os.write(file, data[written:])
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise FullError(
                f"The events cannot be kept ({error.strerror}); none of them was taken. Send them again later."
            ) from error
        self._size += len(data)

    def _begin_segment(self) -> None:
        number = 1 if self._segment is None else self._segment + 1
        os.close(os.open(self.folder / _NAME.format(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644))
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # so that the file itself is there after a loss of power
        finally:
            os.close(folder)
        self._segment, self._size = number, 0

    def _path(self) -> Path:
        assert self._segment is not None
        return self.folder / _NAME.format(self._segment)

    def _remember(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self._recent[key] = None
        while len(self._recent) > self._remembered:
            self._recent.popitem(last=False)

    def _read_back(self) -> None:
        """Find the last segment, cut off a line that was being written when a process ended, and learn which events are there."""
        segments = sorted(self.folder.glob("events-*.jsonl"))
        if not segments:
            return
        last = segments[-1]
        self._segment = int(last.stem.removeprefix("events-"))
        content = last.read_bytes()
        self._size = content.rfind(b"\n") + 1
        if self._size < len(content):
            os.truncate(last, self._size)
        missing = self._remembered
        batches: list[list[bytes]] = []
        for path in reversed(segments):
            lines = path.read_text("utf-8").splitlines()[-missing:]
            batches.append([event.key for event in _read(lines) if isinstance(event, _Event)])
            self._times = self._times or next((one.times for one in _read(lines[-1:]) if isinstance(one, _Event)), None)
            missing -= len(lines)
            if missing <= 0:
                break
        for keys in reversed(batches):
            self._remember(keys)


def _read(lines: Sequence[str]) -> Iterator[_Event | str]:
    """Yield each line as an event, or why it is none. Bodies are judged together, by the definition that sources go by."""
    parsed = [_parsed(line) for line in lines]
    bodies = pa.array([None if isinstance(one, str) else one["body"] for one in parsed], pa.string())
    for one, is_json in zip(parsed, json_bodies.judge(bodies).to_pylist(), strict=True):
        if isinstance(one, str):
            yield one
        elif not is_json:
            yield "body is no JSON object"
        else:
            yield _event(one)


def _parsed(line: str) -> dict[str, Any] | str:
    """Return the columns of a line, or why they cannot be used."""
    try:
        row = json_names.parse(line)
        if not isinstance(row, dict):
            raise _RefusedError("is no JSON object")
        kitchen = next((row[name] for name in LOCATION if row.get(name) is not None), None)
        columns = {
            "event_type": _text(row.get("event_type"), "event_type").lower(),
            "ts": _time(_text(row.get("ts"), "ts")),
            "location": _text(kitchen, "location"),
            "order_id": _text(row.get("order_id"), "order_id"),
            "sequence": _sequence(row.get("sequence")),
            "body": _body(row.get("body")),
        }
        json.dumps(columns, ensure_ascii=False).encode()  # half a character, as "\ud83d", is no text
    except (ValueError, RecursionError):
        return "is no JSON"
    except _RefusedError as error:
        return str(error)
    return columns


def _text(value: object, name: str) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or "\0" in text:
        raise _RefusedError(f"has no {name}")
    return text


def _time(text: str) -> str:
    try:
        when = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        when = None
    if when is None or not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise _RefusedError("ts is no time such as 2025-10-17T18:40:00.000 or 2025-10-17T18:40:00Z")
    return text


def _sequence(value: object) -> float | int | None:
    if isinstance(value, str) and (not value.strip() or _NUMBER.fullmatch(value.strip())):
        value = float(value) if value.strip() else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST_SEQUENCE:
        raise _RefusedError("sequence is no number")
    return value


def _body(value: object) -> str:
    if value is None or value in ("", "null"):
        return "{}"
    if not isinstance(value, str | Mapping):
        raise _RefusedError("body is no JSON object")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text.encode("utf-8", "surrogatepass")) > json_bodies.LARGEST_BODY:
        raise _RefusedError(f"body has over {json_bodies.LARGEST_BODY >> 10} kB")
    return text


def _arrived(place: Place, columns: Mapping[str, Any]) -> Arrived:
    when = datetime.fromisoformat(columns["ts"])
    at = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    sequence = None if columns["sequence"] is None else float(columns["sequence"])
    return Arrived(
        place, columns["location"], columns["event_type"], columns["order_id"], sequence, at, columns["body"]
    )


def _event(columns: Mapping[str, Any]) -> _Event:
    when = datetime.fromisoformat(columns["ts"])
    times: Times = "naive" if when.tzinfo is None else "instants"
    at = (when if times == "naive" else when.astimezone(UTC)).replace(tzinfo=None).isoformat()
    sequence = None if columns["sequence"] is None else float(columns["sequence"])
    same = [columns["location"], columns["order_id"], columns["event_type"], at, sequence]
    key = blake2b(json.dumps(same).encode(), digest_size=16).digest()
    return _Event(json.dumps(columns, ensure_ascii=False), key, times)
