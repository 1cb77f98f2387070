"""The banner says one thing at a time, and its button does what was given to it, once it was offered."""

import pytest

from tests.fake_timeline import DAY0, send_message
from twin.pages.operations.banner import BannerView

DAY = 86_400.0


@pytest.fixture
def banner():
    return BannerView()


def shown(banner):
    return banner.__panel__()


def test_it_says_nothing_at_first(banner):
    assert (banner.message, shown(banner).action) == ("", "")


def test_a_failure_can_be_tried_again_and_shows_that_it_is_being_tried(banner):
    tried = []
    banner.fail("The data source does not answer.", retry=lambda: tried.append(shown(banner).busy))
    assert (shown(banner).kind, shown(banner).action, shown(banner).busy) == ("problem", "Retry", False)

    send_message(shown(banner), {"act": True})

    assert tried == [True]
    assert shown(banner).busy  # until the outcome is known


def test_the_same_failure_again_ends_the_progress(banner):
    banner.fail("No answer.", retry=lambda: None)
    send_message(shown(banner), {"act": True})

    banner.fail("No answer.", retry=lambda: None)

    assert (banner.message, shown(banner).busy) == ("No answer.", False)


def test_without_a_way_to_retry_there_is_no_button(banner):
    banner.fail("The table is gone.")
    assert shown(banner).action == ""


def test_an_empty_range_tells_what_the_data_covers(banner):
    asked = []
    banner.no_orders(DAY0 - 6 * DAY, DAY0 + DAY - 1, lambda: asked.append(1))

    assert shown(banner).kind == "empty"
    assert banner.message == "No orders in this range: the data covers 7 days · 10 – 16 October 2025."
    send_message(shown(banner), {"act": True})
    assert asked == [1]


@pytest.mark.parametrize("message", [{"act": "yes"}, {"act": False}, {}, "act", None])
def test_what_is_no_press_of_the_button_does_nothing(banner, message):
    asked = []
    banner.notify("empty", "Nothing here.", "Do", lambda: asked.append(1))
    send_message(shown(banner), message)
    assert asked == []


def test_what_was_taken_away_can_no_longer_be_pressed(banner):
    asked = []
    banner.fail("No answer.", retry=lambda: asked.append(1))
    banner.clear()

    send_message(shown(banner), {"act": True})

    assert (asked, banner.message, shown(banner).busy) == ([], "", False)


def test_orders_behind_a_gap_are_counted_and_offered(banner):
    pressed = []
    for orders, begin in ((1, "1 order begins"), (1200, "1,200 orders begin")):
        banner.later(orders, DAY0, lambda: pressed.append(True))
        assert banner.message == f"{begin} after 2025-10-16 00:00, behind a gap in the data."

    send_message(shown(banner), {"act": True})

    assert pressed == [True]
