"""Brings what was known of troubles to a session: the hours around the playhead, computed in a thread before they are played."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import panel as pn

from twin.analysis.moments.examination import UNEXAMINED
from twin.analysis.moments.unfolding import BLOCK_S, KnownFrom, block_of, going_on
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

MOST_WHOLE = 26
"""Most blocks of a range that is computed as a whole, a day: then playing it needs no message."""
AT_ONCE = 6
"""Blocks of a longer range that are computed together, before the playhead comes to them."""
MOST_SENT = 48
"""Most blocks that a browser has; of more, those far from the playhead go."""


class TroubleFollower:
    """Computes the blocks that a controller's playhead is in, or comes to, as far as nobody has, and hands them to it."""

    def __init__(self, hub: Hub, controller: ReplayController, seen: Callable[[], bool] = lambda: True) -> None:
        """`seen()` returns whether the page is in a visible tab; a hidden one is sent nothing until it is."""
        self._hub = hub
        self._seen = seen
        self._controller = controller
        self._following = False

    def missing(self) -> list[int]:
        """Return the blocks that are wanted and not there yet, that of the playhead first."""
        controller = self._controller
        timeline = controller.timeline
        if timeline is None or controller.insights is None:
            return []
        first, last = block_of(timeline.window.start), block_of(timeline.window.end)
        here = self._here(first, last)
        wanted: list[int] = [here, *range(here + 1, last + 1), *range(first, here)]
        if last - first >= MOST_WHOLE:
            wanted = [here, *range(here + 1, min((here // AT_ONCE + 2) * AT_ONCE, last + 1))]
        missing = [number for number in wanted if number not in controller.unfolded]
        # last: it looks at every order, and this is asked with every tick
        return missing if missing and timeline.has_orders else []

    def _here(self, first: int, last: int) -> int:
        return min(max(block_of(self._controller.now()), first), last)

    def notice(self) -> None:
        """Compute what is missing in the background, in a running loop; elsewhere whoever needs it calls `compute`."""
        if self._following or not self.missing():
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        pn.state.execute(self.follow)

    async def follow(self) -> None:
        """Compute what is missing in a thread: the block of the playhead first, the others together after it."""
        if self._following:
            return
        self._following = True
        try:
            while self._seen() and (missing := self.missing()):
                await self._bring(missing[:1] if missing[0] == block_of(self._controller.now()) else missing)
        finally:
            self._following = False

    async def _bring(self, numbers: list[int]) -> None:
        controller, first = self._controller, self._controller.timeline
        found = dict[int, tuple[KnownFrom, ...]]()
        for number in numbers:
            timeline = controller.timeline
            assert timeline is not None
            found[number] = await threads.troubles.run(partial(self._block, timeline, number))
            if not _is_later(controller.timeline, timeline):
                return
        timeline = controller.timeline
        assert timeline is not None
        assert first is not None
        more = going_on(
            first.window.end, timeline.window.end
        )  # while these were computed a live kitchen may have gone on
        known = {**controller.unfolded, **{n: looks for n, looks in found.items() if more is None or n < more}}
        if not self._seen():  # the hub has them when it is
            return
        here = block_of(controller.now())
        near = sorted(known, key=lambda number: abs(number - here))[:MOST_SENT]
        controller.unfold(timeline, {number: known[number] for number in near})

    def compute(self) -> None:
        """Compute all of the range here and now, for a page that no server serves."""
        timeline = self._controller.timeline
        if timeline is not None and timeline.has_orders:
            numbers = range(block_of(timeline.window.start), block_of(timeline.window.end) + 1)
            self._controller.unfold(timeline, {number: self._block(timeline, number) for number in numbers})

    def _block(self, timeline: Timeline, number: int) -> tuple[KnownFrom, ...]:
        try:
            return self._hub.unfolding(timeline, number)
        except Exception:  # whatever it is, nobody may wait for ever
            log.exception("what was known of troubles cannot be computed")
            return (KnownFrom(number * BLOCK_S, UNEXAMINED),)


def _is_later(timeline: Timeline | None, before: Timeline) -> bool:
    """Return whether a timeline is the one of before, or what that has become as its kitchen went on."""
    if timeline is before or timeline is None:
        return timeline is before
    same = timeline.location.id == before.location.id and timeline.window.start == before.window.start
    return same and timeline.grows and before.grows
