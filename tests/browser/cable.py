"""A network cable that can be cut: a TCP relay on loopback whose connections stay open and silent while it is cut."""

import asyncio
import ssl
import threading
from types import TracebackType
from typing import Self

TURN_S = 0.05
"""A turn of the loop, in which connections are begun and lost."""


class Cable:
    """Relays a free port of this machine to another one, from `with` until its end; `cut` and `mend` are for any thread."""

    def __init__(self, to: int, tls: ssl.SSLContext | None = None) -> None:
        self._to, self._tls = to, tls
        self._whole: asyncio.Event
        self._server: asyncio.Server
        self._writers: list[asyncio.StreamWriter] = []
        self._refusing = False
        self._stranded: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cable", daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        """Let nothing pass any more; nobody is told."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def sever(self) -> None:
        """End all connections and refuse new ones; both sides are told."""
        self._loop.call_soon_threadsafe(self._sever)

    def strand(self) -> None:
        """Swallow for good what comes over the connections that are open, and tell nobody; new ones work."""
        self._loop.call_soon_threadsafe(lambda: self._stranded.update(self._writers))

    def mend(self) -> None:
        """Let everything pass again, also what was sent meanwhile."""
        self._loop.call_soon_threadsafe(self._mend)

    def _sever(self) -> None:
        self._refusing = True
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def _mend(self) -> None:
        self._refusing = False
        self._whole.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()
        self._loop.run_until_complete(self._leave())
        self._loop.close()

    async def _leave(self) -> None:
        """Close every connection and end every relay, also of those that were just being joined."""
        self._whole.set()
        self._server.close()
        await asyncio.sleep(TURN_S)  # whoever has just been joined is among the writers then
        while relays := asyncio.all_tasks() - {asyncio.current_task()}:
            for writer in self._writers:
                writer.close()
            for relay in relays:
                relay.cancel()
            await asyncio.gather(*relays, return_exceptions=True)
        for (
            writer
        ) in self._writers:  # one with bytes that nobody takes would stay open, and a later test be blamed for it
            writer.transport.abort()
        await asyncio.sleep(TURN_S)

    async def _listen(self) -> None:
        self._whole = asyncio.Event()
        self._whole.set()
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.close()
            return
        self._writers.append(writer)
        try:
            await self._whole.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:  # nobody listens there now: the caller learns it as he would without the cable
            writer.close()
            return
        self._writers.append(far_writer)
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._whole.wait()
                if writer in self._stranded:
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:  # one side has gone; the other is told below
            pass
        finally:
            writer.close()
