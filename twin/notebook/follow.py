"""A kitchen of a notebook while it happens: an iterator of instants, and panes that follow."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twin.hub import Hub
from twin.replay.live import LiveKitchens
from twin.timeline.timeline import Timeline

if TYPE_CHECKING:
    import panel as pn

T = TypeVar("T")


class Follow(Generic[T]):
    """What `Kitchen.follow` returns: iterate over it, or show it. Nothing runs before that."""

    def __init__(
        self,
        hub: Hub,
        location: str,
        seconds: float | None,
        instant: Callable[[Timeline, float], T],
        panes: "Callable[[], pn.viewable.Viewable]",
    ) -> None:
        """`seconds` of wall time after which iterating ends; None: never. `instant(timeline, t)` is what is iterated over,
        `panes()` what is shown."""
        self._hub, self._location, self._seconds = hub, location, seconds
        self._instant, self._panes = instant, panes

    def __iter__(self) -> Iterator[T]:
        """Yield the kitchen as it is, now and whenever something has come in, at most once a second."""
        kitchen = self._hub.cached(LiveKitchens).kitchen(self._location)
        came = threading.Event()
        until = None if self._seconds is None else time.monotonic() + self._seconds
        end = kitchen.follow(came.set)
        given = None
        try:
            while True:
                now = kitchen.state
                if now is not None and now.timeline is not given:
                    given = now.timeline
                    yield self._instant(given, now.edge)
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return
                came.wait(left)
                came.clear()
        finally:
            end()

    def __panel__(self) -> "pn.viewable.Viewable":
        """Return panes that follow the latest events."""
        return self._panes()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self._panes()._repr_mimebundle_(include, exclude)

    def __repr__(self) -> str:
        return f"<Following {self._hub.location(self._location).label}: iterate over it, or display it>"
