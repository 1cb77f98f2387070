"""Accepts the server's connections in a thread of its own, which answers health probes itself.

The event loop serves every session, and may be busy for a moment, or hang. A probe that waited for it could not tell the two
apart, and a platform would end a server that is merely busy. So this thread looks at how each connection begins: a probe is
answered here, every other connection is passed on to the loop.
"""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Connections accepted before those that are readable have their turn."""
PEEK = 2048
"""Bytes looked at; a probe's request is far shorter."""
PAUSE_S = 0.2
"""Pause after a failure to accept: the process has too many open files, and trying again at once would fail, too."""

PassOn = Callable[[socket.socket, Any], object]
"""Takes a connection and its address over; called in the door's thread."""


class Door:
    """The thread. `add` and `close` belong to the thread that made it."""

    def __init__(
        self, sockets: Iterable[socket.socket], pass_on: PassOn, probes: Iterable[bytes], answer: Callable[[], bytes],
        most: int, silent_s: float,
    ) -> None:  # fmt: skip
        """Accept from `sockets`, which listen; `probes` are the paths that are answered with the whole response `answer()`.

        At most `most` connections that have sent nothing are held, each for `silent_s` seconds.
        """
        self._pass_on, self._answer = pass_on, answer
        self._probes = tuple(b"GET " + probe + b" HTTP/1." for probe in probes)
        self._most, self._silent_s = most, silent_s
        self._selector = selectors.DefaultSelector()
        self._silent: dict[socket.socket, tuple[Any, float]] = {}  # address and end of patience, the oldest first
        self._wake, self._woken = socket.socketpair()
        self._closing = False
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._listening = list(sockets)
        for one in self._listening:
            one.setblocking(False)
            self._selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept nothing more; connections that have sent nothing are closed. The listening sockets stay open."""
        self._closing = True
        self._wake.send(b"x")
        self._thread.join()
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj in self._listening:
                    self._accept(key.fileobj)
                elif key.fileobj in self._silent:
                    self._look_at(key.fileobj)
            now = time.monotonic()
            for connection in [one for one, (_, until) in self._silent.items() if until < now]:
                self._take(connection).close()
        for connection in list(self._silent):
            self._take(connection).close()

    def _patience(self) -> float | None:
        return next((max(0.0, until - time.monotonic()) + 0.01 for _, until in self._silent.values()), None)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("no connection can be accepted: %s", error)
                time.sleep(PAUSE_S)
                return
            connection.setblocking(False)
            if len(self._silent) >= self._most:
                self._take(next(iter(self._silent))).close()
            self._silent[connection] = address, time.monotonic() + self._silent_s
            self._selector.register(connection, selectors.EVENT_READ)

    def _take(self, connection: socket.socket) -> socket.socket:
        del self._silent[connection]
        self._selector.unregister(connection)
        return connection

    def _look_at(self, connection: socket.socket) -> None:
        """Answer a probe, else pass the connection on; it has sent something, or has been closed."""
        address, _ = self._silent[connection]
        self._take(connection)
        try:
            beginning = connection.recv(PEEK, socket.MSG_PEEK)
            if not beginning:
                connection.close()
            elif beginning.startswith(self._probes) and beginning.endswith(b"\r\n\r\n"):
                connection.recv(PEEK)  # unread bytes would make closing discard the answer
                connection.send(self._answer())
                connection.shutdown(socket.SHUT_WR)
                connection.close()
            else:
                self._pass_on(connection, address)
        except OSError:  # the client has gone
            connection.close()
