"""What clients without a login did to a running server: here they do it again."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from benchmarks.client import Session
from tests.browser.app import free_port, wait_for_health
from tests.browser.prepared import Prepared

pytestmark = pytest.mark.slow

FILES = 400
"""Open files that the server may have: a machine's 1,024 would only need more of the same."""
SOON = 60.0


@dataclass
class Server:
    """A running `twin serve`."""

    port: int
    process: Prepared
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> int:
        """Return its resident memory in bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def status(self, path: str) -> int:
        return httpx.get(self.address + path, trust_env=False, timeout=SOON).status_code


@pytest.fixture(scope="module")
def server(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log, port = tmp_path_factory.mktemp("hostile") / "log.txt", free_port()
    command = ["serve", "--source", str(demo), "--port", str(port)]
    process = Prepared("twin.cli", command, os.environ, log, open_files=FILES)
    try:
        wait_for_health(f"http://127.0.0.1:{port}", process, log)
        yield Server(port, process, log)
    finally:
        process.kill()
        process.wait()


def test_half_requests_beyond_the_open_files_neither_lock_out_nor_fill_the_log(server: Server) -> None:
    before = server.log.stat().st_size
    with contextlib.ExitStack() as stack:
        for _ in range(2 * FILES):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=SOON))
            with contextlib.suppress(ConnectionError):
                half.sendall(b"GET /operations HTTP/1.1\r\nHost: twin\r\nX-Begun: ")
        time.sleep(3)  # in which a loop without a pause logs some megabytes
        assert server.status("/healthz") == 200
        assert server.status("/operations") == 200
    assert server.log.stat().st_size - before < 200_000


def test_bodies_take_no_memory(server: Server) -> None:
    """Eight clients that send 100 MB each, as far as the server lets them."""
    server.status("/operations")
    before, peak = server.memory(), [0]

    def send() -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=SOON) as client:
            with contextlib.suppress(ConnectionError, TimeoutError):
                client.sendall(b"POST /operations HTTP/1.1\r\nHost: twin\r\nContent-Length: 100000000\r\n\r\n")
                for _ in range(99):
                    client.sendall(b"x" * 1_000_000)
            peak[0] = max(peak[0], server.memory())

    sending = [threading.Thread(target=send) for _ in range(8)]
    for one in sending:
        one.start()
    for one in sending:
        one.join()
    assert peak[0] - before < 100e6


def test_a_message_larger_than_a_page_sends_ends_its_connection(server: Server) -> None:
    """And one that is no message of the protocol is logged, but not the whole of it."""

    async def send() -> None:
        session = Session(f"{server.address}/operations")
        await session.connect()
        assert session._socket is not None
        await session._socket.write_message("x" * 2_000_000)
        async with asyncio.timeout(SOON):
            while await session._socket.read_message() is not None:
                pass
        assert session._socket.close_code == 1009
        await session.close()
        session = Session(f"{server.address}/operations")
        await session.connect()
        assert session._socket is not None
        before = server.log.stat().st_size
        for _ in range(3):  # header, metadata, content
            await session._socket.write_message("x" * 900_000)
        async with asyncio.timeout(SOON):
            while "Bokeh Server" not in server.log.read_text()[before:]:
                await asyncio.sleep(0.1)
        assert server.log.stat().st_size - before < 50_000
        await session.close()

    asyncio.run(send())


def test_a_message_without_an_end_is_not_collected(server: Server) -> None:
    """Its header announces a million buffers, which come one by one."""

    async def send() -> None:
        session = Session(f"{server.address}/operations")
        await session.connect()
        socket = session._socket
        assert socket is not None
        for part in ({"msgid": "1", "msgtype": "PATCH-DOC", "num_buffers": 1_000_000}, {}, {"events": []}):
            await socket.write_message(json.dumps(part))
        with contextlib.suppress(WebSocketClosedError, StreamClosedError):
            for number in range(60):
                await socket.write_message(json.dumps({"id": str(number)}))
                await socket.write_message(b"x" * 500_000, binary=True)
                await asyncio.sleep(0.05)
        async with asyncio.timeout(SOON):
            while await socket.read_message() is not None:
                pass
        assert socket.close_code == 1009
        await session.close()

    asyncio.run(send())
