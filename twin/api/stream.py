"""The replay as a stream of server-sent events: what a dashboard plays, for programs.

A stream reads the log in pages and holds one page at most. It writes when the data clock has come there, and waits for the
socket: a slow reader slows its own clock and takes no memory. Nothing is kept between connections, because every message's
id says where in the log it stands.
"""

import asyncio
import contextlib
import json
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Protocol, TypeVar

from pydantic import BaseModel
from tornado.iostream import StreamClosedError

from twin.api import event_log, kitchen_status, models
from twin.api.handler import RETRY_S, ApiHandler, Refusal
from twin.api.instants import from_micros, micros, write, write_micros
from twin.api.parameters import Replay
from twin.api.position import Position, read_position
from twin.api.source import current_source
from twin.foundation import telemetry
from twin.foundation.errors import UnknownTimeError
from twin.foundation.stages import STALLED_AFTER
from twin.hub import Hub
from twin.replay.clock import Anchor
from twin.server.process import process
from twin.server.threads import streaming
from twin.sources.base import Location

BATCH_S = 0.1
"""Events are written every 100 ms."""
TOLD_S = 1.0
"""Metrics and position are told once a second: faster than a person reads, slower than it costs."""
HEARTBEAT_S = 10.0
"""Proxies close what is silent for a minute, some for half of it."""
PAGE = 2000
"""Events read at a time: 1 MB at most, a second of the busiest kitchen at 1000x. More would hold the interpreter, and so every
other request, for longer at a time."""
WRITE_EVENTS = 1000
"""Events written at a time, so that an unpaced stream looks at its socket often."""
Result = TypeVar("Result")


class ReplayHandler(ApiHandler):
    """GET /locations/{location}/replay."""

    route = "replay"

    async def get(self, location: str) -> None:
        """Stream the range until its end or until the client goes; 503 with Retry-After where too many streams are open."""
        self._gone = False
        query = self.parameters(Replay)
        after = self._resume_at(query)
        if process.open_streams >= process.settings.max_streams:
            raise Refusal(
                503,
                f"{process.open_streams} replays are open, which is the most here. Try again later.",
                {"Retry-After": str(RETRY_S)},
            )
        process.open_streams += 1
        telemetry.STREAMS.set(process.open_streams)
        self._task = asyncio.current_task()
        try:
            hub = await streaming(current_source)
            place = await streaming(partial(_place, hub, location, query))
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("Content-Encoding", "identity")  # compressing would hold back what must go at once
            self.set_header("X-Accel-Buffering", "no")
            if self.request.method == "HEAD":
                return
            with contextlib.suppress(StreamClosedError):
                await Stream(self, hub, place, query, after).run()
        except asyncio.CancelledError:
            if not self._gone:  # the server stops
                raise
        finally:
            process.open_streams -= 1
            telemetry.STREAMS.set(process.open_streams)

    head = get

    def on_connection_close(self) -> None:
        """Stop at once when the client goes, whatever the stream was waiting for."""
        super().on_connection_close()
        self._gone = True
        task = getattr(self, "_task", None)
        if task is not None:
            task.cancel()

    def _resume_at(self, query: Replay) -> Position:
        """Return where to begin: after Last-Event-ID, else at from_time, else at start."""
        start, end = Position(micros(query.start)), micros(query.end)
        given = self.request.headers.get("Last-Event-ID", "").strip()
        name, after = "from_time", query.from_time
        if given:
            name = "Last-Event-ID"
            try:
                after = read_position(given)
            except ValueError as error:
                wrong = models.FieldError(field=name, message=str(error))
                raise Refusal(422, f"{name}: {error}.", errors=[wrong]) from None
        if after is None:
            return start
        if not start.at <= after.at <= end:
            message = f"must lie between start and end, {write(query.start)} and {write(query.end)}"
            raise Refusal(422, f"{name}: {message}.", errors=[models.FieldError(field=name, message=message)])
        return after


class Connection(Protocol):
    """What a stream needs of the handler that it writes to."""

    def write(self, chunk: str, /) -> None:
        """Put text into the buffer."""

    def flush(self) -> Awaitable[None]:
        """Send the buffer; done when the socket has taken it."""


class Stream:
    """One connection's replay. `clock` (seconds) and `sleep` are the wall's; a test gives others."""

    def __init__(
        self,
        connection: Connection,
        hub: Hub,
        place: Location,
        query: Replay,
        after: Position,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection, self._hub, self._place = connection, hub, place
        self._clock, self._sleep = clock, sleep
        self._start, self._end = micros(query.start), micros(query.end)
        self._speed = query.speed
        self._at = after
        self._page = _Page()
        self._taken = 0
        self._ended = False
        self._sent = 0
        self._told = -TOLD_S
        self._orders_told = False
        self._waited = 0.0

    async def run(self) -> None:
        """Write the whole stream."""
        now = self._clock
        self._connection.write(f"retry: {RETRY_S * 1000}\n\n")
        await self._tell()  # where the reader begins: its open orders and figures
        anchor = Anchor(t0=self._at.at / 1e6, speed=self._speed or 1.0, start=self._start / 1e6, end=self._end / 1e6)
        anchor = anchor.play(now())
        while True:
            began = now()
            until = self._end if not self._speed or anchor.ended(began) else int(anchor.at(began) * 1e6)
            await self._events(until)
            if self._at.at >= self._end:
                break
            if began - self._told >= TOLD_S:
                await self._tell()
            if self._waited > BATCH_S:  # a slow reader: the clock waits for it
                anchor = replace(anchor, wall0=anchor.wall0 + self._waited)
            self._waited = 0.0
            await self._sleep(max(0.0, BATCH_S - (now() - began)) if self._speed else 0.0)
        await self._tell()
        self._message("replay_complete", models.ReplayComplete(current_time=from_micros(self._end), events=self._sent))
        await self._flush()

    async def _events(self, until: int) -> None:
        """Write the events up to and with `until` (unpaced: the next few); the position is then there."""
        while True:
            page = self._page
            if self._taken == len(page.at) and not self._ended:
                read = partial(_read, self._hub, self._place.id, page.end or self._at, self._end)
                page, self._ended = await self._off_loop(read)
                self._page, self._taken = page, 0
            due = bisect_right(page.at, until, lo=self._taken)
            stop = min(due, self._taken + WRITE_EVENTS)
            if stop > self._taken:
                parts = page.messages[self._taken : stop]
                self._at = page.position(stop - 1)
                self._taken = stop
                self._sent += len(parts)
                telemetry.STREAMED.inc(len(parts))
                self._connection.write("".join(parts))
                await self._flush()
                if not self._speed:
                    return  # there may be more, without a clock that would ask for it
            elif stop < len(page.at) or self._ended:
                break
        self._at = max(self._at, Position(until))

    async def _tell(self) -> None:
        """Write metrics and position. Where the data has no day, there is only the position."""
        at = self._at.at
        with contextlib.suppress(UnknownTimeError):
            orders = not self._orders_told
            update = await self._off_loop(partial(kitchen_status.update, self._hub, self._place, at / 1e6, orders))
            self._message("metrics_update", update)
            self._orders_told = True
        share = 100 * (at - self._start) / (self._end - self._start)
        self._message("replay_position", models.ReplayPosition(current_time=from_micros(at), progress_pct=share))
        await self._flush()
        self._told = self._clock()

    async def _flush(self) -> None:
        """Send what is written; comes back when the socket has taken it, which is at once unless its reader is slow."""
        began = self._clock()
        await self._connection.flush()
        self._waited += self._clock() - began

    def _message(self, kind: str, model: BaseModel) -> None:
        self._connection.write(f"event: {kind}\nid: {self._at}\ndata: {model.model_dump_json(exclude_unset=True)}\n\n")

    async def _off_loop(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread; meanwhile show the connection that somebody is there."""
        working = streaming(work)
        while True:
            done, _ = await asyncio.wait({working}, timeout=HEARTBEAT_S)
            if done:
                return working.result()
            self._connection.write(": still here\n\n")
            await self._flush()


@dataclass(frozen=True, slots=True)
class _Page:
    """Events that are read and not yet all sent, in order: their times (microseconds), positions there, and messages."""

    at: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def position(self, row: int) -> Position:
        return Position(self.at[row], self.read[row])

    @property
    def end(self) -> Position | None:
        return self.position(-1) if self.at else None


def _read(hub: Hub, location: str, after: Position, end: int) -> tuple[_Page, bool]:
    """Return the next page, its messages written here, in the thread, and whether the log ends with it."""
    entries, ended = event_log.read(hub.source, location, after, end, PAGE)
    page = _Page()
    for entry in entries:
        page.at.append(entry.at)
        page.read.append(entry.position.read)
        page.messages.append(_event_message(entry, write_micros(entry.at)))
    return page, ended


def _event_message(entry: event_log.Entry, at: str) -> str:
    """Return one order_event; written by hand because a stream must take tens of thousands a second."""
    position = f"{at}~{entry.position.read}"
    sequence = "null" if entry.sequence is None else repr(entry.sequence)
    return (
        f"event: order_event\nid: {position}\n"
        f'data: {{"event_type":{_quoted(entry.kind)},"timestamp":"{at}","order_id":{_quoted(entry.order_id)},'
        f'"sequence":{sequence},"event_id":"{position}","data":{entry.data}}}\n\n'
    )


@lru_cache(maxsize=8192)
def _quoted(text: str) -> str:
    """Return JSON text; an order's id is written a dozen times."""
    return json.dumps(text)


def _place(hub: Hub, location: str, query: Replay) -> Location:
    """Return the location; raise for one that is unknown, or a range without any of its data."""
    place = hub.location(location)
    if micros(query.end) / 1e6 <= place.start - STALLED_AFTER or micros(query.start) / 1e6 > place.end + STALLED_AFTER:
        raise UnknownTimeError(
            f"No data of {location} in this range: it reaches from {write(from_micros(round(place.start * 1e6)))} "
            f"to {write(from_micros(round(place.end * 1e6)))}."
        )
    return place
