"""The hub that the routes answer from: the pages' own, so that page and API cannot disagree."""

import asyncio

from tornado.httputil import HTTPServerRequest

from twin.hub import Hub
from twin.server.process import process


async def current_source(request: HTTPServerRequest) -> Hub:
    """Return the hub of who sends a request, which checks for newer events from time to time. Raises `SignInError`.

    Requests that wait until it is open take no thread, and once it is open none is needed, so that an answer from a cache
    waits for no other request.
    """
    visitor = process.visitor_of(request)
    hub = process.open_hub(visitor)
    if hub is None:
        hub = await asyncio.wrap_future(process.begin_opening(visitor))
    hub.freshen()
    return hub
