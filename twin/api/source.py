"""The hub that the routes answer from: the pages' own, so that page and API cannot disagree."""

from twin.hub import Hub
from twin.server.process import process


def current_source() -> Hub:
    """Return the process's hub, which checks for newer events from time to time. Call it in a worker thread."""
    hub = process.hub()
    hub.freshen()
    return hub
