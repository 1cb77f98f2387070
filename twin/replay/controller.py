"""The replay controller, through which a page, a notebook or a kiosk uses the clock."""

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any

import param

from twin.analysis.ghost import Ghost
from twin.analysis.insights import Insights
from twin.analysis.moments.unfolding import KnownFrom, going_on
from twin.foundation import times
from twin.foundation.settings import Settings
from twin.foundation.zones import NAIVE, Zone
from twin.replay.clock import MAX_SPEED, SPEEDS, Anchor
from twin.replay.following import State, state_of
from twin.replay.selection import Selection
from twin.timeline.timeline import Timeline

ZONE_MARGIN = 40 * times.DAY
"""Seconds before and after the data for which the browser gets the changes of the clock: what it draws reaches beyond."""
MAX_EPOCH = 2**53
"""Browsers count epochs too, and their integers are exact up to this."""


class ReplayController(param.Parameterized):
    """Plays a timeline. A few verbs change the clock; all else follows the playhead.

    The verbs are the only way to change it: every Param is constant from outside (assigning raises TypeError) and is there
    to be watched. A time is given as seconds since 1970, a datetime, a `pandas.Timestamp` or ISO text; anything else raises
    ValueError with a sentence to show. Verbs that do not move the playhead take `at`, the playhead that the user saw when
    giving them, so that it does not jump by the time that the message was under way.

    >>> from types import SimpleNamespace as Some
    >>> replay = ReplayController()
    >>> replay.load(Some(window=Some(start=0.0, end=3600.0)))
    >>> replay.seek("1970-01-01 00:30")
    >>> replay.now(), replay.playing
    (1800.0, False)
    """

    SPEEDS = SPEEDS

    DEFAULT_SPEED = 60.0
    """A minute per second: drivers move visibly, and a lunch peak takes two minutes."""

    timeline: Timeline | None = param.Parameter(default=None, constant=True, doc="What is played; None until loaded.")  # type: ignore[assignment]
    start = param.Number(default=0.0, constant=True, doc="Start of the range played, data seconds since 1970.")
    end = param.Number(default=0.0, constant=True, doc="End of the range played, data seconds since 1970.")
    speed = param.Number(
        default=DEFAULT_SPEED,
        bounds=(0, MAX_SPEED),
        inclusive_bounds=(False, True),
        constant=True,
        doc="Data seconds per wall second.",
    )
    loop = param.Boolean(default=False, constant=True, doc="Whether playback continues from the start at the end.")
    playing = param.Boolean(default=False, constant=True, doc="Whether the playhead moves.")
    anchor = param.ClassSelector(
        class_=Anchor,
        default=Anchor(speed=DEFAULT_SPEED),
        constant=True,
        doc="The clock; the Params above repeat parts of it.",
    )
    key = param.String(default="", constant=True, doc="The id of this clock in the browser, where views share it.")
    selection: Selection = param.ClassSelector(
        class_=Selection, constant=True, doc="The order and the stage that the user selected."
    )  # type: ignore[assignment]
    insights: Insights | None = param.Parameter(  # type: ignore[assignment]
        default=None,
        constant=True,
        doc="Usual values, and the moments of the timeline; None until they are computed.",
    )

    insights_problem: str = param.String(  # type: ignore[assignment]
        default="", constant=True, doc="Why the insights of the timeline could not be computed; empty if they can."
    )

    hindsight = param.Boolean(
        default=False,
        constant=True,
        doc="Whether views may show what lies after the playhead, marked as such; without, only what was known at it.",
    )
    unfolded: dict[int, tuple[KnownFrom, ...]] = param.Dict(  # type: ignore[assignment]
        default={},
        constant=True,
        doc="What was known of the timeline's troubles, by block of hours (unfolding.py), as far as it is computed.",
    )

    ghost: Ghost | None = param.Parameter(  # type: ignore[assignment]
        default=None,
        constant=True,
        doc="The other day that stands beside the playhead's; None: none is wanted, or not yet.",
    )
    state: State = param.Selector(  # type: ignore[assignment]
        default="replay",
        objects=["live", "behind", "replay"],
        constant=True,
        doc="Whether the playhead follows the latest events, is behind them, or nothing grows (following.py).",
    )

    VERBS = ("play", "pause", "stop", "seek", "step", "set_speed", "set_loop", "set_range", "set_hindsight", "follow")
    """What a browser may ask for."""

    def __init__(
        self,
        timeline: Timeline | None = None,
        wall: Callable[[], float] = time.monotonic,
        settings: Settings | None = None,
    ) -> None:
        """`settings` are the hub's: the views on this controller take targets and limits from them. Without, the usual ones."""
        super().__init__(key=f"clock-{uuid.uuid4().hex}", selection=Selection())
        self.lead: object = None
        """The component that alone tells its page's browser of a range that grows; None: each component does."""
        self.settings = settings or Settings()
        self._wall = wall
        self._message_epoch = 0
        if timeline is not None:
            self.load(timeline)

    def wall(self) -> float:
        """Return the time of the clock that the playhead goes by, wall seconds."""
        return self._wall()

    def now(self) -> float:
        """Return the playhead: data seconds since 1970."""
        return self.anchor.at(self._wall())

    @property
    def tz(self) -> Zone:
        """The clock of the kitchen that is played."""
        return getattr(self.timeline, "tz", NAIVE)

    @property
    def step_length(self) -> float:
        """Data seconds of one step, suited to the range."""
        return self.anchor.step_length()

    @property
    def whole(self) -> tuple[float, float]:
        """Start and end of all that can be played, data seconds: the timeline's window, as far as events have come."""
        assert self.timeline is not None
        window, edge = self.timeline.window, self.anchor.edge
        return window.start, window.end if edge is None else edge

    def load(self, timeline: Timeline, playhead: times.Time | None = None, edge: float | None = None) -> None:
        """Replace the timeline: its window becomes the range, paused at `playhead` (default: the start).

        `edge` is the time of its latest event, data seconds, if it will be extended (`extend`): the range ends there.
        """
        tz: Zone = getattr(timeline, "tz", NAIVE)
        start, end = _range(timeline.window.start, timeline.window.end if edge is None else edge, tz)
        wall = self._wall()
        anchor = replace(self.anchor.pause(wall), edge=edge).set_range(start, end, wall)
        t = start if playhead is None else tz.seconds(playhead)
        self._take(anchor.seek(wall, t), timeline=timeline, insights=None, insights_problem="", unfolded={})
        self.selection.attach(timeline)

    def extend(self, timeline: Timeline, edge: float) -> None:
        """Take a later timeline of the same kitchen, with events up to `edge`, without moving the playhead or losing a choice.

        What is known of the timeline before stays known until it is computed anew; of troubles, what was known in the hour that
        goes on, with every look. A playhead that follows goes on to the edge; one before the new timeline's start moves to it.
        """
        wall, begin = self._wall(), timeline.window.start
        anchor = self.anchor.grow(wall, edge)
        was = self.timeline
        if was is not None and anchor.start == was.window.start:
            anchor = replace(anchor, start=begin)
        elif anchor.start < begin:
            anchor = anchor.set_range(begin, max(anchor.end, begin + 1.0), wall)
        if anchor.at(wall) < begin:
            anchor = anchor.seek(wall, begin)
        insights = self.insights
        known = None if insights is None else replace(insights, timeline=timeline)
        unfolded = self.unfolded
        if was is not None and (goes_on := going_on(was.window.end, timeline.window.end)) is not None:
            unfolded = {block: looks for block, looks in unfolded.items() if block < goes_on}
        self._take(anchor, timeline=timeline, insights=known, unfolded=unfolded)
        self.selection.move_to(timeline)

    def learn(self, insights: Insights) -> None:
        """Set the insights, unless they are about another timeline than the current one."""
        if insights.timeline is self.timeline:
            with param.edit_constant(self):
                self.insights = insights

    def fail_to_learn(self, timeline: Timeline, problem: str) -> None:
        """Set why there are no insights, unless they would be about another timeline than the current one."""
        if timeline is self.timeline:
            with param.edit_constant(self):
                self.insights_problem = problem

    def unfold(self, timeline: Timeline, blocks: dict[int, tuple[KnownFrom, ...]]) -> None:
        """Set what was known of troubles, unless it is about another timeline than the current one."""
        if timeline is self.timeline:
            with param.edit_constant(self):
                self.unfolded = blocks

    def set_ghost(self, ghost: Ghost | None) -> None:
        """Set the other day that views show beside this one; None shows none."""
        if ghost is not self.ghost:
            with param.edit_constant(self):
                self.ghost = ghost

    def play(self, at: times.Time | None = None) -> None:
        """Play, from the start of the range if the playhead is at its end."""
        self._take(self.anchor.play(self._wall(), self._seconds(at)))

    def pause(self, at: times.Time | None = None) -> None:
        """Stop the playhead where it is."""
        self._take(self.anchor.pause(self._wall(), self._seconds(at)))

    def stop(self) -> None:
        """Return to the start of the range, paused."""
        self._take(self.anchor.stop(self._wall()))

    def seek(self, t: times.Time) -> None:
        """Move the playhead to a time, or to the nearest one in the range; playing or paused as before."""
        self._take(self.anchor.seek(self._wall(), self._reach(t)))

    def step(self, n: float = 1, at: times.Time | None = None) -> None:
        """Move the playhead by `n` step lengths (negative: back) and pause."""
        self._take(self.anchor.step(self._wall(), _number(n, "A step") * self.step_length, self._seconds(at)))

    def set_speed(self, speed: float, at: times.Time | None = None) -> None:
        """Change the speed, data seconds per wall second in (0, 1000], without moving the playhead."""
        value = _number(speed, "Speed")
        if not 0 < value <= MAX_SPEED:
            raise ValueError(f"Speed must be over 0 and at most {MAX_SPEED:g} data seconds per second, not {value:g}.")
        self._take(self.anchor.set_speed(value, self._wall(), self._seconds(at)))

    def set_loop(self, loop: bool, at: times.Time | None = None) -> None:
        """Choose whether playback continues from the start when it reaches the end."""
        self._take(self.anchor.set_loop(bool(loop), self._wall(), self._seconds(at)))

    def set_hindsight(self, hindsight: bool, at: times.Time | None = None) -> None:
        """Choose whether views may show what lies after the playhead; the playhead stays where it is."""
        self._take(self.anchor.set_hindsight(bool(hindsight), self._wall(), self._seconds(at)))

    def set_range(self, start: times.Time, end: times.Time) -> None:
        """Play only a part of the timeline's window. For a range beyond it, `load` another timeline."""
        first, last = _range(self.tz.seconds(start), self.tz.seconds(end), self.tz)
        if getattr(self.timeline, "window", None) is not None:
            begin, end = self.whole
            if not begin <= first < last <= end:
                raise ValueError(
                    f"{self.tz.text(first)} to {self.tz.text(last)} is not within the loaded range, "
                    f"{self.tz.text(begin)} to {self.tz.text(end)}."
                )
        self._take(self.anchor.set_range(first, last, self._wall()))

    def follow(self) -> None:
        """Go to the latest events and follow them. Raises ValueError for a range that does not grow."""
        if self.anchor.edge is None:
            raise ValueError("Nothing comes after this range: there is nothing to follow.")
        self._take(self.anchor.follow(self._wall(), self.whole[0]))

    def settle(self) -> bool:
        """Pause if playback has reached the end, follow if that is the edge; return whether it had. The session calls this with
        every tick."""
        ended = self.anchor.ended(self._wall())
        if ended and self.anchor.at_edge:
            self.follow()
        elif ended:
            self.pause()
        return ended

    def to_browser(self) -> dict[str, Any]:
        """Return the anchor as JSON for the browser's clock; `age` is the wall seconds since the playhead was at `t0`.

        An age is used because the clocks of server and browser differ.
        """
        a = self.anchor
        age = max(0.0, self._wall() - a.wall0) if a.playing else 0.0
        return {
            "t0": a.t0,
            "speed": a.speed,
            "playing": a.playing,
            "start": a.start,
            "end": a.end,
            "loop": a.loop,
            "hindsight": a.hindsight,
            "epoch": a.epoch,
            "age": age,
            "step": self.step_length,
            **({} if a.edge is None else {"edge": a.edge, "live": a.live, "pace": a.pace}),
        } | self._zone_to_browser()

    def _zone_to_browser(self) -> dict[str, Any]:
        """Return the zone for what is shown, with its changes over all days that can be chosen; nothing for naive times."""
        if self.timeline is None or self.tz.naive:
            return {}
        window, place = self.timeline.window, self.timeline.location
        first, last = min(window.start, place.start), max(window.end, place.end)
        return {"zone": self.tz.to_browser(first - ZONE_MARGIN, last + ZONE_MARGIN)}

    def handle_message(self, message: dict[str, Any]) -> None:
        """Carry out a browser's message {verb, at?, epoch?, + t | n | speed | loop | start, end}.

        The browser has already applied the verb to its own clock and sends the `epoch` of the result. Ours becomes at least
        that, so that the browser does not discard the confirmation as outdated. An invalid message raises ValueError, and the
        current anchor is sent again with a higher epoch, so that the browser returns to it.
        """
        epoch = message.get("epoch", 0)
        self._message_epoch = (
            epoch if isinstance(epoch, int) and not isinstance(epoch, bool) and epoch < MAX_EPOCH else 0
        )
        try:
            self._apply(message)
        except ValueError:
            self._take(replace(self.anchor, epoch=self.anchor.epoch + 1))
            raise
        finally:
            self._message_epoch = 0

    def _apply(self, message: dict[str, Any]) -> None:
        at = message.get("at")
        match message.get("verb"):
            case "play":
                self.play(at)
            case "pause":
                self.pause(at)
            case "stop":
                self.stop()
            case "seek":
                self._take(self.anchor.seek(self._wall(), self.tz.seconds(_required(message, "t"))))
            case "step":
                self.step(_required(message, "n"), at)
            case "set_speed":
                self.set_speed(_required(message, "speed"), at)
            case "set_loop":
                self.set_loop(_required(message, "loop"), at)
            case "set_hindsight":
                self.set_hindsight(_required(message, "hindsight"), at)
            case "follow":
                self.follow()
            case "set_range":
                self.set_range(_required(message, "start"), _required(message, "end"))
            case verb:
                raise ValueError(f"There is no verb {verb!r}.")

    def _seconds(self, at: times.Time | None) -> float | None:
        return None if at is None else self._read(at)

    def _read(self, t: times.Time) -> float:
        """Return a time as data seconds. A notebook's clock reads more kinds of times."""
        return self.tz.seconds(t)

    def _reach(self, t: times.Time) -> float:
        """Return where `seek` goes, data seconds. A notebook's clock refuses what lies outside."""
        return self._read(t)

    def _take(self, anchor: Anchor, **others: Any) -> None:
        anchor = replace(anchor, epoch=max(anchor.epoch, self._message_epoch))
        repeated = {name: getattr(anchor, name) for name in ("start", "end", "speed", "loop", "hindsight", "playing")}
        # watchers run when the outer block ends, after edit_constant: for them, too, everything is constant
        with param.parameterized.batch_call_watchers(self), param.edit_constant(self):
            self.param.update(anchor=anchor, state=state_of(anchor), **repeated, **others)


def _number(value: Any, what: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{what} must be a number, not {value!r}.")
    return float(value)


def _range(start: float, end: float, tz: Zone) -> tuple[float, float]:
    if not start < end:
        raise ValueError(f"The range must end after it starts, not run from {tz.text(start)} to {tz.text(end)}.")
    return float(start), float(end)


def _required(message: dict[str, Any], name: str) -> Any:
    if name not in message:
        raise ValueError(f"The verb {message['verb']!r} needs {name!r}.")
    return message[name]
