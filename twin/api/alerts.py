"""Alerts over HTTP: what fired, the rules, what a rule would have done, and who has seen an alert.

What changes something is a POST or DELETE with a header that no form of another site can set, and that no other origin is
allowed to send; the login is that of the pages.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from twin.analysis.alerts import Evaluation, Rule
from twin.analysis.alerts.backtest import backtest, hindsight, range_of
from twin.analysis.alerts.rules import RuleError
from twin.api.handler import ApiHandler, Refusal
from twin.api.instants import instant, parse, seconds, write
from twin.api.source import current_source
from twin.api.user import EMAIL, NAME, user_url
from twin.hub import Hub
from twin.server import threads
from twin.server.process import process

if TYPE_CHECKING:
    from twin.alerts.store import Alert, Store

OWN_HEADER = "X-Twin-Request"
"""Any value; that it is there shows that no other site's form sent the request."""
MOST_BYTES = 16_384
STATES = ("firing", "recovered")


class AlertsHandler(ApiHandler):
    """All addresses under /alerts (docs/alerts.md): what fired, the rules, a backtest, and acknowledging."""

    route = asks_as = "alerts"
    methods = "GET, POST, DELETE, OPTIONS"

    def check_xsrf_cookie(self) -> None:
        """The header is asked for instead (`_given`)."""

    async def get(self, path: str) -> None:
        """Answer the list of alerts or of rules."""
        store = await self._store()
        if path == "":
            location, state = self.get_query_argument("location", ""), self.get_query_argument("state", "")
            if state and state not in STATES:
                raise Refusal(422, f"state is one of {', '.join(STATES)}.")
            begin, end = self._time("start"), self._time("end")
            alerts = await self._in_thread(lambda: store.alerts(location, state, begin, end))
            self.write({"alerts": [_alert(alert) for alert in alerts]})
        elif path == "/rules":
            rules = await self._in_thread(store.rules)
            self.write({"rules": [rule.as_json() | {"sentence": rule.sentence} for rule in rules]})
        else:
            raise Refusal(404, "There is no such address of alerts.")

    async def post(self, path: str) -> None:
        """Store a rule, try one on the past, or note that an alert was seen."""
        given, store, by = self._given(), await self._store(), self._who()
        hub = await current_source(self.request)
        if path == "/rules":
            rule = await self._in_thread(lambda: store.add(_rule(given, hub), by))
            process.alerts_changed()
            self.set_status(201)
            self.write(rule.as_json() | {"sentence": rule.sentence})
        elif path == "/backtest":
            rule = _rule(given.get("rule", {}), hub)
            place = hub.location(str(given.get("location", "")))
            self.write(await threads.insights.run(lambda: _backtest(hub, place.id, rule)))
        elif path.endswith("/acknowledge"):
            key = path.removeprefix("/").removesuffix("/acknowledge")
            alert = await self._in_thread(lambda: store.acknowledge(key, by))
            if alert is None:
                raise Refusal(404, "There is no such alert.")
            self.write(_alert(alert))
        else:
            raise Refusal(404, "There is no such address of alerts.")

    async def delete(self, path: str) -> None:
        """Delete a rule; its alerts stay."""
        self._check_own()
        store = await self._store()
        key = path.removeprefix("/rules/")
        if not path.startswith("/rules/") or not await self._in_thread(lambda: store.remove(key)):
            raise Refusal(404, "There is no such rule.")
        self.set_status(204)

    async def _store(self) -> "Store":
        await current_source(self.request)
        store = process.alerts
        if store is None:
            raise Refusal(404, "This server has no alerts: TWIN_ALERTS is not set.")
        return store

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await threads.answers.run(work)

    def _check_own(self) -> None:
        if OWN_HEADER not in self.request.headers:
            raise Refusal(403, f"Send the header {OWN_HEADER}, which shows that no other site sent this.")

    def _given(self) -> dict[str, Any]:
        self._check_own()
        if len(self.request.body) > MOST_BYTES:
            raise Refusal(413, f"Send at most {MOST_BYTES:,} bytes.")
        try:
            given = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is no JSON.") from None
        if not isinstance(given, dict):
            raise Refusal(422, "The body is a JSON object.")
        return given

    def _who(self) -> str:
        """Return who asks: by the app's proxy, else by the login; "" where nobody logs in."""
        headers = self.request.headers if user_url() else {}
        user = self.current_user
        name = user.decode(errors="replace") if isinstance(user, bytes) else str(user or "")
        return (headers.get(NAME) or headers.get(EMAIL) or name).strip()[:100]

    def _time(self, name: str) -> float | None:
        text = self.get_query_argument(name, "")
        try:
            return seconds(parse(text)) if text else None
        except ValueError:
            raise Refusal(422, f"{name} is no time.") from None


def _rule(given: Any, hub: Hub) -> Rule:
    """Return a rule as `Rule.as_json` writes it; what is left out is as usual. Raises `Refusal`."""
    if not isinstance(given, dict):
        raise Refusal(422, "A rule is a JSON object.")
    usual = {"for_s": 180.0, "keep_s": 600.0, "locations": [], "name": "", "enabled": True}
    try:
        rule = Rule.from_json({**usual, **given, "id": ""})
    except RuleError as error:
        raise Refusal(422, str(error)) from None
    for location in rule.locations:
        hub.location(location)
    return rule


def _alert(alert: "Alert") -> dict[str, Any]:
    at = {name: write(instant(t)) if t is not None else None for name, t in _times(alert).items()}
    lasted = None if alert.ended is None else (alert.ended - alert.began) / 60
    return {**asdict(alert), **at, "grouped": bool(alert.grouped), "state": alert.state, "duration_min": lasted}


def _times(alert: "Alert") -> dict[str, float | None]:
    return {name: getattr(alert, name) for name in ("since", "began", "ended", "acknowledged_at")}


def _backtest(hub: Hub, location: str, rule: Rule) -> dict[str, Any]:
    from twin.alerts.watch import history_of, promises_of  # noqa: PLC0415  # its database is for few servers

    place = hub.location(location)
    window = range_of(place.start, hub.edge(location))
    history, promises = history_of(hub, location, window.start, window.end), promises_of(hub)
    moments = hindsight(history, location, window, promises)
    result = backtest(Evaluation(history, location, promises), rule, window, moments)
    return {
        "sentence": result.sentence,
        "rule": rule.sentence,
        "start": write(instant(window.start)),
        "end": write(instant(window.end)),
        "days": round(result.days, 2),
        "coverage_pct": round(100 * result.coverage, 1),
        "precision_pct": None if result.precision is None else round(100 * result.precision, 1),
        "alerts": [
            {
                "began": write(instant(one.firing.began)),
                "ended": None if one.firing.ended is None else write(instant(one.firing.ended)),
                "duration_min": None if one.firing.duration is None else one.firing.duration / 60,
                "value": one.firing.value if math.isfinite(one.firing.value) else None,
                "text": one.firing.text,
                "moment": None if one.moment is None else one.moment.title,
                "moment_at": None if one.moment is None else write(instant(one.moment.at)),
            }
            for one in result.fired
        ],
        "missed": [{"title": one.title, "at": write(instant(one.at))} for one in result.missed],
    }
