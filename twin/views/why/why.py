"""Why late? The delay ledger of the last hour, or of the loop or range so far: from the promise to the delivery time."""

import time
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray
from panel.io.document import hold

from twin.analysis.common_traits import CommonTrait, common_traits, traits_of
from twin.analysis.ledger import NAMES, PARTS, Account, Bools, Ledger, ledger_of
from twin.analysis.metrics import TRAILING
from twin.analysis.promise import promises_of
from twin.replay.controller import ReplayController
from twin.replay.selection import Group
from twin.server import threads
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted, moved
from twin.views.shared.view import ReplayView
from twin.views.why.fairness import promise_rows

MINUTE = 60.0
UPDATE_S = 1.0
"""The ledger moves at most once a second while a replay plays."""
WORST = 30
"""Orders that a part's list names, and to which all views are narrowed then."""
SCOPES = ("hour", "range", "stage", "group")
"""The deliveries that it can be about."""
UNDELIVERED = "None of the orders in this stage is delivered yet. With hindsight it is known what came of them."
UNDELIVERED_LATER = "None of the orders in this stage was delivered."
MOST_SHARED = 3
"""Traits that are named."""


class WhyPanel(Component):
    """The waterfall in the browser."""

    state = param.Dict(
        default={},
        doc="`sentence`, `orders`, `late`, `target`, `mean`, and `steps`: of each part its minutes, and what it made late; "
        "`hindsight`: whether it knows what comes after the playhead; empty while it is computed.",
    )
    scope: str = param.Selector(  # type: ignore[assignment]
        default="hour",
        objects=list(SCOPES),
        doc="The last 60 minutes, the loop or range, the orders of the selection's stage, or those of its group.",
    )
    part = param.String(default="", doc="The part whose orders are listed; empty: none.")
    worst: list[list[Any]] = param.List(  # type: ignore[assignment]
        default=[],
        doc="The orders to which that part added most when it was chosen: row, id, minutes more than usual, minutes late; both "
        "None where it is not delivered yet.",
    )

    shared: list[dict[str, Any]] = param.List(  # type: ignore[assignment]
        default=[],
        doc="What the late orders share that the others do not, or those of a group that the range's others do not: `label`, "
        "`sentence` and how sure that is, `surely`.",
    )
    trait = param.String(default="", doc="The label of what they share whose orders are listed; empty: none.")

    promises: list[dict[str, Any]] = param.List(  # type: ignore[assignment]
        default=[], doc="Of each kind of promise whether it was fair, see `promise_rows`."
    )

    _esm = module_source(Path(__file__).with_name("why.js"))
    _stylesheets: ClassVar[list[Any]] = [
        style_source(Path(__file__).with_name(name)) for name in ("why.css", "fairness.css")
    ]


class WhyView(ReplayView):
    """The delay ledger as it was known at the playhead: of what had been delivered by it, against what other days say is usual.

    Of the last 60 minutes it has the deliveries of the delivery time's card, of the loop or range those of orders that began in
    it. With hindsight it has all of the loop's or range's orders, and compares them with all that is known now. It can also be
    about the orders of the selection: those in its stage, or in its group. A part that is chosen becomes such a group.
    """

    active = param.Boolean(default=True, doc="Whether it can be seen; otherwise nothing is computed or sent.")

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._ledger: Ledger | None = None
        self._timeline: Timeline | None = None
        self._shown: tuple[float, float, float, bool] | None = None
        self._updated_at = -UPDATE_S
        self._group: Group | None = None  # the orders of the chosen part
        self._wanted = ""  # the part to choose once the ledger is there
        self._panel = WhyPanel(sizing_mode="stretch_both", margin=0)
        self._panel.join(controller)
        self._panel.on_msg(self._on_message)
        self._panel.retry_with(partial(self.retry, controller))
        self.follow(self, "active", self.learn)
        self.follow(controller.selection, ["stage", "group"], self._on_selection)

    def __panel__(self) -> WhyPanel:
        return self._panel

    def reset(self) -> None:
        """Drop the ledger of the previous timeline."""
        self._ledger, self._timeline, self._shown = None, self._controller.timeline, None
        self._outdated = False
        self._group = None
        self._panel.param.update(state={}, part="", trait="", worst=[], shared=[], promises=[])

    def extend(self, inserted: Inserted) -> None:
        """Go on with the ledger of the timeline before: one of the later timeline comes with `learn`."""
        self._outdated = True
        if len(inserted) and self._panel.worst:
            self._panel.worst = [[moved(row, inserted), *rest] for row, *rest in self._panel.worst]

    def learn(self) -> None:
        """Compute the ledger in a thread, once it is seen and what is usual is known."""
        insights, timeline = self._controller.insights, self._controller.timeline
        if not self.active or timeline is None or insights is None or insights.timeline is not timeline:
            return
        if self._ledger is not None and not self._outdated:
            self.show(timeline.at(self._controller.now()))
            return
        self._outdated = False
        target = self._controller.settings.delivery_target_s

        def make() -> Ledger:
            made = ledger_of(timeline, insights.baseline, target)
            made.account()
            made.as_known(timeline.window.end)
            timeline.cached(traits_of)
            list(promises_of(timeline, insights.baseline, target).kinds)
            return made

        async def compute() -> None:
            ledger = await threads.to_source(make)
            if self._controller.timeline is timeline or self._controller.state != "replay":
                self._ledger, self._timeline = ledger, timeline
                self.show(timeline.at(self._controller.now()))

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            self._ledger, self._timeline = make(), timeline
            self.show(timeline.at(self._controller.now()))

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Show the ledger as of the snapshot."""
        if not self.active or self._ledger is None:
            return
        if self._controller.timeline is not self._timeline and self._controller.state == "replay":
            return
        now = (self._controller.start, self._controller.end, snapshot.t, self._controller.hindsight)
        wall = time.monotonic()
        if now == self._shown or (self._controller.playing and wall - self._updated_at < UPDATE_S):
            return
        turned = self._shown is not None and self._shown[-1] != now[-1]
        self._shown, self._updated_at = now, wall
        if turned and self._group is not None:  # other orders may be the worst of those that count now
            self._wanted = self._panel.part
        self._update()

    def explain(self, part: str) -> None:
        """Show the last 60 minutes and list the orders of a part (of another cause none), as soon as that can be seen."""
        self._panel.scope, self._wanted = "hour", part if part in PARTS else ""
        self._shown = None
        timeline = self._controller.timeline
        with hold():
            self._controller.selection.select(None)  # an open order would cover it
            if timeline is not None:
                self.show(timeline.at(self._controller.now()))

    def _update(self) -> None:
        if self._ledger is None or self._timeline is None or self._shown is None:
            return
        if self._wanted:
            part, self._wanted = self._wanted, ""
            self._choose(part)
        ledger = self._as_of_now()
        among = self._among(ledger)
        account = ledger.account(among)
        state = {**_state(account), "hindsight": self._shown[-1]}
        if not account.orders and self._panel.scope == "stage":
            state["sentence"] = UNDELIVERED_LATER if self._shown[-1] else UNDELIVERED
        shared = [_shared(one) for one in self._in_common(ledger)]
        worst = [] if self._group is None else self._worst(ledger, np.array(self._group.rows))
        promises = promise_rows(promises_of(self._timeline, ledger.baseline, ledger.target), among)
        sent = {"state": state, "shared": shared, "worst": worst, "promises": promises}
        self._panel.param.update(**{name: value for name, value in sent.items() if value != getattr(self._panel, name)})

    def _as_of_now(self) -> Ledger:
        """Return the ledger by which it speaks."""
        assert self._ledger is not None
        assert self._shown is not None
        *_, t, hindsight = self._shown
        return self._ledger if hindsight else self._ledger.as_known(t)

    def _among(self, ledger: Ledger) -> Bools:
        """Return which deliveries it is about, (n,) bool."""
        assert self._timeline is not None
        assert self._shown is not None
        orders, (start, end, t, _) = self._timeline.orders, self._shown
        selection = self._controller.selection
        match self._panel.scope:
            case "hour":
                return ledger.counted & (orders.delivered <= t) & (orders.delivered > t - TRAILING)
            case "stage" if selection.stage:
                return ledger.counted & _rows(len(orders), self._timeline.membership.at(t, selection.stage).order)
            case "group" if selection.group is not None:
                return ledger.counted & _rows(len(orders), np.array(selection.group.rows))
            case _:
                return ledger.counted & (orders.began >= start) & (orders.began < end)

    def _choose(self, part: str) -> None:
        """List the orders of a part, and narrow all views to them; empty: show all orders again."""
        assert self._timeline is not None
        self._panel.param.update(part=part, trait="")
        rows: list[int] = []
        if part:
            ledger, column = self._as_of_now(), PARTS.index(part)
            among = np.flatnonzero(self._among(ledger))
            more = ledger.parts[among, column] - ledger.usual[among, column]
            largest = np.argsort(-more, kind="stable")[:WORST]
            rows = among[largest[more[largest] > 0]].tolist()
        self._narrow(f"{NAMES[part]} {self._when()}" if part else "", rows)

    def _choose_trait(self, label: str) -> None:
        """List the late orders that share something, and narrow all views to them; empty: show all orders again."""
        ledger = self._as_of_now()
        one = next((one for one in self._in_common(ledger) if one.label == label), None)
        rows: list[int] = []
        if one is not None:
            rows = one.rows[np.argsort(-ledger.total[one.rows], kind="stable")].tolist()
        self._panel.param.update(part="", trait=label if rows else "")
        self._narrow(f"{label[:1].upper()}{label[1:]} {self._when()}", rows)

    def _in_common(self, ledger: Ledger) -> list[CommonTrait]:
        """Return what stands out among the late orders, or, of a group that is not ours, among its orders in the range."""
        assert self._timeline is not None
        assert self._shown is not None
        among, some = self._among(ledger), ledger.late
        if self._panel.scope == "group":
            orders, (start, end, *_) = self._timeline.orders, self._shown
            some, among = among, ledger.counted & (orders.began >= start) & (orders.began < end) | among
        return common_traits(self._timeline.cached(traits_of), some, among)[:MOST_SHARED]

    def _narrow(self, label: str, rows: list[int]) -> None:
        """Narrow all views to some orders; none: show all orders again."""
        self._group = None
        selection = self._controller.selection
        if rows:
            if self._panel.scope == "stage":  # which goes, since all views are narrowed to the group
                self._panel.scope = "hour"
            self._group = selection.gather(label, rows)
        elif selection.group is not None:
            selection.show_all()

    def _when(self) -> str:
        """Return the stretch of time that it is about, as the kitchen's clock has it."""
        assert self._shown is not None
        start, end, t, hindsight = self._shown
        scope, tz = self._panel.scope, self._controller.tz
        if scope in ("stage", "group"):
            return f"at {tz.clock(t)}"
        first, last = (t - TRAILING, t) if scope == "hour" else (start, end if hindsight else min(t, end))
        return f"{tz.clock(first)}–{tz.clock(last)}"

    def _worst(self, ledger: Ledger, rows: NDArray[np.int64]) -> list[list[Any]]:
        timeline, part = self._timeline, self._panel.part
        assert timeline is not None
        if part:
            column = PARTS.index(part)
            more = ledger.parts[rows, column] - ledger.usual[rows, column]
        else:
            more = ledger.total[rows] - ledger.usual[rows].sum(axis=1)
        late = ledger.total[rows] - ledger.target
        known = ledger.counted[rows]
        return [
            [row, str(timeline.orders.ids[row].as_py()), *([_tenths(m), _tenths(over)] if seen else [None, None])]
            for row, m, over, seen in zip(rows.tolist(), more.tolist(), late.tolist(), known.tolist(), strict=True)
        ]

    def _on_selection(self) -> None:
        """Follow what all views are narrowed to: another group than ours, or none, is no part of ours."""
        selection, panel = self._controller.selection, self._panel
        if self._group is not None and selection.group is not self._group:
            self._group = None
            panel.param.update(part="", trait="", worst=[])
        if (panel.scope == "stage" and not selection.stage) or (panel.scope == "group" and selection.group is None):
            panel.scope = "hour"
        elif panel.scope not in ("stage", "group"):
            return
        self._update()

    def _on_message(self, event: Any) -> None:
        with hold():  # one message for all views
            match event.data:
                case {"part": str() as part} if part in ("", *PARTS) and self._shown is not None:
                    self._choose(part)
                    self._update()
                case {"trait": str() as label} if self._shown is not None and self._ledger is not None:
                    self._choose_trait(label)
                    self._update()
                case {"scope": str() as scope} if scope in SCOPES:
                    self._panel.scope = scope
                    if self._panel.trait and scope not in ("stage", "group") and self._shown is not None:
                        self._choose_trait("")
                    if self._panel.part and scope not in ("stage", "group") and self._shown is not None:
                        self._choose(self._panel.part)
                    self._update()


def _rows(n: int, rows: NDArray[Any]) -> Bools:
    chosen = np.zeros(n, bool)
    chosen[rows] = True
    return chosen


def _shared(one: CommonTrait) -> dict[str, Any]:
    """Return a trait as JSON."""
    low, high = 100 * one.low, 100 * one.high
    surely = (
        f"{one.number} of {one.of} orders. The difference is {low:.0f} to {high:.0f} points (95 %); as large by chance, among "
        f"all that was looked at: {one.chance:.1g}"
    )
    return {"label": one.label, "sentence": one.sentence, "surely": surely}


def _tenths(seconds: float) -> float:
    return round(seconds / MINUTE, 1) + 0.0  # no −0.0


def _state(account: Account) -> dict[str, Any]:
    """Return an account as JSON, minutes."""
    n = account.orders
    if not n:
        return {"sentence": account.sentence, "orders": 0, "late": 0, "steps": []}
    beyond = dict(account.steps)
    steps = [
        {
            "part": part,
            "label": NAMES[part],
            "beyond": _tenths(beyond[part]),
            "mean": _tenths(float(account.parts[k]) / n),
            "usual": _tenths(float(account.usual[k]) / n),
            "late_min": round(float(account.causes[k]) / MINUTE),
            "late": round(float(account.late_by[k]), 1),
            "alone": round(account.alone[k]),
            "needed": round(account.needed[k]),
        }
        for k, part in enumerate(PARTS)
        if account.parts[k] or account.usual[k]
    ]
    return {
        "sentence": account.sentence,
        "orders": n,
        "late": account.late,
        "late_min": round(account.late_s / MINUTE),
        "target": _tenths(account.target),
        "promise": _tenths(beyond["promise"]),
        "usual": _tenths(beyond["promise"] + beyond["usual"]),
        "mean": _tenths(account.total_s / n),
        "steps": steps,
    }
