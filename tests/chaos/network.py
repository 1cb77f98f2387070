"""The network between a server and those who use it: it can be cut, be silent, or be slow."""

import asyncio
import contextlib

from tests.browser.cable import Cable

SLOW_BYTES = 4096
"""Bytes that a slow network passes on at a time."""


class Network(Cable):
    """A cable with more ways to fail. Every method is for any thread; `mend` ends them all."""

    def __init__(self, to: int) -> None:
        super().__init__(to)
        self._severed = False
        self._pause_s = 0.0

    def sever(self) -> None:
        """Close every connection and refuse new ones."""
        self._severed = True
        self._loop.call_soon_threadsafe(self._close_all)

    def forget(self) -> None:
        """Close every connection without a word about why, as a router that was restarted does; new ones are welcome."""
        self._loop.call_soon_threadsafe(self._close_all)

    def slow(self, bytes_per_s: float) -> None:
        """Let only so many bytes a second pass on each connection."""
        self._pause_s = SLOW_BYTES / bytes_per_s

    def mend(self) -> None:
        """Let everything pass again."""
        self._severed = False
        self._pause_s = 0.0
        super().mend()

    def _close_all(self) -> None:
        for writer in self._writers:
            if not writer.is_closing():
                writer.transport.abort()
        self._writers.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._severed:
            writer.transport.abort()
            return
        with contextlib.suppress(asyncio.CancelledError):  # the run is over
            await super()._join(reader, writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(SLOW_BYTES if self._pause_s else 1 << 16):
                await self._whole.wait()
                if self._pause_s:
                    await asyncio.sleep(self._pause_s * len(data) / SLOW_BYTES)
                writer.write(data)
                await writer.drain()
        except OSError:  # one side has gone; the other is told below
            pass
        finally:
            writer.close()
