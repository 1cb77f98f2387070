"""The transport: the bar that shows the playhead over the range's orders, and moves it."""

import inspect
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ClassVar

import panel as pn
import param

from twin.errors import TwinError
from twin.replay.controller import ReplayController
from twin.times import seconds, text
from twin.views.component import Component, module_source, style_source
from twin.views.view import ReplayView

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

BUCKETS = (
    *(1.0, 5.0, 10.0, 30.0),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 12)),
    *(n * DAY for n in (1, 2, 3, 7, 14, 28)),
)
"""Widths of a bar that people can name, seconds."""

MOST_BARS = 180
"""On a scrubber of 1,050 pixels a bar is then 6 wide, which the pointer still finds."""

LOADING = "Loading the range …"

RangeHandler = Callable[[float, float], Awaitable[None] | None]


def bucket_width(start: float, end: float) -> float:
    """Return the seconds of one bar: the narrowest of `BUCKETS` that needs at most `MOST_BARS` of them.

    >>> bucket_width(0, DAY) / MINUTE, bucket_width(0, 7 * DAY) / HOUR
    (10.0, 1.0)
    """
    span = end - start
    return next((width for width in BUCKETS if span <= width * MOST_BARS), span / MOST_BARS)


class TransportBar(Component):
    """The bar in the browser. It runs by the anchor alone: while it plays, no message passes in either direction."""

    volume = param.Dict(
        default={"edges": [], "counts": []}, doc="Orders per bar: edges (n + 1) in data seconds, counts (n)."
    )
    speeds = param.List(default=list(ReplayController.SPEEDS), doc="The speeds offered, data seconds per second.")
    source = param.Dict(
        default={}, doc="What the range picker may choose from: `start`, `end` and `latest`, data seconds."
    )
    busy = param.String(default="", doc="What the bar waits for; empty when it can be used.")
    problem = param.String(default="", doc="Why the chosen range was not taken; empty if it was.")

    _esm = module_source("verbs.js", "transport.js")
    _stylesheets: ClassVar[list[Any]] = [style_source("transport.css")]


class TransportView(ReplayView):
    """Play, pause, stop, step, speed, loop; the scrubber over the orders of the range; the range picker.

    Choosing a range means loading other data, which is the session's work: it gives `on_range(start, end)`, plain or a
    coroutine function. The bar is busy while that runs; what it raises as `TwinError` or `ValueError` is shown.
    """

    source_range = param.NumericTuple(
        default=None,
        length=2,
        allow_None=True,
        doc="First and last event of the location, data seconds; None: unknown.",
    )
    latest = param.Number(
        default=None, allow_None=True, doc="Where “Last 24 hours” counts back from, data seconds; None: the last event."
    )
    busy = param.String(default="", doc="What is being waited for, in words; shown instead of the controls' readiness.")

    def __init__(self, controller: ReplayController, on_range: RangeHandler | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._on_range = on_range
        self._bar = TransportBar(sizing_mode="stretch_width", busy=self.busy)
        self._bar.join(controller)
        self._bar.on_msg(self._on_message)
        controller.param.watch(self._draw, ["start", "end"])
        self.reset()
        self._offer()

    def __panel__(self) -> TransportBar:
        return self._bar

    def reset(self) -> None:
        """Take the controller's timeline: its orders per bar and its range."""
        self._draw()

    def _draw(self, *_: param.parameterized.Event) -> None:
        timeline, controller = self._controller.timeline, self._controller
        if timeline is None:
            self._bar.volume = {"edges": [], "counts": []}
            return
        edges, counts = timeline.volume(bucket_width(controller.start, controller.end))
        self._bar.volume = {"edges": edges.tolist(), "counts": counts.tolist()}

    @param.depends("source_range", "latest", watch=True)
    def _offer(self) -> None:
        if self.source_range is None:
            self._bar.source = {}
            return
        start, end = self.source_range
        self._bar.source = {"start": start, "end": end, "latest": end if self.latest is None else self.latest}

    @param.depends("busy", watch=True)
    def _wait(self) -> None:
        self._bar.busy = self.busy

    async def choose(self, start: float, end: float) -> None:
        """Hand a chosen range, data seconds, to `on_range`; show why if it cannot be taken."""
        self._bar.problem = ""
        self.busy = self.busy or LOADING
        try:
            first, last = _ordered(start, end)
            result = self._on_range(first, last) if self._on_range else None
            if inspect.isawaitable(result):
                await result
        except (TwinError, ValueError) as error:
            self._bar.problem = str(error)
        finally:
            self.busy = ""

    def _on_message(self, event: Any) -> None:
        message = event.data
        match message.get("verb"):
            case "sync":  # the page has just appeared, or woken up: how far has the playhead come meanwhile?
                self._bar.anchor = self._controller.to_browser()
            case "range":
                self.busy = LOADING  # reaches the browser before the loading, which is a later callback, begins
                pn.state.execute(partial(self.choose, message.get("start"), message.get("end")))


def _ordered(start: Any, end: Any) -> tuple[float, float]:
    first, last = seconds(start), seconds(end)
    if not (math.isfinite(last - first) and first < last):
        raise ValueError(f"The range must end after it starts, not run from {text(first)} to {text(last)}.")
    return first, last
