"""The moments list and the alert as a person meets them: read what was wrong, go there, loop it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.browser.operations import comes_to
from tests.fake_timeline import DAY0, HOUR, FakeController
from tests.views.test_moments import replay
from twin.analysis.kitchen_state import BUILDING, CALM, SIGNALS, TROUBLE, StateLog
from twin.analysis.limits import AMBER, RED
from twin.analysis.moments import Findings, Moment
from twin.analysis.moments.known import JUST_ENDED
from twin.analysis.moments.unfolding import BLOCK_S, KnownFrom, block_of
from twin.sources.base import Window
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=\"document.title='owned'\">"
SHORT = Moment(
    "driver_shortage", DAY0 + 18 * HOUR, DAY0 + 19 * HOUR, DAY0 + 18.5 * HOUR, 0.9, "Drivers are short", EVIL
)
SLOW = Moment(
    "slow_kitchen", DAY0 + 11 * HOUR, DAY0 + 12 * HOUR, DAY0 + 11.5 * HOUR, 0.5, "Kitchen is slow", "17 min against 10"
)
MILD = Moment(
    "drivers_late", DAY0 + 18.2 * HOUR, DAY0 + 19.5 * HOUR, DAY0 + 19 * HOUR, 0.3, "Drivers are late", "3 late"
)
PEAK = Moment("peak", DAY0 + 12 * HOUR, DAY0 + 13 * HOUR, DAY0 + 12.5 * HOUR, 0.2, "Lunch peak", "60 an hour")

HELD: dict[str, FakeController] = {}


def states() -> StateLog:
    """Calm until 14:00, then a quarter late as on other days, from 15:00 on meals wait, from 16:00 on drivers are short."""
    levels = np.zeros((len(SIGNALS), 4), np.uint8)
    levels[SIGNALS.index("delivery"), 1] = levels[SIGNALS.index("ready"), 2] = AMBER
    levels[SIGNALS.index("drivers"), 3] = RED
    return StateLog(
        DAY0 + HOUR * np.array([0, 14, 15, 16.0]), np.array([CALM, CALM, BUILDING, TROUBLE], np.uint8), levels
    )


def with_states() -> pn.Column:
    column = build(SLOW)
    controller = HELD["controller"]
    assert controller.insights is not None
    controller.learn(replace(controller.insights, states=states()))
    alert = AlertView(controller)
    return pn.Column(alert, column[1], width=408, height=600)


def build(*moments: Moment, learnt: bool = True, problem: str = "", failed: tuple[str, ...] = ()) -> pn.Column:
    controller = replay(*moments, failed=failed) if learnt else FakeController(replay().timeline)
    controller.timeline.window = Window(DAY0, DAY0 + 24 * HOUR)
    controller.set_range(DAY0, DAY0 + 24 * HOUR)
    controller.set_hindsight(True)
    HELD["controller"] = controller
    if problem:
        controller.fail_to_learn(controller.timeline, problem)
    return pn.Column(AlertView(controller), MomentsView(controller), width=408, height=600)


def build_known() -> pn.Column:
    """Return alert and list of a kitchen whose shortage of 18:00–19:00 is known from 18:20 on."""
    shown = build(SHORT, SLOW, MILD, PEAK)
    controller = HELD["controller"]
    controller.set_hindsight(False)
    from_ = DAY0 + 18 * HOUR

    def looked(minutes: float, sentence: str) -> KnownFrom:
        t = from_ + minutes * 60
        return KnownFrom(t, Findings((replace(SHORT, end=t, at=t - 60, sentence=sentence),)))

    early = block_of(DAY0 + 13 * HOUR)
    changes = (KnownFrom(from_, Findings()), looked(20, "So far 9 wait"), looked(25, "So far 14 wait"))
    ended = KnownFrom(from_ + HOUR + 60, Findings((replace(SHORT, sentence=EVIL),)))
    controller.unfold(
        controller.timeline,
        {
            early: (KnownFrom(early * BLOCK_S, Findings()),),
            block_of(from_): changes,
            block_of(from_) + 1: (ended, KnownFrom(ended.t + JUST_ENDED + 300, Findings())),
        },
    )
    return shown


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    return serve(
        {
            "some": lambda: build(SHORT, SLOW, MILD, PEAK),
            "states": with_states,
            "known": build_known,
            "none": lambda: build(),
            "early": lambda: build(learnt=False),
            "failed": lambda: build(learnt=False, problem=EVIL),
            "partly": lambda: build(failed=("drives", "peaks")),
            "partly-some": lambda: build(PEAK, failed=("drives",)),
        }
    )


@pytest.fixture
def opened(visited: Page, address: str) -> Callable[[str], Page]:
    def go(path: str = "some") -> Page:
        visit(visited, f"{address}/{path}")
        visited.get_by_test_id("moments").wait_for()
        return visited

    return go


def seek(page: Page, t: float) -> None:
    page.evaluate("t => [...globalThis.__twin.clocks.values()].at(-1).predict({ t0: t })", t)


def shown(page: Page) -> list[str]:
    return page.get_by_test_id("moment").locator(".title").all_inner_texts()


def test_the_most_remarkable_moment_is_first_and_the_order_of_time_is_a_click_away(opened):
    page = opened()
    assert shown(page) == ["Drivers are short", "Kitchen is slow", "Drivers are late", "Lunch peak"]
    expect(page.get_by_test_id("moment").first).to_contain_text(EVIL)
    assert page.title() != "owned"

    page.get_by_test_id("moments-order").click()
    assert shown(page) == ["Kitchen is slow", "Lunch peak", "Drivers are short", "Drivers are late"]

    page.get_by_test_id("moments-peaks").click()
    assert shown(page) == ["Lunch peak"]
    page.get_by_test_id("moments-troubles").click()
    assert shown(page) == ["Kitchen is slow", "Drivers are short", "Drivers are late"]


def test_a_click_goes_to_when_it_was_worst_and_the_moment_is_marked(opened):
    page = opened()

    page.get_by_test_id("moment").nth(1).click()

    expect(page.get_by_test_id("moment").nth(1)).to_have_attribute("aria-current", "true")
    expect(page.get_by_test_id("moment").nth(1)).to_contain_text("now")
    expect(page.locator("[aria-current=true]")).to_have_count(1)
    comes_to(page, lambda: HELD["controller"].now(), SLOW.at)


def test_the_keyboard_walks_the_list_and_goes_there(opened):
    page = opened()
    page.get_by_test_id("moment").first.focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_test_id("moment").nth(2)).to_have_attribute("aria-current", "true")
    comes_to(page, lambda: HELD["controller"].now(), MILD.at)


def test_a_moment_can_be_looped(opened):
    page = opened()

    page.get_by_test_id("moment-loop").nth(1).click()

    controller = HELD["controller"]
    looping = (SLOW.start, SLOW.end, True, True)
    comes_to(page, lambda: (controller.start, controller.end, controller.loop, controller.playing), looping)
    assert SLOW.start <= controller.now() < SLOW.end


def test_the_alert_tells_the_most_severe_trouble_since_when_and_for_a_while_that_it_ended(opened):
    page = opened()
    alert = page.get_by_test_id("alert")

    seek(page, SHORT.start + 1800)
    expect(alert).to_have_attribute("data-state", "trouble")
    expect(alert).to_contain_text("Drivers are short")
    expect(alert).to_contain_text("Since Thu 18:00 · 30 min so far, until 19:00")
    expect(alert).to_contain_text("and 1 more now")
    expect(alert).to_contain_text(EVIL)

    seek(page, SLOW.end + JUST_ENDED)
    expect(alert).to_have_attribute("data-state", "ended")
    expect(alert).to_contain_text("Just ended")
    seek(page, SLOW.end + JUST_ENDED + 1)
    expect(alert).to_have_attribute("data-state", "quiet")


def test_the_alert_says_what_was_known_then_and_nothing_of_what_came_of_it(opened):
    page = opened("known")
    alert = page.get_by_test_id("alert")

    seek(page, SHORT.start + 19 * 60)  # it has begun, and nobody knows
    expect(alert).to_have_text("No trouble at this moment")
    seek(page, SHORT.start + 24 * 60)
    expect(alert).to_have_attribute("data-state", "trouble")
    expect(alert).to_contain_text("Since Thu 18:00 · 24 min so far")
    expect(alert).to_contain_text("So far 9 wait (as of 18:20)")
    expect(alert).not_to_contain_text("until")
    assert EVIL not in alert.inner_text()
    page.get_by_test_id("alert-go").click()
    comes_to(page, lambda: HELD["controller"].now(), SHORT.start + 19 * 60)

    seek(page, SHORT.end + 60)
    expect(alert).to_have_attribute("data-state", "ended")
    expect(alert).to_contain_text("Just ended · Thu 18:00–19:00")
    expect(alert).to_contain_text(EVIL)
    seek(page, SHORT.end + JUST_ENDED + 301)
    expect(alert).to_contain_text("No trouble at this moment")
    expect(alert).to_contain_text("last:Thu 18:00 Drivers are short")
    seek(page, DAY0 + 3 * HOUR)  # where nobody has looked yet
    expect(alert).to_have_attribute("data-state", "looking")


def test_the_list_draws_as_ahead_what_nobody_knew_and_says_of_what_goes_on_what_was_known(opened):
    page = opened("known")
    short = page.locator("li").filter(has_text="Drivers are short")
    seek(page, SHORT.start + 19 * 60)
    expect(short).to_have_class("moment trouble ahead")
    expect(short.locator(".later-mark")).to_be_visible()
    expect(short.locator(".now")).to_be_hidden()

    seek(page, SHORT.start + 26 * 60)
    expect(short).to_have_class("moment trouble current")
    expect(short.locator(".when span").first).to_have_text("since Thu 18:00 · 26 min so far")
    expect(short.locator(".sentence").first).to_have_text("So far 14 wait (as of 18:25)")
    expect(short.locator(".later-mark")).to_be_hidden()
    expect(page.locator("li").filter(has_text="Kitchen is slow").locator(".later-mark")).to_be_hidden()

    seek(page, SHORT.end + 61)
    expect(short).to_have_class("moment trouble")
    expect(short.locator(".when span").first).to_have_text("Thu 18:00–19:00 · 1 h 00")
    expect(short.locator(".sentence").first).to_have_text(EVIL)


def test_with_hindsight_what_lies_after_the_playhead_wears_the_mark(opened):
    page = opened("known")
    alert, later = page.get_by_test_id("alert"), page.get_by_test_id("alert").locator(".later-mark")
    seek(page, SHORT.start + 24 * 60)
    expect(alert).to_have_attribute("data-state", "trouble")
    expect(later).to_have_count(0)

    page.evaluate("[...globalThis.__twin.clocks.values()].at(-1).predict({ hindsight: true })")
    expect(alert).to_contain_text("until 19:00")
    expect(later).to_have_count(2)  # the end, and the sentence, which counts all of it
    seek(page, SHORT.end)
    expect(later).to_have_count(0)
    seek(page, DAY0 + 13 * HOUR)
    expect(alert).to_contain_text("next:")
    expect(later).to_have_count(1)


def test_without_trouble_the_alert_is_a_line_that_leads_to_the_next_one(opened):
    page = opened()
    alert = page.get_by_test_id("alert")
    seek(page, DAY0 + 13 * HOUR)  # after the slow kitchen; a peak is no trouble

    expect(alert).to_contain_text("No trouble at this moment")
    assert alert.bounding_box()["height"] <= 40
    page.get_by_test_id("alert-go").click()

    expect(alert).to_have_attribute("data-state", "trouble")
    assert alert.bounding_box()["height"] <= 90
    comes_to(page, lambda: HELD["controller"].now(), SHORT.at)


@pytest.mark.parametrize(
    ("hour", "state", "tone", "words"),
    [
        (13, "calm", "", "No trouble at this moment"),
        (14, "calm", "warn", "Near the usual: a quarter or more of deliveries late"),
        (15, "building", "warn", "Building up: meals wait"),
        (16, "trouble", "bad", "Trouble: drivers are short"),
    ],
)
def test_the_alert_says_what_is_over_its_limits_and_has_the_state_s_colour(opened, hour, state, tone, words):
    page = opened("states")
    seek(page, DAY0 + hour * HOUR + 60)

    alert = page.get_by_test_id("alert")
    expect(alert).to_contain_text(words)
    expect(alert).to_have_attribute("data-kitchen", state)
    classes = (alert.get_attribute("class") or "").split()
    assert [name for name in ("warn", "bad") if name in classes] == ([tone] if tone else [])
    assert (state == "calm" and not tone) or "No trouble" not in alert.inner_text()


def test_nothing_found_and_not_looked_yet_are_told_apart(opened):
    page = opened("none")
    expect(page.get_by_test_id("moments-state")).to_contain_text("Nothing out of the ordinary in this range")
    expect(page.get_by_test_id("moments-state")).to_contain_text("the same hours of 6 other days")
    expect(page.get_by_test_id("alert")).to_contain_text("No trouble in this range")

    page = opened("early")
    expect(page.get_by_test_id("moments-state")).to_contain_text("Looking for moments")
    expect(page.get_by_test_id("alert")).to_contain_text("Looking for trouble")


def test_what_could_not_be_examined_is_neither_nothing_nor_an_endless_wait(opened):
    page = opened("failed")
    expect(page.get_by_test_id("moments-state")).to_contain_text(f"Moments could not be looked for{EVIL}")
    expect(page.get_by_test_id("alert")).to_have_text("Trouble could not be looked for")
    expect(page.get_by_test_id("alert")).to_have_attribute("data-state", "failed")

    page = opened("partly")
    expect(page.get_by_test_id("moments-failed")).to_contain_text("drives, peaks")
    expect(page.get_by_test_id("moments-state")).to_contain_text("Nothing else out of the ordinary in this range")
    expect(page.get_by_test_id("alert")).to_contain_text("No trouble in this range, as far as it could be examined")

    page = opened("partly-some")
    expect(page.get_by_test_id("moments-failed")).to_contain_text("drives")
    assert shown(page) == ["Lunch peak"]
