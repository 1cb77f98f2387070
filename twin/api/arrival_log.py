"""What comes in at a location, in the order of its arrival, with positions to go on after.

Events arrive late, twice and shuffled, so that a place in the log by time (`twin.api.position`) does not say what a reader has.
Where the inbox is the source its files are the order, for as long as they are kept: nothing is lost or sent twice, also over a
restart. Of another source this process numbers what it sees. After a restart, or for a reader who was away for too long, the last
minutes are then sent again, and the reader is told so; `event_id` says which of them he has.
"""

import json
import secrets
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from typing import Protocol

from cachetools import LRUCache

from twin.api import event_log
from twin.api.instants import EXAMPLE, micros, parse, write_micros
from twin.api.position import StreamPosition
from twin.hub import Hub
from twin.sources.inbox import Inbox, Place
from twin.timeline.events import MICROSECONDS

REMEMBERED = 10_000
"""Arrivals of a location in memory, some 700 bytes each: three minutes at 50 a second."""
MOST_LOCATIONS = 16
"""Locations whose arrivals are in memory; those that were read last stay."""
AGAIN = 600 * MICROSECONDS
"""Data time that is sent again to a reader whose place is not known."""
PAGE = 2000
"""Arrivals that are handed out at a time."""
PAGE_BYTES = 1 << 20
"""Bytes of the inbox that are read at a time."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader is: in the list `log` up to `number`; `at` (microseconds) is the latest event time he may have."""

    log: str
    number: int
    at: int

    def __str__(self) -> str:
        return f"{self.log}~{self.number}~{write_micros(self.at)}"


def parse_position(text: str) -> Position:
    """Parse a position. Raises ValueError with a message for the client.

    >>> str(parse_position("inbox~12~2025-10-17T18:50:00Z"))
    'inbox~12~2025-10-17T18:50:00Z'
    """
    log, _, rest = text.strip().partition("~")
    number, _, at = rest.partition("~")
    if not (
        log.isascii()
        and log.isalnum()
        and len(log) <= 32
        and number.isascii()
        and number.isdecimal()
        and len(number) <= 18
    ):
        raise ValueError(f"must be the id of a message of this stream, such as inbox~12~{EXAMPLE}")
    return Position(log, int(number), micros(parse(at)))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event; `number` is its place in the list, `message` its JSON text without the position."""

    number: int
    at: int
    event_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in after a position, and the position after it. `again`: some of it may have been sent before."""

    arrivals: Sequence[Arrival]
    position: Position
    again: bool = False
    more: bool = False
    """Whether there is more already."""


class ArrivalLog(Protocol):
    """The arrivals at one location."""

    def now(self) -> Position:
        """Return the position after everything that has arrived."""

    def after(self, position: Position) -> Batch:
        """Return what has arrived since. Blocks; raises `SourceError`."""


class InboxLog:
    """The arrivals at one location in an inbox, whose files say their order."""

    def __init__(self, inbox: Inbox, hub: Hub, location: str) -> None:
        self._inbox, self._hub, self._location = inbox, hub, location

    def now(self) -> Position:
        """Return the position after the last event in the inbox."""
        return Position(_NAME_OF_INBOX, _packed(self._inbox.end), _edge(self._hub, self._location))

    def after(self, position: Position) -> Batch:
        """Return what has arrived since. A position that the inbox does not know is taken for its end."""
        place = _unpacked(position.number)
        if position.log != _NAME_OF_INBOX or place > self._inbox.end:
            return Batch([], self.now(), again=True)
        events, end = self._inbox.read(place, PAGE_BYTES)
        arrivals = [
            _arrival(_packed(one.place), self._location, one.kind, one.order_id, one.sequence, micros(one.at), one.body)
            for one in events
            if one.location == self._location
        ]
        at = max([position.at, *(one.at for one in arrivals)])
        return Batch(arrivals, Position(_NAME_OF_INBOX, _packed(end), at), more=end < self._inbox.end)


class SeenLog:
    """The arrivals at one location that this process has seen since it was first read. Thread-safe."""

    def __init__(self, hub: Hub, location: str) -> None:
        self._hub, self._location = hub, location
        self._reading = threading.Lock()
        self._run = secrets.token_hex(6)
        self._seen: deque[Arrival] = deque()
        self._ids: set[str] = set()
        self._number = 0
        self._unclear: list[int] = []
        """Numbers of arrivals before which the source was read anew."""
        self._mark, self._version = hub.source.mark, hub.version
        self._edge = _edge(hub, location)

    def now(self) -> Position:
        """Return the position after everything that this process has seen."""
        with self._reading:
            self._look()
            return Position(self._run, self._number, self._edge)

    def after(self, position: Position) -> Batch:
        """Return what has arrived since; for an unknown position, the last minutes again."""
        with self._reading:
            self._look()
            first = self._number - len(self._seen)
            if position.log != self._run or not first <= position.number <= self._number:
                recent = self._from(min(position.at, self._edge) - AGAIN)
                return Batch(recent, Position(self._run, self._number, self._edge), again=True)
            skipped = position.number - first
            page = list(islice(self._seen, skipped, skipped + PAGE))
            number = position.number + len(page)
            at = max([position.at, *(one.at for one in page)])
            again = bisect_right(self._unclear, position.number) < bisect_right(self._unclear, number)
            return Batch(page, Position(self._run, number, at), again, more=number < self._number)

    def _look(self) -> None:
        """Take in what the source has read since the last look."""
        version, mark = self._hub.version, self._hub.source.mark
        if version == self._version:
            return
        rows = self._hub.source.arrived(self._location, self._mark)
        if rows is None:  # it was read anew: what is later than all before is new, the rest may have changed
            self._unclear.append(self._number + 1)
            found = self._from(self._edge + 1)
        else:
            found = [self._of(entry) for entry in event_log.of_rows(rows)]
        for one in found:
            if one.event_id not in self._ids:
                self._number += 1
                self._seen.append(replace(one, number=self._number))
                self._ids.add(one.event_id)
                self._edge = max(self._edge, one.at)
        while len(self._seen) > REMEMBERED:
            self._ids.discard(self._seen.popleft().event_id)
        self._mark, self._version = mark, version

    def _from(self, start: int) -> list[Arrival]:
        """Return the events from a time on (microseconds), in the order of time, all with the number of the last arrival."""
        found: list[Arrival] = []
        position, ended = StreamPosition(max(start, 0)), False
        end = round(self._hub.location(self._location).end * MICROSECONDS) + 1
        while not ended and position.at < end:
            entries, ended = event_log.read(self._hub.source, self._location, position, end, PAGE)
            for entry in entries:
                found.append(self._of(entry))
                position = entry.position
        return found

    def _of(self, entry: event_log.Entry) -> Arrival:
        return _arrival(self._number, self._location, entry.kind, entry.order_id, entry.sequence, entry.at, entry.data)


class ArrivalLogs:
    """The arrival logs of a hub, one per location that is read. Thread-safe."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._making = threading.Lock()
        self._logs: LRUCache[str, SeenLog] = LRUCache(MOST_LOCATIONS)

    def of(self, location: str, inbox: Inbox | None) -> ArrivalLog:
        """Return the log of a location; `inbox` where that is the hub's source."""
        if inbox is not None:
            return InboxLog(inbox, self._hub, location)
        with self._making:
            if location not in self._logs:
                self._logs[location] = SeenLog(self._hub, location)
            return self._logs[location]


_NAME_OF_INBOX = "inbox"
_OFFSET_BITS = 40


def _packed(place: Place) -> int:
    return place.segment << _OFFSET_BITS | place.offset


def _unpacked(number: int) -> Place:
    return Place(number >> _OFFSET_BITS, number & ((1 << _OFFSET_BITS) - 1))


def _edge(hub: Hub, location: str) -> int:
    return round(hub.edge(location) * MICROSECONDS)


def _arrival(
    number: int, location: str, kind: str, order_id: str, sequence: float | None, at: int, data: str
) -> Arrival:
    """Return an event with its JSON text; `data` is JSON text. All copies of an event have one `event_id`."""
    same = json.dumps([location, order_id, kind, at, sequence])
    event_id = blake2b(same.encode(), digest_size=12).hexdigest()
    text = (
        f'{{"event_type":{json.dumps(kind)},"timestamp":"{write_micros(at)}","order_id":{json.dumps(order_id)},'
        f'"sequence":{json.dumps(sequence)},"event_id":"{event_id}","data":{data}}}'
    )
    return Arrival(number, at, event_id, text)
