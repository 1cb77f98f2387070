"""The hub that the routes answer from: the pages' own, so that page and API cannot disagree."""

from functools import partial

from tornado.httputil import HTTPServerRequest

from twin.hub import Hub
from twin.server import threads
from twin.server.process import process


async def current_source(request: HTTPServerRequest) -> Hub:
    """Return the hub of who sends a request, which checks for newer events from time to time; it is opened in a thread.

    Once it is open no thread is needed, so that an answer from a cache waits for no other request. Raises `SignInError`.
    """
    visitor = process.visitor_of(request)
    hub = process.open_hub(visitor)
    if hub is None:
        hub = await threads.openings.run(partial(process.hub, visitor))
    hub.freshen()
    return hub
