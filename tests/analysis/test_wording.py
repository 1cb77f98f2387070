"""The feed says what happened, and nothing that was not known yet."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, EVENT_OF, FakeItem, FakeTimeline
from twin.analysis.wording import describe, exact_text, minutes_text, short_id
from twin.notebook import saved
from twin.views.map import answers

MINUTE = 60.0
BASKET = [FakeItem("Pho", "Pho Real", 2), FakeItem("Bowl", "Green Machine", 1), FakeItem("Tea", "Pho Real", 1)]


def order(**minutes: float) -> dict[str, float]:
    return {milestone: DAY0 + MINUTE * at for milestone, at in minutes.items()}


def line(kind, row, *, at=None, order_id="A7K2M9", basket=(), progress=math.nan, target=1800.0, eta=math.nan):
    """Describe one event of one order; `at` in minutes, else the time of the event's own milestone."""
    timeline = FakeTimeline([row], [order_id], [list(basket)])
    timeline.set_orders(eta_mins=np.array([eta], np.float32))
    own = next((m for m, event in EVENT_OF.items() if event == kind), None)
    t = row[own] if at is None else DAY0 + MINUTE * at
    return describe(timeline, FakeTimeline.slice([(t, kind, 0, progress)]), target)[0]


def test_a_delivery_tells_its_total_and_how_far_over_the_target_it_is():
    text_line = line("delivered", order(created=0, delivered=44))

    assert (text_line.title, text_line.detail) == ("Delivered · A7K2M9", "Total 44 min · 14 min over target")
    assert (text_line.icon, text_line.colour) == ("check", "completed")


def test_a_delivery_in_time_says_so():
    assert line("delivered", order(created=0, delivered=30)).detail == "Total 30 min · within target"


def test_the_target_is_a_setting():
    assert (
        line("delivered", order(created=0, delivered=30), target=20 * MINUTE).detail
        == "Total 30 min · 10 min over target"
    )


def test_a_delivery_whose_creation_is_unknown_tells_no_total():
    assert line("delivered", order(delivered=30)).detail == ""


def test_a_pick_up_tells_how_long_the_food_had_waited():
    assert line("driver_picked_up", order(ready=10, picked_up=31)).detail == "21 min after the food was ready"


def test_a_ready_meal_tells_what_it_is_and_that_nobody_is_there_to_fetch_it():
    text_line = line("gk_ready", order(created=0, ready=14, arrived=20), basket=[FakeItem("Bibimbap", "Seoul Food", 3)])

    assert (text_line.title, text_line.detail) == ("Ready · A7K2M9", "3 items from Seoul Food · no driver yet")


def test_a_ready_meal_tells_of_the_driver_who_is_waiting():
    text_line = line("gk_ready", order(created=0, arrived=10, ready=14), basket=[FakeItem("Bibimbap", "Seoul Food", 1)])

    assert text_line.detail == "1 item from Seoul Food · driver here for 4 min"


@pytest.mark.parametrize(
    ("arrived", "title", "detail", "colour"),
    [
        (9, "Driver arrived", "Food not ready yet", "out_for_delivery"),
        (15, "Driver arrived", "5 min after the food was ready", "out_for_delivery"),
        (29, "Driver arrived late", "19 min after the food was ready", "bad"),
    ],
)
def test_a_driver_is_late_more_than_five_minutes_after_the_food_was_ready(arrived, title, detail, colour):
    text_line = line("driver_arrived", order(created=0, ready=10, arrived=arrived))

    assert (text_line.title, text_line.detail, text_line.colour) == (f"{title} · A7K2M9", detail, colour)


@pytest.mark.parametrize(("missing", "kind"), [("ready", "driver_arrived"), ("arrived", "gk_ready")])
def test_what_a_source_never_records_is_not_awaited(missing, kind):
    row = order(created=0, started=2, ready=10, arrived=12, picked_up=15, delivered=30)
    del row[missing]
    (told,) = describe(FakeTimeline([row] * 4), FakeTimeline.slice([(DAY0 + 13 * MINUTE, kind, 0, math.nan)]))
    assert told.detail == ""

    recorded = {**row, missing: DAY0 + 14 * MINUTE}
    slice_ = FakeTimeline.slice([(DAY0 + 13 * MINUTE, kind, 0, math.nan)])
    (told,) = describe(FakeTimeline([row, row, row, recorded]), slice_)
    assert told.detail == {"ready": "Food not ready yet", "arrived": "No driver yet"}[missing]


def test_a_new_order_tells_how_many_items_of_which_brands():
    assert line("order_created", order(created=0), basket=BASKET).detail == "4 items from Pho Real, Green Machine"


def test_more_than_two_brands_are_counted():
    basket = [FakeItem("x", brand) for brand in ("Pho Real", "Green Machine", "Seoul Food", "Wok This Way")]

    assert (
        line("order_created", order(created=0), basket=basket).detail
        == "4 items from Pho Real, Green Machine and 2 more"
    )


@pytest.mark.parametrize("qty", [None, math.nan, 0, -3])
def test_an_item_without_a_sensible_quantity_is_one_item(qty):
    assert line("order_created", order(created=0), basket=[FakeItem("x", "", qty)]).detail == "1 item"


@pytest.mark.parametrize(
    ("quantities", "text"), [((1.5,), "1.5 items"), ((0.5,), "0.5 items"), ((1.5, 1.5), "3 items")]
)
def test_feed_map_and_saved_page_count_fractions_of_an_item(quantities, text):
    basket = [FakeItem("Rice", "Pho Real", qty) for qty in quantities]
    timeline = FakeTimeline([order(created=0)], baskets=[basket])

    assert line("order_created", order(created=0), basket=basket).detail == f"{text} from Pho Real"
    assert answers.describe(timeline, 0, timeline.window.start)["items"] == f"{text} from Pho Real"
    assert saved._order_texts(timeline, 0)["items"] == f"{text} from Pho Real"


def test_a_ping_tells_how_far_the_driver_is():
    text_line = line("driver_ping", order(created=0, picked_up=20), at=25, progress=65.4)

    assert (text_line.title, text_line.detail) == ("On the road · A7K2M9", "65 % complete, 3 min remaining")


@pytest.mark.parametrize(
    ("progress", "at", "eta", "detail"),
    [
        (50, 30, math.nan, "50 % complete, 10 min remaining"),  # ten minutes for the first half
        (5, 21, 8, "5 % complete, 7 min remaining"),  # too early for a pace: what is left of the promise
        (5, 21, math.nan, "5 % complete"),
        (5, 40, 8, "5 % complete"),  # the promise is broken already
        (100, 30, math.nan, "100 % complete, 0 s remaining"),
        (140, 30, math.nan, "140 % complete"),
    ],
)
def test_a_ping_tells_the_time_remaining_as_it_was_known_then(progress, at, eta, detail):
    assert line("driver_ping", order(created=0, picked_up=20), at=at, progress=progress, eta=eta).detail == detail


def test_a_ping_of_a_trip_whose_pick_up_is_unknown_tells_no_time():
    assert line("driver_ping", order(created=0), at=25, progress=65, eta=10).detail == "65 % complete"


def test_a_pick_up_tells_when_the_meal_is_expected():
    text_line = line("driver_picked_up", order(ready=10, picked_up=31), eta=9)

    assert text_line.detail == "21 min after the food was ready · expected in 9 min"


@pytest.mark.parametrize(
    ("kind", "row", "problem"),
    [
        ("driver_arrived", {"created": 0, "ready": 10, "arrived": 29}, True),
        ("driver_arrived", {"created": 0, "ready": 10, "arrived": 15}, False),
        ("delivered", {"created": 0, "delivered": 44}, True),
        ("delivered", {"created": 0, "delivered": 30.4}, False),
        ("delivered", {"delivered": 30}, False),
        ("order_cancelled", {"created": 0, "cancelled": 3}, True),
        ("order_created", {"created": 0}, False),
    ],
)
def test_what_went_wrong_is_a_problem(kind, row, problem):
    assert line(kind, order(**row)).problem is problem


def test_a_ping_without_progress_still_makes_a_line():
    assert line("driver_ping", order(created=0, picked_up=20), at=25).detail == ""


def test_an_unknown_type_is_told_by_its_raw_name_in_words():
    text_line = line("driver_took_break", order(created=0), at=3)

    assert (text_line.title, text_line.colour, text_line.type) == (
        "Driver took break · A7K2M9",
        "mute",
        "driver_took_break",
    )


@pytest.mark.parametrize("kind", ["", "___", " "])
def test_a_type_without_a_word_in_it_is_nameless(kind):
    assert line(kind, order(created=0), at=3).title == "Nameless event · A7K2M9"


@pytest.mark.parametrize(
    ("order_id", "shown"),
    [
        ("A7K2M9", "A7K2M9"),
        ("A7K2M9-L1", "A7K2M9-L1"),
        ("0f3c9a55d1e84b27a6c0d1e2f3a4b5c6", "0f3c9a"),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504"),
        ("ORDER-2025-000123", "…000123"),
        ("202510171830000042", "…000042"),
        ("018f4e2a-7c31-7d5b-a0c1-5e8f9b3c2d41", "…3c2d41"),
        ("طلب-000123-٤٥٦", "…23-٤٥٦"),
    ],
)
def test_long_ids_are_shown_short(order_id, shown):
    assert short_id(order_id) == shown
    assert line("order_created", order(created=0), order_id=order_id).title == f"Order created · {shown}"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (150, "3 min"), (3570, "1 h 00"), (7500, "2 h 05")],
)
def test_durations_are_said_in_the_unit_that_fits(seconds, words):
    assert minutes_text(seconds) == words


def test_parts_said_to_the_second_add_up():
    assert (exact_text(133.4), exact_text(59.6), exact_text(0)) == ("2 min 13 s", "1 min", "0 s")


MOMENTS = st.dictionaries(st.sampled_from(list(EVENT_OF)), st.integers(0, 300), min_size=1)


@given(MOMENTS, st.integers(0, 300), st.sampled_from([*EVENT_OF.values(), "driver_ping", "surprise"]))
def test_a_line_does_not_know_what_happens_after_its_event(minutes, at, kind):
    whole = order(**minutes)
    known = {milestone: t for milestone, t in whole.items() if t <= DAY0 + MINUTE * at}

    with_future = line(kind, whole, at=at, basket=BASKET)
    without = line(kind, known or {}, at=at, basket=BASKET)

    assert (with_future.title, with_future.detail, with_future.icon, with_future.problem) == (
        without.title,
        without.detail,
        without.icon,
        without.problem,
    )
