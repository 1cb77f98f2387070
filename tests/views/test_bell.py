"""The bell lists the alerts of the kitchen shown, and hears of others while the page is open."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import twin
from tests.fake_timeline import DAY0, FakeController, FakeTimeline, send_message
from twin.alerts.store import Store
from twin.alerts.trial import Trial
from twin.analysis.alerts import FigureCondition, Firing, Machine, Rule
from twin.replay.controller import ReplayController
from twin.views.bell.bell import BellView, to_browser
from twin.views.bell.rules import AlertRulesView

LATE = Rule(FigureCondition("delivery_time", 2700.0, 2400.0), name="<b>Late", id="late")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'alerts.db'}")
    opened.put(LATE, "")
    yield opened
    opened.close()


def fire(store: Store, place: str, began: float, ended: float | None = None) -> None:
    changes = [Firing(began - 60.0, began, 3000.0)]
    changes += [] if ended is None else [replace(changes[0], ended=ended)]
    store.advance(LATE, place, Machine(ended or began), changes, channels=[])


def test_it_lists_the_kitchens_alerts_and_who_has_seen_them(store: Store) -> None:
    timeline = FakeTimeline([{"created": DAY0}])
    place = timeline.location.id
    fire(store, place, DAY0 + 600.0, DAY0 + 1200.0)
    fire(store, place, DAY0 + 1800.0)
    fire(store, "elsewhere", DAY0 + 1800.0)
    store.acknowledge(store.alerts(place)[0].id, "Ada", "Two drivers come.")
    view = BellView(FakeController(timeline), store, lambda t: None)

    asyncio.run(view.load())

    firing, over = view.__panel__().alerts
    assert (firing["title"], firing["text"], firing["since"]) == ("<b>Late", "Delivery time 50 min", DAY0 + 1740.0)
    assert (firing["ended"], firing["seen_by"], firing["note"]) == (None, "Ada", "Two drivers come.")
    assert (over["began"], over["ended"], over["seen_by"], over["seen_at"]) == (DAY0 + 600.0, DAY0 + 1200.0, None, None)


def test_somebody_without_a_name_has_seen_it_all_the_same(store: Store) -> None:
    fire(store, "x", 60.0)
    seen = store.acknowledge(store.alerts("x")[0].id, "")
    assert seen is not None
    assert (to_browser(seen)["seen_by"], to_browser(seen)["note"]) == ("", "")


def test_a_database_that_cannot_be_read_is_said_and_no_failure(store: Store) -> None:
    view = BellView(FakeController(FakeTimeline([{"created": DAY0}])), store, lambda t: None)
    store._do(lambda connection: connection.exec_driver_sql("DROP TABLE alerts"))

    asyncio.run(view.load())

    assert view.__panel__().problem.startswith("The database of alerts cannot be used")
    assert view.__panel__().failure == ""


def test_a_time_elsewhere_is_gone_to_and_nothing_else_is_heard(store: Store) -> None:
    gone: list[float] = []
    view = BellView(FakeController(FakeTimeline([{"created": DAY0}])), store, gone.append)
    for message in ({"go": DAY0}, {"go": True}, {"go": "now"}, {"go": None}, {}):
        send_message(view.__panel__(), message)
    assert gone == [DAY0]


@pytest.mark.slow
def test_a_rule_is_tried_on_the_demos_past_and_a_newer_one_takes_its_place(store: Store, demo: Path) -> None:
    hub = twin.open(demo)
    controller = ReplayController()
    controller.load(hub.timeline("sanfrancisco"))
    view = AlertRulesView(controller, store, hub, lambda t, location: None)
    dialog = view.__panel__()
    answers: list[dict[str, Any]] = []
    dialog._send_msg = answers.append  # type: ignore[method-assign]
    asyncio.run(view.load())
    assert [rule["sentence"] for rule in dialog.rules] == [LATE.sentence]
    assert dialog.place == "sanfrancisco"
    assert "sanfrancisco" in dict(dialog.kitchens)

    rule = {"figure": {"figure": "orders_per_hour", "limit": 60.0, "recovery": 50.0}, "for_s": 0.0}
    send_message(dialog, {"try": rule, "at": "sanfrancisco", "number": 1})
    (answer,) = answers
    assert answer["number"] == 1
    result = answer["result"]
    wanted = Trial(hub, "sanfrancisco").of(Rule(FigureCondition("orders_per_hour", 60.0, 50.0), 0.0))
    assert [one["began"] for one in result["fired"]] == [one.firing.began for one in wanted.fired]
    assert (result["coverage"], result["precision"]) == (pytest.approx(wanted.coverage, abs=1e-4), wanted.precision)
    assert result["fired"]
    assert result["fired"][0]["text"].startswith("Orders per hour 6")
    assert 0 < result["coverage"] <= 1

    answers.clear()
    send_message(
        dialog, {"try": {"figure": {"figure": "delivery_time", "limit": 1, "recovery": 2}}, "at": "x", "number": 2}
    )
    send_message(dialog, {"try": rule, "at": "nowhere", "number": 3})
    assert [answer["number"] for answer in answers] == [2, 3]
    assert "recovery limit" in answers[0]["problem"]
    assert "nowhere" in answers[1]["problem"]
