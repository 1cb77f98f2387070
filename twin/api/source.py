"""Which open source the routes answer from: the pages' own, so that a number cannot differ between page and API."""

from collections.abc import Callable

from twin.twin import Twin

_lookup: Callable[[], Twin] | None = None


def set_source(lookup: Callable[[], Twin] | None) -> None:
    """Let `lookup` find the source; called in a worker thread, as it may open it. It raises a TwinError when it cannot."""
    global _lookup
    _lookup = lookup


def current_source() -> Twin:
    """Return the source, and let it look for newer events if it has not for a while."""
    source = known_source()
    source.freshen()
    return source


def known_source() -> Twin:
    """Return the source as it is; without `set_source` that of the pages (`twin.serve`), opened at the first call."""
    if _lookup is not None:
        return _lookup()
    from twin.serve import current  # it imports this package

    return current()
