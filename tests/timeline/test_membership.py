"""Which orders are listed at a moment, and who stands next to whom, against a slow count over hand-made orders."""

import numpy as np
import pytest

from tests.raw_orders import DAY, MINUTE, NOON, WHOLE, rows_of, timeline_of
from twin.foundation.stages import STATES
from twin.timeline.neighbour import neighbour

SHIFTS = {"A": 0, "B": 5, "C": 31, "D": 50, "E": 50, "F": 75, "G": 118}


def made(folder):
    """Seven whole orders begun at different minutes, one cancelled, one that never moves on."""
    orders = [rows_of(name, {m: at + by for m, at in WHOLE.items()}) for name, by in SHIFTS.items()]
    orders.append(rows_of("X", {"created": 20, "cancelled": 40}))
    orders.append(rows_of("Z", {"created": 10, "started": 12}))
    return timeline_of(folder, *orders)


def slow_state(name, minute):
    """(state, since) of an order by its milestones; None where no list of the moment has it."""
    if name == "X":
        return None if minute < 20 else ("created", 20) if minute < 40 else ("cancelled", 40)
    if name == "Z":
        if minute >= 12 + 240:
            return "stalled", 252
        return None if minute < 10 else ("created", 10) if minute < 12 else ("cooking", 12)
    m = {key: at + SHIFTS[name] for key, at in WHOLE.items()}
    if minute < m["created"]:
        return None
    stages = [("created", "created"), ("started", "cooking"), ("finished", "ready"), ("picked_up", "out_for_delivery")]
    stages.append(("delivered", "completed"))
    return next((state, m[key]) for key, state in reversed(stages) if m[key] <= minute)


@pytest.mark.slow
@pytest.mark.parametrize("minute", [0, 2, 33, 43, 77.5, 102.9, 103, 120, 160, 251, 252, 300])
def test_each_list_has_the_orders_that_a_slow_count_finds(tmp_path, minute):
    timeline = made(tmp_path)
    t = NOON + minute * MINUTE
    truth = {name: slow_state(name, minute) for name in [*SHIFTS, "X", "Z"]}
    truth = {name: state for name, state in truth.items() if state}

    def listed(state):
        found = timeline.membership.at(t, state)
        names = [timeline.orders.ids[row].as_py() for row in found.order]
        kinds = [STATES[number] for number in found.state]
        return {n: (k, (s - NOON) / MINUTE) for n, k, s in zip(names, kinds, found.since, strict=True)}

    assert listed("") == {name: state for name, state in truth.items() if state[0] in STATES[:4]}
    for state in STATES:
        expected = {name: entry for name, entry in truth.items() if entry[0] == state}
        assert listed(state) == expected
        assert timeline.membership.counts(t)[state] == len(expected)


@pytest.mark.parametrize("minute", [0, 2, 33, 43, 77.5, 103, 252, 300, 24 * 60])
def test_of_some_orders_each_is_in_its_last_state_also_after_its_day(tmp_path, minute):
    timeline = made(tmp_path)
    some = ["G", "A", "X", "Z"]
    found = timeline.membership.of([timeline.orders.row_of[name] for name in some], NOON + minute * MINUTE)
    names = [timeline.orders.ids[row].as_py() for row in found.order]
    states = {n: (STATES[k], (s - NOON) / MINUTE) for n, k, s in zip(names, found.state, found.since, strict=True)}
    assert states == {name: state for name in some if (state := slow_state(name, minute))}
    assert len(timeline.membership.of([], NOON)) == 0


def test_an_order_that_is_in_no_state_at_all_is_in_none_of_some_orders(tmp_path):
    timeline = timeline_of(tmp_path, rows_of("A", WHOLE), rows_of("P", {"delivered": 5, "cancelled": 5}))
    row = timeline.orders.row_of["P"]
    found = timeline.membership.of([row], NOON + 10 * MINUTE)
    assert len(found) == np.isin(row, timeline.membership.between(NOON, NOON + 600).order)


def walk(timeline, t, first, step, state=""):
    names, row = [], timeline.orders.row_of[first]
    while row is not None:
        names.append(timeline.orders.ids[row].as_py())
        row = neighbour(timeline, t, row, step, state)
    return names


def test_walking_on_meets_every_order_in_the_order_of_creation_and_back_again(tmp_path):
    timeline = made(tmp_path)

    there = walk(timeline, NOON, "A", 1)

    assert there == ["A", "B", "Z", "X", "C", "D", "E", "F", "G"]
    assert walk(timeline, NOON, "G", -1) == there[::-1]


def test_with_a_stage_only_its_orders_at_that_moment_are_met(tmp_path):
    timeline = made(tmp_path)
    t = NOON + 64 * MINUTE  # D and E are ready, Z cooks, C is on the road

    assert walk(timeline, t, "D", 1, "ready") == ["D", "E"]
    assert walk(timeline, t, "A", 1, "ready") == ["A", "D", "E"]
    assert walk(timeline, t, "F", -1, "cooking") == ["F", "Z"]


def test_orders_before_the_window_are_not_walked_to(tmp_path):
    orders = [rows_of(name, {m: at + by for m, at in WHOLE.items()}) for name, by in {"A": -30, "B": 5}.items()]
    timeline = timeline_of(tmp_path, *orders, start=NOON, end=DAY + 86_400)

    assert "A" in timeline.orders.row_of  # read, because the day's counts need it
    assert walk(timeline, NOON + 600, "B", -1) == ["B"]
