"""Alerts over HTTP: who may change something, what a rule would have done, and that what is wrong says so."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.serving import Answer, fetch
from tests.sources.test_files import ROWS, write_csv
from twin.analysis.alerts import Firing, Machine
from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings
from twin.server.process import process

OWN = {"X-Twin-Request": "1"}
RULE = {"figure": {"figure": "delivery_time", "limit": 2700.0, "recovery": 2400.0}, "name": "<b>Late"}


@contextmanager
def alerting(folder: Path) -> Iterator[None]:
    """Let this process tell of a small file, with alerts in a database of their own."""
    process.use(None)
    source = write_csv(folder / "events.csv", ROWS)
    process.configure(Settings(source=str(source), alerts=f"sqlite:///{folder / 'alerts.db'}"))
    process.hub()
    yield
    process.use(None)


@pytest.fixture
def server(routes: str, tmp_path: Path) -> Iterator[str]:
    with alerting(tmp_path):
        yield routes


@pytest.fixture(scope="module")
def refusing(routes: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for what is refused: nothing changes there, so that a rule that got through fails all tests after it, too."""
    with alerting(tmp_path_factory.mktemp("refusing")):
        yield routes


def ask(server: str, method: str, path: str, given: Any = None, headers: dict[str, str] = OWN) -> tuple[int, Any]:
    body = None if given is None else json.dumps(given).encode()
    answer: Answer = fetch(f"{server}/api/v1/alerts{path}", headers, method, body)
    return answer.status, json.loads(answer.body) if answer.body else None


def test_a_rule_is_stored_tried_and_deleted_and_an_alert_acknowledged(server: str) -> None:
    status, rule = ask(server, "POST", "/rules", RULE)
    assert status == 201
    assert rule["sentence"] == "Delivery time over 45 min for 3 min, until it is under 40 min for 10 min"
    status, listed = ask(server, "GET", "/rules")
    assert [one["id"] for one in listed["rules"]] == [rule["id"]]
    place = process.hub().locations[0].id
    status, result = ask(server, "POST", "/backtest", {"rule": RULE, "location": place})
    assert status == 200
    assert result["sentence"].startswith("Would not have fired")
    assert result["alerts"] == []
    (stored,) = process.alerts.rules()
    process.alerts.advance(stored, place, Machine(), [Firing(0.0, 60.0, 3000.0)], channels=[])
    (alert,) = ask(server, "GET", f"?location={place}&state=firing")[1]["alerts"]
    assert (alert["title"], alert["text"], alert["began"]) == (
        "<b>Late",
        "Delivery time 50 min",
        "1970-01-01T00:01:00Z",
    )
    assert alert["acknowledged_at"] is None
    status, seen = ask(server, "POST", f"/{alert['id']}/acknowledge", {})
    assert status == 200
    assert seen["acknowledged_at"]
    assert ask(server, "DELETE", f"/rules/{rule['id']}")[0] == 204
    assert ask(server, "GET", "?state=firing")[1]["alerts"] == []
    assert ask(server, "DELETE", f"/rules/{rule['id']}")[0] == 404


def test_a_rule_is_changed_and_a_deleted_one_brought_back(server: str) -> None:
    _, rule = ask(server, "POST", "/rules", RULE)
    changed = {name: value for name, value in rule.items() if name not in ("id", "sentence")}
    place = process.hub().locations[0].id

    def fire(t: float) -> None:
        (stored,) = process.alerts.rules()
        process.alerts.advance(stored, place, Machine(t + 60.0), [Firing(t, t, 3000.0)], channels=[])

    def firing() -> int:
        return len(ask(server, "GET", "?state=firing")[1]["alerts"])

    fire(60.0)
    status, renamed = ask(server, "PUT", f"/rules/{rule['id']}", changed | {"name": "Late again"})
    assert (status, renamed["name"], renamed["id"], firing()) == (200, "Late again", rule["id"], 1)
    assert ask(server, "PUT", f"/rules/{rule['id']}", changed | {"enabled": False})[0] == 200
    (over,) = ask(server, "GET", "")[1]["alerts"]
    assert (over["state"], over["ended"], over["duration_min"]) == ("recovered", "1970-01-01T00:02:00Z", 1.0)
    assert ask(server, "DELETE", f"/rules/{rule['id']}")[0] == 204
    assert ask(server, "PUT", f"/rules/{rule['id']}", changed)[1]["id"] == rule["id"]
    assert [one["name"] for one in ask(server, "GET", "/rules")[1]["rules"]] == ["<b>Late"]


def test_who_has_seen_an_alert_says_who_it_is_and_what_is_done(server: str) -> None:
    ask(server, "POST", "/rules", RULE)
    (stored,) = process.alerts.rules()
    process.alerts.advance(stored, "x", Machine(), [Firing(60.0, 60.0, 3000.0)], channels=[])
    (alert,) = process.alerts.alerts()
    for name, note in (("  Ada\n Lovelace ", "<i>two drivers"), ("Bob", "me, too")):
        status, seen = ask(server, "POST", f"/{alert.id}/acknowledge", {"name": name, "note": note})
        assert (status, seen["acknowledged_by"], seen["note"]) == (200, "Ada Lovelace", "<i>two drivers")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/rules"), ("PUT", "/rules/x"), ("POST", "/x/acknowledge"), ("DELETE", "/rules/x")],
)
def test_another_sites_form_changes_nothing(refusing: str, method: str, path: str) -> None:
    assert ask(refusing, method, path, None if method == "DELETE" else RULE, headers={})[0] == 403
    assert process.alerts.rules() == []


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/rules", [], 422),
        ("/rules", {}, 422),
        ("/rules", {"figure": "delivery_time"}, 422),
        ("/rules", {"figure": {"figure": "delivery_time", "limit": "1", "recovery": "2"}}, 422),
        ("/rules", RULE | {"locations": ["nowhere"]}, 404),
        ("/rules", RULE | {"locations": 5}, 422),
        ("/rules", RULE | {"for_s": 1e9}, 422),
        ("/rules", {**RULE, "name": "x" * 20_000}, 413),
        ("/backtest", {"rule": RULE, "location": "nowhere"}, 404),
        ("/backtest", {"rule": 5, "location": "nowhere"}, 422),
        ("/rules", RULE | {"for_s": "180"}, 422),
        ("/rules", RULE | {"trouble": {"kind": "outage"}}, 422),
        ("/rules", RULE | {"secret": 1}, 422),
        ("/none/acknowledge", {}, 404),
        ("/none/acknowledge", {"note": "x" * 501}, 422),
        ("/none/acknowledge", {"name": "\ud800"}, 400),
        ("/none", {}, 404),
    ],
)
def test_what_is_wrong_is_refused(refusing: str, path: str, given: Any, status: int) -> None:
    assert ask(refusing, "POST", path, given)[0] == status
    assert process.alerts.rules() == []


@pytest.mark.parametrize("path", ["?state=loud", "?start=yesterdayish"])
def test_a_wrong_filter_is_refused(refusing: str, path: str) -> None:
    assert ask(refusing, "GET", path)[0] == 422


def test_without_the_setting_there_are_none(routes: str, tmp_path: Path) -> None:
    process.use(None)
    process.configure(Settings(source=str(write_csv(tmp_path / "events.csv", ROWS))))
    assert ask(routes, "GET", "")[0] == 404
    process.use(None)


def test_settings_of_alerts(tmp_path: Path) -> None:
    read = Settings.from_environment
    assert read({}).alerts == ""
    assert read({"TWIN_ALERTS": "on", "TWIN_SECRETS": str(tmp_path)}).alerts == f"sqlite:///{tmp_path}/alerts.db"
    hook = {"TWIN_ALERTS_WEBHOOK": "https://example.org/hook", "TWIN_ALERTS_SECRET": "sixteen characters"}
    assert read(hook).alerts_webhook == "https://example.org/hook"
    assert "sixteen" not in repr(read(hook))
    for wrong in ({"TWIN_ALERTS_WEBHOOK": "file:///etc/passwd"}, {"TWIN_ALERTS_WEBHOOK": "https://example.org"}):
        with pytest.raises(ConfigError):
            read(wrong)
