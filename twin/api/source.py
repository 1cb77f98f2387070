"""The hub that the routes answer from: the pages' own, so that page and API cannot disagree."""

from twin.hub import Hub
from twin.server.process import process
from twin.server.threads import Pool


async def current_source(pool: Pool) -> Hub:
    """Return the process's hub, which checks for newer events from time to time; it is opened in a thread of `pool`.

    Once it is open no thread is needed, so that an answer from a cache waits for no other request.
    """
    hub = process.hub() if process.is_open else await pool.run(process.hub)
    hub.freshen()
    return hub
