"""Rules and alerts on the disk, the watch at a growing record, and what is sent of it."""

import hmac
import json
import math
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import worlds
from benchmarks.worlds import HOUR, MINUTE
from tests.alerts.conftest import Clock
from tests.analysis.alerts.test_evaluation import cut
from twin.alerts import store as storing
from twin.alerts import watch as watching
from twin.alerts.sender import FIRST_WAIT_S, GIVEN_UP_S
from twin.alerts.store import BUDGET, WEBHOOK, FullError, Store, StoreError
from twin.alerts.watch import Watch
from twin.alerts.webhook import Webhook, signature
from twin.analysis.alerts import FigureCondition, Firing, Machine, Rule, TroubleCondition
from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings

LATE = Rule(FigureCondition("delivery_time", 2700.0, 2400.0), name="Late")
SECRET = "a secret of the receiver"


def fire(
    store: Store,
    rule: Rule,
    began: float,
    ended: float | None = None,
    place: str = "x",
    channels: Sequence[str] = (WEBHOOK,),
) -> None:
    changes = [Firing(began, began, 3000.0)]
    if ended is not None:
        changes.append(Firing(began, began, 3000.0, ended=ended))
    store.advance(rule, place, Machine(changes[-1].ended or began), changes, channels)


def test_what_is_stored_is_there_after_a_restart(tmp_path: Path, store: Store, clock: Clock) -> None:
    rule = store.add(LATE, "ada")
    fire(store, rule, 100.0)
    machine = Machine(5.0, since=3.0, firing=Firing(1.0, 2.0, text="so"))
    store.advance(rule, "y", machine, [], channels=[WEBHOOK])
    again = Store(f"sqlite:///{tmp_path / 'alerts.db'}", clock)
    assert again.rules() == [rule]
    assert repr(again.machine(rule.id, "y")) == repr(machine)
    (alert,) = again.alerts()
    assert (alert.title, alert.state, alert.text) == ("Late", "firing", "Delivery time 50 min")
    assert again.acknowledge(alert.id, "ada").acknowledged_by == "ada"
    assert again.acknowledge(alert.id, "bob").acknowledged_by == "ada"
    assert again.acknowledge("none", "bob") is None
    assert again.remove(rule.id)
    assert not again.remove(rule.id)
    assert again.alerts(state="firing") == []
    again.close()


def test_a_step_of_a_rule_that_was_changed_or_deleted_meanwhile_does_nothing(store: Store) -> None:
    rule = store.add(LATE, "ada")
    fire(store, rule, 100.0)
    store.put(replace(rule, for_s=600.0), "bob")
    fire(store, rule, 200.0)
    (alert,) = store.alerts()
    assert (alert.began, alert.ended) == (100.0, 100.0)
    assert math.isnan(store.machine(rule.id, "x").t)
    store.remove(rule.id)
    fire(store, replace(rule, for_s=600.0), 300.0)
    assert len(store.alerts()) == 1


def test_a_database_of_the_version_before_gets_the_note(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "alerts.db"
    Store(f"sqlite:///{path}", clock).close()
    with sqlite3.connect(path) as before:
        before.execute("ALTER TABLE alerts DROP COLUMN note")
    store = Store(f"sqlite:///{path}", clock)
    fire(store, store.add(LATE, "ada"), 100.0)
    assert store.acknowledge(store.alerts()[0].id, "ada", "seen").note == "seen"
    store.close()


def test_everybody_is_called_after_each_change(store: Store) -> None:
    called: list[int] = []
    store.changed.add(lambda: called.append(len(store.alerts())))
    rule = store.add(LATE, "ada")
    fire(store, rule, 100.0)
    store.advance(rule, "x", Machine(200.0), [], channels=[WEBHOOK])
    store.acknowledge(store.alerts()[0].id, "ada")
    assert called == [0, 1, 1]


def test_there_are_so_many_rules_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "MOST_RULES", 1)
    rule = store.add(LATE, "ada")
    with pytest.raises(FullError):
        store.add(LATE, "ada")
    assert store.put(replace(rule, name="Later"), "ada").name == "Later"


def test_a_step_that_is_done_again_says_nothing_twice(store: Store) -> None:
    rule = store.add(LATE, "ada")
    for _ in range(3):
        fire(store, rule, 100.0, 700.0)
    assert len(store.alerts()) == 1
    assert sorted(message.key.split(":")[1] for message in store.due(WEBHOOK)) == ["firing", "recovered"]


def test_alerts_are_filtered(store: Store) -> None:
    rule = store.add(LATE, "ada")
    fire(store, rule, 100.0, 700.0, "x")
    fire(store, rule, 1000.0, None, "y")
    assert [one.began for one in store.alerts()] == [1000.0, 100.0]
    assert [one.location for one in store.alerts(location="x")] == ["x"]
    assert [one.location for one in store.alerts(state="firing")] == ["y"]
    assert [one.location for one in store.alerts(state="recovered")] == ["x"]
    assert [one.location for one in store.alerts(begin=800.0)] == ["y"]
    assert [one.location for one in store.alerts(end=800.0)] == ["x"]


def test_beyond_six_an_hour_alerts_come_in_one_message(store: Store, clock: Clock) -> None:
    rule = store.add(LATE, "ada")
    for k in range(BUDGET + 4):
        fire(store, rule, 7200.0 + k * 120.0, 7200.0 + k * 120.0 + 60.0)
    fire(store, rule, 7200.0, None, "another kitchen")
    assert sum(message.key.endswith(":firing") for message in store.due(WEBHOOK, 100)) == BUDGET + 1
    clock.now += 3600.0
    (group,) = [message for message in store.due(WEBHOOK, 100) if message.key.endswith(":group")]
    assert len(json.loads(group.body)["alerts"]) == 4
    fire(store, rule, 7200.0 + 3 * HOUR)
    assert [one.grouped for one in store.alerts("x")][:2] == [0, 1]


def test_an_address_that_is_none_is_a_clear_sentence(tmp_path: Path) -> None:
    for url in ("nonsense", "postgresql+nothing://u:geheim@h/d"):
        with pytest.raises((ConfigError, StoreError)) as raised:
            Store(url)
        assert "geheim" not in str(raised.value)
    with pytest.raises(StoreError):
        Store(f"sqlite:///{tmp_path}/no/such/folder.db")


class Growing:
    """A hub whose record ends at `edge`, as far as the watch asks."""

    def __init__(self, world: worlds.World) -> None:
        self.history, self.now, self.settings, self.callbacks = world.history, 0.0, Settings(), []
        self.locations = [SimpleNamespace(id="x", tz=world.history.tz)]
        self.budget = None

    def edge(self, _: str) -> float:
        return self.now

    def on_change(self, callback):
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)


@pytest.fixture
def growing(monkeypatch: pytest.MonkeyPatch) -> Growing:
    hub = Growing(worlds.with_incident("drivers short", 5_000))
    monkeypatch.setattr(watching, "history_of", lambda hub, location, begin, end: cut(hub.history, end))
    return hub


@pytest.mark.slow
def test_a_growing_record_fires_once_and_recovers_once_over_restarts(growing: Growing, store: Store) -> None:
    (planted,) = worlds.with_incident("drivers short", 5_000).planted
    store.add(Rule(TroubleCondition("driver_shortage"), 0.0), "ada")
    new: list[str] = []
    growing.now = planted.start - HOUR
    while growing.now < planted.end + 2 * HOUR:
        watch = Watch(growing, store)  # another process each time
        new += watch.look()
        assert watch.look() == []
        watch.stop()
        growing.now += 19 * MINUTE
    assert len(new) == 1
    (alert,) = store.alerts()
    assert planted.start < alert.began < planted.end < alert.ended
    assert "wait" in alert.text
    assert growing.callbacks == []


def test_the_thread_looks_when_rows_have_arrived(growing: Growing, store: Store) -> None:
    looked = threading.Semaphore(0)

    class Counting(Watch):
        def look(self) -> list[str]:
            looked.release()
            return []

    watch = Counting(growing, store, pause=0.0)
    watch.start()
    assert looked.acquire(timeout=10)
    growing.callbacks[0]()
    assert looked.acquire(timeout=10)
    watch.stop()


class Receiver:
    """A receiver that answers with the given statuses, one after the other; None: not at all, until the sender gives up."""

    def __init__(self, statuses: list[int | None]) -> None:
        self.statuses, self.got, self.done = statuses, [], threading.Event()


@contextmanager
def receiving(statuses: list[int | None]) -> Iterator[tuple[str, Receiver]]:
    state = Receiver(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append((dict(self.headers), body))
            status = state.statuses.pop(0)
            if status is None:
                state.done.wait(20)
                return
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?token=geheim", state
    finally:
        state.done.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_message_is_signed_and_tried_again_until_it_has_arrived(store: Store, clock: Clock, caplog) -> None:
    fire(store, store.add(LATE, "ada"), 100.0)
    with receiving([500, 302, 200]) as (url, receiver):
        hook = Webhook(store, url, SECRET, clock)
        waits = []
        for _ in range(3):
            hook.send_due()
            waits.append((store.next_due(WEBHOOK) or math.nan) - clock.now)
            clock.now += 100.0
        assert hook.send_due() == 0
    assert waits[:2] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S]
    assert store.next_due(WEBHOOK) is None
    assert len(receiver.got) == 3
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 1
    headers, body = receiver.got[-1]
    t = headers["X-Twin-Signature"].split(",")[0].removeprefix("t=")
    expected = hmac.new(SECRET.encode(), f"{t}.".encode() + body, sha256).hexdigest()
    assert headers["X-Twin-Signature"] == signature(SECRET, int(t), body) == f"t={t},v1={expected}"
    assert json.loads(body)["event"] == "firing"
    assert SECRET not in caplog.text
    assert "geheim" not in caplog.text


def test_a_receiver_that_hangs_or_is_not_there_holds_nothing_up_for_good(store: Store, clock: Clock) -> None:
    fire(store, store.add(LATE, "ada"), 100.0)
    with receiving([None]) as (url, _):
        assert Webhook(store, url, SECRET, clock, timeout=0.2).send_due() == 0
    clock.now += 100.0
    assert Webhook(store, url, SECRET, clock, timeout=0.2).send_due() == 0
    clock.now += GIVEN_UP_S + 3600.0
    Webhook(store, url, SECRET, clock, timeout=0.2).send_due()
    assert store.next_due(WEBHOOK) is None
