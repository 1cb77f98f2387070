"""Real servers for the tests of the routes: a Bokeh server on a free loopback port, in a thread with its own loop."""

import asyncio
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

import panel as pn
from bokeh.server.server import Server
from panel.io.threads import StoppableThread
from tornado.ioloop import IOLoop


@dataclass
class Answer:
    """What a server said."""

    status: int
    body: bytes
    headers: dict[str, str]
    cookies: list[str]
    """name=value of every cookie set."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def fetch(
    address: str, headers: dict[str, str] | None = None, method: str = "GET", data: bytes | None = None
) -> Answer:
    """Send one request and return the answer, whatever its status; redirections are not followed."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    request = urllib.request.Request(address, headers=headers or {}, method=method, data=data)
    try:
        with opener.open(request, timeout=30) as answer:
            return _read(answer.status, answer)
    except HTTPError as error:
        with error:
            return _read(error.code, error)


def _read(status: int, answer: Any) -> Answer:
    cookies = [cookie.split(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])]
    return Answer(status, answer.read(), {name.lower(): value for name, value in answer.headers.items()}, cookies)


STOPPED_S = 20
"""After so long a server has not stopped, on however busy a machine."""


def end(name: str, thread: StoppableThread) -> None:
    """End a server of `pn.serve` by its `server_id` and its thread."""
    server = pn.state._servers.pop(name)[0]
    asyncio.run_coroutine_threadsafe(hang_up(server), thread.asyncio_loop).result(STOPPED_S)
    thread.stop()
    thread.join(STOPPED_S)
    assert not thread.is_alive()


async def hang_up(server: Server) -> None:
    """Close a server's connections, which would otherwise be left open by a loop that ends, and be reported by a later test."""
    for connection in list(server._tornado._clients):
        if (joined := connection._socket.ws_connection) is not None:
            joined._abort()  # it would wait for the browser's word
    await server._http.close_all_connections()
    await asyncio.sleep(0)  # transports close in the next turn of the loop


@contextmanager
def served(page: Callable[[Any], None], **options: Any) -> Iterator[str]:
    """Serve `page` at /page with the given options of Bokeh's Server; yields the server's address."""
    ready = threading.Event()
    held: list[tuple[Server, IOLoop]] = []

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        server = Server({"/page": page}, port=0, address="127.0.0.1", io_loop=IOLoop.current(), **options)
        server.start()
        held.append((server, server.io_loop))
        ready.set()
        loop.run_forever()
        loop.run_until_complete(hang_up(server))
        server.stop(wait=False)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    server, loop = held[0]
    try:
        yield f"http://127.0.0.1:{server.port}{server.prefix}"
    finally:
        loop.add_callback(loop.asyncio_loop.stop)  # type: ignore[attr-defined]
        thread.join(20)
