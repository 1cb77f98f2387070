"""A reverse proxy on loopback that does what proxies do: another path, TLS, HTTP/1.0, headers of its own, no upgrade.

It reads and writes bytes, so that it can be wrong in ways that a library would mend. One request per connection, except for a
WebSocket, whose bytes it passes on both ways.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.browser.cable import Cable

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


class Proxy(Cable):
    """Listens on a free port from `with` until its end. One thread does it all: two may not share one TLS connection."""

    def __init__(self, to: int, manners: Manners | None = None, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(to, tls)
        self._manners = manners or Manners()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request and its answer on. Whatever goes wrong with a connection ends it."""
        self._writers.append(writer)
        try:
            await self._exchange(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):  # a side has gone, or the proxy is over
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(END)).decode("latin-1")
        address = head.split(" ", 2)[1]
        if self._manners.missing and re.search(self._manners.missing, address):
            writer.write(NOT_FOUND)
            await writer.drain()
            return
        if self._manners.slow and re.search(self._manners.slow, address):
            await asyncio.sleep(self._manners.delay_s)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers.append(far_writer)
        far_writer.write(self._asked(head).encode("latin-1"))
        onwards = asyncio.create_task(self._pass(reader, far_writer))
        try:
            answer = (await far_reader.readuntil(END)).decode("latin-1")
            writer.write(self._answered(answer).encode("latin-1"))
            await self._pass(far_reader, writer)
        finally:
            onwards.cancel()
            far_writer.close()

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
