"""The welcome offers what the source has, in words, and passes on only a choice that was offered."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, HOUR, send_message
from twin.pages.operations.choice import MANY_KITCHENS
from twin.pages.operations.welcome import CHART_BARS, LISTED, WelcomeView, activity, range_text
from twin.sources.base import Location, Quality, Volume

DAY = 24 * HOUR
SF = Location("sanfrancisco", "San Francisco", 37.79, -122.39, 6437.0, 4213, DAY0 - 6 * DAY, DAY0 + DAY - 1)
CHICAGO = Location("chicago", "Chicago", None, None, None, 8, DAY0 + 100, DAY0 + 7000)


def welcome(**callbacks):
    chosen, retried = [], []
    view = WelcomeView(chosen.append, callbacks.get("on_retry", lambda: retried.append(1)))
    return view, chosen, retried


def test_it_waits_with_a_skeleton():
    assert welcome()[0].__panel__().state["status"] == "loading"


def test_each_location_gets_a_card():
    view, *_ = welcome()
    volume = Volume(np.array([DAY0, DAY0 + 2 * HOUR]), np.array([5, 7]))

    view.show_locations(
        [SF, CHICAGO], {"chicago": volume}, {"chicago": Quality(110, 100, {"no order": 7, "bad timestamp": 3})}
    )

    state = view.__panel__().state
    assert state["status"] == "ready"
    assert [city["name"] for city in state["cities"]] == ["San Francisco", "Chicago"]
    assert state["cities"][0] == {
        "id": "sanfrancisco",
        "name": "San Francisco",
        "qualifier": "",
        "place": "",
        "end": DAY0 + DAY - 1,
        "orders": 4213,
        "range": "7 days · 10 – 16 October 2025",
        "activity": [],
        "peak": None,
        "step": 1,
        "rejected": 0,
    }
    assert (state["cities"][1]["peak"], state["cities"][1]["step"]) == (7, 1)
    assert (state["cities"][1]["activity"], state["cities"][1]["rejected"]) == ([5.0, 0.0, 7.0], 10)


def test_no_location_is_an_empty_state():
    view, *_ = welcome()
    view.show_locations([])
    assert view.__panel__().state["status"] == "empty"


def test_a_choice_is_passed_on():
    view, chosen, _ = welcome()
    view.show_locations([SF, CHICAGO])

    send_message(view.__panel__(), {"choose": "chicago"})

    assert chosen == ["chicago"]


@pytest.mark.parametrize(
    "message", [{"choose": "atlantis"}, {"choose": None}, {"choose": ["chicago"]}, {}, "chicago", None]
)
def test_a_choice_that_was_not_offered_is_ignored(message):
    view, chosen, retried = welcome()
    view.show_locations([SF])

    send_message(view.__panel__(), message)

    assert (chosen, retried) == ([], [])


def test_a_failure_tells_what_to_do_and_can_be_tried_again():
    view, _, retried = welcome()

    view.fail("No file matches x.csv.", "Check the path.")
    state = view.__panel__().state
    assert (state["status"], state["message"], state["advice"], state["retry"]) == (
        "error", "No file matches x.csv.", "Check the path.", True,
    )  # fmt: skip

    send_message(view.__panel__(), {"retry": True})
    assert retried == [1]
    assert view.__panel__().state["status"] == "loading"


def test_without_a_way_to_retry_none_is_offered():
    view, *_ = welcome(on_retry=None)
    view.fail("The source is gone.")

    send_message(view.__panel__(), {"retry": True})

    assert (view.__panel__().state["status"], view.__panel__().state["retry"]) == ("error", False)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (DAY0 + 3600, DAY0 + 7320, "16 October 2025, 01:00 – 02:02"),
        (DAY0, DAY0 + DAY, "2 days · 16 – 17 October 2025"),
        (DAY0 - 20 * DAY, DAY0, "21 days · 26 September – 16 October 2025"),
        (DAY0 - 365 * DAY, DAY0, "366 days · 16 October 2024 – 16 October 2025"),
    ],
)
def test_a_range_is_told_in_words(start, end, words):
    assert range_text(start, end) == words


@given(st.dictionaries(st.integers(0, 9000), st.integers(1, 500), max_size=60))
def test_the_chart_shows_the_busiest_hour_of_each_bar_and_stays_small(hours):
    number = np.array(sorted(hours), dtype=np.int64)
    counts = np.array([hours[h] for h in sorted(hours)], dtype=np.int64)

    bars = activity(DAY0 + number * HOUR, counts)

    assert len(bars) <= CHART_BARS
    if hours:
        span = int(number[-1] - number[0]) + 1
        width = -(-span // CHART_BARS)
        most = [0] * -(-span // width)
        for hour, count in zip((number - number[0]).tolist(), counts.tolist(), strict=True):
            most[hour // width] = max(most[hour // width], count)
        assert bars == most
    else:
        assert bars == []


def test_many_kitchens_are_one_text_and_any_of_them_can_be_chosen():
    view, chosen, _ = welcome()
    many = [replace(SF, id=f"k{n}", city="Oakland") for n in range(MANY_KITCHENS + 1)]
    view.show_locations(many)
    state = view.__panel__().state
    assert state["cities"] == []
    rows = [dict(zip(LISTED, row, strict=True)) for row in json.loads(state["many"])]
    assert [row["id"] for row in rows] == [place.id for place in many]
    assert rows[0]["place"] == "Oakland"
    send_message(view.__panel__(), {"choose": "k24"})
    send_message(view.__panel__(), {"choose": "k25"})
    assert chosen == ["k24"]


def test_the_peak_is_the_busiest_hour_however_many_hours_a_bar_stands_for():
    view, *_ = welcome()
    hours = DAY0 + HOUR * np.arange(840.0)
    orders = np.where(np.arange(840) % 10 == 3, 50, 0)

    view.show_locations([SF], {SF.id: Volume(hours, orders)})

    (city,) = view.__panel__().state["cities"]
    assert (max(city["activity"]), city["peak"], city["step"]) == (50, 50, 10)
