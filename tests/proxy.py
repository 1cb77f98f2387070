"""A reverse proxy on loopback that does what proxies do: another path, TLS, HTTP/1.0, headers of its own, no upgrade.

It reads and writes bytes, so that it can be wrong in ways that a library would mend. One request per connection, except for a
WebSocket, whose bytes it passes on both ways.
"""

import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType

END = b"\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Manners:
    """What a proxy does to what passes through it."""

    upgrade: bool = True
    """Whether it passes WebSockets on."""
    version: str = "HTTP/1.1"
    """The version that it speaks with the server."""
    host: str = ""
    """The Host header that the server gets; empty: that of the browser."""
    prefix: str = ""
    """A path that it takes away on the way to the server."""
    request: Mapping[str, str] = field(default_factory=dict)
    """Headers that the server gets besides."""
    answer: Mapping[str, str] = field(default_factory=dict)
    """Headers that the browser gets besides."""
    missing: str = ""
    """Addresses that it does not know: a regular expression."""
    slow: str = ""
    """Addresses that take `delay_s` seconds: a regular expression."""
    delay_s: float = 60.0


class Proxy:
    """Listens on a free port from `with` until its end; every connection has two threads."""

    def __init__(self, to: int, manners: Manners | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._to, self._manners, self._tls = to, manners or Manners(), tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> "Proxy":
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        with self._lock:
            for one in (self._listener, *self._open):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, work: object, *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            self._start(self._join, near)

    def _join(self, near: socket.socket) -> None:
        """Pass one request and its answer on. Whatever goes wrong with a connection ends it."""
        with suppress(OSError), self._kept(near) as near:
            if self._tls is not None:
                near = self._tls.wrap_socket(near, server_side=True)
            with near:
                head, body = self._read_head(near)
                address = head.split(" ", 2)[1]
                if self._manners.missing and re.search(self._manners.missing, address):
                    near.sendall(NOT_FOUND)
                    return
                if self._manners.slow and re.search(self._manners.slow, address):
                    self._over.wait(self._manners.delay_s)
                with self._kept(socket.create_connection(("127.0.0.1", self._to))) as far:
                    far.sendall(self._asked(head).encode("latin-1") + body)
                    self._start(self._pass, near, far)
                    answer, rest = self._read_head(far)
                    near.sendall(self._answered(answer).encode("latin-1") + rest)
                    self._pass(far, near)

    @contextmanager
    def _kept(self, one: socket.socket) -> Iterator[socket.socket]:
        """Close a connection at the end of the block, or at that of the proxy."""
        with self._lock:
            self._open.add(one)
        try:
            with one:
                if self._over.is_set():
                    raise OSError("the proxy is over")
                yield one
        finally:
            with self._lock:
                self._open.discard(one)

    def _read_head(self, one: socket.socket) -> tuple[str, bytes]:
        data = b""
        while END not in data:
            more = one.recv(1 << 16)
            if not more:
                raise OSError("it was closed")
            data += more
        head, _, rest = data.partition(END)
        return (head + END).decode("latin-1"), rest

    def _asked(self, head: str) -> str:
        line, *headers = head.removesuffix(END.decode()).split("\r\n")
        method, address, _ = line.split(" ")
        manners = self._manners
        upgrades = any(header.lower().startswith("upgrade:") for header in headers) and manners.upgrade
        dropped = ["connection:", *([] if upgrades else ["upgrade:"]), *(["host:"] if manners.host else [])]
        kept = [header for header in headers if not header.lower().startswith(tuple(dropped))]
        given = {"Connection": "Upgrade" if upgrades else "close", **manners.request}
        if manners.host:
            given["Host"] = manners.host
        kept += [f"{name}: {value}" for name, value in given.items()]
        return "\r\n".join([f"{method} {address.removeprefix(manners.prefix) or '/'} {manners.version}", *kept, "", ""])

    def _answered(self, head: str) -> str:
        line, *headers = head.removesuffix(END.decode()).split("\r\n")
        if " 101 " in line:
            return head
        kept = [header for header in headers if not header.lower().startswith("connection:")]
        kept += [f"{name}: {value}" for name, value in {"Connection": "close", **self._manners.answer}.items()]
        return "\r\n".join([line, *kept, "", ""])

    def _pass(self, reader: socket.socket, writer: socket.socket) -> None:
        with suppress(OSError):
            while data := reader.recv(1 << 16):
                writer.sendall(data)
        with suppress(OSError):
            writer.shutdown(socket.SHUT_RDWR)
