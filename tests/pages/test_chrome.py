"""The header's controls know the place, and the help defines every figure with the numbers it is computed with."""

import re

import pytest

from twin.analysis import metrics, wording
from twin.foundation import stages
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
        metrics.DELIVERY_TARGET / 60,
        stages.STALLED_AFTER / 3600,
    ]
    assert numbers("Completion rate") == [oldest / 3600, youngest / 60]
    assert numbers("Late driver") == [wording.LATE_AFTER / 60]
    assert numbers("Stalled") == [stages.STALLED_AFTER / 3600]


def test_another_target_is_told_in_the_help(chrome):
    chrome.target = 45 * 60.0
    assert 45 in [float(n) for n in re.findall(r"\d+", dict(chrome.__panel__().definitions)["Delivery time"])]


def test_no_term_is_defined_twice():
    terms = [term for term, _ in definitions()]
    assert len(set(terms)) == len(terms)
