"""The transport's Python side: what it sends, and what it does with the browser's messages."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_timeline import FakeTimeline
from twin.analysis.baseline import Baseline
from twin.analysis.driver_supply import RangeSummary
from twin.analysis.insights import Insights
from twin.analysis.moments import KINDS, Moment
from twin.foundation.errors import SourceError
from twin.foundation.zones import NAIVE
from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.views.transport.transport import (
    BUCKETS,
    MOST_BARS,
    TransportView,
    bucket_width,
    summary_parts,
)

DAY = 86_400.0
START = 1_760_572_800.0
CREATED = START + np.array([5.0, 700.0, 701.0, 86_399.0])


class Timeline:
    """Four orders on a Thursday."""

    def __init__(self, start=START, end=START + DAY):
        self.window = SimpleNamespace(start=start, end=end)
        self.tz = NAIVE
        ready, picked_up, delivered = CREATED + 900, CREATED + 1200, CREATED + 1800
        nothing = np.full(len(CREATED), np.nan)
        self.orders = SimpleNamespace(
            created=CREATED, began=CREATED, ready=ready, finished=nothing, delivered=delivered, cancelled=nothing,
            enter=np.vstack([CREATED, CREATED + 60, ready, picked_up, delivered]), revenue=np.full(len(CREATED), 20.0),
        )  # fmt: skip
        stays = {"ready": (ready, picked_up), "out_for_delivery": (picked_up, delivered)}
        self.membership = SimpleNamespace(
            between=lambda _start, _end, stage: SimpleNamespace(begin=stays[stage][0], end=stays[stage][1])
        )

    def cached(self, kind):
        return kind(self)

    def counts(self, t):
        return {"created": int(np.count_nonzero(t >= CREATED))}  # whatever its state is

    def volume(self, bucket):
        edges = np.append(np.arange(self.window.start, self.window.end, bucket), self.window.end)
        return edges, np.histogram(CREATED, edges)[0]


@pytest.fixture
def replay():
    return ReplayController(Timeline(), wall=lambda: 7.0)


def send_message(view, **message):
    """Let the browser say something."""
    view.__panel__()._process_event(_data_event(view.__panel__(), message))


def _data_event(component, message):
    from panel.models.esm import DataEvent

    return DataEvent(model=None, data=message)


@given(st.floats(60, 5 * 365 * DAY))
def test_there_are_never_too_many_bars_and_seldom_few(span):
    width = bucket_width(START, START + span)
    assert width in BUCKETS
    assert 36 < np.ceil(span / width) <= MOST_BARS


@pytest.mark.parametrize(("hours", "minutes"), [(1, 0.5), (6, 2), (12, 5), (24, 10), (48, 20), (168, 60), (720, 240)])
def test_bars_have_widths_that_people_name(hours, minutes):
    assert bucket_width(START, START + hours * 3600) == minutes * 60


def test_the_bars_are_the_orders_of_the_range(replay):
    bar = TransportView(replay).__panel__()
    assert len(bar.volume["edges"]) == 145
    assert (bar.volume["counts"][:3], bar.volume["counts"][-1], sum(bar.volume["counts"])) == ([1, 2, 0], 1, 4)
    assert bar.anchor["step"] == 60.0


def test_before_anything_is_loaded_there_are_no_bars():
    bar = TransportView(ReplayController()).__panel__()
    assert bar.volume == {"edges": [], "counts": []}
    assert bar.anchor["end"] == 0.0


def test_another_timeline_brings_its_own_bars_and_range(replay):
    view = TransportView(replay)
    replay.load(Timeline(START, START + 3600))
    view.reset()
    assert view.__panel__().volume["edges"][-1] == view.__panel__().anchor["end"] == START + 3600


def test_every_change_of_the_clock_reaches_the_browser(replay):
    view = TransportView(replay)
    replay.seek("2025-10-16 18:30")
    replay.play()
    assert view.__panel__().anchor == replay.to_browser()
    assert view.__panel__().anchor["playing"]


def test_showing_a_moment_moves_nothing(replay):
    view = TransportView(replay)
    heard = []
    view.__panel__().param.watch(heard.append, ["anchor", "volume", "busy", "source"])
    view.show(SimpleNamespace(t=START))
    assert heard == []


def test_a_verb_of_the_browser_moves_the_clock(replay):
    view = TransportView(replay)
    send_message(view, verb="step", n=10, at=START + 3600, epoch=9)
    assert (replay.now(), view.__panel__().anchor["epoch"]) == (START + 4200, 9)


def test_a_verb_that_makes_no_sense_is_logged_and_answered_with_the_truth(replay, caplog):
    view = TransportView(replay)
    send_message(view, verb="set_speed", speed=1e6, epoch=30)
    assert "at most 1000" in caplog.text
    assert (view.__panel__().anchor["speed"], view.__panel__().anchor["epoch"]) == (60, 30)


def test_asked_how_far_it_has_come_it_tells_the_age():
    times = iter([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.5])
    replay = ReplayController(Timeline(), wall=lambda: next(times, 4.5))
    replay.play()
    view = TransportView(replay)
    for _ in times:
        pass
    send_message(view, verb="sync")
    assert view.__panel__().anchor["age"] == 4.5


def test_a_chosen_range_is_handed_on_while_the_bar_is_busy(replay):
    seen = []
    view = TransportView(replay, on_range=lambda start, end: seen.append((start, end, view.__panel__().busy)))
    asyncio.run(view.choose(START, START + 3600))
    assert seen == [(START, START + 3600, "Loading the range …")]
    assert (view.__panel__().busy, view.__panel__().problem) == ("", "")


def test_loading_may_be_a_coroutine(replay):
    seen = []

    async def load(start, end):
        await asyncio.sleep(0)
        seen.append(view.busy)

    view = TransportView(replay, on_range=load)
    asyncio.run(view.choose(START, START + 3600))
    assert (seen, view.busy) == (["Loading the range …"], "")


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [(START, START, "must end after it starts"), (START + 1, START, "must end after it starts"), (None, START, "is no time"),
     (START, float("inf"), "is no time")],
)  # fmt: skip
def test_a_range_that_is_none_is_refused_in_words_and_not_loaded(replay, start, end, problem):
    def load(start, end):
        raise AssertionError("was loaded")

    view = TransportView(replay, on_range=load)
    asyncio.run(view.choose(start, end))
    assert problem in view.__panel__().problem
    assert view.busy == ""


def test_what_goes_wrong_while_loading_is_told_until_the_next_choice(replay):
    answers = iter([SourceError("The warehouse does not answer."), None])

    def load(start, end):
        if error := next(answers):
            raise error

    view = TransportView(replay, on_range=load)
    asyncio.run(view.choose(START, START + 60))
    assert view.__panel__().problem == "The warehouse does not answer."
    asyncio.run(view.choose(START, START + 60))
    assert view.__panel__().problem == ""


def test_the_picker_knows_the_data_of_the_location(replay):
    view = TransportView(replay, source_range=(START - DAY, START + DAY))
    days = {"low": START // DAY * DAY - DAY, "high": START // DAY * DAY + 2 * DAY}
    assert view.__panel__().source == {"start": START - DAY, "end": START + DAY, "latest": START + DAY, **days}
    view.reach = (START - 2 * DAY, START + 3 * DAY)
    assert (view.__panel__().source["low"], view.__panel__().source["high"]) == view.reach
    view.latest = START + 80_000
    assert view.__panel__().source["latest"] == START + 80_000
    view.source_range = None
    assert view.__panel__().source == {}


def test_the_range_is_told_apart_from_the_section_played(replay):
    bar = TransportView(replay).__panel__()
    replay.set_range(START + 3600, START + 7200)
    assert bar.window == {"start": START, "end": START + DAY}
    assert (bar.anchor["start"], bar.anchor["end"]) == (START + 3600, START + 7200)
    assert len(bar.volume["counts"]) == len(bar.supply["waiting"]) == 144


def test_insights_bring_the_moments_and_another_timeline_takes_them_away(replay):
    view = TransportView(replay)
    told = SimpleNamespace(
        kind="peak",
        start=START,
        end=START + 600,
        at=START + 60,
        when="Thu 00:00–00:10",
        title="Peak",
        sentence="Busy.",
        settled=START + 900,
        stage="created",
    )
    baseline = SimpleNamespace(stage_time=lambda stage, t: None)
    replay.learn(SimpleNamespace(timeline=replay.timeline, baseline=baseline, moments=(told,)))
    view.learn()
    [moment] = view.__panel__().moments
    assert (moment["at"], moment["label"], moment["quiet"]) == (START + 60, KINDS["peak"], True)
    replay.load(Timeline(START, START + 3600))
    view.reset()
    assert view.__panel__().moments == []


def test_the_range_is_summed_up_to_the_playhead_and_while_it_plays_every_five_minutes():
    line = FakeTimeline([{"created": START + 600.0 * i, "delivered": START + 600.0 * i + 1500} for i in range(12)])
    line.window = Window(START, START + 7200)
    replay = ReplayController(line)
    view = TransportView(replay)
    bar = view.__panel__()
    assert bar.so_far == {}

    view.show(line.at(START + 3000))
    assert bar.so_far["t"] == START + 3000
    assert [part["text"] for part in bar.so_far["parts"]] == [
        "6 orders created", "delivery 25 min (P95 25)", "50.0 % delivered so far"
    ]  # fmt: skip
    assert (
        "3 of the 6 orders created in the range by 00:50 were delivered by then; 0 were cancelled, 3 were open"
        in (bar.so_far["parts"][2]["title"])
    )
    replay.play()
    view.show(line.at(START + 3650))
    shown = bar.so_far
    assert shown["t"] == START + 3600
    view.show(line.at(START + 3890))
    assert bar.so_far is shown
    replay.set_hindsight(True)
    view.show(line.at(START + 6000))
    assert bar.so_far is shown


def test_the_summary_says_what_is_known_and_never_all_while_one_is_missing():
    known = RangeSummary(10_000, 9_999, 1, 9_990, 9, 29.4 * 60, 41.2 * 60, 18_240.4)
    parts = {part["key"]: part for part in summary_parts(known)}
    assert [part["text"] for part in parts.values()] == [
        "10,000 orders created", "delivery 29 min (P95 41)", "99.9 % delivered", "$18,240",
    ]  # fmt: skip
    assert "9 over 4 h are left out" in parts["delivery"]["title"]
    assert "1 were cancelled, of 0 no delivery" in parts["delivered"]["title"]
    assert [part["text"] for part in summary_parts(RangeSummary(1, 0, 0, 0, 0, None, None, 0.0))] == ["1 order created"]


def test_the_ribbon_tells_of_a_shortage_where_the_list_of_moments_does(replay):
    bar = TransportView(replay)
    moments = [
        Moment(
            "driver_shortage", START + 4000, START + 5000, START + 4500, 0.5, "Drivers are short", "57 meals waited"
        ),
        Moment("food_waiting", START + 3600, START + 5400, START + 4500, 0.4, "Food is waiting", "70 meals waited"),
        Moment("slow_kitchen", START, START + 600, START + 300, 0.6, "The kitchen is slow", "Cooking took 20 min"),
    ]
    assert bar.__panel__().supply["short"] == []
    replay.learn(SimpleNamespace(timeline=replay.timeline, baseline=None, moments=tuple(moments)))
    bar.learn()

    assert bar.__panel__().supply["short"] == [(START + 3600, START + 5400, 1), (START + 4000, START + 5000, 2)]


def late_day() -> ReplayController:
    """A day of deliveries in 25 minutes, and one at noon that waited an hour for its driver."""
    rows = []
    for k, wait in enumerate([0] * 12 + [60] + [0] * 5):
        t, late = START + 3600.0 * k, 60.0 * wait
        rows.append({"created": t, "started": t + 60, "finished": t + 600, "ready": t + 700, "arrived": t + 720 + late,
                     "picked_up": t + 730 + late, "delivered": t + 1500 + late})  # fmt: skip
    timeline = FakeTimeline(rows)
    timeline.window = Window(START, START + DAY)
    controller = ReplayController(timeline)
    controller.learn(Insights(timeline, Baseline.none(), ()))
    return controller


def test_late_minutes_are_computed_once_and_only_when_they_are_looked_at():
    controller = late_day()
    view = TransportView(controller, on_why=lambda _: None)
    bar, sent = view.__panel__(), []
    bar.param.watch(lambda event: sent.append(event.new), "late")
    view.learn()
    assert (bar.late, sent) == ({}, [])
    bar.below = "late"
    view.learn()
    controller.seek(START + 3600)
    view.show(controller.timeline.at(controller.now()))
    (late,) = sent
    assert late["edges"] == [START + 3600 * k for k in range(25)]
    assert late["minutes"] == [55 * (k == 13) for k in range(24)]
    (name, words, minutes), *_ = late["causes"]
    assert (name, words) == ("food_waits", "Food waits")
    assert [(k, some) for k, some in enumerate(minutes) if some] == [(13, pytest.approx(55))]  # 85 minutes, 30 promised
    assert view.below == "late"
    view.below = "nonsense"  # an address may say anything
    assert bar.below == "waiting"
    view.reset()
    assert bar.late == {}


def test_a_cause_is_explained_where_the_page_can():
    asked: list[str] = []
    view = TransportView(late_day(), on_why=asked.append)
    for part in ("food_waits", "usual", "", "weather", 7):
        send_message(view, verb="why", part=part)
    assert asked == ["food_waits", "usual", ""]
    assert view.__panel__().explains
    silent = TransportView(late_day())
    send_message(silent, verb="why", part="cook")
    assert not silent.__panel__().explains
