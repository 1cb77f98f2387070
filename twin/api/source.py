"""The hub that the routes answer from: the pages' own, so that page and API cannot disagree."""

from tornado.httputil import HTTPServerRequest

from twin.hub import Hub
from twin.server.process import process


async def current_source(request: HTTPServerRequest) -> Hub:
    """Return the hub of who sends a request, which checks for newer events from time to time. Raises `SignInError`.

    None needs a thread, so that an answer from a cache waits for no other request.
    """
    hub = await process.hub_of(request)
    hub.freshen()
    return hub
