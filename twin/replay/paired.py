"""Two controllers on one clock: the second has no clock of its own and is where the first one's playhead puts it."""

from dataclasses import replace
from typing import Any

import param

from twin.analysis.alignment import Alignment, align
from twin.foundation import times
from twin.foundation.settings import Settings
from twin.replay.clock import Anchor
from twin.replay.controller import ReplayController

TIMES = ("at", "t", "start", "end")
"""What is a time in the message of a verb."""


class PairedController(ReplayController):
    """Plays a timeline beside that of `lead`: same speed, played, paused and moved together, at the same time of day.

    Where it is is computed of where the lead is, whenever somebody wants to know (twin/analysis/alignment.py), so the two cannot
    drift. Its verbs are the lead's. While either has no timeline it goes by itself, so that neither needs the other to be seen.
    """

    def __init__(self, lead: ReplayController, settings: Settings | None = None) -> None:
        self._lead = lead
        self._alignment: Alignment | None = None
        super().__init__(settings=settings or lead.settings, wall=lead._wall)
        lead.param.watch(self._align, "timeline")
        self.param.watch(self._align, "timeline")
        lead.param.watch(self._follow, "anchor")

    @property
    def alignment(self) -> Alignment | None:
        """How the two lie on each other; None while one of them has no timeline."""
        return self._alignment

    def now(self) -> float:
        """Return the playhead: data seconds since 1970."""
        return super().now() if self._alignment is None else self._alignment.second(self._lead.now())

    def to_browser(self) -> dict[str, Any]:
        """Return the anchor as JSON, with the clock that it follows and how."""
        sent = super().to_browser()
        if self._alignment is None:
            return sent
        return sent | {"follows": {"clock": self._lead.key, **self._alignment.to_browser()}}

    def handle_message(self, message: dict[str, Any]) -> None:
        """Carry out a browser's message, whose times are those of this side: on the lead."""
        if self._alignment is None:
            super().handle_message(message)
            return
        there = {name: self._there(message[name]) for name in TIMES if message.get(name) is not None}
        self._lead.handle_message({**message, **there})

    # -- verbs --------------------------------------------------------------------------------------------------------------
    def play(self, at: times.Time | None = None) -> None:
        """Play both."""
        if self._alignment is None:
            super().play(at)
        else:
            self._lead.play(self._there(at))

    def pause(self, at: times.Time | None = None) -> None:
        """Stop both where they are."""
        if self._alignment is None:
            super().pause(at)
        else:
            self._lead.pause(self._there(at))

    def stop(self) -> None:
        """Return both to the start of the lead's range, paused."""
        if self._alignment is None:
            super().stop()
        else:
            self._lead.stop()

    def seek(self, t: times.Time) -> None:
        """Move both playheads so that this one is at t, or as near as it comes."""
        if self._alignment is None:
            super().seek(t)
        else:
            self._lead.seek(self._there(t))

    def step(self, n: float = 1, at: times.Time | None = None) -> None:
        """Move both playheads by `n` step lengths of the lead's, and pause."""
        if self._alignment is None:
            super().step(n, at)
        else:
            self._lead.step(n, self._there(at))

    def set_speed(self, speed: float, at: times.Time | None = None) -> None:
        """Change the speed of both."""
        if self._alignment is None:
            super().set_speed(speed, at)
        else:
            self._lead.set_speed(speed, self._there(at))

    def set_loop(self, loop: bool, at: times.Time | None = None) -> None:
        """Choose whether playback continues from the start when it reaches the end of the lead's range."""
        if self._alignment is None:
            super().set_loop(loop, at)
        else:
            self._lead.set_loop(loop, self._there(at))

    def set_hindsight(self, hindsight: bool, at: times.Time | None = None) -> None:
        """Choose for both whether views may show what lies after the playhead."""
        if self._alignment is None:
            super().set_hindsight(hindsight, at)
        else:
            self._lead.set_hindsight(hindsight, self._there(at))

    def set_range(self, start: times.Time, end: times.Time) -> None:
        """Play only a part of this side's range, and what lies beside it."""
        if self._alignment is None:
            super().set_range(start, end)
        else:
            first, last = (self._there(t) for t in (start, end))
            self._lead.set_range(first, last)

    def settle(self) -> bool:
        """Pause both if playback has reached the end."""
        return super().settle() if self._alignment is None else self._lead.settle()

    # -- following ----------------------------------------------------------------------------------------------------------
    def _there(self, t: Any) -> float:
        """Return the lead's time at a time of this side, None: now. Raises ValueError for what is no time."""
        assert self._alignment is not None
        now = self._lead.now()
        return now if t is None else self._alignment.first(self.tz.seconds(t), now)

    def _align(self, *_: param.parameterized.Event) -> None:
        one, other = self._lead.timeline, self.timeline
        if one is None or other is None:
            self._alignment = None
            return
        self._alignment = align((one.window, one.tz), (other.window, other.tz))
        self._follow()

    def _follow(self, *_: param.parameterized.Event) -> None:
        """Take the lead's anchor, in this side's time: for those who look at an anchor, and for the epoch."""
        if self._alignment is not None and self.timeline is not None:
            window = self.timeline.window
            self._take(self._beside(self._lead.anchor, window.start, window.end))

    def _beside(self, anchor: Anchor, start: float, end: float) -> Anchor:
        assert self._alignment is not None
        t0 = self._alignment.second(anchor.t0)
        return replace(anchor, t0=t0, start=start, end=end, edge=None, live=False)
