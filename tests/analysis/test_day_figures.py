"""A day against those before: within the usual, better, worse, and nothing said of too few days."""

import numpy as np
import pytest

from benchmarks import worlds
from twin.analysis.baseline import History
from twin.analysis.day_figures import DELIVERED, DELIVERY, LATE, ORDERS, day_figures
from twin.foundation import event_types as ev
from twin.foundation.times import DAY
from twin.timeline.orders import stages_of

TARGET = 1800.0
FIRST = 20_000


def history(days: list[tuple[int, float]], delivers: bool = True) -> History:
    """Days of (orders, minutes of each)."""
    milestones = np.full((9, sum(n for n, _ in days)), np.nan)
    at = 0
    for k, (n, minutes) in enumerate(days):
        created = (FIRST + k) * DAY + 36_000 + 60.0 * np.arange(n)
        milestones[ev.ORDER_CREATED, at : at + n] = created
        if delivers:
            milestones[ev.DELIVERED, at : at + n] = created + 60 * minutes
        at += n
    return History(milestones, stages_of(milestones, milestones[ev.ORDER_CREATED]))


def figures(days: list[tuple[int, float]], delivers: bool = True):
    return {one.name: one for one in day_figures(history(days, delivers), FIRST + len(days) - 1, TARGET)}


def test_a_week_is_compared_with_the_weeks_before_it_that_are_whole() -> None:
    weeks = [[(100 + k + w, 27.0 + 0.2 * w) for k in range(7)] for w in range(5)]
    days = [(50, 10.0), (50, 10.0), *(day for week in weeks for day in week)]  # two days of a week that is not whole
    slow = [*days[:-7], *((n, 36.0) for n, _ in days[-7:])]
    for record, change in ((days, ""), (slow, "worse")):
        first = FIRST + len(record) - 7
        found = {one.name: one for one in day_figures(history(record), first, TARGET, 7)}
        assert found[ORDERS].value == sum(n for n, _ in record[-7:])
        assert found[DELIVERY].value == pytest.approx(
            np.average([m for _, m in record[-7:]], weights=[n for n, _ in record[-7:]])
        )
        before = [sum(n for n, _ in record[2 + 7 * w : 9 + 7 * w]) for w in range(4)]
        assert found[ORDERS].usual == pytest.approx(np.mean(before))
        assert found[ORDERS].days == 4
        assert found[DELIVERY].change == change
    assert day_figures(history(days), FIRST + 9, TARGET, 7)[0].usual is None, "one week before is too few"


USUAL = [(100, 27.0), (104, 28.0), (96, 27.5), (99, 28.5)]


@pytest.mark.parametrize(("minutes", "change"), [(27.8, ""), (36.0, "worse"), (20.0, "better")])
def test_a_day_is_compared_with_where_such_a_day_would_lie(minutes: float, change: str) -> None:
    found = figures([*USUAL, (101, minutes)])
    assert found[DELIVERY].change == change
    assert found[DELIVERY].usual == pytest.approx(27.75)
    assert found[DELIVERY].low < 27.75 < found[DELIVERY].high
    assert (found[ORDERS].change, found[ORDERS].value, found[ORDERS].days) == ("", 101, 4)
    assert found[LATE].value == (100 if minutes > 30 else 0)
    assert (found[DELIVERED].value, found[DELIVERED].high) == (100, 100)


def test_more_orders_are_neither_better_nor_worse() -> None:
    assert figures([*USUAL, (180, 27.0)])[ORDERS].change == "other"


def test_of_too_few_days_and_without_deliveries_nothing_is_said() -> None:
    few = figures([*USUAL[:2], (300, 50.0)])
    assert [(one.usual, one.change) for one in few.values()] == [(None, "")] * 5
    assert few[DELIVERY].value == pytest.approx(50)
    none = figures([*USUAL, (100, 27.0)], delivers=False)
    assert (none[DELIVERY].value, none[LATE].value, none[DELIVERED].value) == (None, None, None)
    assert none[ORDERS].value == 100


def test_days_of_the_same_weekday_are_the_others_where_there_are_enough_and_calm_days_are_as_usual() -> None:
    unusual = compared = 0
    for seed in range(5):
        world = worlds.world("steady", 4_000 + seed)
        days = world.history.days
        for day in days[-5:-1].tolist():
            found = day_figures(world.history, day, TARGET)
            assert found[0].days == np.count_nonzero((days < day) & ((day - days) % 7 == 0)) == 3
            unusual += sum(bool(one.change) for one in found)
            compared += len(found)
    assert unusual <= 0.15 * compared
