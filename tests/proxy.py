"""A reverse proxy on loopback that does what proxies do: another path, TLS, HTTP/1.0, headers of its own, no upgrade.

It reads and writes bytes, so that it can be wrong in ways that a library would mend. One request per connection, except for a
WebSocket, whose bytes it passes on both ways.
"""

import asyncio
import re
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

END = b"\r\n\r\n"


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
    """Listens on a free port from `with` until its end."""

    def __init__(self, to: int, manners: Manners | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._to, self._manners, self._tls = to, manners or Manners(), tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.port = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._join, "127.0.0.1", 0, ssl=self._tls))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._leave())
        self._loop.close()

    async def _leave(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            head = (await reader.readuntil(END)).decode("latin-1")
            address = head.split(" ", 2)[1]
            if self._manners.missing and re.search(self._manners.missing, address):
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if self._manners.slow and re.search(self._manners.slow, address):
                await asyncio.sleep(self._manners.delay_s)
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._to)
            far.write(self._asked(head).encode("latin-1"))
            to_server = asyncio.ensure_future(self._pass(reader, far))
            answer = (await far_reader.readuntil(END)).decode("latin-1")
            writer.write(self._answered(answer).encode("latin-1"))
            await self._pass(far_reader, writer)
            to_server.cancel()
        except (OSError, asyncio.IncompleteReadError):
            pass  # one side has gone
        finally:
            writer.close()
            if far is not None:
                far.close()

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

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
