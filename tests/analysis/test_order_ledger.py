"""One order's ledger as it was known: it adds up at every moment, ends as the delay ledger has it, and never looks ahead."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.test_ledger import START, WHOLE, record
from twin.analysis.ledger import PARTS, customer_minutes
from twin.analysis.order_ledger import OrderLedger, ledgers_of
from twin.foundation import event_types as ev

MINUTE = 60.0
NEVER = float("inf")


def known(order: dict[int, float], t: float, stalls: list[tuple[float, float]] | None = None) -> OrderLedger:
    """What was known of an order (minutes by event type) at minute t."""
    spells = [(START + a * MINUTE, START + b * MINUTE) for a, b in stalls or []]
    return [one for one in ledgers_of(record(order)[:, 0], spells) if one.known <= START + t * MINUTE][-1]


def said(order: dict[int, float], t: float, stalls: list[tuple[float, float]] | None = None) -> dict[str, float]:
    """The parts in minutes; the one that goes on as its name with " …"."""
    one = known(order, t, stalls)
    parts = {name: value for name, value in zip(PARTS, (one.parts / MINUTE).tolist(), strict=True) if value}
    if one.going_on is not None:
        parts[f"{PARTS[one.going_on]} …"] = t - (one.since - START) / MINUTE
    return parts


def without(*kinds: int) -> dict[int, float]:
    return {kind: at for kind, at in WHOLE.items() if kind not in kinds}


@pytest.mark.parametrize(
    ("order", "t", "expected"),
    [
        (WHOLE, 1, {"queue …": 1}),
        (WHOLE, 5, {"queue": 2, "cook …": 3}),
        (WHOLE, 13, {"queue": 2, "cook": 10, "pack …": 1}),
        (WHOLE, 18, {"queue": 2, "cook": 10, "pack": 2, "food_waits …": 4}),
        (WHOLE, 20.5, {"queue": 2, "cook": 10, "pack": 2, "food_waits": 6, "hand_over …": 0.5}),
        (WHOLE, 30, {"queue": 2, "cook": 10, "pack": 2, "food_waits": 6, "hand_over": 1, "drive …": 9}),
        (WHOLE, 99, {"queue": 2, "cook": 10, "pack": 2, "food_waits": 6, "hand_over": 1, "drive": 15}),
        # nobody had recorded its start: only the next milestone tells that the time before is a gap
        (without(ev.GK_STARTED), 11, {"queue …": 11}),
        (without(ev.GK_STARTED), 13, {"not_recorded": 12, "pack …": 1}),
        (without(ev.DRIVER_ARRIVED), 21.5, {"queue": 2, "cook": 10, "pack": 2, "not_recorded": 7, "drive …": 0.5}),
        # a driver who was there first: his wait is no part of the order's time
        ({**WHOLE, ev.DRIVER_ARRIVED: 9}, 18, {"queue": 2, "cook": 10, "pack": 2, "hand_over …": 4}),
        ({ev.ORDER_CREATED: 0, ev.GK_STARTED: 3, ev.ORDER_CANCELLED: 9}, 8, {"queue": 3, "cook …": 5}),
        ({ev.ORDER_CREATED: 0, ev.GK_STARTED: 3, ev.ORDER_CANCELLED: 9}, 20, {"queue": 3, "cook": 6}),
    ],
)
def test_what_was_known_is_split_and_what_goes_on_lasts_until_now(
    order: dict[int, float], t: float, expected: dict[str, float]
) -> None:
    assert said(order, t) == pytest.approx(expected)


def test_an_order_that_stalled_ends_there_until_it_is_heard_of_again() -> None:
    order, stalls = {ev.ORDER_CREATED: 0, ev.GK_STARTED: 2, ev.GK_FINISHED: 300}, [(242.0, 300.0), (540.0, NEVER)]
    assert (said(order, 250, stalls), known(order, 250, stalls).ended) == ({"queue": 2, "cook": 240}, "stalled")
    assert said(order, 310, stalls) == {"queue": 2, "cook": 298, "pack …": 10}
    assert said(order, 600, stalls) == {"queue": 2, "cook": 298, "pack": 240}


def test_a_gap_has_its_place_and_an_unknown_creation_has_no_ledger() -> None:
    gaps = known(without(ev.GK_STARTED, ev.DRIVER_ARRIVED), 99).gaps
    assert [((a - START) / MINUTE, (b - START) / MINUTE) for a, b in gaps] == [(0, 12), (14, 21)]
    assert known(WHOLE, 99).gaps == []
    assert ledgers_of(record(without(ev.ORDER_CREATED))[:, 0], []) == []


times = st.one_of(st.none(), st.integers(-30, 300).map(float), st.integers(1440, 1500).map(float))
orders = st.lists(times, min_size=9, max_size=9).filter(lambda row: row[ev.ORDER_CREATED] is not None)


@settings(deadline=None)
@given(orders, st.integers(-30, 1600))
def test_it_adds_up_at_any_moment_ends_as_the_delay_ledger_and_never_looks_ahead(row: list[Any], t: int) -> None:
    order = START + np.array(row, float) * MINUTE
    created, now = order[ev.ORDER_CREATED], START + t * MINUTE
    all_of_it = ledgers_of(order, [])
    so_far = [one for one in all_of_it if one.known <= now]
    assert bool(so_far) == (created <= now)
    cut = ledgers_of(np.where(order <= now, order, np.nan), []) if created <= now else []
    assert [one.known for one in so_far] == [one.known for one in cut]
    for one, other in zip(so_far, cut, strict=True):
        np.testing.assert_array_equal(one.parts, other.parts)
        assert (one.going_on, one.since, one.ended, one.gaps) == (other.going_on, other.since, other.ended, other.gaps)
        assert one.parts[-1] == pytest.approx(sum(end - start for start, end in one.gaps), abs=1e-3)
        assert (one.parts >= 0).all()
    if so_far:
        end = so_far[-1].since if so_far[-1].going_on is None else now
        assert so_far[-1].total(now) == pytest.approx(end - created, abs=1e-3)
    if order[ev.DELIVERED] >= created:
        parts, total = customer_minutes(order[:, None])
        np.testing.assert_array_equal(all_of_it[-1].parts, parts[0])
        assert all_of_it[-1].total(now) == pytest.approx(total[0], abs=1e-3)
