"""How fast the delay ledger is: of 88,000 loaded orders, and of a range that the source adds up."""

import time
from collections.abc import Callable

import numpy as np

import twin
from benchmarks.data import LOCATION, week
from benchmarks.table import Row, spread
from benchmarks.worlds import Plan, made_of
from twin.analysis.ledger import Ledger, customer_minutes
from twin.analysis.long_ledger import LongLedger
from twin.foundation import event_types as ev
from twin.foundation.times import DAY, HOUR
from twin.sources.base import Window

ORDERS, DAYS = 88_000, 28
ARRAY_MS, AGGREGATE_MS = 50.0, 5.0


def measure(quick: bool) -> list[Row]:
    """Return a row for the array, for the slowest aggregate, and for each of the questions to a source."""
    return [*_loaded(3 if quick else 15), *_pushed_down(2 if quick else 5)]


def _loaded(repeats: int) -> list[Row]:
    world = made_of("steady", Plan(days=DAYS, orders=ORDERS / DAYS), seed=1)
    milestones = world.history.milestones[:, :ORDERS]
    n = milestones.shape[1]
    array = _times(lambda: customer_minutes(milestones), repeats)
    book = Ledger(milestones, world.baseline())
    usual = _times(lambda: book.usual, 1)
    blame = _times(lambda: book.blame, 1)
    created = milestones[ev.ORDER_CREATED]
    rng = np.random.default_rng(1)
    chosen = {
        "all": None,
        "an hour": created // HOUR == created[n // 2] // HOUR,
        "a day": created // DAY == created[n // 2] // DAY,
        "a filter": rng.random(n) < 0.5,
    }
    sums = {name: _times(lambda among=among: book.account(among), repeats) for name, among in chosen.items()}  # type: ignore[misc]
    slowest = max(sums, key=lambda name: float(np.median(sums[name])))
    return [
        _row(f"delay ledger of {n:,} orders, the array", array, ARRAY_MS),
        _row(f"its slowest aggregate ({slowest})", sums[slowest], AGGREGATE_MS),
        _row("what is usual of each order, once", usual),
        _row("what made each late order late, once", blame),
    ]


def _pushed_down(repeats: int) -> list[Row]:
    hub = twin.open(week())
    place = hub.location(LOCATION)
    window = Window(*place.tz.whole_days(place.start, place.end))
    target = hub.settings.delivery_target_s

    def ask(by: str) -> None:
        LongLedger(hub.source, place, window, target).groups(by)  # type: ignore[arg-type]

    first = _times(lambda: ask("all"), 1)
    rows = {by: _times(lambda by=by: ask(by), repeats) for by in ("all", "hour", "brand")}  # type: ignore[misc]
    return [
        _row(f"delay ledger added up by DuckDB, {place.orders:,} orders, the first time", first),
        *(_row(f"the same again, by {by}" if by != "all" else "the same again", ms) for by, ms in rows.items()),
    ]


def _row(what: str, ms: list[float], goal: float | None = None) -> Row:
    middle = float(np.median(ms))
    met = None if goal is None else middle <= goal
    return Row(what, "" if goal is None else f"≤ {goal:g} ms", spread(ms, "ms", 1), met, middle)


def _times(do: Callable[[], object], repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        do()
        found.append((time.perf_counter() - began) * 1e3)
    return found


if __name__ == "__main__":
    print("\n".join(f"{row.what}: {row.measured} {row.goal}" for row in measure(quick=False)))
