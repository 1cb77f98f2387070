"""A card of the first page says what the kitchen's own page says of its last day."""

from pathlib import Path

import pytest

import twin
from tests.fake_timeline import send_message
from twin.notebook.door import Twin
from twin.pages.operations.card_state import card_state
from twin.pages.operations.welcome import MOST_ASKED, WelcomeView
from twin.views.shared.kitchen_state import states_to_browser


@pytest.fixture(scope="module")
def hub(demo: Path) -> Twin:
    return twin.open(demo)


def test_nothing_is_loaded_for_a_kitchen_that_is_only_listed(hub: Twin) -> None:
    assert card_state(hub, "chicago", load=False) is None
    assert hub.kept("chicago") is None


@pytest.mark.parametrize("location", ["sanfrancisco", "ChIJARA-WRHDQIYR_dt-PARrtas"])
def test_a_past_day_has_its_worst_stretch_and_the_busiest_hour_of_its_page(hub: Twin, location: str) -> None:
    told = card_state(hub, location)
    assert told == card_state(hub, location, load=False)
    timeline = hub.timeline(location)
    insights = hub.insights(timeline)
    page, window, tz = states_to_browser(insights), timeline.window, timeline.tz
    minutes = [window.start + 60 * n for n in range(24 * 60)]
    states = [page["state"][max(i for i, t in enumerate(page["t"]) if t <= max(m, page["t"][0]))] for m in minutes]
    worst = next((state for state in ("trouble", "building") if state in states), "calm")
    runs: list[list[float]] = []
    for minute, state, before in zip(minutes, states, ["", *states], strict=False):
        if state == worst:
            if before != worst:
                runs.append([])
            runs[-1].append(minute)
    longest = max(runs, key=len)
    assert told is not None
    assert told["state"] == worst
    if worst != "calm":
        begin, end = max(longest[0], page["t"][0]), longest[-1] + 60
        assert told["text"].startswith(f"Worst: {worst}, ")
        shown = told["text"][-11:].split("–")
        assert abs(_minutes(shown[0]) - _minutes(tz.clock(begin))) <= 1
        assert abs(_minutes(shown[1]) - _minutes(tz.clock(end))) <= 1
    peaks = [one.sentence for one in insights.moments if one.title == "Busiest hour"]
    number = told["busiest"].removeprefix("busiest hour: ").removesuffix(" orders")
    assert number in {sentence.split(" orders in an hour")[0] for sentence in peaks} or (not peaks and not number)


def test_a_day_that_is_not_over_has_the_state_that_its_page_shows_now(hub: Twin) -> None:
    timeline = hub.timeline("sanfrancisco")
    page = states_to_browser(hub.insights(timeline))
    told = card_state(hub, "sanfrancisco", wall=hub.location("sanfrancisco").end + 60)
    assert told is not None
    assert told["state"] == page["state"][-1]
    assert told["text"].startswith(page["heads"][page["head"][-1]] or "Calm")


def test_only_cards_that_were_offered_are_asked_for() -> None:
    asked: list[list[str]] = []
    view = WelcomeView(lambda _: None, on_states=asked.append)
    view._ids = {"a", "b"}
    send_message(view.__panel__(), {"states": ["a", "x", 3, "b"]})
    send_message(view.__panel__(), {"states": ["a"] * (MOST_ASKED + 9)})
    assert asked == [["a", "b"], ["a"] * MOST_ASKED]


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return 60 * int(hour) + int(minute)
