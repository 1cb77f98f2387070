"""The delay ledger of a range that is too long to load: the source adds it up, by the rules of `ledger`, to the millisecond.

What is usual comes first, from sums by hour over the same history that a loaded range has; the means go with the second question,
which the source answers with a row per group. Only tables of single orders take a row for each.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.analysis.baseline import reach
from twin.analysis.ledger import MEMBERS, PARTS, SHAPLEY, Account, UsualParts, clock_hours
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.sources.base import Location, Source, Window
from twin.timeline.events import MICROSECONDS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
By = Literal["all", "hour", "day", "brand"]

LOADED_DAYS = 31
"""Longest range whose ledger is made of loaded orders; longer ones would fill the memory."""
DAY_HOURS = 24
WEEK = 7 * DAY_HOURS
ALWAYS = 10**18
"""Microseconds beyond every time of a source."""
LATEST = 4_102_444_800.0
"""2100, before which all events of a source lie; seconds since 1970."""


def is_long(window: Window) -> bool:
    """Whether the ledger of a range is to be asked of the source."""
    return window.end - window.start > LOADED_DAYS * DAY


@dataclass(frozen=True, slots=True)
class Group:
    """The account of an hour or a day, by its start (data seconds), of a brand, or (neither) of all orders."""

    start: float | None
    brand: str | None
    account: Account


@dataclass(frozen=True, slots=True)
class OrderParts:
    """Single deliveries, n of them, by id, in seconds: `created` (n,), parts and what is usual (n, 7), total (n,), and what the
    driver waited for food (n,), NaN where that is not recorded."""

    ids: list[str]
    created: Floats
    parts: Floats
    total: Floats
    usual: Floats
    driver_waits: Floats


class LongLedger:
    """The ledger of one location over a range, asked of the source. All methods raise `SourceError`."""

    def __init__(self, source: Source, place: Location, window: Window, target: float) -> None:
        """`target` is the promised delivery time, seconds. Asks the source what is usual."""
        self._source, self._place, self._window, self.target = source, place, window, target
        self._clock = clock_of(place.tz, window)
        start, end = reach(source, place, window)
        sums = self._hourly(start - STALLED_AFTER, end + STALLED_AFTER)
        if not len(sums[0]):  # nothing in the days around: the range itself, as for a loaded one
            sums = self._hourly(window.start, window.end)
        self._usual = UsualParts(*sums)

    def groups(self, by: By, known_at: float | None = None) -> list[Group]:
        """Return an account for each group with deliveries, in order, of what was delivered by `known_at` (data seconds)."""
        hours = self._known_hours()
        days = self._usual.days
        rows = self._source.query(
            "ledger",
            **self._range,
            known_ts=LATEST if known_at is None else known_at,
            by=by,
            clock=self._clock,
            usual=_as_json(("hour", *PARTS), [hours, *self._means(hours).T]),
            sets=SETS,
            same=json.dumps([{"id": other, "as_id": one} for other, one in self._same_brands().items()]),
            target_us=round(self.target * MICROSECONDS),
            first_day=int(days[0]) if len(days) else 0,
            last_day=int(days[-1]) if len(days) else -1,
        ).to_pylist()
        tz, names = self._place.tz, self._source.names("brands") if by == "brand" else {}
        found = [
            Group(
                None if row["hour"] is None else float(tz.from_local(np.array([row["hour"] * HOUR]))[0]),
                None if row["brand_id"] is None else names.get(row["brand_id"], f"brand {row['brand_id']}"),
                _account(row, self.target),
            )
            for row in rows
        ]
        return sorted((one for one in found if one.brand), key=lambda one: one.brand or "") if by == "brand" else found

    def account(self, known_at: float | None = None) -> Account:
        """Return the account of all orders of the range."""
        return total((one.account for one in self.groups("all", known_at)), self.target)

    def orders(self) -> OrderParts:
        """Return the deliveries of the range one by one."""
        rows = self._source.query("ledger_orders", **self._range)
        created = rows["created"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy() / MICROSECONDS
        hours, inverse = np.unique(clock_hours(created, self._place.tz), return_inverse=True)
        waits = rows["driver_waits"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        return OrderParts(
            rows["order_id"].to_pylist(),
            created,
            _columns(rows, PARTS) / MICROSECONDS,
            _columns(rows, ("total",))[:, 0] / MICROSECONDS,
            self._means(hours)[inverse],
            waits / MICROSECONDS,
        )

    # -- parts ----------------------------------------------------------------------------------------------------------
    @property
    def _range(self) -> dict[str, Any]:
        return {"location": self._place.id, "from_ts": self._window.start, "to_ts": self._window.end}

    def _hourly(self, start: float, end: float) -> tuple[Ints, Floats, Floats]:
        """Return what `UsualParts` takes, of the deliveries that began in [start, end)."""
        clock = clock_of(self._place.tz, Window(start, end))
        rows = self._source.query("usual_parts", location=self._place.id, from_ts=start, to_ts=end, clock=clock)
        return (
            rows["hour"].cast(pa.int64()).to_numpy(),
            _columns(rows, ("orders",))[:, 0],
            _columns(rows, PARTS),
        )

    def _known_hours(self) -> Ints:
        """Return the hours of which the range needs to know what is usual: a day of the history is not compared with itself, any
        other day is as every day of its weekday, for which the first week of 1970 stands."""
        first, last = clock_hours(np.array([self._window.start, self._window.end]), self._place.tz).tolist()
        days = self._usual.days
        own = np.arange(days[0] * DAY_HOURS, (days[-1] + 1) * DAY_HOURS) if len(days) else np.empty(0, np.int64)
        return np.concatenate((np.arange(WEEK), own[(own >= first) & (own <= last)]))

    def _means(self, hours: Ints) -> Floats:
        """Return what is usual in hours of the kitchen's clock, (n, 7) mean seconds."""
        means = self._usual.at(hours)
        if (unknown := np.isnan(means[:, 0])).any():
            rows = self._source.query("middle_parts", **self._range)
            sums, number = _columns(rows, PARTS)[0], float(rows["orders"][0].as_py())
            means[unknown] = sums / number / MICROSECONDS if number else 0.0
        return means

    def _same_brands(self) -> dict[str, str]:
        """Return the ids of brands that share their name with one of a smaller id, and that id: people know brands by name."""
        first: dict[str, str] = {}
        for one, name in sorted(self._source.names("brands").items()):
            first.setdefault(name, one)
        return {one: first[name] for one, name in self._source.names("brands").items() if first[name] != one}


def total(accounts: Iterable[Account], target: float) -> Account:
    """Return the sums over accounts of orders that have none in common."""
    found = list(accounts)
    zeros = {"parts": 7, "usual": 7, "causes": 8, "late_by": 8, "alone": 7, "needed": 7}
    sums = {
        field.name: sum((getattr(one, field.name) for one in found), np.zeros(zeros[field.name]))
        for field in fields(Account)
        if field.name in zeros
    }
    return Account(
        orders=sum(one.orders for one in found),
        late=sum(one.late for one in found),
        target=target,
        total_s=sum(one.total_s for one in found),
        late_s=sum(one.late_s for one in found),
        short=sum(one.short for one in found),
        **sums,
    )


def _account(row: dict[str, Any], target: float) -> Account:
    late = int(row["late"])

    def values(prefix: str, names: tuple[str, ...] = PARTS) -> Floats:
        return np.array([float(row[f"{prefix}{name}"] or 0) for name in names])

    return Account(
        orders=int(row["orders"]),
        late=late,
        target=target,
        total_s=int(row["total"]) / MICROSECONDS,
        late_s=float(row["late_s"]),
        short=float(row["short_s"]),
        parts=values("") / MICROSECONDS,
        usual=values("usual_"),
        causes=values("made_", (*PARTS, "usual")),
        late_by=values("share_", (*PARTS, "usual")),
        alone=values("alone_"),
        needed=late - values("but_"),
    )


def _columns(rows: pa.Table, names: tuple[str, ...]) -> Floats:
    """Return columns of whole numbers as (n, columns); sums are decimals in some engines."""
    return np.stack([rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in names], axis=1)


def clock_of(tz: Zone, window: Window) -> str:
    """Return, as JSON, how far the kitchen's clock is ahead of data time, and from when to when, as the queries take it."""
    changes = tz.to_browser(window.start, window.end).get("changes") or [[window.start, 0.0, ""]]
    since = [-ALWAYS, *(round(at * MICROSECONDS) for at, *_ in changes[1:])]
    ahead = [round(offset * MICROSECONDS) for _, offset, _ in changes]
    return _as_json(("since", "until", "ahead"), [since, [*since[1:], ALWAYS], ahead])


def _as_json(names: tuple[str, ...], columns: list[Any]) -> str:
    """Return rows, given by column, as the JSON that queries take."""
    listed = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns]
    return json.dumps([dict(zip(names, row, strict=True)) for row in zip(*listed, strict=True)])


def _sets() -> str:
    """Return the sets of parts and the weights of their values in the Shapley value, as queries/ledger.sql takes them."""
    names = ("set_id", "members", *(f"has_{part}" for part in PARTS), *(f"weight_{part}" for part in PARTS))
    members = MEMBERS.astype(np.int64)
    return _as_json(names, [np.arange(len(members)), members.sum(axis=1), *members.T, *SHAPLEY.T])


SETS = _sets()
