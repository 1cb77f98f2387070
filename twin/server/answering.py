"""Finds the request for which a page's code runs. Neither Panel nor Bokeh hands it to the page."""

import asyncio

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler


def answering_handler() -> RequestHandler | None:
    """Return the handler that is answering the request for a page: it runs as the current task. None outside a server."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs
        return None
    frame = getattr(task and task.get_coro(), "cr_frame", None)
    handler = frame.f_locals.get("self") if frame is not None else None
    return handler if isinstance(handler, RequestHandler) else None


def answering_request() -> HTTPServerRequest | None:
    """Return the request for which a page's code runs. None outside a server."""
    handler = answering_handler()
    return None if handler is None else handler.request
