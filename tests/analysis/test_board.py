"""All kitchens on a wall: each figure is what the kitchen's row of the network says at that minute."""

from pathlib import Path

import numpy as np
import pytest

import twin
from twin.analysis.board import Board, board_kitchen, minutes_between
from twin.analysis.limits import LEVELS
from twin.api import network
from twin.foundation.times import HOUR, seconds
from twin.notebook.door import Twin

START = seconds("2025-10-16 17:00")


@pytest.fixture(scope="module")
def hub(demo: Path) -> Twin:
    return twin.open(demo)


def known(value: float) -> float | None:
    return None if np.isnan(value) else value


@pytest.mark.slow
def test_a_board_says_what_the_rows_say_and_in_their_order(hub: Twin) -> None:
    t = minutes_between(START, START + 4 * HOUR)
    kitchens, places = [], hub.locations
    for place in places:
        timeline = hub.timeline(place.id, *place.tz.whole_days(START, START))
        target = hub.settings.delivery_target_s
        kitchens.append(board_kitchen(timeline, hub.states(timeline), hub.usual(timeline), target, t))
    board = Board(START, tuple(kitchens))
    assert board.minutes == 241
    for at in range(0, 241, 20):
        rows = [network.kitchen_at(hub, place, float(t[at]), worst=False) for place in places]
        for one, row in zip(kitchens, rows, strict=True):
            assert (one.name, one.state[at]) == (row.display_name, row.state)
            assert all(over.words in one.head[at] for over in row.over_limits)
            assert known(one.orders[at]) == row.throughput_per_hour
            assert known(one.usual[at]) == row.usual_per_hour
            assert known(one.deliveries[at]) == row.deliveries
            assert known(one.late[at]) == row.late_deliveries
            assert LEVELS[one.level[at]] == (row.late_level or "fine")
            assert known(one.took[at]) == (
                None if row.avg_delivery_time_min is None else pytest.approx(60 * row.avg_delivery_time_min, abs=0.1)
            )
            assert known(one.waiting[at]) == row.meals_waiting
            assert known(one.on_road[at]) == row.drivers_on_road
        assert board.ranking(at) == sorted(range(len(rows)), key=lambda place: network.harm(rows[place]))


def test_minutes_are_whole_and_the_first_has_begun() -> None:
    assert minutes_between(125.0, 240.0).tolist() == [120.0, 180.0, 240.0]
