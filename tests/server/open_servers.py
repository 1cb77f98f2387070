"""Servers as Bokeh and Panel make them, and guarded ones: an attack that fails on both proves nothing."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import bokeh.server.server
from bokeh.client.session import ClientSession
from bokeh.server.tornado import BokehTornado
from bokeh.util.token import get_session_id
from panel.io.server import get_static_routes

import twin.api as api
from tests.api.serving import served
from twin.server.guard import GuardedTornado


@contextmanager
def unguarded(page: Callable[[Any], None], more: Sequence[Any] = (), **options: Any) -> Iterator[str]:
    """Serve a page at /page with what `panel serve` serves, as Panel and Bokeh make it."""
    with ExitStack() as running:
        with patch.object(bokeh.server.server, "BokehTornado", BokehTornado):
            address = running.enter_context(served(page, extra_patterns=[*get_static_routes({}), *more], **options))
        yield address


@contextmanager
def guarded(page: Callable[[Any], None], more: Sequence[Any] = (), **options: Any) -> Iterator[str]:
    """The same, and our routes, as `twin serve` and `panel serve --plugins twin.api` do."""
    assert bokeh.server.server.BokehTornado is GuardedTornado, "importing twin.api guards"
    with served(page, extra_patterns=[*get_static_routes({}), *api.ROUTES, *more], **options) as address:
        yield address


def token_in(page: bytes) -> str:
    """Return the session token that a page holds."""
    found = re.search(rb'"token":\s*"([^"]+)"', page)
    assert found, page[:500]
    return found[1].decode()


def handshake(page: str, token: str, **headers: str) -> int:
    """Return the status with which the WebSocket of a page answers who comes with a token; 101: it is opened."""
    where = urlsplit(page)
    connection = HTTPConnection(where.netloc, timeout=30)
    headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": f"bokeh, {token}"}
    connection.request("GET", f"{where.path}/ws", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


class Visitor(ClientSession):
    """A browser that opened a page: it connects with the token in it."""

    def __init__(self, address: str, token: str) -> None:
        self._token_of_page = token
        super().__init__(get_session_id(token), f"{address.replace('http', 'ws', 1)}/page/ws")
        self.pull()

    @property
    def token(self) -> str:
        return self._token_of_page

    @property
    def shown(self) -> Any:
        """The page's first root."""
        return self.document.roots[0]
