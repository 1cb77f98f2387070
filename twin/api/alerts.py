"""Alerts over HTTP: what fired, the rules, what a rule would have done, and who has seen an alert.

What changes something is a POST, PUT or DELETE with a header that no form of another site can set, and that no other origin is
allowed to send; the login is that of the pages.
"""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from twin.analysis.alerts import Rule
from twin.analysis.alerts.backtest import Backtest
from twin.analysis.alerts.rules import RuleError
from twin.api.alert_models import (
    Acknowledgement,
    AlertEntry,
    AlertRule,
    AlertRules,
    Alerts,
    AlertsQuery,
    BacktestQuestion,
    BacktestResult,
    GivenRule,
    MissedMoment,
    WouldBe,
)
from twin.api.handler import ApiHandler, Refusal
from twin.api.instants import instant, optional_instant, seconds
from twin.api.parameters import Parameters
from twin.api.source import current_source
from twin.api.user import who
from twin.hub import Hub
from twin.server import threads
from twin.server.process import process

if TYPE_CHECKING:
    from twin.alerts.store import Alert, Store

OWN_HEADER = "X-Twin-Request"
"""Any value; that it is there shows that no other site's form sent the request."""
MOST_BYTES = 16_384
_RULE = re.compile(r"/rules/([A-Za-z0-9_-]{1,32})")
_SEEN = re.compile(r"/([A-Za-z0-9_-]+)/acknowledge")


class AlertsHandler(ApiHandler):
    """All addresses under /alerts (docs/alerts.md): what fired, the rules, a backtest, and acknowledging."""

    route = asks_as = "alerts"
    methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS"

    def check_xsrf_cookie(self) -> None:
        """The header is asked for instead (`_check_own`)."""

    async def get(self, path: str) -> None:
        """Answer the list of alerts or of rules."""
        if path == "":
            query = self.parameters(AlertsQuery)
            store = await self._store()
            begin, end = (None if t is None else seconds(t) for t in (query.start, query.end))
            alerts = await _in_thread(lambda: store.alerts(query.location, query.state or "", begin, end))
            self._send(Alerts(alerts=[entry(alert) for alert in alerts]))
        elif path == "/rules":
            self.parameters(Parameters)
            store = await self._store()
            self._send(AlertRules(rules=[rule_entry(rule) for rule in await _in_thread(store.rules)]))
        else:
            raise _nothing_here()

    head = get

    async def post(self, path: str) -> None:
        """Store a rule, try one on the past, or note that an alert was seen."""
        self._check_own()
        if path == "/rules":
            given, (store, hub) = self.body(GivenRule), await self._store_and_hub()
            rule = await self._changed(lambda: store.add(rule_of(given, hub), who(self)))
            self.set_status(201)
            self._send(rule_entry(rule))
        elif path == "/backtest":
            question, (_, hub) = self.body(BacktestQuestion), await self._store_and_hub()
            from twin.alerts.trial import Trial  # noqa: PLC0415  # its database is for few servers

            rule, place = rule_of(question.rule, hub), hub.location(question.location)
            self._send(as_answer(await threads.insights.run(lambda: Trial(hub, place.id).of(rule))))
        elif seen := _SEEN.fullmatch(path):
            said, store = self.body(Acknowledgement), await self._store()
            by = who(self) or " ".join(said.name.split())
            alert = await _in_thread(lambda: store.acknowledge(seen[1], by, said.note.strip()))
            if alert is None:
                raise Refusal(404, "There is no such alert.")
            self._send(entry(alert))
        else:
            raise _nothing_here()

    async def put(self, path: str) -> None:
        """Change a rule, or bring a deleted one back."""
        self._check_own()
        if not (named := _RULE.fullmatch(path)):
            raise _nothing_here()
        given, (store, hub) = self.body(GivenRule), await self._store_and_hub()
        rule = replace(rule_of(given, hub), id=named[1])
        self._send(rule_entry(await self._changed(lambda: store.put(rule, who(self)))))

    async def delete(self, path: str) -> None:
        """Delete a rule; its alerts stay."""
        self._check_own()
        store = await self._store()
        named = _RULE.fullmatch(path)
        if not named or not await _in_thread(lambda: store.remove(named[1])):
            raise Refusal(404, "There is no such rule.")
        self.set_status(204)

    async def _store(self) -> "Store":
        return (await self._store_and_hub())[0]

    async def _store_and_hub(self) -> "tuple[Store, Hub]":
        hub = await current_source(self.request)
        store = process.alerts
        if store is None:
            raise Refusal(404, "This server has no alerts: TWIN_ALERTS is not set.")
        return store, hub

    async def _changed(self, change: Callable[[], Rule]) -> Rule:
        """Store a rule, and have it judged now."""
        from twin.alerts.store import FullError  # noqa: PLC0415  # its database is for few servers

        try:
            rule: Rule = await _in_thread(change)
        except FullError as error:
            raise Refusal(409, str(error)) from None
        process.alerts_changed()
        return rule

    def _check_own(self) -> None:
        if OWN_HEADER not in self.request.headers:
            raise Refusal(403, f"Send the header {OWN_HEADER}, which shows that no other site sent this.")
        if len(self.request.body) > MOST_BYTES:
            raise Refusal(413, f"Send at most {MOST_BYTES:,} bytes.")

    def _send(self, answer: BaseModel) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(answer.model_dump_json())


async def _in_thread(work: Callable[[], Any]) -> Any:
    return await threads.answers.run(work)


def _nothing_here() -> Refusal:
    return Refusal(404, "There is no such address of alerts.")


def rule_of(given: GivenRule, hub: Hub) -> Rule:
    """Return a rule that was sent. Raises `Refusal`, and `UnknownLocationError`."""
    try:
        rule = Rule.from_json({**given.model_dump(), "id": ""})
    except RuleError as error:
        raise Refusal(422, str(error)) from None
    for location in rule.locations:
        hub.location(location)
    return rule


def rule_entry(rule: Rule) -> AlertRule:
    """Return a rule as the API answers it."""
    return AlertRule.model_validate({**rule.as_json(), "sentence": rule.sentence})


def entry(alert: "Alert") -> AlertEntry:
    """Return an alert as the API answers it."""
    return AlertEntry(
        id=alert.id,
        rule=alert.rule,
        location=alert.location,
        title=alert.title,
        sentence=alert.sentence,
        text=alert.text,
        state="firing" if alert.ended is None else "recovered",
        since=instant(alert.since),
        began=instant(alert.began),
        ended=optional_instant(alert.ended),
        duration_min=_minutes(None if alert.ended is None else alert.ended - alert.began),
        grouped=bool(alert.grouped),
        acknowledged_by=alert.acknowledged_by,
        acknowledged_at=optional_instant(alert.acknowledged_at),
        note=alert.note,
    )


def as_answer(result: Backtest) -> BacktestResult:
    """Return a backtest as the API answers it."""
    precision = result.precision
    return BacktestResult(
        sentence=result.sentence,
        rule=result.rule.sentence,
        start=instant(result.window.start),
        end=instant(result.window.end),
        days=round(result.days, 2),
        coverage_pct=round(100 * result.coverage, 1),
        precision_pct=None if precision is None else round(100 * precision, 1),
        alerts=[
            WouldBe(
                since=instant(one.firing.since),
                began=instant(one.firing.began),
                ended=optional_instant(one.firing.ended),
                duration_min=_minutes(one.firing.duration),
                value=one.firing.value if math.isfinite(one.firing.value) else None,
                text=one.firing.text,
                moment=None if one.moment is None else one.moment.title,
                moment_at=None if one.moment is None else instant(one.moment.at),
            )
            for one in result.fired
        ],
        missed=[MissedMoment(title=one.title, at=instant(one.at)) for one in result.missed],
    )


def _minutes(seconds_: float | None) -> float | None:
    return None if seconds_ is None else seconds_ / 60
