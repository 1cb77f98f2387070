"""The page under fingers, on a phone: what scrolls, what drags, what stays in reach. The gestures are Chromium's own touches."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.operations import CLOCK, DRAWN, MOTION, by_id, choose, clock, settled, stands, until
from tests.browser.test_texts import SCROLL

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AT = "2025-10-17T18:40:00"
Finger = tuple[float, float]


@pytest.fixture(scope="module")
def phone(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    choose(page, address, "sanfrancisco", t=AT)
    page.wait_for_function(DRAWN)
    expect(by_id(page, "dock")).to_be_visible()
    yield page
    context.close()


@pytest.fixture
def touch(phone: Page) -> Iterator[CDPSession]:
    session = phone.context.new_cdp_session(phone)
    phone.evaluate(SCROLL, 0)
    yield session
    session.detach()


def swipe(touch: CDPSession, page: Page, *ways: tuple[Finger, Finger], steps: int = 12) -> None:
    """Move fingers from where each begins to where it ends, and lift them."""
    for step in range(steps + 1):
        at = [
            {"x": x0 + (x1 - x0) * step / steps, "y": y0 + (y1 - y0) * step / steps, "id": finger}
            for finger, ((x0, y0), (x1, y1)) in enumerate(ways)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart" if step == 0 else "touchMove", "touchPoints": at})
        page.wait_for_timeout(16)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def scrolled(page: Page) -> float:
    return float(settled(page, lambda: page.evaluate("(y) => y", page.evaluate(AT_NOW))))


AT_NOW = SCROLL.replace("page.scrollTop = y;\n", "").replace(
    "return [page.scrollTop, page.scrollHeight, page.clientHeight];", "return page.scrollTop;"
)
LOOKING = f"() => ({MOTION})().looking"


def middle(page: Page, name: str) -> Finger:
    box = by_id(page, name).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_one_finger_over_the_map_scrolls_the_page_and_says_how_the_map_is_moved(phone: Page, touch: CDPSession) -> None:
    before = settled(phone, lambda: phone.evaluate(LOOKING))
    x, y = middle(phone, "map")
    swipe(touch, phone, ((x, y + 100), (x, y - 150)))
    assert scrolled(phone) > 150
    assert phone.evaluate(LOOKING) == before
    expect(by_id(phone, "map-touch-hint")).to_be_visible()
    expect(by_id(phone, "map-touch-hint")).to_be_hidden()


def test_two_fingers_move_the_map_and_not_the_page(phone: Page, touch: CDPSession) -> None:
    before = settled(phone, lambda: phone.evaluate(LOOKING))
    x, y = middle(phone, "map")
    swipe(touch, phone, ((x - 40, y), (x - 40, y + 80)), ((x + 40, y), (x + 40, y + 80)))
    after = settled(phone, lambda: phone.evaluate(LOOKING))
    assert scrolled(phone) == 0
    assert after["y"] - before["y"] == pytest.approx(80 * before["metres"], rel=0.15), "what was under them still is"
    assert after["metres"] == pytest.approx(before["metres"], rel=0.02)
    swipe(touch, phone, ((x - 30, y), (x - 90, y)), ((x + 30, y), (x + 90, y)))
    near = settled(phone, lambda: phone.evaluate(LOOKING))
    assert near["metres"] == pytest.approx(after["metres"] / 3, rel=0.15)


def test_after_a_tap_one_finger_moves_the_map(phone: Page, touch: CDPSession) -> None:
    x, y = middle(phone, "map")
    phone.touchscreen.tap(x - 120, y - 120)
    expect(phone.locator(".map.taken")).to_be_visible()
    before = settled(phone, lambda: phone.evaluate(LOOKING))
    swipe(touch, phone, ((x, y), (x + 90, y + 60)))
    after = settled(phone, lambda: phone.evaluate(LOOKING))
    assert scrolled(phone) == 0
    assert before["x"] - after["x"] > 50 * before["metres"]
    phone.touchscreen.tap(*middle(phone, "stage-created-flow"))
    expect(phone.locator(".map.taken")).to_have_count(0)


def test_the_timeline_takes_what_goes_sideways_and_nothing_else(phone: Page, touch: CDPSession) -> None:
    by_id(phone, "scrubber").scroll_into_view_if_needed()
    start, top = clock(phone), scrolled(phone)
    x, y = middle(phone, "scrubber")
    swipe(touch, phone, ((x, y), (x, y - 120)))
    assert scrolled(phone) > top + 60
    assert stands(phone) == start, "the page went, the playhead did not"
    by_id(phone, "scrubber").scroll_into_view_if_needed()
    scrolled(phone)
    x, y = middle(phone, "scrubber")
    swipe(touch, phone, ((x - 60, y), (x + 60, y + 8)))
    assert stands(phone) != start, "a scroll would have cancelled it"
    before = clock(phone)
    phone.touchscreen.tap(x - 100, y)
    until(phone, lambda: clock(phone) != before, "a tap goes there")


def test_clock_play_and_speed_stay_in_reach(phone: Page, touch: CDPSession) -> None:
    for y in (0, 600, 100_000):
        phone.evaluate(SCROLL, y)
        for name in ("dock-play", "dock-speed"):
            box = by_id(phone, name).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 844
            assert min(box["width"], box["height"]) >= 40
    by_id(phone, "dock-speed").select_option("100")
    by_id(phone, "dock-play").tap()
    phone.wait_for_function(f"(t) => ({CLOCK})() > t", arg=clock(phone))
    by_id(phone, "dock-play").tap()
    stood = stands(phone)
    words = phone.locator(".dock-clock").inner_text()
    assert f"{int(stood % 86400 // 3600):02d}:{int(stood % 3600 // 60):02d}:{int(stood % 60):02d}" in words
    assert phone.evaluate(f"() => ({MOTION})() !== undefined")


def test_the_alert_comes_first_and_a_flow_before_its_stage(phone: Page, touch: CDPSession) -> None:
    assert middle(phone, "alert")[1] < middle(phone, "stage-created-count")[1] < middle(phone, "map")[1]
    for stage in ("created", "cooking", "ready", "out_for_delivery", "completed"):
        assert middle(phone, f"stage-{stage}-flow")[0] < middle(phone, f"stage-{stage}-count")[0]
    expect(by_id(phone, "stage-cooking-usual")).to_be_visible()
    expect(phone.locator(".foot > .legend")).to_be_visible()
