"""Rules, alerts and what is still to be sent, in a database: SQLite unless a setting names another.

A step of the watch is one transaction: the machines' state, the alerts that began or ended, and the messages about them. Whoever
is killed in between does it again, and an alert has the same id then.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import (
    DDL,
    Column,
    ColumnElement,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from twin.analysis.alerts import Firing, Machine, Rule
from twin.foundation.callbacks import Callbacks
from twin.foundation.errors import ConfigError, TwinError

MOST_RULES = 200
BUDGET = 6
BUDGET_S = 3600.0
"""Alerts of a kitchen in so many seconds of its time that are told one by one; the others come in one message."""
GROUP_AFTER_S = 300.0
"""Seconds of wall time for which a message about several alerts waits for more of them."""

WEBHOOK = ""
"""The channel of the webhook. Another's name ends with a colon, and stands before the keys of what it sends."""

_meta = MetaData()
_rules = Table(
    "alert_rules", _meta, Column("id", String(32), primary_key=True), Column("body", Text, nullable=False),
    Column("changed_at", Float, nullable=False), Column("changed_by", String(200), nullable=False),
)  # fmt: skip
_alerts = Table(
    "alerts", _meta, Column("id", String(32), primary_key=True), Column("rule", String(32), nullable=False),
    Column("location", String(200), nullable=False, index=True), Column("title", String(200), nullable=False),
    Column("sentence", Text, nullable=False), Column("text", Text, nullable=False), Column("since", Float, nullable=False),
    Column("began", Float, nullable=False, index=True), Column("ended", Float), Column("grouped", Integer, nullable=False),
    Column("acknowledged_by", String(200)), Column("acknowledged_at", Float), Column("note", Text),
)  # fmt: skip
_machines = Table(
    "alert_machines", _meta, Column("rule", String(32), primary_key=True), Column("location", String(200), primary_key=True),
    Column("body", Text, nullable=False),
)  # fmt: skip
_messages = Table(
    "alert_messages", _meta, Column("key", String(100), primary_key=True), Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False), Column("due", Float, nullable=False), Column("made", Float, nullable=False),
)  # fmt: skip


class StoreError(TwinError):
    """The database cannot be used; the sentence says why, without its address."""


class FullError(StoreError):
    """There are as many rules as there may be."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is stored: began, ended and since are data seconds; acknowledged_at is wall time."""

    id: str
    rule: str
    location: str
    title: str
    sentence: str
    text: str
    since: float
    began: float
    ended: float | None
    grouped: int
    acknowledged_by: str | None
    acknowledged_at: float | None
    note: str | None = None

    @property
    def state(self) -> str:
        """Whether it is "firing" or "recovered"."""
        return "firing" if self.ended is None else "recovered"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to send. Its key is the same however often it is tried."""

    key: str
    body: str
    tries: int
    made: float


class Store:
    """The database. Thread-safe: each call is one transaction."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        """Open it, and make its tables where they are absent. Raises `ConfigError` and `StoreError`."""
        self._clock = clock
        try:
            address = make_url(url)
            self._engine: Engine = create_engine(address, pool_pre_ping=True)
        except (ArgumentError, ImportError) as error:
            raise ConfigError(
                "TWIN_ALERTS is no address of a database, or its driver is not installed. An example: sqlite:////var/alerts.db"
            ) from error
        if address.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", _careful)
        self.changed = Callbacks()
        """Called after every change of rules or alerts, in the thread that made it."""
        self._do(_make_tables)

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def rules(self) -> list[Rule]:
        """Return all rules, the oldest first."""
        query = select(_rules.c.body).order_by(_rules.c.changed_at, _rules.c.id)
        return [Rule.from_json(json.loads(body)) for (body,) in self._do(lambda one: one.execute(query).all())]

    def rule(self, key: str) -> Rule | None:
        """Return a rule by its id, None if there is none."""
        return next((rule for rule in self.rules() if rule.id == key), None)

    def add(self, rule: Rule, by: str) -> Rule:
        """Store a new rule and return it with its id. Raises `FullError`."""
        return self.put(replace(rule, id=secrets.token_hex(8)), by)

    def put(self, rule: Rule, by: str) -> Rule:
        """Store a rule under its id: a new one, one that changes, or one that was deleted. Raises `FullError`.

        What fires of a rule that changes in more than its name ends: it fires anew if its new condition holds.
        """
        body = json.dumps(rule.as_json())
        values = {"body": body, "changed_at": self._clock(), "changed_by": by[:200]}

        def write(connection: Connection) -> None:
            before = connection.execute(select(_rules.c.body).where(_rules.c.id == rule.id)).scalar()
            if before is None:
                if connection.execute(select(func.count()).select_from(_rules)).scalar_one() >= MOST_RULES:
                    raise FullError(f"There are {MOST_RULES} rules: delete one first.")
                connection.execute(insert(_rules).values(id=rule.id, **values))
                return
            if replace(Rule.from_json(json.loads(before)), name=rule.name) != rule:
                _end(connection, rule.id)
            del values["changed_at"]  # it keeps its place in the list
            connection.execute(update(_rules).where(_rules.c.id == rule.id).values(values))

        self._do(write)
        self.changed.call()
        return rule

    def remove(self, key: str) -> bool:
        """Delete a rule; its alerts stay, and those that fire end with it. Return whether there was one."""

        def write(connection: Connection) -> bool:
            _end(connection, key)
            return bool(connection.execute(delete(_rules).where(_rules.c.id == key)).rowcount)

        removed: bool = self._do(write)
        self.changed.call()
        return removed

    def alerts(
        self, location: str = "", state: str = "", begin: float | None = None, end: float | None = None, most: int = 200
    ) -> list[Alert]:
        """Return alerts, the newest first: those of a location, a state, and that fired in [begin, end) data seconds."""
        query = select(_alerts).order_by(_alerts.c.began.desc(), _alerts.c.id).limit(most)
        query = query.where(_alerts.c.location == location) if location else query
        if state:
            query = query.where(_alerts.c.ended.is_(None) if state == "firing" else _alerts.c.ended.is_not(None))
        query = query if begin is None else query.where((_alerts.c.ended.is_(None)) | (_alerts.c.ended >= begin))
        query = query if end is None else query.where(_alerts.c.began < end)
        return [Alert(**row._mapping) for row in self._do(lambda one: one.execute(query).all())]

    def acknowledge(self, key: str, by: str, note: str = "") -> Alert | None:
        """Note who has seen an alert, when, and what he says of it; the first one stays. Return it, None if there is none."""

        def write(connection: Connection) -> Alert | None:
            unseen = (_alerts.c.id == key) & _alerts.c.acknowledged_at.is_(None)
            values = {"acknowledged_by": by[:200], "acknowledged_at": self._clock(), "note": note}
            connection.execute(update(_alerts).where(unseen).values(values))
            row = connection.execute(select(_alerts).where(_alerts.c.id == key)).first()
            return None if row is None else Alert(**row._mapping)

        seen: Alert | None = self._do(write)
        self.changed.call()
        return seen

    def machine(self, rule: str, location: str) -> Machine:
        """Return where a rule stands at a kitchen."""
        query = select(_machines.c.body).where((_machines.c.rule == rule) & (_machines.c.location == location))
        row = self._do(lambda one: one.execute(query).first())
        if row is None:
            return Machine()
        given = json.loads(row[0])
        firing = given.pop("firing")
        return Machine(**given, firing=None if firing is None else Firing(**firing))

    def advance(
        self, rule: Rule, location: str, machine: Machine, changes: Sequence[Firing], channels: Sequence[str]
    ) -> list[str]:
        """Store a step of the watch in one transaction, and return the ids of the alerts that are new; messages are written
        for each of the `channels`.

        Nothing is done for a rule that was changed or deleted meanwhile.
        """

        def write(connection: Connection) -> list[str]:
            body = connection.execute(select(_rules.c.body).where(_rules.c.id == rule.id)).scalar()
            if body is None or Rule.from_json(json.loads(body)) != rule:
                return []
            new = [key for change in changes for key in self._change(connection, rule, location, change, channels)]
            here = (_machines.c.rule == rule.id) & (_machines.c.location == location)
            body = json.dumps(asdict(machine))
            if not connection.execute(update(_machines).where(here).values(body=body)).rowcount:
                connection.execute(insert(_machines).values(rule=rule.id, location=location, body=body))
            return new

        new: list[str] = self._do(write)
        if changes:
            self.changed.call()
        return new

    def _change(
        self, connection: Connection, rule: Rule, location: str, change: Firing, channels: Sequence[str]
    ) -> list[str]:
        key = alert_id(rule.id, location, change.began)
        before = connection.execute(select(_alerts).where(_alerts.c.id == key)).first()
        if change.ended is not None:
            if before is None or before.ended is not None:
                return []
            connection.execute(update(_alerts).where(_alerts.c.id == key).values(ended=change.ended))
            if not before.grouped:
                alert = Alert(**{**before._mapping, "ended": change.ended})
                for channel in channels:
                    self._message(connection, f"{channel}{key}:recovered", _body("recovered", [alert]), 0.0)
            return []
        if before is not None:
            return []
        lately = (
            (_alerts.c.location == location) & (_alerts.c.began > change.began - BUDGET_S) & (_alerts.c.grouped == 0)
        )
        told = connection.execute(select(func.count()).select_from(_alerts).where(lately)).scalar_one()
        alert = Alert(
            key, rule.id, location, rule.title, rule.sentence, _told(rule, change), change.since, change.began, None,
            int(told >= BUDGET), None, None, None,
        )  # fmt: skip
        connection.execute(insert(_alerts).values(asdict(alert)))
        for channel in channels:
            if alert.grouped:
                self._group(connection, channel, alert)
            else:
                self._message(connection, f"{channel}{key}:firing", _body("firing", [alert]), 0.0)
        return [key]

    def _group(self, connection: Connection, channel: str, alert: Alert) -> None:
        """Put an alert beyond the budget into its hour's message, which goes out once; what comes later waits for the next."""
        key = f"{channel}{alert_id('group', alert.location, alert.began // BUDGET_S)}:group"
        held = connection.execute(select(_messages.c.body, _messages.c.tries).where(_messages.c.key == key)).first()
        if held is None:
            self._message(connection, key, _body("group", [alert]), GROUP_AFTER_S)
        elif not held.tries:
            body = json.loads(held.body)
            body["alerts"].append(_told_alert(alert))
            connection.execute(update(_messages).where(_messages.c.key == key).values(body=json.dumps(body)))

    def _message(self, connection: Connection, key: str, body: str, wait: float) -> None:
        now = self._clock()
        connection.execute(insert(_messages).values(key=key, body=body, tries=0, due=now + wait, made=now))

    def due(self, channel: str, most: int = 20) -> list[Message]:
        """Return messages of a channel that are due, the oldest first."""
        query = select(_messages.c.key, _messages.c.body, _messages.c.tries, _messages.c.made)
        query = query.where(_of(channel), _messages.c.due <= self._clock()).order_by(_messages.c.due).limit(most)
        return [Message(*row) for row in self._do(lambda one: one.execute(query).all())]

    def next_due(self, channel: str) -> float | None:
        """Return when the next message of a channel is due (wall time), None without any."""
        query = select(func.min(_messages.c.due)).where(_of(channel))
        due: float | None = self._do(lambda one: one.execute(query).scalar_one())
        return due

    def sent(self, key: str) -> None:
        """A message has arrived, or is given up."""
        self._do(lambda one: one.execute(delete(_messages).where(_messages.c.key == key)))

    def failed(self, message: Message, wait: float) -> None:
        """A message did not arrive; try again in `wait` seconds."""
        values = {"tries": message.tries + 1, "due": self._clock() + wait}
        self._do(lambda one: one.execute(update(_messages).where(_messages.c.key == message.key).values(values)))

    def _do(self, work: Callable[[Connection], Any]) -> Any:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise StoreError(f"The database of alerts cannot be used: {type(error).__name__}.") from error


def _of(channel: str) -> ColumnElement[bool]:
    """Return the condition for messages of a channel: the keys of the webhook have one colon, those of others two."""
    if channel:
        return _messages.c.key.startswith(channel, autoescape=True)
    return ~_messages.c.key.like("%:%:%")


def _make_tables(connection: Connection) -> None:
    """Make the tables, and the column that those of an earlier version lack."""
    _meta.create_all(connection)
    if "note" not in {column["name"] for column in inspect(connection).get_columns(_alerts.name)}:
        connection.execute(DDL("ALTER TABLE alerts ADD COLUMN note TEXT"))


def _end(connection: Connection, rule: str) -> None:
    """End what fires of a rule, where its watch has come, and forget where it stands."""
    for location, body in connection.execute(
        select(_machines.c.location, _machines.c.body).where(_machines.c.rule == rule)
    ).all():
        here = (_alerts.c.rule == rule) & (_alerts.c.location == location) & _alerts.c.ended.is_(None)
        connection.execute(update(_alerts).where(here).values(ended=json.loads(body)["t"]))
    connection.execute(delete(_machines).where(_machines.c.rule == rule))
    left = (_alerts.c.rule == rule) & _alerts.c.ended.is_(None)
    connection.execute(update(_alerts).where(left).values(ended=_alerts.c.began))


def alert_id(rule: str, location: str, began: float) -> str:
    """Return the id of an alert: the same whenever it is found."""
    return hashlib.sha256(f"{rule}\n{location}\n{began!r}".encode()).hexdigest()[:24]


def _told(rule: Rule, firing: Firing) -> str:
    said = getattr(rule.condition, "said_value", None)
    return firing.text or ("" if said is None else str(said(firing.value, firing.usual)))


def _told_alert(alert: Alert) -> dict[str, Any]:
    return {**asdict(alert), "state": alert.state}


def _body(kind: str, alerts: list[Alert]) -> str:
    return json.dumps({"event": kind, "alerts": [_told_alert(alert) for alert in alerts]})


def _careful(connection: Any, _: object) -> None:
    """Have SQLite wait for other processes, and write so that a crash loses nothing that was acknowledged."""
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA busy_timeout=5000"):
        connection.execute(statement)
