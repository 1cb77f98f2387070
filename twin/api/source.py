"""The hub that the routes answer from: the pages' own, so that page and API cannot disagree."""

import asyncio

from twin.hub import Hub
from twin.server.process import process


async def current_source() -> Hub:
    """Return the process's hub, which checks for newer events from time to time.

    Requests that wait until it is open take no thread, and once it is open none is needed, so that an answer from a cache
    waits for no other request.
    """
    hub = process.hub() if process.is_open else await asyncio.wrap_future(process.begin_opening())
    hub.freshen()
    return hub
