"""Limits of the server that runs the pages: connections, sizes and time-outs of requests, log.

`apply_limits()` has every HTTP server that this process makes from then on be a `LimitedServer`: Tornado's own way to set the
class of its servers. So they hold under `twin serve` and under `panel serve --setup`, neither of which lets us make the server.
"""

import asyncio
import logging
import math
import resource
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream

from twin.foundation import loglimit, memory
from twin.server.admission import TRUSTS_PROXY
from twin.server.door import Door
from twin.server.health import PATHS, health_response
from twin.server.process import process
from twin.server.threads import share_fairly
from twin.server.watchdog import Watchdog

log = logging.getLogger(__name__)

SPARE_FILES = 150
"""Open files that connections leave to sources, caches and libraries."""
SILENT = 0.25
"""Connections that have sent nothing yet and wait at the door, beside those that are served, as a share of those."""
FEWEST = 20
"""Connections that are served in any case."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Limits of one connection; sizes in bytes, times in seconds."""

    body: int = 64 * 1024
    """Nothing here takes a body but the login, which is a form of two lines."""
    message: int = 1 << 20
    """A WebSocket message of a page to the server; the longest, a request of the map with its view, has some 1 kB."""
    first_s: float = 15.0
    """From a new connection to its first complete request."""
    idle_s: float = 75.0
    """From one answer to the header of the next request: longer than the minute for which proxies hold a connection."""
    body_s: float = 15.0
    """From a request's header to the end of its body."""


def apply_limits(limits: RequestLimits | None = None) -> None:
    """Apply the limits to all servers that are made from now on, and allow as many open files as their connections need."""
    limits = limits or RequestLimits()
    share_fairly()
    _allow_files(math.ceil(process.settings_or_default.max_connections * (1 + SILENT)) + SPARE_FILES)
    HTTPServer.configure(
        LimitedServer,
        limits=limits,
        max_body_size=limits.body,
        max_buffer_size=2 * limits.message,  # a whole WebSocket message, and what was read of the next one
        idle_connection_timeout=limits.idle_s,
        body_timeout=limits.body_s,
    )


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _most_connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = process.settings_or_default.max_connections
    if files == resource.RLIM_INFINITY:
        return wanted
    return max(FEWEST, min(wanted, math.floor((files - SPARE_FILES) / (1 + SILENT))))


class LimitedServer(HTTPServer):
    """An HTTP server with a bounded number of connections, which closes those that do not complete a request in time.

    With all connections taken, a new one replaces the one that has waited for a request the longest: half requests, however
    many, lock nobody out. The process must not run out of open files: the event loop would try to accept the next connection
    again and again, without a pause, and log each failure with its traceback.
    """

    def initialize(self, request_callback: Any, limits: RequestLimits, **options: Any) -> None:  # type: ignore[override]
        """Take `limits` beside Tornado's own options; limit the log, too."""
        super().initialize(request_callback, **options)
        self._limits = limits
        self._most = _most_connections()
        self._open: set[IOStream] = set()
        self._new: set[IOStream] = set()
        """Connections without a complete request so far."""
        self._waiting: dict[IOStream, None] = {}
        """Connections that wait for a complete request, the longest waiting first."""
        self._doors: list[Door] = []
        self._watchdog: Watchdog | None = None
        self._closed = threading.Event()
        loglimit.limit_handlers()
        if isinstance(request_callback, BokehTornado):
            request_callback.settings["websocket_max_message_size"] = limits.message
            request_callback.settings[TRUSTS_PROXY] = self.xheaders

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections from `sockets`, at a door of their own; where TLS ends here, a probe cannot be seen from outside."""
        sockets = list(sockets)
        if sockets and self._watchdog is None:
            self._watchdog = process.watchdog = Watchdog()
            IOLoop.current().add_callback(self._watchdog.start)
            self._closed = threading.Event()
            threading.Thread(
                target=memory.release_as_it_grows, args=(self._closed,), name="release-memory", daemon=True
            ).start()
        if self.ssl_options is not None or not sockets:
            super().add_sockets(sockets)
            return
        loop = IOLoop.current()

        def pass_on(connection: socket.socket, address: Any) -> None:
            loop.add_callback(self._take_over, connection, address)

        prefix = getattr(self.request_callback, "prefix", "")
        silent = max(FEWEST, round(self._most * SILENT))
        probes = [f"{prefix}{path}".encode() for path in PATHS]
        door = Door(sockets, pass_on, probes, health_response, silent, self._limits.first_s)
        self._doors.append(door)
        for one in sockets:
            self._sockets[one.fileno()] = one
            self._handlers[one.fileno()] = lambda: None

    def stop(self) -> None:
        """Accept no further connections."""
        while self._doors:
            self._doors.pop().close()
        if self._watchdog is not None:
            self._watchdog.stop()
            self._closed.set()
            self._watchdog = process.watchdog = None
        super().stop()

    def _take_over(self, connection: socket.socket, address: Any) -> None:
        stream = IOStream(connection, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size)
        self.handle_stream(stream, address)

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve a new connection, if need be in place of one that waits."""
        if len(self._open) >= self._most:
            self._open = {one for one in self._open if not one.closed()}
        if len(self._open) >= self._most and not self._close_one():
            log.warning("all %d connections are in use: a new one was refused", self._most)
            stream.close()
            return
        self._open.add(stream)
        self._new.add(stream)
        self._waiting[stream] = (
            None  # at once: Tornado begins to read a request only later, and of a burst any may have to go
        )
        asyncio.get_running_loop().call_later(self._limits.first_s, self._expire, stream)
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Return what receives a connection's next request, and note until then that the connection waits."""
        stream: IOStream = request_conn.stream  # type: ignore[attr-defined]
        self._waiting[stream] = None
        return _Noted(super().start_request(server_conn, request_conn), lambda: self._received(stream))

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that has ended, or has become a WebSocket."""
        self._received(server_conn.stream)  # type: ignore[attr-defined]
        super().on_close(server_conn)

    def _received(self, stream: IOStream) -> None:
        self._new.discard(stream)
        self._waiting.pop(stream, None)

    def _expire(self, stream: IOStream) -> None:
        if stream in self._new:
            stream.close()

    def _close_one(self) -> bool:
        """Close the connection that has waited for a request the longest; return False if all are busy."""
        for stream in self._waiting:
            log.warning("%d connections are open: the one that has waited the longest was closed", self._most)
            self._received(stream)
            self._open.discard(stream)
            stream.close()
            return True
        return False


class _Noted(HTTPMessageDelegate):
    """Passes a request on, and calls `received` when it is complete."""

    def __init__(self, delegate: HTTPMessageDelegate, received: Callable[[], None]) -> None:
        self._delegate = delegate
        self._received = received

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._received()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
