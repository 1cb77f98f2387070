"""The trends' figures: what they hold of a timeline, that they are built late and once, and what moves while playing."""

from types import SimpleNamespace as Some

import numpy as np
import pytest

from tests.fake_timeline import DAY0, HOUR, FakeItem, FakeTimeline
from twin.analysis.insights import Insights
from twin.foundation.stages import STAGES
from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.views.trends import data
from twin.views.trends.trends import TrendsView

MINUTE = 60.0
EVIL = "<img src=x onerror=alert(1)>"


def day_of_orders(n=30, evil=False):
    """`n` orders from midnight on, every 40 minutes; one stood in the kitchen for five hours."""
    rows, baskets = [], []
    for k in range(n):
        t = DAY0 + 40 * MINUTE * k
        cooked = t + (5 * HOUR if k == 3 else 10 * MINUTE + k * 10.0)
        rows.append(
            {"created": t, "started": t + 120, "finished": cooked, "picked_up": cooked + 300, "delivered": cooked + 900}
        )
        baskets.append([FakeItem("Soup", EVIL if evil else "Pho Real" if k % 3 else "Green Ledger", 2, 5.0)])
    timeline = FakeTimeline(rows, baskets=baskets)
    return served(timeline)


def served(timeline):
    """Give the hand-made timeline the window that the trends read."""
    timeline.window = Window(DAY0, DAY0 + 24 * HOUR)
    return timeline


def source(view, figure, name):
    (found,) = (r for r in getattr(view.__panel__(), figure).object.renderers if r.name == name)
    return found.data_source.data


@pytest.fixture
def controller():
    return ReplayController(day_of_orders())


def test_the_figures_hold_the_orders_and_the_stage_times(controller):
    view = TrendsView(controller)
    frame = view.__panel__()

    bars = source(view, "volume", "bars")
    assert bars["top"].sum() == 30
    assert (bars["left"][0], bars["right"][-1]) == (DAY0, DAY0 + 24 * HOUR)
    # cooking: 8 min + 10 s per order; the order of five hours is left out
    spent = [480 + 10.0 * k for k in range(30) if k != 3]
    assert source(view, "stages", "mean")["x0"][1] == pytest.approx(np.mean(spent) / MINUTE)
    assert source(view, "stages", "middle")["left"][1] == pytest.approx(np.quantile(spent, 0.25) / MINUTE)
    cooking = frame.summary["stages"][1]
    assert (cooking["number"], cooking["excluded"]) == (29, 1)
    assert [(brand["brand"], brand["orders"], brand["revenue"]) for brand in frame.summary["brands"]] == [
        ("Pho Real", 20, 200.0),
        ("Green Ledger", 10, 100.0),
    ]
    assert list(source(view, "brands", "brands")["right"]) == [20, 10]


def test_nothing_is_built_before_somebody_looks(controller):
    view = TrendsView(controller, active=False)
    view.show(controller.timeline.at(DAY0 + HOUR))
    frame = view.__panel__()
    assert (frame.volume, frame.summary, frame.now, frame.active) == (None, {}, [], False)

    view.active = True

    assert frame.active
    assert frame.volume is not None
    assert source(view, "volume", "bars")["top"].sum() == 30
    assert len(frame.now) == 4


def test_a_permanent_place_is_looked_at(controller):
    view = TrendsView(controller, active=False)
    view.wide = True

    assert view.__panel__().active
    assert view.__panel__().volume is not None


def test_another_timeline_comes_into_the_same_figures(controller):
    view = TrendsView(controller)
    figure = view.__panel__().volume.object

    controller.load(day_of_orders(5))
    view.reset()

    assert view.__panel__().volume.object is figure
    assert source(view, "volume", "bars")["top"].sum() == 5


def test_playing_changes_no_figure_and_moves_the_marks_of_the_last_hour(controller):
    view = TrendsView(controller)
    before = {name: source(view, name, part) for name, part in (("volume", "bars"), ("stages", "mean"))}
    t = DAY0 + 10 * HOUR
    controller.seek(t)

    view.show(controller.timeline.at(t))

    assert all(source(view, name, part) is before[name] for name, part in (("volume", "bars"), ("stages", "mean")))
    ended = [(row["finished"], row["finished"] - row["started"]) for row in controller.timeline.rows]
    mean = np.mean([spent for end, spent in ended if t - HOUR < end <= t and spent <= 4 * HOUR])
    assert view.__panel__().now[1][0] == pytest.approx(mean / MINUTE, abs=0.05)
    assert view.__panel__().now[1][2] is None


def test_what_is_usual_and_what_stands_out_is_drawn_when_it_is_known(controller):
    view = TrendsView(controller)
    assert view.__panel__().learnt == {}
    moment = Some(start=DAY0 + HOUR, end=DAY0 + 2 * HOUR, title=EVIL, when="Thu 01:00–02:00")
    baseline = Some(
        orders_per_hour=lambda t: None if t < DAY0 + HOUR else 8.0,
        stage_time=lambda key, t: 600.0 if key == STAGES[1] else None,
    )

    controller.learn(Insights(controller.timeline, baseline, (moment,)))
    view.learn()
    view.show(controller.timeline.at(DAY0 + 10 * HOUR))

    usual = source(view, "volume", "usual")["y"]
    assert np.isnan(usual[0])
    assert usual[50] == 2.0  # of 8 an hour in a quarter of it
    assert list(source(view, "volume", "moments")["x0"]) == [DAY0 + HOUR]
    assert view.__panel__().learnt["moments"][0]["title"] == EVIL
    assert [row[2] for row in view.__panel__().now] == [None, 10.0, None, None]

    controller.load(day_of_orders(5))
    view.reset()
    assert view.__panel__().learnt == {}
    assert len(source(view, "volume", "usual")["y"]) == 0


def test_data_without_orders_stages_or_brands_is_drawn_empty():
    view = TrendsView(ReplayController(served(FakeTimeline([]))))

    assert view.__panel__().summary["volume"]["orders"] == 0
    assert view.__panel__().summary["brands"] == []
    assert [stage["number"] for stage in view.__panel__().summary["stages"]] == [0, 0, 0, 0]
    assert len(source(view, "stages", "mean")["x0"]) == 0


def test_a_view_without_a_timeline_waits():
    view = TrendsView(ReplayController())

    assert view.__panel__().volume is None


def test_a_long_bucket_adds_up_its_hours_and_knows_nothing_if_one_is_unknown():
    edges = np.array([0.0, 7200.0, 14400.0])
    hours = {3600.0: 5.0, 7200.0: 7.0, 10800.0: 9.0, 14400.0: None}

    usual = data.usual_counts(edges, hours.__getitem__)

    assert usual[0] == 12.0
    assert np.isnan(usual[1])


@pytest.mark.parametrize("days", [1 / 24, 0.5, 1, 7, 30, 365])
def test_bars_and_labels_stay_few(days):
    span = days * 24 * HOUR
    ticks = data.time_ticks(DAY0 + 600, DAY0 + 600 + span)

    assert span / data.bucket_of(span) <= data.MOST_BARS
    assert 2 <= len(ticks) <= data.MOST_TICKS + 1
    assert all(DAY0 + 600 <= t <= DAY0 + 601 + span for t, _ in ticks)


def test_midnights_within_several_days_are_named_by_their_day():
    assert [label for _, label in data.time_ticks(DAY0, DAY0 + 3 * 24 * HOUR)][:3] == ["Thu 16", "12:00", "Fri 17"]
    assert data.time_ticks(DAY0, DAY0 + 24 * HOUR)[-1][1] == "24:00"
