"""The replay controller: what a page, a notebook or a kiosk holds of the clock."""

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any

import param

from twin.analysis.insights import Insights
from twin.foundation import times
from twin.foundation.settings import Settings
from twin.replay.clock import MAX_SPEED, Anchor
from twin.replay.selection import Selection
from twin.timeline.timeline import Timeline

MAX_EPOCH = 2**53
"""Epochs are counted in the browser too, where whole numbers end here."""


class ReplayController(param.Parameterized):
    """Plays a timeline: a few verbs, and the playhead they lead to.

    The verbs are the only way to change it; every Param is constant from outside (assigning raises TypeError) and is
    there to be watched. A moment is given as seconds since 1970, a datetime, a `pandas.Timestamp` or ISO text; what is
    no time raises ValueError with a sentence to show. Verbs that keep the playhead take `at`, the playhead the user saw
    when giving them, so that nothing jumps by the time the message took.

    >>> from types import SimpleNamespace as Some
    >>> replay = ReplayController()
    >>> replay.load(Some(window=Some(start=0.0, end=3600.0)))
    >>> replay.seek("1970-01-01 00:30")
    >>> replay.now(), replay.playing
    (1800.0, False)
    """

    SPEEDS = (1, 10, 60, 100, 500, 1000)
    """The speeds that are offered; any other in (0, 1000] may be set."""

    DEFAULT_SPEED = 60.0
    """A minute per second: drivers move visibly, and a lunch peak passes in two minutes."""

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
    loop = param.Boolean(default=False, constant=True, doc="Whether playback goes on from the start at the end.")
    playing = param.Boolean(default=False, constant=True, doc="Whether the playhead moves.")
    anchor = param.ClassSelector(
        class_=Anchor, default=Anchor(speed=DEFAULT_SPEED), constant=True, doc="The clock; all other figures follow it."
    )
    key = param.String(default="", constant=True, doc="Names this clock in the browser, where views share it.")
    selection: Selection = param.ClassSelector(class_=Selection, constant=True, doc="What the user looks at.")  # type: ignore[assignment]
    insights: Insights | None = param.Parameter(  # type: ignore[assignment]
        default=None,
        constant=True,
        doc="What is usual here and what stands out in the timeline; None until it is known.",
    )

    VERBS = ("play", "pause", "stop", "seek", "step", "set_speed", "set_loop", "set_range")
    """What a browser may ask for."""

    def __init__(
        self,
        timeline: Timeline | None = None,
        wall: Callable[[], float] = time.monotonic,
        settings: Settings | None = None,
    ) -> None:
        """`settings` are the hub's: the views on this controller take targets and limits from them. Without, the usual ones."""
        super().__init__(key=f"clock-{uuid.uuid4().hex}", selection=Selection())
        self.settings = settings or Settings()
        self._wall = wall
        self._asked_epoch = 0
        if timeline is not None:
            self.load(timeline)

    def now(self) -> float:
        """Return the playhead: data seconds since 1970."""
        return self.anchor.at(self._wall())

    @property
    def step_length(self) -> float:
        """Data seconds of one step, suited to the range."""
        return self.anchor.step_length()

    def load(self, timeline: Timeline, playhead: times.Time | None = None) -> None:
        """Take another timeline: its window becomes the range, paused at `playhead` (default: the start)."""
        start, end = _range(timeline.window.start, timeline.window.end)
        wall = self._wall()
        anchor = self.anchor.pause(wall).set_range(start, end, wall)
        moment = start if playhead is None else times.seconds(playhead)
        self._take(anchor.seek(wall, moment), timeline=timeline, insights=None)
        self.selection.attach(timeline)

    def learn(self, insights: Insights) -> None:
        """Take what is known about the timeline beside its events; insights about another timeline are left aside."""
        if insights.timeline is self.timeline:
            with param.edit_constant(self):
                self.insights = insights

    def play(self, at: times.Time | None = None) -> None:
        """Play on; from the start of the range if the playhead stands at its end."""
        self._take(self.anchor.play(self._wall(), _moment(at)))

    def pause(self, at: times.Time | None = None) -> None:
        """Hold the playhead."""
        self._take(self.anchor.pause(self._wall(), _moment(at)))

    def stop(self) -> None:
        """Return to the start of the range, paused."""
        self._take(self.anchor.stop(self._wall()))

    def seek(self, t: times.Time) -> None:
        """Move the playhead to a moment, or the nearest one in the range; playing or paused as before."""
        self._take(self.anchor.seek(self._wall(), times.seconds(t)))

    def step(self, n: float = 1, at: times.Time | None = None) -> None:
        """Move the playhead by `n` step lengths (negative: back) and pause."""
        self._take(self.anchor.step(self._wall(), _number(n, "A step") * self.step_length, _moment(at)))

    def set_speed(self, speed: float, at: times.Time | None = None) -> None:
        """Go on at another speed, data seconds per second in (0, 1000], from where the playhead is."""
        value = _number(speed, "Speed")
        if not 0 < value <= MAX_SPEED:
            raise ValueError(f"Speed must be over 0 and at most {MAX_SPEED:g} data seconds per second, not {value:g}.")
        self._take(self.anchor.set_speed(value, self._wall(), _moment(at)))

    def set_loop(self, loop: bool, at: times.Time | None = None) -> None:
        """Choose whether playback goes on from the start when it reaches the end."""
        self._take(self.anchor.set_loop(bool(loop), self._wall(), _moment(at)))

    def set_range(self, start: times.Time, end: times.Time) -> None:
        """Play only a part of the timeline's window. A range beyond it needs another timeline: `load` that."""
        first, last = _range(times.seconds(start), times.seconds(end))
        window = getattr(self.timeline, "window", None)
        if window is not None and not window.start <= first < last <= window.end:
            raise ValueError(
                f"{times.text(first)} to {times.text(last)} is not within the loaded range, "
                f"{times.text(window.start)} to {times.text(window.end)}."
            )
        self._take(self.anchor.set_range(first, last, self._wall()))

    def settle(self) -> bool:
        """Turn playback that has reached the end into a pause there; return whether it had. For the session's tick."""
        ended = self.anchor.ended(self._wall())
        if ended:
            self.pause()
        return ended

    def to_browser(self) -> dict[str, Any]:
        """Return the anchor as JSON for the browser's clock; `age` is the seconds for which `t0` has been left."""
        a = self.anchor
        age = max(0.0, self._wall() - a.wall0) if a.playing else 0.0
        return {
            "t0": a.t0,
            "speed": a.speed,
            "playing": a.playing,
            "start": a.start,
            "end": a.end,
            "loop": a.loop,
            "epoch": a.epoch,
            "age": age,
            "step": self.step_length,
        }

    def obey(self, message: dict[str, Any]) -> None:
        """Carry out a browser's message {verb, at?, epoch?, + t | n | speed | loop | start, end}.

        The browser has already applied the verb to its own clock and tells the `epoch` it gave the result; ours becomes
        at least that, so that the confirmation is not taken for something older. A message that makes no sense raises
        ValueError, and the anchor is issued anew so that the browser returns to the truth.
        """
        epoch = message.get("epoch", 0)
        self._asked_epoch = epoch if isinstance(epoch, int) and not isinstance(epoch, bool) and epoch < MAX_EPOCH else 0
        try:
            self._apply(message)
        except ValueError:
            self._take(replace(self.anchor, epoch=self.anchor.epoch + 1))
            raise
        finally:
            self._asked_epoch = 0

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
                self.seek(_given(message, "t"))
            case "step":
                self.step(_given(message, "n"), at)
            case "set_speed":
                self.set_speed(_given(message, "speed"), at)
            case "set_loop":
                self.set_loop(_given(message, "loop"), at)
            case "set_range":
                self.set_range(_given(message, "start"), _given(message, "end"))
            case verb:
                raise ValueError(f"There is no verb {verb!r}.")

    def _take(self, anchor: Anchor, **others: Any) -> None:
        anchor = replace(anchor, epoch=max(anchor.epoch, self._asked_epoch))
        figures = {name: getattr(anchor, name) for name in ("start", "end", "speed", "loop", "playing")}
        # the watchers run when the outer block is left: to them, too, everything is constant
        with param.parameterized.batch_call_watchers(self), param.edit_constant(self):
            self.param.update(anchor=anchor, **figures, **others)


def _moment(at: times.Time | None) -> float | None:
    return None if at is None else times.seconds(at)


def _number(value: Any, what: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{what} must be a number, not {value!r}.")
    return float(value)


def _range(start: float, end: float) -> tuple[float, float]:
    if not start < end:
        raise ValueError(f"The range must end after it starts, not run from {times.text(start)} to {times.text(end)}.")
    return float(start), float(end)


def _given(message: dict[str, Any], name: str) -> Any:
    if name not in message:
        raise ValueError(f"The verb {message['verb']!r} needs {name!r}.")
    return message[name]
