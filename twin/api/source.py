"""Which open source the routes answer from: the pages' own, so that a number cannot differ between page and API."""

from twin.hub import Hub
from twin.server.process import process


def current_source() -> Hub:
    """Return the process's source, and let it look for newer events if it has not for a while. Call it in a worker thread."""
    hub = process.hub()
    hub.freshen()
    return hub
