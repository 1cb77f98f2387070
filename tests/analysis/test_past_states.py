"""States of days that nobody has loaded: those that a kitchen's page has once the day is loaded, hour by hour."""

from pathlib import Path

import numpy as np
import pytest

import twin
from twin.analysis.kitchen_state import CALM, STATES, TROUBLE, StateLog
from twin.analysis.past_states import HARM, NO_STATE, StateHours
from twin.api.network import Network, network_of
from twin.foundation.times import DAY, HOUR
from twin.notebook.door import Twin
from twin.sources.base import Window


@pytest.fixture(scope="module")
def hub(demo: Path) -> Twin:
    return twin.open(demo)


def by_hour(hours: StateHours) -> dict[float, int]:
    return {hours.first + HOUR * n: int(harm) for n, harm in enumerate(hours.harm) if harm != NO_STATE}


def test_harm_goes_from_calm_to_trouble() -> None:
    assert sorted(STATES, key=lambda name: HARM[STATES.index(name)]) == ["calm", "recovering", "building", "trouble"]


@pytest.mark.slow
def test_they_are_those_of_the_loaded_days(hub: Twin) -> None:
    network: Network = network_of(hub)
    seen: set[int] = set()
    for place in hub.locations:
        past, compared = by_hour(network.past_states(place)), 0
        last = hub.last_hours(place.id)
        days = [hub.timeline(place.id, *place.tz.whole_days(t, t)) for t in np.arange(place.start, last.start, DAY)]
        for timeline in [*days, hub.timeline(place.id)]:
            window = timeline.window
            loaded = by_hour(StateHours.of(hub.states(timeline), window))
            inside = [one for one in loaded if window.start <= one and one + HOUR < min(window.end, place.end)]
            # midnight itself is the next day's; hours in which the page shows the last 24 hours are compared with these
            shown = [one for one in inside if window == last or one + HOUR <= last.start]
            for begin in shown:
                if begin in past:
                    assert past[begin] == loaded[begin], (place.id, place.tz.text(begin))
                    seen.add(past[begin])
                    compared += 1
        assert compared > 30, place.id
    assert {0, 2, 3} <= seen, "the days are too dull to show anything"


def test_an_hour_has_the_worst_state_of_its_minutes_and_of_two_parts_the_worse() -> None:
    t = np.arange(0, 3 * HOUR + 1, 60.0)
    state = np.full(len(t), CALM, np.uint8)
    state[t == HOUR] = TROUBLE  # the last minute of the first hour
    log = StateLog(t, state, np.zeros((6, len(t)), np.uint8))
    assert StateHours.of(log, Window(0.0, 3 * HOUR)).harm.tolist() == [3, 0, 0]
    late, early = StateHours.of(log, Window(HOUR + 60, 3 * HOUR)), StateHours.of(log, Window(0.0, HOUR + 120))
    assert (late.first, late.harm.tolist()) == (HOUR, [0, 0])
    assert early.joined([late]).harm.tolist() == late.joined([early]).harm.tolist() == [3, 0, 0]
    nothing = StateHours(0.0, np.full(2, NO_STATE, np.uint8))
    assert nothing.joined([late]).harm.tolist() == [NO_STATE, 0, 0]
