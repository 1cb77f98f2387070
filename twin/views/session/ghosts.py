"""Brings the ghost, another day of the kitchen, to one session: loads it in a thread when it is chosen, and at each midnight."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import panel as pn
import param

from twin.analysis.ghost import BEST, USUAL, WEEK, Alignment, Ghost, OtherDays, day_number
from twin.analysis.insights import Insights
from twin.foundation.errors import TwinError
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

KINDS = (WEEK, BEST, USUAL)


def is_choice(text: str) -> bool:
    """Whether a text names a ghost: one of `KINDS`, or a date.

    >>> is_choice("best"), is_choice("2025-10-16"), is_choice("worst")
    (True, True, False)
    """
    return text in KINDS or day_number(text) is not None


class GhostFollower(param.Parameterized):
    """Follows what is chosen, and the day of the playhead; `controller.ghost` is what came of it."""

    choice: str = param.String(  # type: ignore[assignment]
        default="", doc="The ghost that is wanted, for an address: one of `KINDS` or a date as 2025-10-16; empty: none."
    )

    def __init__(
        self, hub: Hub, controller: ReplayController, errand: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        """`errand()` says who asks the source, while a day is loaded."""
        super().__init__()
        self._hub, self._controller, self._errand = hub, controller, errand
        self._wanted: tuple[Any, ...] | None = None
        self.param.watch(lambda _: self.notice(), "choice")

    def choose(self, choice: str) -> None:
        """Take a choice of the user, which is not trusted; empty: no ghost."""
        if choice == "" or is_choice(choice):
            self.choice = choice

    def notice(self) -> None:
        """Load the ghost of the playhead's day if it is another one than before; without a choice nothing is done."""
        controller = self._controller
        timeline, insights = controller.timeline, controller.insights
        if not is_choice(self.choice) or timeline is None:
            if self._wanted is not None:
                self._wanted = None
                controller.set_ghost(None)
            return
        learned = insights is not None or bool(controller.insights_problem)
        wanted = (timeline.location.id, self.choice, timeline.tz.day(controller.now()), learned, self._source(insights))
        if wanted == self._wanted:
            return
        if self._wanted is None or wanted[:3] != self._wanted[:3]:
            controller.set_ghost(None)  # what is shown is of another day
        self._wanted = wanted
        if not learned and self.choice in (BEST, USUAL):
            return  # they need the days around the range, which are being read
        make = partial(self._make, self.choice, timeline, insights, wanted[2])
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self._bring, wanted, make))
        else:
            controller.set_ghost(make())

    def _source(self, insights: Insights | None) -> int:
        """Return what tells one usual from the next; a live kitchen's is read anew each hour."""
        return id(insights.baseline) if insights is not None and self.choice == USUAL else 0

    async def _bring(self, wanted: tuple[Any, ...], make: Callable[[], Ghost]) -> None:
        try:
            with self._errand():
                ghost = await threads.to_source(make)
        except TwinError as error:
            ghost = Ghost(self.choice, problem=str(error))
        except Exception as error:  # whatever it is, the replay goes on
            log.exception("a ghost cannot be loaded")
            ghost = Ghost(
                self.choice, problem=f"For a reason that nobody foresaw ({type(error).__name__}): the log has it."
            )
        if wanted == self._wanted:
            self._controller.set_ghost(ghost)

    def _make(self, choice: str, timeline: Timeline, insights: Insights | None, day: int) -> Ghost:
        tz, place = timeline.tz, timeline.location
        baseline = None if insights is None else insights.baseline
        if choice == USUAL:
            if baseline is None or not baseline.days:
                return Ghost(choice, label="Usual", problem="There are too few other days to say what is usual.")
            return Ghost(choice, baseline=baseline, label="Usual")
        history = None if baseline is None else baseline.history
        days = self._hub.other_days(place.id, history)
        other = days.of(choice, day)
        if other is None:
            return Ghost(choice, problem=_why_none(choice, tz, day, days), days=days)
        start, end = float(tz.start_of(other)), float(tz.start_of(other + 1))
        shown = f"{tz.weekday(start)[:3]} {tz.date(start)}"
        name = {WEEK: "Last week", BEST: "Best day"}.get(choice)
        loaded = self._hub.timeline(place.id, start, end)
        return Ghost(choice, Alignment(tz, day, other), loaded, label=f"{name}, {shown}" if name else shown, days=days)


def _why_none(choice: str, tz: Any, day: int, days: OtherDays) -> str:
    """Return why there is no ghost, as a sentence."""
    if not set(days.orders) - {day}:
        return "The data has no other day of this kitchen."
    if choice == BEST:
        return "No other day can be judged: none tells how long deliveries took."
    wanted = day - 7 if choice == WEEK else day_number(choice)
    if wanted == day:
        return "This is that day itself."
    at = float(tz.start_of(wanted))
    return f"There are no orders on {tz.weekday(at)[:3]} {tz.date(at)}."
