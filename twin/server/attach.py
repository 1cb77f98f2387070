"""Adds routes, compression and protection to the server that runs a page, however it was started.

A plain `panel serve dashboards/*.py` has none of our routes and sends Bokeh's scripts uncompressed (4.5 to 6 MB a page). A
page's code runs before the browser requests any of them, so it can still add both, through public methods of the Tornado
application that answers the request for the page.
"""

from typing import Any

from bokeh.document import Document
from bokeh.io import curdoc
from bokeh.server.contexts import ApplicationContext
from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import GZipContentEncoding

from twin.server.answering import answering_handler
from twin.server.guard import guard
from twin.server.process import process
from twin.server.sessions import names_a_session

OK = 200


class Compressed(GZipContentEncoding):
    """Compresses text and scripts; images pass unchanged.

    An answer with a strong ETag is compressed once per process and then served from memory: Bokeh's script takes 30 ms to
    compress, for which every new visitor would wait. Level 5 takes three quarters of the time of Tornado's 6 for one percent
    more bytes.
    """

    GZIP_LEVEL = 5

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._address = request.uri or ""
        self._key: tuple[str, str] | None = None
        self._chunks: list[bytes] | None = None
        self._from_cache = False
        self._missing = -1

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Answer from the cache, or begin to compress."""
        etag = headers.get("Etag", "")
        length = headers.get("Content-Length", "")  # of the whole, before it is compressed
        self._missing = int(length) if length.isdecimal() else -1
        status_code, headers, chunk = super().transform_first_chunk(status_code, headers, chunk, finishing)
        if not self._gzipping or status_code != OK or not etag.startswith('"'):
            return status_code, headers, chunk
        self._key = self._address, etag
        cached = process.compressed.get(self._key)
        if cached is None:
            self._chunks = [chunk]
            self._store(finishing)
            return status_code, headers, chunk
        self._from_cache = True
        headers.pop("Transfer-Encoding", None)
        headers["Content-Length"] = str(len(cached))
        return status_code, headers, cached

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Compress a further chunk, unless the whole answer came from the cache."""
        if self._from_cache:
            return b""
        self._missing -= len(chunk)
        chunk = super().transform_chunk(chunk, finishing)
        if self._chunks is not None:
            self._chunks.append(chunk)
            self._store(finishing)
        return chunk

    def _store(self, finishing: bool) -> None:
        """Keep the answer if it is whole: Tornado finishes one whose reader has left, and one to HEAD, as if it were."""
        if finishing and self._missing == 0 and self._chunks is not None and self._key is not None:
            process.compressed.put(self._key, b"".join(self._chunks))


def attach(routes: list[tuple[str, type, dict[str, Any]]]) -> bool:
    """Add `routes` and compression to the server that runs the current page; return False if no Bokeh server does.

    Call it from the page's code, which runs on the event loop. Routes that the server was started with are unaffected.
    """
    page = _page(curdoc())
    if page is None:
        return False
    handler = answering_handler()
    server = handler.application if handler is not None else None
    if page not in process.attached and handler is not None and isinstance(server, BokehTornado):
        _extend(server, routes)
        process.attached.update(server._applications.values())
        if names_a_session(handler.request):  # from now on, the guard refuses those before a page runs
            handler.redirect(handler.request.path)
    return page in process.attached


def _page(document: Document | None) -> ApplicationContext | None:
    """Return the application context of a document's page; None in a notebook, in a script and under other servers."""
    session = document.session_context if document is not None else None
    return getattr(session and session.server_context, "application_context", None)


def is_answering(document: Document | None) -> bool:
    """Return whether the server of a document's page serves our routes."""
    return _page(document) in process.attached


def _extend(server: BokehTornado, routes: list[tuple[str, type, dict[str, Any]]]) -> None:
    guard(server)
    server.add_handlers(r".*", [(server.prefix + path, handler, options) for path, handler, options in routes])
    if not any(issubclass(transform, GZipContentEncoding) for transform in server.transforms):
        server.add_transform(Compressed)
