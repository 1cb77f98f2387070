"""The ledger that a source adds up is that of a loaded range, to the millisecond: every part, hour, day and brand."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin
from twin.analysis import brands
from twin.analysis.baseline import Baseline
from twin.analysis.ledger import Account, Ledger
from twin.analysis.long_ledger import LongLedger
from twin.foundation.settings import Settings
from twin.foundation.times import DAY, HOUR
from twin.hub import Hub
from twin.timeline.timeline import Timeline

MILLISECOND = 1e-3
START = dt.datetime(2025, 10, 20, tzinfo=dt.UTC)
"""Two weeks before the clocks of Los Angeles go back."""
KINDS = (
    "order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "driver_ping", "delivered",
    "order_cancelled",
)  # fmt: skip
USUAL = (0, 2, 12, 14, 18, 20, 21, 33, None)
BRANDS = ("1", "2", "3")
NAMES = {"1": "Pho", "2": "Taco", "3": "Pho"}
"""Two ids of one name, as after a brand was founded anew."""

seconds = st.one_of(st.none(), st.integers(-20, 240).map(lambda minute: 60.0 * minute), st.floats(0, 9_000))
dirty = st.lists(
    st.tuples(
        st.integers(0, 40 * 24 * 60),
        st.lists(seconds, min_size=9, max_size=9),
        st.sets(st.sampled_from(BRANDS), max_size=3),
        st.sampled_from(["", "twice", "a day later", "reversed"]),
    ),
    max_size=25,
)
"""Orders of which anything may be missing, out of order, doubled, or a day late: when it begins (minute), its milestones."""


def body(kind: str, sold: Any) -> str:
    items = [{"brand_id": one, "name": "x", "price": 1.0, "qty": 1} for one in sorted(sold)]
    return json.dumps({"items": items} if kind == "order_created" else {})


def rows_of(order: str, minute: float, life: Any, sold: Any, fault: str) -> list[dict[str, str]]:
    rows = []
    for kind, after in zip(KINDS, life, strict=True):
        if after is not None:
            late = DAY if fault == "a day later" and kind == "gk_ready" else 0.0
            at = START + dt.timedelta(minutes=minute, seconds=after + late)
            rows.append(
                {
                    "event_type": kind,
                    "ts": f"{at:%Y-%m-%d %H:%M:%S.%f}",
                    "location": "sf",
                    "order_id": order,
                    "sequence": "1",
                    "body": body(kind, sold),
                }
            )
    return rows * 2 if fault == "twice" else rows[::-1] if fault == "reversed" else rows


def usual_rows(days: int, seed: int) -> list[dict[str, str]]:
    """A kitchen's whole orders, some late, of an evening and a noon a day."""
    rng = np.random.default_rng(seed)
    found = []
    for n in range(days * 14):
        minute = n // 14 * 24 * 60 + rng.choice([12 * 60, 18 * 60 + 30]) + int(rng.integers(0, 70))
        pace = rng.uniform(0.7, 1.9)
        life = [None if at is None else round(60 * at * pace, int(rng.integers(0, 7))) for at in USUAL]
        if rng.random() < 0.15:
            life[int(rng.integers(1, 7))] = None
        found += rows_of(f"usual-{n}", float(minute), life, rng.choice(BRANDS, 1 + n % 2, replace=False), "")
    return found


def opened(folder: Path, rows: list[dict[str, str]], zone: str) -> Hub:
    """A source of these rows; in a zone their times are instants."""
    table = pa.Table.from_pylist(rows)
    if zone:
        table = table.set_column(1, "ts", pa.array([f"{row['ts']}Z" for row in rows]))
    pq.write_table(table, folder / "events.parquet")
    pq.write_table(pa.table({"id": list(NAMES), "name": list(NAMES.values())}), folder / "brands.parquet")
    return twin.open(folder, settings=Settings(time_zones={"": zone}) if zone else None)


def close(ours: Account, loaded: Account) -> None:
    """Assert that two accounts are equal to the millisecond, and orders to a millionth."""
    assert (ours.orders, ours.late) == (loaded.orders, loaded.late)

    def sums(one: Account) -> list[float]:
        return [one.total_s, one.late_s, one.short, *one.parts, *one.usual, *one.causes]

    np.testing.assert_allclose(sums(ours), sums(loaded), atol=MILLISECOND, rtol=0)
    for name in ("late_by", "alone", "needed"):
        np.testing.assert_allclose(getattr(ours, name), getattr(loaded, name), atol=1e-5, rtol=0, err_msg=name)


def check(hub: Hub, timeline: Timeline, known_at: float | None = None) -> None:
    """Assert that the source's ledger of a timeline's range is the timeline's."""
    tz, window, orders = timeline.tz, timeline.window, timeline.orders
    baseline = Baseline.load(hub.source, timeline.location, window)
    book = Ledger(orders.milestones, baseline, tz, hub.settings.delivery_target_s, window)
    ours = LongLedger(hub.source, timeline.location, window, book.target)
    among = book.counted & (orders.began >= window.start) & (orders.began < window.end)
    if known_at is not None:
        among &= orders.delivered <= known_at
    close(ours.account(known_at), book.account(among))
    local = tz.local(np.where(among, orders.began, window.start))
    for by, step in (("hour", HOUR), ("day", DAY)):
        bucket = np.where(among, np.floor(local / step), np.nan)
        expected = np.unique(bucket[among])
        groups = ours.groups(by, known_at)  # type: ignore[arg-type]
        assert [one.start for one in groups] == tz.from_local(expected * step).tolist()
        for group, one in zip(groups, expected.tolist(), strict=True):
            close(group.account, book.account(among & (bucket == one)))
    names, order, brand = brands.pairs(orders)
    accounts = {}
    for k, name in enumerate(names):
        sold = np.zeros(len(among), bool)
        sold[order[brand == k]] = True
        accounts[name] = book.account(sold & among)
    groups = ours.groups("brand", known_at)
    assert [one.brand for one in groups] == sorted(name for name, one in accounts.items() if one.orders)
    for group in groups:
        close(group.account, accounts[group.brand or ""])
    if known_at is None:
        single = ours.orders()
        rows = np.flatnonzero(among)
        assert single.ids == [orders.ids[row].as_py() for row in rows.tolist()]
        for values, expected in (
            (single.created, orders.created[rows]), (single.parts, book.parts[rows]), (single.total, book.total[rows]),
            (single.usual, book.usual[rows]), (single.driver_waits, book.driver[rows, 0]),
        ):  # fmt: skip
            np.testing.assert_allclose(values, expected, atol=MILLISECOND, rtol=0)


def compared(
    folder: Path, zone: str, orders: Any, days: int, seed: int, first: int, hours: int, known: int | None
) -> None:
    """Check a record of usual and of dirty orders over a range: its first hour and its length."""
    rows = usual_rows(days, seed)
    for n, order in enumerate(orders):
        rows += rows_of(f"dirty-{n}", *order)
    hub = opened(folder, rows, zone)
    start = START.timestamp() + HOUR * first
    timeline = hub.timeline(hub.locations[0].id, start, start + HOUR * hours)
    check(hub, timeline, None if known is None else start + HOUR * known)


def dirt(seed: int) -> list[Any]:
    """Orders as in `dirty`."""
    rng = np.random.default_rng(seed)
    return [
        (
            int(rng.integers(0, 40 * 24 * 60)),
            [float(at) if rng.random() < 0.8 else None for at in rng.choice([0, 60, 1_200.5, 2_730, 2_700, 9_000], 9)],
            rng.choice(BRANDS, rng.integers(0, 4), replace=False),
            rng.choice(["", "twice", "a day later", "reversed"]),
        )
        for _ in range(60)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "days", "first", "hours", "known"),
    [("", 40, -2, 41 * 24, None), ("America/Los_Angeles", 40, 5, 35 * 24, 700), ("", 1, 0, 24 * 41, None)],
    ids=["forty days", "a change of the clock", "no other day"],
)
def test_what_the_source_adds_up_is_the_ledger_of_the_loaded_range(
    tmp_path: Path, zone: str, days: int, first: int, hours: int, known: int | None
) -> None:
    compared(tmp_path, zone, dirt(days + hours), days, 3, first, hours, known)


@pytest.mark.slow
@pytest.mark.soak
def test_whatever_the_rows_the_source_adds_up_the_same(
    tmp_path: Path, lasting: Callable[[float, float], float]
) -> None:
    @settings(deadline=None, max_examples=round(lasting(2, 60)))
    @given(
        zone=st.sampled_from(["", "America/Los_Angeles"]),
        orders=dirty,
        days=st.sampled_from([1, 9, 40]),
        seed=st.integers(0, 3),
        first=st.integers(-2, 41 * 24),
        hours=st.integers(1, 41 * 24),
        known=st.none() | st.integers(1, 900),
    )
    def any_record(**drawn: Any) -> None:
        compared(tmp_path, **drawn)

    any_record()
