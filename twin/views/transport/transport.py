"""The transport: the bar that shows the playhead over the range's orders, and moves it."""

import inspect
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray

from twin.analysis.driver_supply import PART, RangeSummary, is_recorded, summarise, supply
from twin.analysis.late_hours import CAUSES, LateHours, late_hours
from twin.analysis.ledger import NAMES, PARTS, ledger_of
from twin.analysis.moments import KINDS, TROUBLES, Moment
from twin.analysis.moments.moment import when_in
from twin.analysis.wording import minutes_text, whole_minutes
from twin.foundation.cache import ByteCache, one_each, shared
from twin.foundation.errors import TwinError
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

MINUTE = 60.0

BUCKETS = (
    *(1.0, 5.0, 10.0, 30.0),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 12)),
    *(n * DAY for n in (1, 2, 3, 7, 14, 28)),
)
"""Round widths of a bar, seconds."""

MOST_BARS = 180
"""On a scrubber of 1,050 pixels a bar is then 6 pixels wide, enough to point at."""

SO_FAR_S = 300.0
"""Data seconds between two sums of the range up to the playhead while it plays: texts that change with every tick say nothing."""

REDRAWN_S = 10.0
"""Data seconds by which a range that grows ends later before its bars are drawn anew: of a day's, not a tenth of a pixel."""

LOADING = "Loading the range …"

RIBBON_RULE = (
    "Meals that wait for a driver (in Ready), per driver on the road: the taller, the more. "
    f"Averages over {PART / MINUTE:.0f} minutes; a longer bar shows its worst {PART / MINUTE:.0f}. "
    "Amber: food is waiting, or drivers come late. Red and hatched: drivers are short. Both are the moments of the list."
)
"""What the colours and heights of the ribbon mean, for its legend."""

RIBBON_UNKNOWN = (
    "The data does not tell both when meals were ready and when they were picked up, so nothing says how many waited for a "
    "driver."
)
"""Why there is no ribbon."""

LATE_RULE = (
    "Minutes beyond the promise, by the hour of the delivery, and what made them: as in Why late?, with all that is known of the "
    "range. A click goes to the end of an hour and lists its orders."
)
"""What the stacks of late minutes mean, for their legend."""

BELOW = ("waiting", "late")
"""What can stand below the bars."""

RangeHandler = Callable[[float, float], Awaitable[None] | None]


def bucket_width(start: float, end: float) -> float:
    """Return the seconds of one bar: the narrowest of `BUCKETS` that needs at most `MOST_BARS` of them.

    >>> bucket_width(0, DAY) / MINUTE, bucket_width(0, 7 * DAY) / HOUR
    (10.0, 1.0)
    """
    span = end - start
    return next((width for width in BUCKETS if span <= width * MOST_BARS), span / MOST_BARS)


class TransportBar(Component):
    """The bar in the browser. It needs only the anchor: while it plays, no message is sent in either direction."""

    window: dict[str, float] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The loaded range: `start`, `end`, data seconds. The clock may play only a section of it.",
    )
    volume = param.Dict(
        default={"edges": [], "counts": []}, doc="Orders per bar: edges (n + 1) in data seconds, counts (n)."
    )
    supply: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="Per bar (n): `waiting` meals, drivers on the `road`, the part (`begin`, `end`) they are of; `short`: spells "
        "[start, end, level 1 or 2] in which drivers are tight or short; `rule`. "
        "`unknown`: without the stages that it takes.",
    )
    summary: list[dict[str, str]] = param.List(  # type: ignore[assignment]
        default=[], item_type=dict, doc="The whole range in figures: `key`, `text`, and `title` that defines it."
    )
    so_far: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The same of what had happened by `t` (data seconds): `parts` as in `summary`; empty without a range.",
    )
    late: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="Late minutes of the whole range: `edges` of the hours, data seconds; `minutes` of each; `causes` [key, name, "
        "minutes of each hour], those with most first; `rule`. Empty until they are shown.",
    )
    below: str = param.Selector(  # type: ignore[assignment]
        default="waiting",
        objects=list(BELOW),
        doc="What stands below the bars: waiting meals, or late minutes by cause.",
    )
    days: list[str] = param.List(  # type: ignore[assignment]
        default=[], item_type=str, doc="The days that a ghost can be of, as 2025-10-16, the latest first."
    )
    haunts: bool = param.Boolean(default=False, doc="Whether the page shows a ghost: another day beside this one.")  # type: ignore[assignment]
    ghost: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The ghost: `choice`, `label`, `problem` (why there is none); per bar (n) `counts` of orders, `waiting` meals and "
        "drivers on the `road`, null where unknown. Empty: none.",
    )
    explains: bool = param.Boolean(default=False, doc="Whether the page explains late minutes: they can be shown.")  # type: ignore[assignment]
    moments: list[dict[str, Any]] = param.List(  # type: ignore[assignment]
        default=[], item_type=dict, doc="The moments of the range, the most severe first."
    )
    speeds = param.List(default=list(ReplayController.SPEEDS), doc="The speeds offered, data seconds per second.")
    source = param.Dict(
        default={},
        doc="First and last event (`start`, `end`), what “Last 24 hours” counts back from (`latest`), and the widest range that "
        "can be chosen (`low`, `high`), data seconds.",
    )
    dock: bool = param.Boolean(  # type: ignore[assignment]
        default=False, doc="Whether a narrow page has a bar at its bottom, with clock, play and speed."
    )
    busy = param.String(default="", doc="What is being loaded; empty when the bar can be used.")
    problem = param.String(default="", doc="Why the chosen range could not be loaded; empty if it could.")

    from_browser: ClassVar[tuple[str, ...]] = ("below",)
    _esm = module_source(Path(__file__).with_name("transport.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("transport.css"))]


class TransportView(ReplayView):
    """Play, pause, stop, step, speed, loop; the scrubber over the orders of the range; the range picker.

    A chosen range is passed to `on_range(start, end)`, a function or coroutine function of the session that loads it. The bar
    is busy while it runs, and shows a `TwinError` or `ValueError` that it raises. `on_cancel()` is called when the user cancels
    loading.
    """

    source_range = param.NumericTuple(
        default=None,
        length=2,
        allow_None=True,
        doc="First and last event of the location, data seconds; None: unknown.",
    )
    reach = param.NumericTuple(
        default=None,
        length=2,
        allow_None=True,
        doc="The widest range that can be chosen, data seconds; None: the days of `source_range`.",
    )
    latest = param.Number(
        default=None, allow_None=True, doc="Where “Last 24 hours” counts back from, data seconds; None: the last event."
    )
    days: list[str] = param.List(  # type: ignore[assignment]
        default=[], item_type=str, doc="The days that a ghost can be of, as 2025-10-16, the latest first."
    )
    ghost = param.String(default="", doc="The ghost that was chosen: a kind, or a date; empty: none.")
    busy = param.String(default="", doc="What is being loaded, a text to show; empty: nothing.")
    below = param.String(default=BELOW[0], doc="What stands below the bars, for an address: of `BELOW`.")

    def __init__(
        self,
        controller: ReplayController,
        on_range: RangeHandler | None = None,
        on_cancel: Callable[[], object] | None = None,
        dock: bool = False,
        on_why: Callable[[str], object] | None = None,
        on_ghost: Callable[[str], object] | None = None,
        **params: Any,
    ) -> None:
        """`dock`: this page scrolls on a phone, and what plays it stays in reach at the bottom. `on_why(cause)` explains the 60
        minutes to the playhead, by one of `CAUSES`; `on_ghost(choice)` lays another day over this one. None: this page does not.
        """
        super().__init__(**params)
        self._on_ghost = on_ghost
        self._on_why = on_why
        self._controller = controller
        self._on_range = on_range
        self._on_cancel = on_cancel
        self._choices = 0
        self._outdated = False
        self._drawn = -math.inf  # where the range ended when its bars were drawn last, data seconds
        self._bar = TransportBar(
            sizing_mode="stretch_width",
            busy=self.busy,
            dock=dock,
            explains=on_why is not None,
            haunts=on_ghost is not None,
        )
        self._bar.join(controller)
        self._bar.retry_with(partial(self.retry, controller))
        self._bar.on_msg(self._on_message)
        self.follow(self, ["source_range", "latest", "reach"], self._offer)
        self._bar.param.watch(lambda event: self.param.update(below=event.new), "below")
        self.param.watch(
            lambda event: self._bar.param.update(below=event.new if event.new in BELOW else BELOW[0]), "below"
        )
        self.follow(self._bar, "below", self._show_late)
        self.follow(controller, "ghost", self._show_ghost)
        self.follow(self, ["days", "ghost"], self._show_choice)
        self.reset()
        self._offer()

    def __panel__(self) -> TransportBar:
        return self._bar

    def reset(self) -> None:
        """Use the controller's timeline: show its orders per bar, its drivers, its summary."""
        timeline, bar = self._controller.timeline, self._bar
        if timeline is None:
            bar.param.update(
                window={},
                volume={"edges": [], "counts": []},
                supply={},
                summary=[],
                so_far={},
                moments=[],
                late={},
                ghost={},
            )
            return
        with pn.io.hold():
            bar.late = {}
            self.learn()
            self._show_ghost()

    def _draw(self, timeline: Timeline) -> None:
        """Show the range, its bars and its moments; one that grows ends with the latest event, not with the window."""
        insights, span = self._controller.insights, timeline.window.end - timeline.window.start
        end = self._controller.whole[1] if self._controller.state != "replay" else timeline.window.end
        moments = () if insights is None else insights.moments
        of_range = timeline.cached(_Bars).until(end)
        told = {**of_range, "supply": _with_spells(of_range["supply"], moments)}
        self._bar.tell(**told, moments=_moment_messages(moments, span))
        self._drawn = end

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline: the range ends later. Its bars follow when that can be seen, or with `learn`."""
        timeline = self._controller.timeline
        if timeline is not None and not 0 <= self._controller.whole[1] - self._drawn < REDRAWN_S:
            self._draw(timeline)

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Show the range's figures up to the snapshot; while playing only every `SO_FAR_S`, and never when with hindsight."""
        timeline, controller = self._controller.timeline, self._controller
        if timeline is None or controller.hindsight:
            return
        t = snapshot.t
        if controller.playing:
            t = max(t // SO_FAR_S * SO_FAR_S, timeline.window.start)
        if self._bar.so_far.get("t") != t:
            parts = summary_parts(summarise(timeline, t), timeline.tz.clock(t))
            self._bar.so_far = {"t": t, "parts": parts}

    def learn(self) -> None:
        """Use the controller's insights: show the moments, and how many waiting meals are usual."""
        timeline = self._controller.timeline
        if timeline is None:
            return
        self._outdated = self._controller.state != "replay"
        self._show_late()
        self._draw(timeline)

    def _show_late(self) -> None:
        """Compute the late minutes in a thread, once per timeline and only if they are looked at."""
        timeline, insights, bar = self._controller.timeline, self._controller.insights, self._bar
        if (
            bar.below != "late"
            or (bar.late and not self._outdated)
            or timeline is None
            or insights is None
            or insights.timeline is not timeline
        ):
            return
        target = self._controller.settings.delivery_target_s
        self._outdated = False

        def make() -> dict[str, Any]:
            return _late_message(late_hours(timeline, ledger_of(timeline, insights.baseline, target)))

        async def compute() -> None:
            late = await threads.to_source(make)
            if self._controller.timeline is timeline or self._controller.state != "replay":
                bar.late = late

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            bar.late = make()

    def _show_choice(self) -> None:
        self._bar.days = self.days
        self._show_ghost()

    def _show_ghost(self) -> None:
        """Show what is chosen, and its bars, which are computed in a thread."""
        ghost, bar = self._controller.ghost, self._bar
        if not self.ghost:
            if bar.ghost:
                bar.ghost = {}
            return
        told = {"choice": self.ghost} if ghost is None else {
            "choice": ghost.choice, "label": ghost.label, "problem": ghost.problem,
        }  # fmt: skip
        kept = {name: bar.ghost[name] for name in ("counts", "waiting", "road") if name in bar.ghost}
        same = ghost is not None and bar.ghost.get("label") == ghost.label and bool(ghost.label)
        bar.ghost = told | kept if same else told
        if ghost is None or ghost.problem:
            return
        edges = np.asarray(bar.volume["edges"], np.float64)

        def make() -> dict[str, Any]:
            waiting, road = ghost.supply(edges)
            return {"counts": ghost.volume(edges), "waiting": waiting, "road": road}

        async def compute() -> None:
            bars = await threads.to_source(make)
            if self._controller.ghost is ghost and bar.volume["edges"] == edges.tolist():
                bar.ghost = told | bars

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            bar.ghost = told | make()

    def _offer(self) -> None:
        if self.source_range is None:
            self._bar.source = {}
            return
        start, end = self.source_range
        low, high = self._controller.tz.whole_days(start, end) if self.reach is None else self.reach
        latest = end if self.latest is None else self.latest
        self._bar.source = {"start": start, "end": end, "latest": latest, "low": low, "high": high}

    @param.depends("busy", watch=True)
    def _show_busy(self) -> None:
        self._bar.busy = self.busy

    async def choose(self, start: float, end: float) -> None:
        """Pass a chosen range, data seconds, to `on_range`; if it fails, show why."""
        self._bar.problem = ""
        self._choices += 1
        mine = self._choices
        self.busy = self.busy or LOADING
        try:
            first, last = _ordered(start, end, self._controller.tz)
            result = self._on_range(first, last) if self._on_range else None
            if inspect.isawaitable(result):
                await result
        except (TwinError, ValueError) as error:
            self._bar.problem = str(error)
        finally:
            if mine == self._choices:
                self.busy = ""

    def _on_message(self, event: Any) -> None:
        match event.data:
            case {"verb": "sync"}:  # the page has just appeared or woken up and needs the current playhead
                self._bar.anchor = self._controller.to_browser()
            case {"verb": "why", "part": str() as cause} if self._on_why is not None and cause in ("", *CAUSES):
                self._on_why(cause)
            case {"ghost": str() as choice} if self._on_ghost is not None:
                self._on_ghost(choice)
            case {"verb": "cancel"} if self._on_cancel is not None:
                self._on_cancel()
            case {"verb": "range", "start": start, "end": end}:
                self.busy = LOADING  # sent to the browser before loading begins, which is a later callback
                pn.state.execute(partial(self.choose, start, end))


SHORTAGE_LEVELS = {"food_waiting": 1, "drivers_late": 1, "driver_shortage": 2}
"""Kind of moment -> how the ribbon shows it: 1 tight, 2 short."""


def shortages(moments: Iterable[Moment]) -> list[tuple[float, float, int]]:
    """Return the spells in which drivers are tight or short: (start, end, level), the worst last, to cover the others."""
    spells = [(one.start, one.end, SHORTAGE_LEVELS[one.kind]) for one in moments if one.kind in SHORTAGE_LEVELS]
    return sorted(spells, key=lambda spell: spell[2])


def _money(dollars: float) -> str:
    return f"{'−' if dollars <= -0.5 else ''}${abs(dollars):,.0f}"


def summary_parts(of_range: RangeSummary, by: str = "") -> list[dict[str, str]]:
    """Return a range's figures as texts, each with the sentence that defines it; undefined figures are omitted.

    `by` is the time on the kitchen's clock up to which they are; empty: they are of the whole range.
    """
    n, parts = of_range.orders, []
    created = f"created in the range by {by}" if by else "created in the range"

    def add(key: str, text: str, title: str) -> None:
        parts.append({"key": key, "text": text, "title": title})

    whole = f"Orders created from the begin of the range that is loaded to {by}."
    counted = whole if by else "Orders created in the whole range that is loaded."
    add("orders", f"{n:,} {'order' if n == 1 else 'orders'} created", counted)
    if of_range.earlier:
        add(
            "earlier",
            f"{of_range.earlier:,} from before",
            "Orders created before the range that are open, or were closed since midnight. With those created in the range they "
            "are all that were closed today and all that are active.",
        )
    if of_range.delivery_time is not None and of_range.delivery_p95 is not None:
        add(
            "delivery",
            f"delivery {minutes_text(of_range.delivery_time)} (P95 {whole_minutes(of_range.delivery_p95)})",
            f"Mean time from order to delivery of the {of_range.timed:,} delivered orders {created}, and the minutes within "
            f"which 95 of 100 came. {of_range.excluded:,} over {STALLED_AFTER / HOUR:.0f} h are left out.",
        )
    if of_range.delivered:
        share = math.floor(1000 * of_range.delivered / n) / 10  # never 100 while one is missing
        others = of_range.undelivered - of_range.cancelled
        title = f"{of_range.delivered:,} of the {n:,} orders {created} were delivered"
        if by:
            title += f" by then; {of_range.cancelled:,} were cancelled, {others:,} were open."
        else:
            title += f", some perhaps after its end; {of_range.cancelled:,} were cancelled, of {others:,} no delivery is known."
        text = f"{share:.1f} % delivered" if of_range.undelivered else "all delivered"
        add("delivered", f"{text} so far" if by else text, title)
    if of_range.revenue:
        until = f" by {by}" if by else ""
        add("revenue", _money(of_range.revenue), f"Price × quantity of every item ordered in the range{until}.")
    return parts


class _Bars:
    """What the bars of a timeline show, made once for all sessions that look at it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._until: ByteCache[dict[str, Any]] = ByteCache(4, one_each)

    def until(self, end: float) -> dict[str, Any]:
        """Return window, volume, supply and summary as `TransportBar` has them, without spells; bars after `end` are left out."""
        return self._until.load(end, lambda: self._make(end))

    def _make(self, end: float) -> dict[str, Any]:
        timeline = self._timeline
        window = timeline.window
        edges, counts = timeline.volume(bucket_width(window.start, window.end))
        begun = edges[:-1] < end
        edges = np.append(edges[:-1][begun], min(float(edges[begun.sum()]), end))
        return {
            "window": {"start": window.start, "end": end},
            "volume": {"edges": edges.tolist(), "counts": counts[begun].tolist()},
            "supply": _supply_message(timeline, edges),
            "summary": summary_parts(summarise(timeline)),
        }


def _supply_message(timeline: Timeline, edges: NDArray[np.float64]) -> dict[str, Any]:
    if not is_recorded(timeline):
        return {"rule": RIBBON_UNKNOWN, "unknown": True}
    per_bar = supply(timeline, edges)
    return {
        "waiting": per_bar.waiting.round(1).tolist(),
        "road": per_bar.on_road.round(1).tolist(),
        "begin": per_bar.begin.tolist(),
        "end": per_bar.end.tolist(),
        "rule": RIBBON_RULE,
    }


@shared()
def _with_spells(supply: dict[str, Any], moments: Sequence[Moment]) -> dict[str, Any]:
    return supply if "unknown" in supply else {**supply, "short": shortages(moments)}


@shared()
def _moment_messages(moments: Sequence[Moment], span: float) -> list[dict[str, Any]]:
    return [_moment_message(moment, span) for moment in moments]


def _late_message(hours: LateHours) -> dict[str, Any]:
    """Return late minutes for the browser, the causes with most of them first; minutes made up are negative."""
    minutes = (hours.seconds / MINUTE).round(1)
    order = np.argsort(-minutes.sum(axis=0), kind="stable").tolist()
    some = [k for k in order if minutes[:, k].any()]
    names = [*(NAMES[part] for part in PARTS), "Short promise"]
    return {
        "edges": hours.edges.tolist(),
        "minutes": [round(seconds / MINUTE) for seconds in hours.seconds.sum(axis=1).tolist()],
        "causes": [[CAUSES[k], names[k], minutes[:, k].tolist()] for k in some],
        "rule": LATE_RULE,
    }


def _moment_message(moment: Moment, span: float) -> dict[str, Any]:
    return {
        "kind": moment.kind,
        "label": KINDS[moment.kind],
        "start": moment.start,
        "end": moment.end,
        "at": moment.at,
        "settled": max(moment.end, moment.settled),
        "stage": moment.stage,
        "trouble": moment.kind in TROUBLES,
        "when": when_in(moment, span),
        "title": moment.title,
        "sentence": moment.sentence,
        "quiet": moment.kind not in TROUBLES,
    }


def _ordered(start: Any, end: Any, tz: Zone) -> tuple[float, float]:
    first, last = tz.seconds(start), tz.seconds(end)
    if not (math.isfinite(last - first) and first < last):
        raise ValueError(f"The range must end after it starts, not run from {tz.text(first)} to {tz.text(last)}.")
    return first, last
