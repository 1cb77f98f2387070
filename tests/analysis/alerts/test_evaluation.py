"""What alerts say is causal, equals the page's figures, finds what was planted and leaves calm weeks alone."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import worlds
from benchmarks.alerts import KIND_OF, first_delayed, measured, recorded
from benchmarks.worlds import DAY, HOUR, MINUTE
from twin.analysis.alerts import Evaluation, FigureCondition, Machine, Rule, TroubleCondition
from twin.analysis.alerts.backtest import backtest, hindsight, range_of
from twin.analysis.alerts.evaluation import Promises
from twin.analysis.alerts.figures import FIGURES, Record
from twin.analysis.alerts.machine import Verdict
from twin.analysis.alerts.signs import PHASES
from twin.analysis.baseline import History
from twin.analysis.metrics import MetricIndex
from twin.analysis.moments.usual import Usual
from twin.foundation.stages import COMPLETED, READY
from twin.sources.base import Window

SEED = 5_000
"""Kitchens apart from those of the table in docs/alerts.md. Its silence was looked at when `signs.LEAST_DAYS` was chosen."""
CONDITIONS = [
    *(FigureCondition(name, 1.0, 1.0) for name in FIGURES),
    *(FigureCondition(name, 1.3, 1.1, of_usual=True) for name, figure in FIGURES.items() if figure.usual),
    FigureCondition("delivery_time", 300.0, 100.0, from_usual=True),
    *(TroubleCondition(kind) for kind in PHASES),
]


def cut(history: History, t: float) -> History:
    """Return a record as it is at t: without whatever happened later."""
    begun = history.enter[0] <= t
    milestones, enter = history.milestones[:, begun], history.enter[:, begun]
    with np.errstate(invalid="ignore"):
        milestones = np.where(milestones <= t, milestones, np.nan)
    return History(milestones, np.where(enter <= t, enter, np.inf), history.tz)


@pytest.fixture(scope="module")
def hurt() -> worlds.World:
    return worlds.with_incident("drivers short", SEED)


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_what_is_said_at_a_time_is_what_is_said_when_the_record_ends_there(hurt, condition) -> None:
    t = np.floor((hurt.planted[0].start + 25 * MINUTE) / MINUTE) * MINUTE
    rule = Rule(condition)
    (whole,) = Evaluation(hurt.history, "x").looks(rule, t - 3 * HOUR, t)
    (ends,) = Evaluation(cut(hurt.history, t), "x").looks(rule, t - 3 * HOUR, t)
    assert whole.verdict.tolist() == ends.verdict.tolist()
    np.testing.assert_allclose(whole.value, ends.value)
    np.testing.assert_allclose(whole.usual, ends.usual)
    assert whole.text == ends.text


def test_what_is_usual_is_learned_once_while_the_days_before_stay_the_same(hurt, monkeypatch) -> None:
    """A kitchen is looked at every minute; the 28 days before are the same all day, in whatever order a source has them."""
    learned: list[float] = []
    learn = Usual.__init__

    def counted(self, time, value) -> None:
        learned.append(len(time))
        learn(self, time, value)

    monkeypatch.setattr(Usual, "__init__", counted)
    t = np.floor((hurt.planted[0].start + 25 * MINUTE) / MINUTE) * MINUTE
    rules = [Rule(condition) for condition in CONDITIONS]
    evaluation = None
    for step in range(3):
        now = cut(hurt.history, t + step * MINUTE)
        shuffled = np.random.default_rng(step).permutation(len(now))
        now = History(now.milestones[:, shuffled], now.enter[:, shuffled], now.tz)
        evaluation = Evaluation(now, "x", before=evaluation)
        for rule in rules:
            (again,) = evaluation.looks(rule, t - HOUR, t + step * MINUTE)
            (alone,) = Evaluation(now, "x").looks(rule, t - HOUR, t + step * MINUTE)
            assert again.verdict.tolist() == alone.verdict.tolist()
            np.testing.assert_array_equal(again.value, alone.value)
            assert again.text == alone.text
        learned.clear()
    assert evaluation is not None
    later = Evaluation(now, "x", before=evaluation)
    for rule in rules:
        list(later.looks(rule, t - HOUR, t))
    assert learned == [], "the same days before say the same"
    row = int(np.flatnonzero(now.enter[0] < later.tz.midnight(t))[0])
    now.milestones[:, row] += MINUTE
    changed = Evaluation(History(now.milestones, now.enter + 0.0, now.tz), "x", before=later)
    for rule in rules:
        list(changed.looks(rule, t - HOUR, t))
    assert learned != [], "a late row has changed a day before"


@pytest.mark.parametrize("under", [False, True])
def test_a_limit_against_what_is_usual_is_that_limit_as_a_value(hurt, under: bool) -> None:
    begin, end = hurt.planted[0].start - HOUR, hurt.planted[0].end + HOUR
    evaluation = Evaluation(hurt.history, "x")
    from_usual = FigureCondition("delivery_time", 300.0, 100.0, under=under, from_usual=True)
    (looks,) = evaluation.looks(Rule(from_usual), begin, end)
    assert np.isfinite(looks.usual).any()
    seen = set()
    for value, usual, verdict in zip(looks.value, looks.usual, looks.verdict, strict=True):
        beyond = (usual - value) if under else (value - usual)
        known = np.isfinite(value) and np.isfinite(usual)
        wanted = Verdict.OVER if beyond > 300.0 else Verdict.FINE if beyond <= 100.0 else Verdict.BETWEEN
        assert verdict == (wanted if known else Verdict.UNKNOWN)
        seen.add(verdict)
    assert Verdict.FINE in seen
    assert under or Verdict.OVER in seen


def test_live_steps_and_a_backtest_say_the_same(hurt) -> None:
    begin, end = hurt.planted[0].start - HOUR, hurt.planted[0].end + 2 * HOUR
    rule = Rule(TroubleCondition("driver_shortage"), 0.0, 10 * MINUTE)
    _, at_once = Evaluation(hurt.history, "x").run(rule, Machine(), begin, end)
    machine, live = Machine(), []
    for t in np.arange(begin, end, 17 * MINUTE).tolist():
        until = min(t + 17 * MINUTE, end)
        machine, more = Evaluation(cut(hurt.history, until), "x").run(rule, machine, t, until)
        live += more
    assert repr(live) == repr(at_once)  # NaN is not NaN
    assert [one.ended is None for one in live] == [True, False]


def test_figures_are_the_pages(hurt) -> None:
    index = MetricIndex(hurt.timeline())
    record = Record(hurt.history, MetricIndex(replace(hurt, window=Window(0.0, np.inf)).timeline()))
    enter = hurt.history.enter
    t = hurt.planted[0].start + np.array([0.0, 20.0, 50.0]) * MINUTE
    at = {name: figure.at(record, t) for name, figure in FIGURES.items()}
    for k, now in enumerate(t.tolist()):
        edges = now - np.array([HOUR, 0.0])
        ended = index.deliveries.ended(edges)
        assert at["delivery_time"][k] == pytest.approx(ended.mean)
        assert at["orders_per_hour"][k] == index.orders_per_hour(now)
        assert at["completion"][k] == pytest.approx(index.completion(now)[0])
        assert at["time_to_pick_up"][k] == pytest.approx(index.stage_times[READY].ended(edges).mean)
        late = np.count_nonzero(ended.values >= 30.5 * MINUTE) / ended.number
        assert at["late_share"][k] == pytest.approx(late)
        since = enter[READY][(enter[READY] <= now) & (enter[READY + 1] > now)]
        assert at["meals_waiting"][k] == len(since)
        assert at["oldest_waiting"][k] == pytest.approx(now - since.min())
        kitchen = (enter[0] <= now) & (enter[COMPLETED - 1] > now) & (now - enter[0] < 4 * HOUR)
        cancelled = hurt.history.milestones[8] <= now
        assert at["in_kitchen"][k] == np.count_nonzero(kitchen & ~cancelled)


def test_a_kitchen_of_which_nothing_is_heard_is_unknown_not_fine() -> None:
    world = worlds.world("steady", SEED)
    day = world.window.end - DAY
    silent = cut(world.history, day + 13 * HOUR)
    for condition in (FigureCondition("orders_per_hour", 1e4, 1e4), TroubleCondition("slow_kitchen")):
        (looks,) = Evaluation(silent, "x").looks(Rule(condition), day + 16 * HOUR, day + 17 * HOUR)
        assert set(looks.verdict.tolist()) == {Verdict.UNKNOWN}


def test_nothing_is_unusual_on_the_first_day() -> None:
    world = worlds.world("steady", SEED)
    first = float(world.history.enter[0].min()) // DAY * DAY
    (looks,) = Evaluation(world.history, "x").looks(
        Rule(TroubleCondition("outage")), first + 18 * HOUR, first + 19 * HOUR
    )
    assert set(looks.verdict.tolist()) == {Verdict.UNKNOWN}


def test_a_backtest_counts_links_and_confirms(hurt) -> None:
    window = range_of(hurt.window.start, hurt.window.end)
    moments = hindsight(hurt.history, "x", window, Promises())
    shares: list[float] = []
    rule = Rule(TroubleCondition("driver_shortage"))
    result = backtest(Evaluation(hurt.history, "x"), rule, window, moments, shares.append)
    assert [one.moment.kind for one in result.fired] == ["driver_shortage"]
    assert result.precision == 1.0
    assert result.missed == ()
    assert result.sentence == "Would have fired once in the last 7 days, 1 of 1 confirmed in hindsight."
    assert result.coverage > 0.8
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    never = backtest(Evaluation(hurt.history, "x"), Rule(FigureCondition("delivery_time", 9e9, 9e9)), window, moments)
    assert (never.precision, never.sentence) == (None, "Would not have fired in the last 7 days.")
    deaf = backtest(Evaluation(hurt.history, "x"), Rule(TroubleCondition("driver_shortage", 9_999)), window, moments)
    assert [one.kind for one in deaf.missed] == ["driver_shortage"]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["standstill", "slow evening", "drivers short", "slow roads", "rush", "silence"])
def test_what_was_planted_is_told_once_and_in_time(shape: str) -> None:
    """The short form of `python -m benchmarks.alerts`, which docs/alerts.md has the figures of."""
    world = worlds.with_incident(shape, SEED)
    result = measured(world, KIND_OF[shape])
    assert result.found
    assert result.false == 0
    assert result.again == 0
    if shape not in worlds.CHANGES_DEMAND:
        assert first_delayed(world) <= result.at <= first_delayed(world) + 25 * MINUTE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["steady", "small", "partial record"])
def test_a_calm_week_stays_calm(name: str) -> None:
    world = worlds.world(name, SEED)
    evaluation = Evaluation(world.history, "x")
    for kind in PHASES:
        assert backtest(evaluation, Rule(TroubleCondition(kind)), recorded(world), ()).fired == ()
