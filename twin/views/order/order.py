"""The order panel: the selected order's lifecycle, and how much of it has happened at the playhead."""

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import param

from twin.analysis import wording
from twin.analysis.baseline import Baseline
from twin.analysis.lifecycle import PINGS, ROUTE, STRAIGHT, Distance, Lifecycle, Span, lifecycle
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import STAGE_LABELS, STALLED_AFTER
from twin.replay.controller import ReplayController
from twin.timeline.neighbour import neighbour
from twin.timeline.timeline import EventSlice, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

UNKNOWN = "not in the data"

BASKETS = ("order_created", "gk_started")
"""Events whose detail lists the items, which the panel already shows above them."""

HOW_FAR = {
    ROUTE: ("along the route", "Ground distance along the route that the driver was given"),
    PINGS: ("as driven", "Ground distance through the driver’s position reports: there is no route, or it was left"),
    STRAIGHT: ("straight line", "Straight ground distance from the kitchen to the customer: there is no route"),
}


class OrderPanel(Component):
    """The panel in the browser.

    `story` is everything about one order, sent once; the browser derives its state at the playhead from its own clock.
    Empty: no order is selected; {"id", "short", "away"}: the selected order is not in the loaded range.
    """

    story: dict[str, Any] = param.Dict(default={}, doc="The selected order, see `story_of`.")  # type: ignore[assignment]
    said: list[Any] = param.List(default=[0, ""], doc="The serial number of a note to the user, and its text.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("order.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("order.css"))]


class OrderView(ReplayView):
    """The selected order: its lifecycle against the usual one, its figures, items and events."""

    visible_order: bool = param.Boolean(  # type: ignore[assignment]
        default=False, doc="Whether an order is selected; the page's layout then makes room for the panel."
    )
    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._controller = controller
        self._panel = OrderPanel(sizing_mode="stretch_both")
        self._panel.join(controller)
        self._panel.retry_with(partial(self.retry, controller))
        self._panel.on_msg(self._on_message)
        self.follow(controller.selection, ["order", "row"], self._send_story)
        self.follow(self, "target", self._send_story)
        self.reset()

    def __panel__(self) -> OrderPanel:
        return self._panel

    def reset(self) -> None:
        """Use the controller's timeline; an order that is still selected is sent again from it."""
        self._send_story()

    def learn(self) -> None:
        """Use the controller's baseline, whose usual times are shown below the order's own."""
        if self._controller.selection.row >= 0:
            self._send_story()

    def _send_story(self) -> None:
        """Send the selected order, if its story has changed."""
        chosen, timeline = self._controller.selection, self._controller.timeline
        story: dict[str, Any] = {}
        if timeline is not None and 0 <= chosen.row < len(timeline.orders):
            insights = self._controller.insights
            baseline = None if insights is None or insights.timeline is not timeline else insights.baseline
            life = lifecycle(timeline, chosen.row)
            # a selection whose row is still of the previous timeline is sent by the next call
            if life.order.id == chosen.order:
                story = story_of(timeline, life, self.target, self._controller.settings.late_after_s, baseline)
        if not story and chosen.order:
            story = {"id": chosen.order, "short": wording.short_id(chosen.order), "away": True}
        if story != self._panel.story:
            self._panel.story = story
        self.visible_order = bool(story)

    def _on_message(self, event: "DataEvent") -> None:
        match event.data:
            case {"neighbour": 1 | -1 as step}:
                self._go(step)
            case {"close": True}:
                self._controller.selection.select(None)

    def _go(self, step: int) -> None:
        """Select the next or the previous order: of the group of orders, as it lists them, or of those in the stage now."""
        chosen, timeline = self._controller.selection, self._controller.timeline
        if timeline is None or chosen.row < 0:
            return
        if chosen.group is not None:
            row = chosen.group.neighbour(chosen.row, step)
        else:
            row = neighbour(timeline, self._controller.now(), chosen.row, step, chosen.stage)
        if row is not None:
            chosen.select(row)
            return
        which = "later" if step > 0 else "earlier"
        where = f"in {STAGE_LABELS[chosen.stage]} now" if chosen.stage else "in the loaded range"
        if chosen.group is not None:
            which, where = "further", f"of {chosen.group.label}"
        self._panel.said = [self._panel.said[0] + 1, f"No {which} order {where}."]


def story_of(
    timeline: Timeline, life: Lifecycle, target: float, late_after: float, baseline: Baseline | None = None
) -> dict[str, Any]:
    """Return an order for the browser: times are data seconds, null where the data has none.

    A stage's `usual` is by the hours of the clock that the order is in it: [[from, seconds or null], …]. What is usual is that
    of the hour in which it leaves the stage or, while it is there, of the playhead's: the pipeline's number.
    """
    order = life.order
    times = timeline.orders.began
    window = timeline.window
    inside = times[(times >= window.start) & (times < window.end)]
    return {
        "row": life.row,
        "id": order.id,
        "short": wording.short_id(order.id),
        "place": {"number": int(np.count_nonzero(inside <= times[life.row])), "of": len(inside)},
        "first": life.first,
        "last": life.last,
        "stages": [
            {"key": span.key, "start": span.start, "end": span.end, "usual": _usual(span, baseline)}
            for span in life.stages
        ],
        "stalls": [{"start": start, "end": end} for start, end in life.stalls],
        "created": order.created,
        "arrived": life.arrived,
        "ready": life.ready,
        "delivered": life.delivered,
        "cancelled": life.cancelled,
        "target": target,
        "promise": life.promise,
        "arrivals": [{"from": since, "at": at} for since, at in life.arrivals],
        "basket": _basket(life),
        "facts": _facts(life, target, late_after),
        "items": [
            {"name": item.name, "brand": item.brand, "qty": item.qty, "price": item.price} for item in order.items
        ],
        "revenue": order.revenue or None,
        "events": _events(timeline, order.events, target, late_after),
        "pings": list(life.pings),
    }


def _basket(life: Lifecycle) -> float:
    """Return the time from which the items of an order are known: of its first event that lists them."""
    events = life.order.events
    return min(
        (t for t, kind in zip(events.ts.tolist(), events.type, strict=True) if kind in BASKETS), default=life.first
    )


def _usual(span: Span, baseline: Baseline | None) -> list[tuple[float, float | None]]:
    """Return the usual time in a stage from the begin of each hour on that an order is in it; [] where nothing is known."""
    if baseline is None:
        return []
    until = span.start + STALLED_AFTER if span.end is None else min(span.end, span.start + STALLED_AFTER)
    found: list[tuple[float, float | None]] = []
    start, end = baseline.hour(span.start)
    while start <= until:
        usual = baseline.stage_time(span.key, start)
        if not found or found[-1][1] != usual:
            found.append((start, usual))
        start, end = baseline.hour(end)
    return [] if all(usual is None for _, usual in found) else found


def _spent(end: float | None, start: float | None) -> float:
    """Return the seconds between two times as the clock shows them, so that stages add up to the whole (gantt.js, `spent`)."""
    return 0.0 if end is None or start is None else float(math.floor(end) - math.floor(start))


Fact = dict[str, Any]


def _fact(
    label: str,
    value: str,
    note: str = "",
    at: float | None = None,
    tone: str = "",
    why: str = "",
    before: Fact | None = None,
) -> Fact:
    """Return a fact; `at` is the time from which it is not marked as later, `tone` "good", "bad" or "mute", `why` its title.

    `known` is the time from which it could be said (None: always, or never if there is a `before`), `before` what was known
    instead until then (None: nothing).
    """
    fact = {"label": label, "value": value, "note": note, "at": at, "tone": tone, "why": why}
    return {**fact, "known": at, "before": before}


def _pending(label: str) -> Fact:
    """Return what was known of a fact before it was."""
    return _fact(label, "not yet", tone="mute")


def _lacking(label: str, known: float | None, note: str = "", why: str = "") -> Fact:
    """Return that the data lacks a fact, which could be said from `known` on; None: never, while somebody waits for it."""
    return {**_fact(label, UNKNOWN, note, None, "mute", why, _pending(label)), "known": known}


def _facts(life: Lifecycle, target: float, late_after: float) -> list[Fact]:
    facts = [
        _delivery_time(life, target), _promise(life), _drive_time(life), _meeting(life, late_after), _distance(life)
    ]  # fmt: skip
    facts.append(_fact("Address", life.order.address or UNKNOWN, tone="" if life.order.address else "mute"))
    return [fact for fact in facts if fact]


def _delivery_time(life: Lifecycle, target: float) -> Fact:
    label, why = "Delivery time", "From the order’s creation to its delivery, against the target"
    if life.total is not None:
        over = wording.whole_minutes(_spent(life.delivered, life.order.created) - target)
        total = wording.exact_text(_spent(life.delivered, life.order.created))
        against = f"target {wording.minutes_text(target)}"
        note = f"{over} over {against}" if over > 0 else f"within {against}"
        tone = "bad" if over > 0 else "good"
        return _fact(label, total, note, life.delivered, tone, why, _pending(label))
    if life.cancelled is not None and life.delivered is None:
        created = life.order.created
        note = "" if created is None else f"{wording.minutes_text(life.cancelled - created)} after it was made"
        return _fact("Delivery", "cancelled", note, life.cancelled, "bad", before=_pending(label))
    missing = "its delivery" if life.delivered is None else "its creation"
    return _lacking(label, life.delivered, f"{missing} is missing", why)


def _promise(life: Lifecycle) -> Fact:
    label, why = (
        "Promised",
        "Minutes from pick-up that the driver was expected to take (eta_mins); not all data has them",
    )
    if life.order.eta_mins is None:
        return _lacking(label, life.closed if life.picked_up is None else life.picked_up, why=why)
    value = wording.minutes_text(life.order.eta_mins * 60)
    return _fact(label, value, "from pick-up", life.picked_up, why=why, before=_pending(label))


def _drive_time(life: Lifecycle) -> Fact | None:
    if life.road is None or life.delivered is None:
        return None
    note, tone, drive = "", "", _spent(life.delivered, life.road.start)
    if life.order.eta_mins is not None:
        late = wording.whole_minutes(drive - life.order.eta_mins * 60)
        tone = "bad" if late > 0 else "good"
        note = "as promised" if late == 0 else f"{abs(late)} min {'longer' if late > 0 else 'shorter'} than promised"
    return _fact("Drive", wording.exact_text(drive), note, life.delivered, tone, "From pick-up to delivery, as it was")


def _meeting(life: Lifecycle, late_after: float) -> Fact | None:
    """Return how far apart food and driver were; not called a wait, which is the stage Ready, until both left together."""
    why = "From gk_ready to driver_arrived; "
    if life.food_waited is not None:
        late = bool(wording.is_late(life.food_waited, late_after))
        return _fact(
            "Driver came", f"{wording.minutes_text(life.food_waited)} after", "the food was ready", life.arrived,
            "bad" if late else "", f"{why}over {wording.minutes_text(late_after)} the driver counts as late",
        )  # fmt: skip
    if life.driver_waited is not None:
        before = f"{wording.minutes_text(life.driver_waited)} before"
        return _fact("Driver came", before, "the food was ready", life.ready, why=f"{why}the driver was there first")
    return None


def _distance(life: Lifecycle) -> Fact:
    # the route exists from pick-up on, the way driven from delivery on, the customer's place from the beginning
    straight = _distance_fact(life.straight, None)
    if life.distance is None or life.distance.how == STRAIGHT:
        return straight
    at = {ROUTE: life.picked_up, PINGS: life.delivered}[life.distance.how]
    return _distance_fact(life.distance, at) | {"before": straight}


def _distance_fact(distance: Distance | None, at: float | None) -> Fact:
    if distance is None:
        return _fact("Distance", UNKNOWN, tone="mute")
    how, why = HOW_FAR[distance.how]
    return _fact("Distance", f"{distance.metres / 1000:.1f} km", how, at, why=why)


def _events(timeline: Timeline, events: EventSlice, target: float, late_after: float) -> list[dict[str, Any]]:
    """Return the order's events without its pings."""
    listed = [i for i, kind in enumerate(events.type) if kind != "driver_ping"]
    slice_ = type(events)(
        events.ts[listed], [events.type[i] for i in listed], events.order[listed], events.progress[listed]
    )
    return [
        {
            "icon": line.icon,
            "colour": line.colour,
            "title": line.title.rsplit(" · ", 1)[0],
            "detail": "" if line.type in BASKETS else line.detail,
            "t": line.t,
        }
        for line in wording.describe(timeline, slice_, target, late_after)
    ]
