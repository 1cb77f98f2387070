"""What happens at a kitchen now, as server-sent events and over a WebSocket, without an end.

Both send the same messages; the connection is all that differs. A connection holds a page of arrivals at most and waits for its
reader, who goes on after any message's id when he has been cut off (`twin.api.arrival_log`). Where each reads with his own
rights it ends when these are to be read anew (`Settings.rights_s`): who comes back is answered with those that he has then.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from bokeh.server.util import check_allowlist
from pydantic import BaseModel
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from twin.api import kitchen_status, models
from twin.api.arrival_log import ArrivalLog, ArrivalLogs, Position, parse_position
from twin.api.handler import RETRY_S, ApiHandler, Refusal
from twin.api.instants import instant
from twin.api.parameters import LiveQuery
from twin.api.source import current_source
from twin.api.stream import (
    HEARTBEAT_S,
    STUCK_S,
    UPDATE_S,
    StuckReaderError,
    begin_stream,
    bound_send_buffer,
    check_room,
    end_stream,
    may_read,
    open_stream,
)
from twin.foundation import counters
from twin.foundation.errors import TwinError, UnknownTimeError
from twin.hub import Hub
from twin.server import threads
from twin.server.hosts import websocket_origins
from twin.server.process import process
from twin.sources.base import Location

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 4096
"""Bytes of a message that a reader may send over a WebSocket: none is expected."""
RIGHTS_ANEW = "What you may read is read anew from time to time: connect again."
_GOING_AWAY, _FAILED = 1001, 1011
_LONGEST_REASON = 120
"""Characters of why a WebSocket is closed; the protocol has room for 123 bytes."""


class Reader(Protocol):
    """Who reads a live feed."""

    async def send(self, messages: list[tuple[str, str, str]]) -> None:
        """Send messages: kind, id and JSON text each. Completes when the reader has accepted them."""

    async def beat(self) -> None:
        """Send a sign of life."""


class Feed:
    """One reader's live feed of a kitchen."""

    def __init__(
        self, reader: Reader, hub: Hub, place: Location, arrivals: ArrivalLog, after: Position | None,
        may_read: Callable[[], bool] = lambda: True, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`may_read()` returns whether what the hub has is still what this reader may read. `clock` is in seconds."""
        self._reader, self._hub, self._place, self._arrivals = reader, hub, place, arrivals
        self._after, self._may_read, self._clock = after, may_read, clock
        self._changed = asyncio.Event()
        self._version = -1
        self._updated_at = -UPDATE_S
        self._beaten_at = clock()

    async def run(self) -> None:
        """Send until the reader is gone, or may not read what is sent any more."""
        loop = asyncio.get_running_loop()
        end = self._hub.on_change(lambda: loop.call_soon_threadsafe(self._changed.set))
        try:
            begins = self._after is None
            position = self._after or await self._in_thread(self._arrivals.now)
            while self._may_read():
                self._changed.clear()
                position, repeated = await self._send_arrivals(position)
                if begins or repeated:
                    await self._update(position, orders=True, repeated=repeated)
                    begins = False
                elif self._hub.version != self._version and self._clock() - self._updated_at >= UPDATE_S:
                    await self._update(position)
                elif self._clock() - self._beaten_at >= HEARTBEAT_S:
                    await self._bounded(self._reader.beat())
                await self._wait()
        finally:
            end()

    async def _wait(self) -> None:
        """Wait until the source has changed, or something is due."""
        now = self._clock()
        due = self._beaten_at + HEARTBEAT_S
        if self._hub.version != self._version:
            due = min(due, self._updated_at + UPDATE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), max(0.01, due - now))

    async def _send_arrivals(self, position: Position) -> tuple[Position, bool]:
        """Send what has come in since, and return the position after it, and whether some may have been sent before."""
        repeated = False
        while True:
            batch = await self._in_thread(partial(self._arrivals.after, position))
            messages = []
            for one in batch.arrivals:
                position = Position(batch.position.log, one.number, max(position.at, one.at))
                messages.append(("order_event", str(position), one.message))
            position, repeated = batch.position, repeated or batch.again
            if messages:
                counters.STREAMED.inc(len(messages))
                await self._send(messages)
            if not batch.more:
                return position, repeated

    async def _update(self, position: Position, *, orders: bool = False, repeated: bool = False) -> None:
        """Send the figures at the live edge and the position; before anything is known of the kitchen, only the position."""
        self._version, self._updated_at = self._hub.version, self._clock()
        edge = await self._in_thread(partial(self._hub.edge, self._place.id))
        messages: list[tuple[str, BaseModel]] = []
        with contextlib.suppress(UnknownTimeError):
            figures = await self._in_thread(partial(kitchen_status.update, self._hub, self._place, edge, orders))
            messages.append(("metrics_update", figures))
        messages.append(("live_position", models.LivePosition(current_time=instant(edge), repeated=repeated)))
        await self._send([(kind, str(position), model.model_dump_json(exclude_unset=True)) for kind, model in messages])

    async def _send(self, messages: list[tuple[str, str, str]]) -> None:
        await self._bounded(self._reader.send(messages))

    async def _bounded(self, sending: Awaitable[None]) -> None:
        try:
            await asyncio.wait_for(sending, STUCK_S)
        except TimeoutError:
            raise StuckReaderError from None
        self._beaten_at = self._clock()

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await threads.streams.run(work)


class LiveHandler(ApiHandler):
    """GET /locations/{location}/live: the feed as server-sent events."""

    route = asks_as = "live"

    async def get(self, location: str) -> None:
        """Send until the client disconnects, or may not read on; 503 with Retry-After if too many streams are open."""
        given = self.request.headers.get("Last-Event-ID", "").strip()
        name, given = ("Last-Event-ID", given) if given else ("after", self.parameters(LiveQuery).after or "")
        after = _position(name, given)
        async with open_stream(self):
            feed = await _feed(self, location, _Events(self), after)
            begin_stream(self)
            if self.request.method == "HEAD":
                return
            self.write(f"retry: {RETRY_S * 1000}\n\n")
            await feed.run()

    head = get

    def on_connection_close(self) -> None:
        """End the feed at once, whatever it is waiting for."""
        super().on_connection_close()
        end_stream(self)


class _Events:
    """A reader of server-sent events."""

    def __init__(self, handler: ApiHandler) -> None:
        self._handler = handler

    async def send(self, messages: list[tuple[str, str, str]]) -> None:
        self._handler.write("".join(f"event: {kind}\nid: {at}\ndata: {data}\n\n" for kind, at, data in messages))
        await self._handler.flush()

    async def beat(self) -> None:
        self._handler.write(": still here\n\n")
        await self._handler.flush()


class LiveSocket(ApiHandler, WebSocketHandler):
    """/ws/v1/locations/{location}/live: the feed over a WebSocket, a JSON object a message.

    A browser sends cookies to any host with a WebSocket, so that a page of another site could read the feed of somebody who is
    logged in: only pages of the server's own names, and of the allowed origins, may open one.
    """

    route = asks_as = "live"
    methods = "GET"

    def check_origin(self, origin: str) -> bool:
        """Return whether a page of an origin may connect; programs name none."""
        host = urlsplit(origin).netloc.lower()
        allowed = process.settings_or_default.cors_origins
        return (
            host == self.request.host.lower()
            or origin in allowed
            or check_allowlist(host, websocket_origins(self.application))
        )

    @property
    def max_message_size(self) -> int:
        """Bytes that a reader may send."""
        return LONGEST_MESSAGE

    async def get(self, location: str) -> None:
        """Shake hands, after everything that can be refused by an answer has been."""
        self._after = _position("after", self.parameters(LiveQuery).after or "")
        await _place(self, location)
        check_room(self)
        await super().get(location)

    def open(self, location: str) -> None:
        """Begin the feed."""
        self._feeding = asyncio.ensure_future(self._feed(location))

    async def _feed(self, location: str) -> None:
        try:
            async with open_stream(self):
                bound_send_buffer(self)
                await (await _feed(self, location, _Socket(self), self._after)).run()
                self.close(_GOING_AWAY, RIGHTS_ANEW)
        except WebSocketClosedError:
            pass
        except TwinError as error:
            self.close(_GOING_AWAY, str(error)[:_LONGEST_REASON])
        except Exception:
            log.exception("request %s: the live feed failed", self.request_id)
            self.close(_FAILED)

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected of a reader."""

    def on_close(self) -> None:
        """End the feed."""
        end_stream(self)


class _Socket:
    """A reader at a WebSocket."""

    def __init__(self, handler: WebSocketHandler) -> None:
        self._handler = handler

    async def send(self, messages: list[tuple[str, str, str]]) -> None:
        for kind, at, data in messages:
            await self._handler.write_message(f'{{"event":"{kind}","id":{json.dumps(at)},"data":{data}}}')

    async def beat(self) -> None:
        self._handler.ping()


def _position(name: str, text: str) -> Position | None:
    """Return where a reader goes on. Raises `Refusal`."""
    try:
        return parse_position(text) if text else None
    except ValueError as error:
        wrong = models.FieldError(field=name, message=str(error))
        raise Refusal(422, f"{name}: {error}.", errors=[wrong]) from None


async def _place(handler: ApiHandler, location: str) -> tuple[Hub, Location]:
    """Return the hub of a request and the location. Raises `UnknownLocationError`."""
    hub = await current_source(handler.request)
    return hub, await threads.streams.run(partial(hub.location, location))


async def _feed(handler: ApiHandler, location: str, reader: Reader, after: Position | None) -> Feed:
    hub, place = await _place(handler, location)
    inbox = process.inbox_of(hub)
    arrivals = await threads.streams.run(lambda: hub.cached(ArrivalLogs).of(place.id, inbox))
    return Feed(reader, hub, place, arrivals, after, may_read(handler, hub))
