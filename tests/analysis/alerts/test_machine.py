"""The state machine: one firing, one recovery, nothing in between, and what is not known changes nothing."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.analysis.alerts.machine import Firing, Machine, Verdict
from twin.analysis.alerts.rules import FigureCondition, Quiet, Rule, RuleError, TroubleCondition
from twin.foundation.zones import NAIVE

MINUTE = 60.0
OVER_45 = FigureCondition("delivery_time", 2700.0, 2400.0)


def run(rule: Rule, verdicts: list[int], quiet: set[int] = frozenset()) -> list[Firing]:
    machine, changes = Machine(), []
    for k, verdict in enumerate(verdicts):
        machine, change = machine.step(rule, k * MINUTE, verdict, float(verdict), quiet=k in quiet)
        if change is not None:
            changes.append(change)
    return changes


def spelled(text: str) -> list[int]:
    """Return verdicts: o over, b between, f fine, ? unknown."""
    return ["?fbo".index(letter) for letter in text]


@given(
    st.lists(st.sampled_from(list(Verdict)), max_size=300),
    st.integers(0, 8),
    st.integers(0, 12),
    st.sets(st.integers(0, 300), max_size=40),
)
def test_it_fires_and_recovers_in_turns_and_never_flaps(verdicts, wait, keep, quiet) -> None:
    rule = Rule(OVER_45, wait * MINUTE, keep * MINUTE)
    changes = run(rule, verdicts, quiet)
    for before, after in pairwise(changes):
        assert (before.ended is None) != (after.ended is None)
    firings = [one for one in changes if one.ended is None]
    recoveries = [one for one in changes if one.ended is not None]
    for fired, ended in zip(firings, recoveries, strict=False):
        assert ended.began == fired.began
        assert ended.duration == ended.ended - fired.began >= keep * MINUTE
        first, last = round(fired.began / MINUTE), round(ended.ended / MINUTE)
        assert first not in quiet
        assert verdicts[first] == Verdict.OVER
        assert sum(one == Verdict.FINE for one in verdicts[first : last + 1]) >= keep
    for ended, fired in zip(recoveries, firings[1:], strict=False):
        assert fired.began > ended.ended
    for fired in firings:  # for so long it has been over, minutes of which nothing is known not counted
        held = verdicts[: round(fired.began / MINUTE) + 1][-(wait + 1) :]
        assert Verdict.FINE not in held or Verdict.UNKNOWN in verdicts


def test_missing_data_neither_resolves_nor_fires() -> None:
    rule = Rule(OVER_45, 3 * MINUTE, 5 * MINUTE)
    assert [one.ended for one in run(rule, spelled("oooo" + "?" * 600))] == [None]
    assert run(rule, spelled("oo" + "?" * 600)) == []
    assert [one.began for one in run(rule, spelled("oo??oo"))] == [5 * MINUTE]
    assert [one.ended for one in run(rule, spelled("ooooff???ffff"))] == [None, 12 * MINUTE]


def test_the_recovery_limit_and_the_keep_time_bridge_what_swings_around_the_limit() -> None:
    rule = Rule(OVER_45, 0.0, 3 * MINUTE)
    assert len(run(rule, spelled("obobobffobbffo"))) == 1
    fired, ended = run(rule, spelled("ofofofff" + "f"))
    assert (fired.began, ended.ended, ended.duration) == (0.0, 8 * MINUTE, 8 * MINUTE)


def test_quiet_hours_hold_the_beginning_back_only() -> None:
    rule = Rule(OVER_45, 0.0, 0.0)
    fired, ended = run(rule, spelled("oooof"), {0, 1, 4})
    assert (fired.since, fired.began, ended.ended) == (0.0, 2 * MINUTE, 4 * MINUTE)


def test_the_worst_value_is_remembered() -> None:
    machine, worst = Machine(), math.nan
    for k, value in enumerate((50.0, 70.0, 60.0, 1.0, 1.0)):
        verdict = Verdict.OVER if value > 45 else Verdict.FINE
        machine, change = machine.step(Rule(OVER_45, 0.0, MINUTE), k * MINUTE, verdict, value)
        worst = change.worst if change and change.ended else worst
    assert worst == 70.0


def test_sentences_and_the_way_through_json() -> None:
    rules = [
        Rule(OVER_45, 600.0, 600.0, Quiet(22 * 3600.0, 7 * 3600.0), frozenset({"chicago"}), "Late", "a1"),
        Rule(TroubleCondition("driver_shortage", 5), 0.0, 600.0),
        Rule(FigureCondition("orders_per_hour", 0.5, 0.7, under=True, of_usual=True)),
        Rule(FigureCondition("orders_per_hour", 20.0, 5.0, under=True, from_usual=True)),
    ]
    assert [rule.sentence for rule in rules] == [
        "Delivery time over 45 min for 10 min, until it is under 40 min for 10 min; quiet from 22:00 to 07:00",
        "Drivers short in 5 orders or more, until it is over for 10 min",
        "Orders per hour under 50 % of usual for 3 min, until it is over 70 % of usual for 10 min",
        "Orders per hour 20 under usual for 3 min, until it is less than 5 under usual for 10 min",
    ]
    for rule in rules:
        assert Rule.from_json(rule.as_json()) == rule
    assert rules[0].watches("chicago")
    assert not rules[0].watches("houston")


@pytest.mark.parametrize(
    "make",
    [
        lambda: FigureCondition("nothing", 1, 1),
        lambda: FigureCondition("delivery_time", 2400, 2700),
        lambda: FigureCondition("delivery_time", math.nan, 1),
        lambda: FigureCondition("orders_per_hour", 5, 3, under=True),
        lambda: FigureCondition("completion", 0.9, 0.8, of_usual=True),
        lambda: FigureCondition("completion", 0.9, 0.8, from_usual=True),
        lambda: FigureCondition("delivery_time", 1.5, 1.2, of_usual=True, from_usual=True),
        lambda: FigureCondition("orders_per_hour", 5, 8, under=True, from_usual=True),
        lambda: TroubleCondition("peak"),
        lambda: TroubleCondition("outage", 0),
        lambda: Quiet(5.0, 5.0),
        lambda: Rule(OVER_45, -1.0),
        lambda: Rule(OVER_45, name="x" * 200),
        lambda: Rule.from_json({"figure": {"figure": "delivery_time"}}),
        lambda: Rule.from_json({}),
    ],
)
def test_a_rule_that_means_nothing_says_so(make) -> None:
    with pytest.raises(RuleError):
        make()


def test_quiet_hours_are_of_the_kitchens_clock_and_may_span_midnight() -> None:
    import numpy as np

    hours = np.arange(0, 24) * 3600.0
    assert np.flatnonzero(Quiet(22 * 3600, 7 * 3600).covers(hours, NAIVE)).tolist() == [*range(7), 22, 23]
    assert np.flatnonzero(Quiet(7 * 3600, 9 * 3600).covers(hours, NAIVE)).tolist() == [7, 8]
