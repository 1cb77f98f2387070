"""The feed's index finds the events that a reader of all lines would pick out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from twin.analysis import event_index
from twin.analysis.event_index import (
    GROUPS,
    LONGEST_TEXT,
    USUAL_GROUPS,
    EventFilter,
    EventIndex,
    event_index_of,
    matching,
)
from twin.analysis.wording import describe
from twin.foundation.stages import STATES
from twin.timeline.timeline import Timeline

EVERYTHING = frozenset(GROUPS)


@pytest.fixture(scope="module")
def timeline(demo: Path) -> Timeline:
    source = twin.open(str(demo)).source
    place = next(place for place in source.locations() if place.id == "sanfrancisco")
    return Timeline.load(source, place.id, place.start, place.end)


@pytest.fixture(scope="module")
def index(timeline: Timeline) -> EventIndex:
    return event_index_of(timeline)


def test_the_index_holds_every_event_of_the_window_in_the_order_of_time(timeline, index):
    whole = timeline.latest(timeline.window.end, 10**9, pings=True)
    inside = int(np.count_nonzero(whole.ts >= timeline.window.start))

    assert len(index) == inside > 1000
    assert (np.diff(index.ts) >= 0).all()


@pytest.mark.parametrize("groups", [USUAL_GROUPS, {"problem"}, {"driver"}, {"kitchen", "problem"}, {"ping"}, set()])
def test_an_event_is_listed_if_its_type_is_ticked_or_it_is_a_problem_and_problems_are(timeline, index, groups):
    lines = describe(timeline, timeline.between(timeline.window.start, timeline.window.end + 1e-6))
    types = {kind for group in groups for kind in GROUPS[group]}

    found = index.select(frozenset(groups))

    assert found.tolist() == [
        i for i, line in enumerate(lines) if line.type in types or (line.problem and "problem" in groups)
    ]


def test_the_target_moves_what_is_a_problem(index):
    strict, generous = (len(index.select(frozenset({"problem"}), target=minutes * 60.0)) for minutes in (10, 90))

    assert strict > generous


@pytest.mark.parametrize("choose", ["id", "address", "brand", "item"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_a_text_is_found_in_ids_addresses_brands_and_items_whatever_its_case(timeline, choose, case):
    orders = timeline.orders
    row = next(row for row in range(len(orders)) if orders.items(row) and orders.address(row))
    whole = {
        "id": orders.ids[row].as_py(),
        "address": orders.address(row),
        "brand": orders.items(row)[0].brand,
        "item": orders.items(row)[0].name,
    }[choose]
    text = case(whole[1:7])

    found = matching(orders, text)

    def texts_of(order: int) -> list[str]:
        items = orders.items(order)
        return [orders.ids[order].as_py(), orders.address(order), *(i.brand for i in items), *(i.name for i in items)]

    assert found[row]
    assert found.tolist() == [
        any(text.lower() in words.lower() for words in texts_of(row)) for row in range(len(orders))
    ]


def test_a_text_is_taken_as_it_is_and_not_as_a_pattern(timeline):
    assert not matching(timeline.orders, ".*").any()
    assert not matching(timeline.orders, "%").any()


@pytest.mark.parametrize("first", [None, 0, 10, 10**9])
def test_a_page_is_a_slice_of_what_matches_around_the_moment(timeline, index, first):
    found = index.select(USUAL_GROUPS)
    t = timeline.busiest()

    page = index.page(found, t, 50, first, before=20)

    times = index.ts[found]
    assert page.total == len(found)
    assert page.top == int(np.count_nonzero(times <= t))
    assert page.first == (page.top - 20 if first is None else min(first, len(found)))
    assert page.positions.tolist() == found[page.first : page.first + 50].tolist()
    later = times[page.first + 50 :]
    assert page.until == (later[0] if len(later) else np.inf)


def test_lines_that_are_kept_are_the_same_under_every_limit_however_many_there_were(timeline, index, monkeypatch):
    monkeypatch.setattr(event_index, "MOST_LINES", 150)
    fresh = EventIndex(timeline)
    found = index.select(USUAL_GROUPS)
    for first in (0, 60, 30, 200, 0):
        some = found[first : first + 100]
        for limits in ((1200.0, 60.0), (3600.0, 600.0)):
            assert fresh.lines(timeline, some, *limits) == describe(timeline, fresh.events(some), *limits)
        assert len(fresh._lines) <= 150
    again = fresh.lines(timeline, found[:100], 1200.0, 60.0)
    assert all(one is other for one, other in zip(again, fresh.lines(timeline, found[:100], 1200.0, 60.0), strict=True))


@pytest.mark.parametrize("state", STATES)
def test_the_orders_of_a_stage_are_as_many_as_the_timeline_counts(timeline, state):
    for t in np.linspace(timeline.window.start, timeline.window.end, 40):
        assert len(timeline.membership.at(float(t), state)) == timeline.counts(float(t))[state]


def test_the_events_of_some_orders_are_theirs_alone(index):
    found = index.of_orders(index.select(EVERYTHING), [3, 5])

    assert found.tolist() == [i for i, order in enumerate(index.order.tolist()) if order in (3, 5)]


@given(st.frozensets(st.sampled_from(list(GROUPS))), st.text(max_size=LONGEST_TEXT), st.booleans())
def test_a_filter_survives_the_address(groups, text, only):
    wanted = EventFilter(groups, text.strip(), only)

    assert EventFilter.parse(str(wanted)) == wanted


@given(st.text())
def test_any_text_can_be_read_as_a_filter(query):
    assert EventFilter.parse(query).groups <= set(GROUPS)
