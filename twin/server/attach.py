"""Gives the server that runs a page what the page needs of it, however it was started.

`panel serve dashboards/*.py` knows nothing of our routes and sends Bokeh's scripts uncompressed (4.5 to 6 MB a page). A
page's own code runs before the browser asks for any of that, so it can still add both, through public methods of the
Tornado application that answers the request for the page.
"""

import asyncio
from typing import Any

from bokeh.document import Document
from bokeh.io import curdoc
from bokeh.server.contexts import ApplicationContext
from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import GZipContentEncoding

from twin.server.process import process

OK = 200


class Compressed(GZipContentEncoding):
    """Compresses text and scripts; pictures pass as they are.

    What has a strong ETag is compressed once per process (Bokeh's script takes 30 ms, which every new visitor would wait for)
    and then answered from memory. Level 5 takes three quarters of the time of Tornado's own 6 and adds one percent.
    """

    GZIP_LEVEL = 5

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._address = request.uri or ""
        self._key: tuple[str, str] | None = None
        self._made: list[bytes] | None = None
        self._told = False

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Answer from memory, or begin to compress."""
        etag = headers.get("Etag", "")
        status_code, headers, chunk = super().transform_first_chunk(status_code, headers, chunk, finishing)
        if not self._gzipping or status_code != OK or not etag.startswith('"'):
            return status_code, headers, chunk
        self._key = self._address, etag
        held = process.compressed.get(self._key)
        if held is None:
            self._made = [chunk]
            self._keep(finishing)
            return status_code, headers, chunk
        self._told = True
        headers.pop("Transfer-Encoding", None)
        headers["Content-Length"] = str(len(held))
        return status_code, headers, held

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Compress a further chunk, unless all has been told."""
        if self._told:
            return b""
        chunk = super().transform_chunk(chunk, finishing)
        if self._made is not None:
            self._made.append(chunk)
            self._keep(finishing)
        return chunk

    def _keep(self, finishing: bool) -> None:
        if finishing and self._made is not None and self._key is not None:
            process.compressed.put(self._key, b"".join(self._made))


def attach(routes: list[tuple[str, type, dict[str, Any]]]) -> bool:
    """Add `routes` and compression to the server that runs the current page; return False if no Bokeh server does.

    Call it from the page's code, which runs on the event loop. A route that the server was started with goes on answering in
    the same way.
    """
    page = _page(curdoc())
    if page is None:
        return False
    server = _answering_server()
    if page not in process.attached and server is not None:
        _extend(server, routes)
        process.attached.update(server._applications.values())
    return page in process.attached


def _page(document: Document | None) -> ApplicationContext | None:
    """Return what Bokeh's server knows of a document's page; None in a notebook, a script, under another kind of server."""
    session = document.session_context if document is not None else None
    return getattr(session and session.server_context, "application_context", None)


def _answering_server() -> BokehTornado | None:
    """Return the server whose request for a page is being answered: its handler runs as the current task."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs
        return None
    frame = getattr(task and task.get_coro(), "cr_frame", None)
    handler = frame.f_locals.get("self") if frame is not None else None
    application = getattr(handler, "application", None)
    return application if isinstance(application, BokehTornado) else None


def is_answering(document: Document | None) -> bool:
    """Return whether the server of a document's page answers the routes, so that the page may ask for them."""
    return _page(document) in process.attached


def _extend(server: BokehTornado, routes: list[tuple[str, type, dict[str, Any]]]) -> None:
    server.add_handlers(r".*", [(server.prefix + path, handler, options) for path, handler, options in routes])
    if not any(issubclass(transform, GZipContentEncoding) for transform in server.transforms):
        server.add_transform(Compressed)
