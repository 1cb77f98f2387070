"""The order panel: the selected order's lifecycle, and how much of it has happened at the playhead."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel as pn
import param

from twin.analysis import wording
from twin.analysis.baseline import Baseline
from twin.analysis.ledger import PARTS, Ledger, ledger_of
from twin.analysis.lifecycle import PINGS, ROUTE, STRAIGHT, Distance, Lifecycle, Span, lifecycle
from twin.analysis.order_ledger import order_ledgers
from twin.analysis.promise import FAIR, PromiseBook, Promises, promises_of
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import STAGE_LABELS, STALLED_AFTER
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.timeline.neighbour import neighbour
from twin.timeline.timeline import EventSlice, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
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


@dataclass(frozen=True, slots=True)
class Expected:
    """What was to be expected of a timeline's orders, which takes a while to find out: parts that are usual, fair promises."""

    ledger: Ledger
    promises: PromiseBook

    @classmethod
    def of(cls, timeline: Timeline, baseline: Baseline, target: float) -> "Expected":
        """Return it for a timeline, computed; it is freed with the timeline."""
        made = cls(ledger_of(timeline, baseline, target), promises_of(timeline, baseline, target))
        made.ledger.usual_at(timeline.window.start)
        list(made.promises.kinds)
        return made


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
        self._expected: tuple[Timeline, Expected] | None = None
        self._asked: tuple[Timeline, float] | None = None
        self._panel = OrderPanel(sizing_mode="stretch_both")
        self._panel.join(controller)
        self._panel.retry_with(partial(self.retry, controller))
        self._panel.on_msg(self._on_message)
        self.follow(controller.selection, ["order", "row"], self._choose)
        self.follow(self, "target", self._choose)
        self.reset()

    def __panel__(self) -> OrderPanel:
        return self._panel

    def reset(self) -> None:
        """Use the controller's timeline; an order that is still selected is sent again from it."""
        self._asked = None
        self._outdated = False
        self._choose()

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline; what was to be expected of the order stays until it is computed anew."""
        timeline, expected = self._controller.timeline, self._expected
        if timeline is None or self._controller.selection.row < 0:
            self._expected = None
            return
        self._outdated = True
        if expected is not None and len(inserted):  # by other rows: the story that is seen stays until that is computed
            self._expected = None
            self._expect()
            return
        if expected is not None and self._controller.selection.row < len(expected[0].orders):
            self._expected = timeline, expected[1]
        self._send_story()

    def learn(self) -> None:
        """Use the controller's baseline, whose usual times are shown below the order's own."""
        if self._controller.selection.row >= 0:
            self._choose()

    def _choose(self) -> None:
        self._send_story()
        self._expect()

    def _expect(self) -> None:
        """Find out in a thread what was to be expected of the selected order, and send it then; once per timeline."""
        insights, timeline, target = self._controller.insights, self._controller.timeline, self.target
        if timeline is None or self._controller.selection.row < 0:
            return
        if self._known(timeline) is not None and not self._outdated:
            return
        if insights is None or insights.timeline is not timeline or insights.baseline.history is None:
            return
        if self._asked == (timeline, target):
            return
        self._asked, baseline = (timeline, target), insights.baseline
        self._outdated = False

        async def compute() -> None:
            expected = await threads.to_source(lambda: Expected.of(timeline, baseline, target))
            now = self._controller.timeline
            extended = (
                self._controller.state != "replay" and now is not None and now.orders.ids.equals(timeline.orders.ids)
            )
            if now is not None and (now is timeline or extended) and self.target == target:
                self._expected = now, expected
                self._send_story()
            elif self._controller.state != "replay":  # newer orders came meanwhile
                self._expect()

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            self._expected = timeline, Expected.of(timeline, baseline, target)
            self._send_story()

    def _known(self, timeline: Timeline) -> Expected | None:
        """Return what was to be expected of a timeline's orders, if that is computed for this target."""
        of, expected = self._expected or (None, None)
        return expected if of is timeline and expected is not None and expected.promises.target == self.target else None

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
                late_after = self._controller.settings.late_after_s
                story = story_of(timeline, life, self.target, late_after, baseline, self._known(timeline))
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
    timeline: Timeline,
    life: Lifecycle,
    target: float,
    late_after: float,
    baseline: Baseline | None = None,
    expected: Expected | None = None,
) -> dict[str, Any]:
    """Return an order for the browser: times are data seconds, null where the data has none.

    `ledger` has what its time was made of, as known from each turn of its life on; `expected` what the parts usually take.

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
        "ledger": _ledgers(timeline, life.row),
        "expected": _usual_parts(life, expected),
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
        "facts": _facts(life, target, late_after, expected),
        "items": [
            {"name": item.name, "brand": item.brand, "qty": item.qty, "price": item.price} for item in order.items
        ],
        "revenue": order.revenue or None,
        "events": _events(timeline, order.events, target, late_after),
        "pings": list(life.pings),
    }


def _ledgers(timeline: Timeline, row: int) -> list[dict[str, Any]]:
    """Return the order's ledgers for the browser: seconds by part, the part that goes on (null: none) and since when."""
    return [
        {
            "known": one.known,
            "parts": {name: value for name, value in zip(PARTS, one.parts.tolist(), strict=True) if value > 0},
            "part": None if one.going_on is None else PARTS[one.going_on],
            "since": one.since,
            "ended": one.ended,
            "gaps": [{"start": start, "end": end} for start, end in one.gaps],
        }
        for one in order_ledgers(timeline, row)
    ]


def _usual_parts(life: Lifecycle, expected: Expected | None) -> dict[str, float] | None:
    """Return the seconds that each part usually takes for an order of that hour, None where that is not known."""
    usual = None if expected is None or life.order.created is None else expected.ledger.usual_at(life.order.created)
    return None if usual is None else dict(zip(PARTS, usual.tolist(), strict=True))


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


def _facts(life: Lifecycle, target: float, late_after: float, expected: Expected | None) -> list[Fact]:
    facts = [
        _delivery_time(life, target), _fair(life, expected), _promise(life), _drive_time(life), _meeting(life, late_after),
        _distance(life),
    ]  # fmt: skip
    facts.append(_fact("Address", life.order.address or UNKNOWN, tone="" if life.order.address else "mute"))
    return [fact for fact in facts if fact]


def _delivery_time(life: Lifecycle, target: float) -> Fact:
    label, why = "Delivery time", "From the order’s creation to its delivery, against the target"
    if life.total is not None:
        over = wording.whole_minutes(_spent(life.delivered, life.order.created) - target)
        total = wording.exact_text(_spent(life.delivered, life.order.created))
        against = f"target {wording.minutes_text(target)}"
        note = f"{over} min over {against}" if over > 0 else f"within {against}"
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


def _fair(life: Lifecycle, expected: Expected | None) -> Fact | None:
    """Return what would have been fair to promise when the order was created, by the earlier orders known then."""
    if expected is None or life.order.created is None:
        return None
    label = "Fair promise"
    why = (
        f"What {100 * FAIR:.0f} % of earlier orders would have kept that were placed at that hour with about as many others "
        "open, as known by the beginning of the hour"
    )
    promises: Promises = expected.promises.target_promises
    fair, keep = float(promises.fair[life.row]), float(promises.keep[life.row])
    if math.isnan(fair):
        return _fact(label, "not known", "too few orders before it", life.order.created, "mute", why)
    doomed = bool(promises.doomed[life.row])
    promised = wording.minutes_text(float(promises.promised[life.row]))
    note = f"{100 * keep:.0f} % of such orders kept {promised}{': doomed when made' if doomed else ''}"
    return _fact(label, wording.minutes_text(fair), note, life.order.created, "bad" if doomed else "", why)


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
