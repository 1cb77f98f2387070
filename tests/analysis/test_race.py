"""Races: sums and changes of the lead by brute force, second by second."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.analysis.baseline import History
from twin.analysis.limits import LEAST_ORDERS
from twin.analysis.race import DELIVERED, FIGURES, HOLD_S, LATE, ON_TIME, Entry, race
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.sources.base import Window
from twin.timeline.orders import stages_of

NAMES = ("created", "started", "finished", "ready", "arrived", "picked_up", "pinged", "delivered", "cancelled")
TARGET = 1800.0
DAY_0 = 20_377
START = DAY_0 * DAY + 10 * HOUR
LENGTH = 1500


def entry(
    name: str, orders: list[tuple[float, float]], start: float = START, length: float = LENGTH, tz: Zone = NAIVE
) -> Entry:
    """Orders (seconds after `start` of the delivery, seconds that it took)."""
    rows = np.full((len(NAMES), len(orders)), np.nan)
    for k, (at, took) in enumerate(orders):
        rows[0, k], rows[NAMES.index("delivered"), k] = start + at - took, start + at
    return Entry(name, History(rows, stages_of(rows, rows[0]), tz), Window(start, start + length))


lanes = st.lists(
    st.lists(st.tuples(st.integers(-60, LENGTH + 60), st.sampled_from([600, 1500, 1829, 1830, 4000])), max_size=30),
    min_size=2,
    max_size=4,
)


def brute(orders: list[tuple[int, int]], figure: str, second: int) -> float:
    took = [duration for at, duration in orders if 0 <= at <= second and at < LENGTH]
    late = sum(duration >= TARGET + 30 for duration in took)
    if figure == DELIVERED:
        return len(took)
    if figure == ON_TIME:
        return len(took) - late
    return late / len(took) if len(took) >= LEAST_ORDERS else np.nan


@given(lanes, st.sampled_from(list(FIGURES)))
def test_values_and_leads_are_those_of_a_count_at_every_second(drawn: list, figure: str) -> None:
    found = race([entry(str(k), orders) for k, orders in enumerate(drawn)], TARGET, figure)
    leader, spells = None, []
    for second in range(LENGTH):
        values = [brute(orders, figure, second) for orders in drawn]
        if second % 61 == 0:
            np.testing.assert_allclose(found.values(second), values)
        ranked = [(value if figure == LATE else -value, k) for k, value in enumerate(values) if not np.isnan(value)]
        nobody = not ranked or (figure != LATE and min(ranked)[0] == 0)
        if nobody or (leader is not None and values[leader] == values[min(ranked)[1]]):
            continue
        leader = min(ranked)[1]
        spells.append((second, leader))
    expected = []
    for k, (second, who) in enumerate(spells):
        until = spells[k + 1][0] if k + 1 < len(spells) else np.inf
        if until - second >= HOLD_S and (not expected or expected[-1][1] != who):
            expected.append((second, who))
    assert [(one.at, one.leader) for one in found.leads] == expected
    for one in found.leads:
        assert one.value == pytest.approx(brute(drawn[one.leader], figure, int(one.at)))
        assert one not in found.leads_known(one.at + HOLD_S - 1) or one.at + HOLD_S - 1 >= LENGTH
        assert one in found.leads_known(one.at + HOLD_S)
    for second in (0, LENGTH // 2, LENGTH - 1):
        values = found.values(second)
        ranks = [values[k] for k in found.ranking(second) if not np.isnan(values[k])]
        assert ranks == sorted(ranks, reverse=figure != LATE)


def test_lanes_begin_together_whatever_the_zone_and_the_date() -> None:
    berlin, angeles = Zone("Europe/Berlin"), Zone("America/Los_Angeles")
    starts = [berlin.seconds("2025-10-26 00:00"), angeles.seconds("2025-03-09 00:00")]  # 25 and 23 hours
    orders = [(18 * HOUR, 600.0)]
    entries = [
        entry(
            str(k),
            [(float(tz.from_local(tz.local(start) + 18 * HOUR)) - start, 600.0)],
            start,
            float(tz.next_midnight(start)) - start,
            tz,
        )
        for k, (tz, start) in enumerate(zip((berlin, angeles), starts, strict=True))
    ]
    found = race(entries, TARGET)
    assert [lane.at.tolist() for lane in found.lanes] == [[orders[0][0]]] * 2
    assert (found.length_s, found.starts) == (DAY, 0.0)


def test_a_lane_may_be_divided_by_what_is_usual_for_it() -> None:
    def days(name: str, a_day: int) -> Entry:
        orders = [
            (day * DAY + 60.0 * k, 600.0) for day in range(-4, 1) for k in range(a_day + (10 if day == -3 else 0))
        ]
        return entry(name, orders, length=HOUR)

    found = race([days("large", 40), days("small", 20)], TARGET, relative=True)
    assert [lane.usual for lane in found.lanes] == [40.0, 20.0]
    assert found.values(HOUR).tolist() == [1.0, 1.0]
    assert found.values(19 * 60.0).tolist() == [0.5, 1.0]
    assert [(one.leader, one.before) for one in found.leads] == [(1, None)]


def test_what_cannot_be_raced_is_refused_with_a_reason() -> None:
    one, other = entry("a", [(60, 600)]), entry("b", [(60, 600)])
    with pytest.raises(ValueError, match="2 to 6 lanes, not 1"):
        race([one], TARGET)
    with pytest.raises(ValueError, match="2 to 6 lanes, not 7"):
        race([one] * 7, TARGET)
    with pytest.raises(ValueError, match="on_time, delivered, late"):
        race([one, other], TARGET, "speed")
    with pytest.raises(ValueError, match="same time of day"):
        race([one, entry("c", [], START + HOUR)], TARGET)
    with pytest.raises(ValueError, match="too few other days"):
        race([one, other], TARGET, relative=True)
    assert race([entry("a", []), entry("b", [])], TARGET).leads == ()
