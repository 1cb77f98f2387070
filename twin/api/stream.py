"""The replay as a stream of server-sent events, for programs.

A stream reads the event log in pages and holds at most one page. It writes an event when the replay clock reaches it, and
waits for the socket, so that a slow reader slows its own clock and needs no buffer. The server stores nothing between
connections, because every message's id is a position in the log.
"""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel
from tornado.iostream import IOStream, StreamClosedError

from twin.api import event_log, kitchen_status, models
from twin.api.event_log import join
from twin.api.handler import RETRY_S, ApiHandler, Refusal
from twin.api.instants import from_micros, micros, write, write_all
from twin.api.parameters import ReplayQuery
from twin.api.position import StreamPosition, parse_position
from twin.api.source import current_source
from twin.foundation import counters
from twin.foundation.errors import UnknownTimeError
from twin.foundation.stages import STALLED_AFTER
from twin.hub import Hub
from twin.replay.clock import Anchor
from twin.server import threads
from twin.server.admission import TRUSTS_PROXY
from twin.server.clients import client_of
from twin.server.process import process
from twin.sources.base import Location

log = logging.getLogger(__name__)

BATCH_S = 0.1
"""Events are written every 100 ms."""
UPDATE_S = 1.0
"""Metrics and position are sent once a second: often enough for a reader, and cheap enough."""
HEARTBEAT_S = 10.0
"""Proxies close a connection that is silent for a minute, some after half of it."""
PAGE, UNPACED_PAGE = 2000, 8000
"""Events read at a time: 1 MB at most, a second of the busiest kitchen at 1000x. Who reads without a pace needs all of them at
once, and asking for a page costs as much as 4,000 events."""
WRITE_EVENTS = 500
"""Events written at a time, some 150 kB, so that an unpaced stream waits for its socket often."""
SEND_BUFFER = 128 * 1024
"""Bytes that the system holds for a reader."""
STUCK_S = 30.0
"""A reader that has not accepted one write in so many seconds, which is 2 kB a second, is taken for gone."""
Result = TypeVar("Result")


class ReplayHandler(ApiHandler):
    """GET /locations/{location}/replay."""

    route = asks_as = "replay"

    async def get(self, location: str) -> None:
        """Stream the range until its end or until the client disconnects; 503 with Retry-After if too many streams are open."""
        query = self.parameters(ReplayQuery)
        after = self._resume_at(query)
        async with open_stream(self):
            hub = await current_source(self.request)
            place = await threads.streams.run(partial(_place, hub, location, query))
            begin_stream(self)
            if self.request.method == "HEAD":
                return
            await Stream(self, hub, place, query, after, may_read=may_read(self, hub)).run()

    head = get

    def on_connection_close(self) -> None:
        """Cancel the stream at once, whatever it is waiting for."""
        super().on_connection_close()
        end_stream(self)

    def _resume_at(self, query: ReplayQuery) -> StreamPosition:
        """Return the position to begin at: after Last-Event-ID, else from_time, else start. Raises `Refusal`."""
        start, end = StreamPosition(micros(query.start)), micros(query.end)
        given = self.request.headers.get("Last-Event-ID", "").strip()
        name, after = "from_time", query.from_time
        if given:
            name = "Last-Event-ID"
            try:
                after = parse_position(given)
            except ValueError as error:
                wrong = models.FieldError(field=name, message=str(error))
                raise Refusal(422, f"{name}: {error}.", errors=[wrong]) from None
        if after is None:
            return start
        if not start.at <= after.at <= end:
            message = f"must lie between start and end, {write(query.start)} and {write(query.end)}"
            raise Refusal(422, f"{name}: {message}.", errors=[models.FieldError(field=name, message=message)])
        return after


@contextlib.asynccontextmanager
async def open_stream(handler: ApiHandler) -> AsyncIterator[None]:
    """Count a stream while it is open, and end it quietly when its reader is gone or stuck.

    Raises `Refusal` with Retry-After if as many are open as may be, by all or by this client.
    """
    client = _client(handler)
    check_room(handler)
    process.streams[client] += 1
    counters.STREAMS.set(process.streams.total())
    handler.stream_task = asyncio.current_task()
    try:
        with contextlib.suppress(StreamClosedError):
            yield
    except StuckReaderError:
        counters.STUCK_STREAMS.inc()
        log.info("request %s: closed, because its reader accepted nothing for %g s", handler.request_id, STUCK_S)
        _socket(handler).close()
    except asyncio.CancelledError:
        if handler.stream_task is not None:  # the server stops
            raise
    finally:
        process.streams[client] -= 1
        if not process.streams[client]:
            del process.streams[client]
        counters.STREAMS.set(process.streams.total())


def may_read(handler: ApiHandler, hub: Hub) -> Callable[[], bool]:
    """Return what says whether a hub is still what the user of a request may read: his rights are read anew now and then."""
    visitor = process.visitor_of(handler.request)
    return lambda: process.open_hub(visitor) is hub


def end_stream(handler: ApiHandler) -> None:
    """Cancel the stream of a handler whose reader is gone, whatever it is waiting for."""
    task, handler.stream_task = handler.stream_task, None
    if task is not None:
        task.cancel()


def begin_stream(handler: ApiHandler) -> None:
    """Set the headers of a stream of server-sent events, and have the system hold little for its reader."""
    handler.set_header("Content-Type", "text/event-stream")
    handler.set_header("Content-Encoding", "identity")  # a compressor would delay messages
    handler.set_header("X-Accel-Buffering", "no")
    if handler.request.method != "HEAD":
        bound_send_buffer(handler)


def check_room(handler: ApiHandler) -> None:
    """Raise `Refusal` if as many streams are open as may be, by all or by this client."""
    settings, client = process.settings, _client(handler)
    retry = {"Retry-After": str(RETRY_S)}
    if process.streams.total() >= settings.max_streams:
        raise Refusal(503, f"{settings.max_streams} streams are open, which is the most here. Try again later.", retry)
    if client is not None and process.streams[client] >= settings.client_streams:
        raise Refusal(503, f"{settings.client_streams} streams are open from your address, which is its share.", retry)


def _client(handler: ApiHandler) -> str | None:
    return client_of(handler.request, bool(handler.settings.get(TRUSTS_PROXY)))


def bound_send_buffer(handler: ApiHandler) -> None:
    """Have the system hold little for a reader, so that one who does not read is soon found out."""
    if (connected := _socket(handler).socket) is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)


def _socket(handler: ApiHandler) -> IOStream:
    """Return the connection of a handler, which a WebSocket takes over from HTTP."""
    taken_over: Any = getattr(handler, "ws_connection", None)
    connection: Any = taken_over or handler.request.connection
    return cast(IOStream, connection.stream)


class StuckReaderError(Exception):
    """A reader has accepted nothing for `STUCK_S`."""


class Connection(Protocol):
    """The part of a handler that a stream writes to."""

    def write(self, chunk: str, /) -> None:
        """Add text to the buffer."""

    def flush(self) -> Awaitable[None]:
        """Send the buffer; completes when the socket has accepted it."""


class Stream:
    """One connection's replay. `clock` (seconds) and `sleep` run on wall time by default; tests inject others."""

    def __init__(
        self,
        connection: Connection,
        hub: Hub,
        place: Location,
        query: ReplayQuery,
        after: StreamPosition,
        *,
        may_read: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`may_read()` returns whether what the hub has is still what this reader may read: else the stream ends."""
        self._connection, self._hub, self._place = connection, hub, place
        self._may_read, self._clock, self._sleep = may_read, clock, sleep
        self._start, self._end = micros(query.start), micros(query.end)
        self._speed = query.speed
        self._at = after
        self._page = _Page()
        self._next_row = 0
        self._ended = False
        self._sent = 0
        self._updated_at = -UPDATE_S
        self._orders_sent = False
        self._waited = 0.0

    async def run(self) -> None:
        """Send the stream until the end of its range, or until its reader may not read what is sent any more."""
        now = self._clock
        self._connection.write(f"retry: {RETRY_S * 1000}\n\n")
        await self._send_update()  # open orders and figures at the beginning
        anchor = Anchor(t0=self._at.at / 1e6, speed=self._speed or 1.0, start=self._start / 1e6, end=self._end / 1e6)
        anchor = anchor.play(now())
        while True:
            if not self._may_read():
                return
            began = now()
            until = self._end if not self._speed or anchor.ended(began) else int(anchor.at(began) * 1e6)
            await self._send_events(until)
            if self._at.at >= self._end:
                break
            if began - self._updated_at >= UPDATE_S:
                await self._send_update()
            if self._waited > BATCH_S:  # the clock waits for a slow reader
                anchor = replace(anchor, wall0=anchor.wall0 + self._waited)
            self._waited = 0.0
            await self._sleep(max(0.0, BATCH_S - (now() - began)) if self._speed else 0.0)
        await self._send_update()
        self._message("replay_complete", models.ReplayComplete(current_time=from_micros(self._end), events=self._sent))
        await self._flush()

    async def _send_events(self, until: int) -> None:
        """Send the events up to and including `until` (unpaced: the next few), and advance the position."""
        while True:
            page = self._page
            if self._next_row == len(page.at) and not self._ended:
                most = PAGE if self._speed else UNPACED_PAGE
                read = partial(_read, self._hub, self._place.id, page.end or self._at, self._end, most)
                page, self._ended = await self._in_thread(read)
                self._page, self._next_row = page, 0
            first = self._next_row
            stop = min(max(first, int(page.at.searchsorted(until, "right"))), first + WRITE_EVENTS)
            if stop > first:
                self._at = page.position(stop - 1)
                self._next_row = stop
                self._sent += stop - first
                counters.STREAMED.inc(stop - first)
                self._connection.write(page.text(first, stop))
                await self._flush()
                if not self._speed:
                    return  # there may be more; `run` continues at once
            elif stop < len(page.at) or self._ended:
                break
        self._at = max(self._at, StreamPosition(until))

    async def _send_update(self) -> None:
        """Send metrics and position; on days without data, only the position."""
        at = self._at.at
        with contextlib.suppress(UnknownTimeError):
            orders = not self._orders_sent
            update = await self._in_thread(partial(kitchen_status.update, self._hub, self._place, at / 1e6, orders))
            self._message("metrics_update", update)
            self._orders_sent = True
        share = 100 * (at - self._start) / (self._end - self._start)
        self._message("replay_position", models.ReplayPosition(current_time=from_micros(at), progress_pct=share))
        await self._flush()
        self._updated_at = self._clock()

    async def _flush(self) -> None:
        """Send the buffer and wait until the socket has accepted it, which takes time only with a slow reader.

        Raises `StuckReaderError`.
        """
        began = self._clock()
        try:
            await asyncio.wait_for(self._connection.flush(), STUCK_S)
        except TimeoutError:
            raise StuckReaderError from None
        self._waited += self._clock() - began

    def _message(self, kind: str, model: BaseModel) -> None:
        self._connection.write(f"event: {kind}\nid: {self._at}\ndata: {model.model_dump_json(exclude_unset=True)}\n\n")

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread, with heartbeats on the connection in the meantime."""
        working = threads.streams.run(work)
        while True:
            done, _ = await asyncio.wait({working}, timeout=HEARTBEAT_S)
            if done:
                return working.result()
            self._connection.write(": still here\n\n")
            await self._flush()


@dataclass(frozen=True, slots=True)
class _Page:
    """Events read and not yet all sent, in order: times (microseconds), numbers among the events of that time, messages."""

    at: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    read: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    messages: pa.StringArray = field(default_factory=lambda: pa.array([], pa.string()))

    def position(self, row: int) -> StreamPosition:
        return StreamPosition(int(self.at[row]), int(self.read[row]))

    @property
    def end(self) -> StreamPosition | None:
        return self.position(-1) if len(self.at) else None

    def text(self, first: int, stop: int) -> str:
        """Return the messages of some events, which lie one behind the other in memory."""
        _, offsets, texts = self.messages.buffers()
        begin, end = np.frombuffer(offsets, np.int32)[np.add((first, stop), self.messages.offset)].tolist()
        return texts[begin:end].to_pybytes().decode()


def _read(hub: Hub, location: str, after: StreamPosition, end: int, most: int) -> tuple[_Page, bool]:
    """Return the next page and whether the log ends with it; messages are formatted here, in the worker thread."""
    block, ended = event_log.read_block(hub.source, location, after, end, most)
    return _Page(block.at, block.read, event_messages(block)), ended


def event_messages(block: event_log.Block) -> pa.StringArray:
    """Return the order_events of a block; column by column, because a stream sends tens of thousands a second."""
    at = write_all(block.at)
    position = join(at, "~", pa.array(block.read).cast(pa.string()))
    return join(
        "event: order_event\nid: ", position, '\ndata: {"event_type":', _each(block.kind, json.dumps), ',"timestamp":"', at,
        '","order_id":', _each(block.order_id, json.dumps), ',"sequence":', _each(block.sequence, _number),
        ',"event_id":"', position, '","data":', block.data, "}\n\n",
    )  # fmt: skip


def _each(values: pa.Array, write: Callable[[Any], str]) -> pa.StringArray:
    """Return values (n,) as texts; each different one is written once, because an order's id occurs a dozen times."""
    encoded = values.dictionary_encode("encode")
    return pa.array(map(write, encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)


def _place(hub: Hub, location: str, query: ReplayQuery) -> Location:
    """Return the location. Raises `UnknownLocationError`, and `UnknownTimeError` for a range outside its data."""
    place = hub.location(location)
    if micros(query.end) / 1e6 <= place.start - STALLED_AFTER or micros(query.start) / 1e6 > place.end + STALLED_AFTER:
        raise UnknownTimeError(
            f"No data of {location} in this range: it reaches from {write(from_micros(round(place.start * 1e6)))} "
            f"to {write(from_micros(round(place.end * 1e6)))}."
        )
    return place
