"""The rules of alerts as sentences that are edited, each tried on the past before it can be saved."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from twin.analysis.alerts import Rule
from twin.analysis.alerts.backtest import Backtest
from twin.analysis.alerts.figures import FIGURES
from twin.analysis.alerts.rules import FOR_S, KEEP_S
from twin.analysis.alerts.signs import PHASES
from twin.foundation.errors import CancelledError, TwinError
from twin.foundation.progress import Task
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.views.bell.bell import FollowsStore
from twin.views.shared.component import Component, module_source, style_source

if TYPE_CHECKING:
    from twin.alerts.store import Store
    from twin.alerts.trial import Trial

MOST_KITCHENS = 60
"""Kitchens that a rule can be for one by one; of more only the one that is shown."""
PROGRESS_EVERY_S = 0.25
TROUBLES = {
    "outage": "an outage", "slow_kitchen": "a slow kitchen", "driver_shortage": "a shortage of drivers",
    "slow_delivery": "slow driving", "demand_spike": "a rush",
}  # fmt: skip
"""What a sentence calls each kind of trouble."""


class AlertRules(Component):
    """The dialog in the browser. What it changes goes to the API, which knows who asks."""

    rules: list[dict[str, Any]] = param.List(  # type: ignore[assignment]
        default=[], item_type=dict, doc="The rules as JSON, with their `sentence` and `title`, the oldest first."
    )
    figures: list[dict[str, Any]] = param.List(  # type: ignore[assignment]
        default=[],
        item_type=dict,
        doc="What can be watched: `name`, `label`, `unit`, and whether something is `usual` of it.",
    )
    troubles: list[list[str]] = param.List(default=[], doc="The kinds of trouble: [name, words].")  # type: ignore[assignment]
    kitchens: list[list[str]] = param.List(default=[], doc="Kitchens that a rule can be for: [id, name].")  # type: ignore[assignment]
    place: str = param.String(default="", doc="The id of the kitchen shown.")  # type: ignore[assignment]
    problem: str = param.String(default="", doc="Why the rules are not known; empty if they are.")  # type: ignore[assignment]
    api: str = param.String(default="", doc="Address of the alerts' API, relative to the page.")  # type: ignore[assignment]

    apart: ClassVar[bool] = True
    _esm = module_source(Path(__file__).with_name("rules.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("rules.css"))]


class AlertRulesView(FollowsStore):
    """The rules of all kitchens, and what the one that is being edited would have done at one of them."""

    def __init__(
        self,
        controller: ReplayController,
        store: "Store",
        hub: Hub,
        on_go: Callable[[float, str], object],
        api: str = "",
    ) -> None:
        """`on_go(t, location)` shows a kitchen at a time that is not in the range; `api`: that of `AlertRules`."""
        super().__init__(store)
        self._controller, self._hub, self._on_go = controller, hub, on_go
        self._task, self._told_at = Task(), 0.0
        self._trial: Trial | None = None
        figures = [
            {"name": name, "label": one.label, "unit": one.unit, "usual": one.usual is not None}
            for name, one in FIGURES.items()
        ]
        self._dialog = AlertRules(
            margin=0, width=0, height=0, styles={"position": "absolute"}, api=api, figures=figures,
            troubles=[[kind, TROUBLES[kind]] for kind in PHASES],
        )  # fmt: skip
        self._dialog.join(controller)
        self._dialog.on_msg(self._on_message)
        self._dialog.retry_with(partial(self.retry, controller))
        self.reset()

    def __panel__(self) -> AlertRules:
        return self._dialog

    async def load(self) -> None:
        """Read the rules, and which kitchens there are."""
        timeline = self._controller.timeline
        place = "" if timeline is None else timeline.location.id
        locations = [one for one in self._hub.locations if one.id == place or len(self._hub.locations) <= MOST_KITCHENS]
        try:
            rules = await threads.to_source(self._store.rules)
        except TwinError as error:
            self._dialog.problem = str(error)
            return
        self._dialog.param.update(
            rules=[rule.as_json() | {"sentence": rule.sentence, "title": rule.title} for rule in rules],
            kitchens=[[one.id, one.label] for one in locations],
            place=place,
            problem="",
        )

    def _on_message(self, event: Any) -> None:
        match event.data:
            case {"try": dict() as rule, "at": str() as location, "number": int() as number}:
                self._try(rule, location, number)
            case {"stop": True}:  # the dialog is closed: what is read for it is as old as that
                self._task.cancel()
                self._trial = None
            case {"go": float() | int() as t, "at": str() as location} if not isinstance(t, bool):
                self._on_go(float(t), location)

    def _try(self, given: dict[str, Any], location: str, number: int) -> None:
        """Send what a rule would have done, and its progress meanwhile; only the last one asked for is answered."""
        self._task.cancel()
        self._task = task = Task(partial(self._report, pn.state.curdoc, number))

        def attempt() -> dict[str, Any]:
            try:
                return {"result": to_browser(self._tried(given, location, task))}
            except CancelledError:
                return {}
            except (TwinError, ValueError) as error:
                return {"problem": str(error)}

        async def compute() -> None:
            try:
                answer = await threads.insights.run(attempt)
            except TwinError as error:  # too many wait
                answer = {"problem": str(error)}
            if answer:
                self._dialog._send_msg({"number": number, **answer})

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            self._dialog._send_msg({"number": number, **attempt()})

    def _tried(self, given: dict[str, Any], location: str, task: Task) -> Backtest:
        from twin.alerts.trial import Trial  # noqa: PLC0415  # its database is for few servers

        usual = {"for_s": FOR_S, "keep_s": KEEP_S, "locations": [], "name": "", "enabled": True}
        rule = Rule.from_json({**usual, **given, "id": ""})
        task.step(0.0)
        trial = self._trial
        if trial is None or trial.location != location:
            trial = self._trial = Trial(self._hub, location)
        return trial.of(rule, task.step)

    def _report(self, document: Any, number: int, share: float, _message: str) -> None:
        """Tell the browser how far the trial has come; called in its thread."""
        now = time.monotonic()
        if document is not None and document.session_context is not None and now - self._told_at > PROGRESS_EVERY_S:
            self._told_at = now
            send = partial(self._dialog._send_msg, {"number": number, "share": round(share, 3)})
            document.add_next_tick_callback(send)


def to_browser(result: Backtest) -> dict[str, Any]:
    """Return what a rule would have done as the dialog shows it; times are data seconds."""
    return {
        "start": result.window.start,
        "end": result.window.end,
        "days": round(result.days, 2),
        "coverage": round(result.coverage, 4),
        "precision": result.precision,
        "sentence": result.sentence,
        "fired": [
            {
                "since": one.firing.since,
                "began": one.firing.began,
                "ended": one.firing.ended,
                "text": one.firing.text or _value(result.rule, one.firing.value, one.firing.usual),
                "moment": "" if one.moment is None else one.moment.title,
            }
            for one in result.fired
        ],
        "missed": [{"title": one.title, "at": one.at} for one in result.missed],
    }


def _value(rule: Rule, value: float, usual: float) -> str:
    said = getattr(rule.condition, "said_value", None)
    return "" if said is None else str(said(value, usual))
