"""Why late? The delay ledger of the last hour, or of the loop or range so far: from the promise to the delivery time."""

import time
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param

from twin.analysis.common_traits import common_traits, traits_of
from twin.analysis.ledger import NAMES, PARTS, Account, Bools, Ledger, ledger_of
from twin.analysis.metrics import TRAILING
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

MINUTE = 60.0
UPDATE_S = 1.0
"""The ledger moves at most once a second while a replay plays."""
WORST = 30
"""Orders that a part's list names."""
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
        default="hour", objects=["hour", "range"], doc="The last 60 minutes, or the loop or range."
    )
    part = param.String(default="", doc="The part whose orders are listed; empty: none.")
    worst: list[list[Any]] = param.List(  # type: ignore[assignment]
        default=[], doc="The orders to which that part added most: row, id, minutes more than usual, minutes late."
    )

    shared: list[str] = param.List(  # type: ignore[assignment]
        default=[], item_type=str, doc="What the late orders share that the others do not, a sentence each."
    )

    _esm = module_source(Path(__file__).with_name("why.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("why.css"))]


class WhyView(ReplayView):
    """The delay ledger as it was known at the playhead: of what had been delivered by it, against what other days say is usual.

    Of the last 60 minutes it has the deliveries of the delivery time's card, of the loop or range those of orders that began in
    it. With hindsight it has all of the loop's or range's orders, and compares them with all that is known now.
    """

    active = param.Boolean(default=True, doc="Whether it can be seen; otherwise nothing is computed or sent.")

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._ledger: Ledger | None = None
        self._timeline: Timeline | None = None
        self._shown: tuple[float, float, float, bool] | None = None
        self._updated_at = -UPDATE_S
        self._panel = WhyPanel(sizing_mode="stretch_both", margin=0)
        self._panel.join(controller)
        self._panel.on_msg(self._on_message)
        self._panel.retry_with(partial(self.retry, controller))
        self.follow(self, "active", self.learn)

    def __panel__(self) -> WhyPanel:
        return self._panel

    def reset(self) -> None:
        """Drop the ledger of the previous timeline."""
        self._ledger, self._timeline, self._shown = None, self._controller.timeline, None
        self._panel.param.update(state={}, part="", worst=[], shared=[])

    def learn(self) -> None:
        """Compute the ledger in a thread, once it is seen and what is usual is known."""
        insights, timeline = self._controller.insights, self._controller.timeline
        if not self.active or timeline is None or insights is None or insights.timeline is not timeline:
            return
        if self._ledger is not None:
            self.show(timeline.at(self._controller.now()))
            return
        target = self._controller.settings.delivery_target_s

        def make() -> Ledger:
            made = ledger_of(timeline, insights.baseline, target)
            made.account()
            made.as_known(timeline.window.end)
            timeline.cached(traits_of)
            return made

        async def compute() -> None:
            ledger = await threads.to_source(make)
            if self._controller.timeline is timeline:
                self._ledger, self._timeline = ledger, timeline
                self.show(timeline.at(self._controller.now()))

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            self._ledger, self._timeline = make(), timeline
            self.show(timeline.at(self._controller.now()))

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Show the ledger as of the snapshot."""
        if not self.active or self._ledger is None or self._controller.timeline is not self._timeline:
            return
        now = (self._controller.start, self._controller.end, snapshot.t, self._controller.hindsight)
        wall = time.monotonic()
        if now == self._shown or (self._controller.playing and wall - self._updated_at < UPDATE_S):
            return
        self._shown, self._updated_at = now, wall
        self._update()

    def _update(self) -> None:
        if self._ledger is None or self._timeline is None or self._shown is None:
            return
        *_, t, hindsight = self._shown
        ledger = self._ledger if hindsight else self._ledger.as_known(t)
        among = self._among(ledger)
        state = {**_state(ledger.account(among)), "hindsight": hindsight}
        shared = common_traits(self._timeline.cached(traits_of), ledger.late, among)
        sentences = [one.sentence for one in shared[:MOST_SHARED]]
        if state != self._panel.state or sentences != self._panel.shared:
            self._panel.param.update(state=state, shared=sentences)
        self._list(ledger, among)

    def _among(self, ledger: Ledger) -> Bools:
        """Return which deliveries it is about, (n,) bool."""
        assert self._timeline is not None
        assert self._shown is not None
        orders, (start, end, t, _) = self._timeline.orders, self._shown
        if self._panel.scope == "hour":
            return ledger.counted & (orders.delivered <= t) & (orders.delivered > t - TRAILING)
        return ledger.counted & (orders.began >= start) & (orders.began < end)

    def _list(self, ledger: Ledger, among: Bools) -> None:
        timeline, part = self._timeline, self._panel.part
        assert timeline is not None
        worst: list[list[Any]] = []
        if part:
            rows, column = np.flatnonzero(among), PARTS.index(part)
            more = ledger.parts[rows, column] - ledger.usual[rows, column]
            largest = np.argsort(-more, kind="stable")[:WORST]
            worst = [
                [row, str(timeline.orders.ids[row].as_py()), _tenths(beyond), _tenths(total - ledger.target)]
                for row, beyond, total in zip(
                    rows[largest].tolist(), more[largest].tolist(), ledger.total[rows[largest]].tolist(), strict=True
                )
                if beyond > 0
            ]
        if worst != self._panel.worst:
            self._panel.worst = worst

    def _on_message(self, event: Any) -> None:
        match event.data:
            case {"part": str() as part} if part in ("", *PARTS):
                self._panel.part = part
                self._update()
            case {"scope": "hour" | "range" as scope}:
                self._panel.scope = scope
                self._update()


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
        "usual": _tenths(beyond["usual"]),
        "mean": _tenths(account.total_s / n),
        "steps": steps,
    }
