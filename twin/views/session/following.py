"""Brings a live kitchen's newest timeline to one session: at most one message a second, none while nobody looks."""

import asyncio
from collections.abc import Callable

import panel as pn
import param

from twin.hub import Hub
from twin.replay.live import LiveKitchens, LiveState


class Following(param.Parameterized):
    """What one session follows. `take(state)` is called on the session's own loop, only while `seen()`."""

    now: LiveState | None = param.Parameter(
        default=None, doc="The kitchen as it is now; None: a range that does not grow."
    )  # type: ignore[assignment]

    def __init__(self, hub: Hub, seen: Callable[[], bool], take: Callable[[LiveState], None]) -> None:
        super().__init__()
        self._hub, self._seen, self._take = hub, seen, take
        self._location = ""
        self._stop: Callable[[], None] = lambda: None
        self._tell: Callable[[], None] = lambda: None
        self._told = False

    def begin(self, location: str, now: LiveState | None) -> None:
        """Follow a kitchen from `now` on, and no other; None follows none."""
        if now is None or location != self._location:
            self.end()
        self.now = now
        if now is not None and not self._location:
            self._location = location
            document, loop = pn.state.curdoc, _running_loop()

            def tell() -> None:  # in the kitchen's thread
                if self._told:
                    return
                self._told = True
                if document is not None and document.session_context is not None:
                    document.add_next_tick_callback(self.catch_up)
                elif loop is not None and not loop.is_closed():  # a notebook's
                    loop.call_soon_threadsafe(self.catch_up)

            self._tell = tell
            self.wake()

    def rest(self) -> None:
        """Be told of nothing while nobody looks: a kitchen that no page shows is not made ready."""
        self._stop()
        self._stop = lambda: None

    def wake(self) -> None:
        """Be told again of what comes in, and of what has come in since."""
        self.rest()
        if self._location:
            self._stop = self._hub.cached(LiveKitchens).kitchen(self._location).follow(self._tell)

    def end(self) -> None:
        """Follow nothing."""
        self.rest()
        self._location = ""

    def catch_up(self) -> None:
        """Take the newest there is, if somebody looks and it has not been taken."""
        self._told = False
        if not self._location or not self._seen():
            return
        now = self._hub.cached(LiveKitchens).kitchen(self._location).state
        if now is not None and now is not self.now:
            with pn.io.hold():  # one message
                self._take(now)
                self.now = now


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
