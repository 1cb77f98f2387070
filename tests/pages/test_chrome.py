"""The header's controls know the place, and the help defines every figure with the numbers it is computed with."""

import re

import pytest

from twin.analysis import metrics
from twin.foundation import stages
from twin.foundation.settings import Settings
from twin.pages.operations.chrome import ChromeView, definitions
from twin.replay.controller import ReplayController


@pytest.fixture
def chrome():
    return ChromeView(ReplayController())


def test_it_tells_the_browser_the_place_and_what_is_loading(chrome):
    chrome.param.update(place="San Francisco", place_id="sanfrancisco", waiting="Loading San Francisco …")
    bar = chrome.__panel__()
    assert (bar.place, bar.place_id, bar.waiting) == ("San Francisco", "sanfrancisco", "Loading San Francisco …")

    chrome.waiting = ""

    assert bar.waiting == ""


def test_it_is_on_the_clock_of_its_controller():
    controller = ReplayController()
    bar = ChromeView(controller).__panel__()
    assert bar.clock == controller.key
    controller.set_speed(500)
    assert bar.anchor["speed"] == 500


def numbers(term, **settings):
    text = dict(definitions(**settings))[term]
    return [float(n) for n in re.findall(r"\d+", text)]


def test_definitions_carry_the_numbers_of_the_computation():
    oldest, youngest = metrics.COMPLETION_SPAN
    assert numbers("Orders per hour") == [metrics.TRAILING / 60]
    assert numbers("Delivery time") == [
        metrics.TRAILING / 60,
        Settings().delivery_target_s / 60,
        stages.STALLED_AFTER / 3600,
    ]
    assert numbers("Completion rate") == [oldest / 3600, youngest / 60]
    assert numbers("Late driver") == [Settings().late_after_s / 60]
    assert numbers("Stalled") == [stages.STALLED_AFTER / 3600]


def test_the_help_goes_by_the_settings():
    settings = Settings(delivery_target_s=25 * 60.0, late_after_s=3 * 60.0)
    told = dict(ChromeView(ReplayController(settings=settings)).__panel__().definitions)
    assert "the target is 25 minutes" in told["Delivery time"]
    assert "more than 3 minutes" in told["Late driver"]


def test_another_target_is_told_in_the_help(chrome):
    chrome.target = 45 * 60.0
    assert 45 in [float(n) for n in re.findall(r"\d+", dict(chrome.__panel__().definitions)["Delivery time"])]


def test_no_term_is_defined_twice():
    terms = [term for term, _ in definitions()]
    assert len(set(terms)) == len(terms)


def test_links_to_pages_of_others_are_offered_where_they_are_set():
    assert ChromeView(ReplayController()).__panel__().links == {}
    settings = Settings(ask_link="https://ask.example/{location}")
    assert ChromeView(ReplayController(settings=settings)).__panel__().links == {
        "ask": "https://ask.example/{location}"
    }
