"""Two sides on one clock, as a person sees them: workflow 3 of the specification without "mentally"."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.app import free_port, running
from tests.browser.operations import by_id, comes_to, settled, until
from tests.browser.test_touch import middle, swipe
from tests.browser.texts import texts
from twin.simulator.demo import write_demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_MS = 40_000
BOTH = """() => [...__twin.clocks.values()].filter((clock) => clock.anchor?.end > clock.anchor?.start)
  .sort((a, b) => !!a.lead - !!b.lead).map((clock) => clock.now())"""
FRAMES = """(n) => new Promise((done) => {
  const clocks = [...__twin.clocks].filter(([, { anchor }]) => anchor?.end > anchor?.start);
  clocks.sort(([, a], [, b]) => !!a.lead - !!b.lead);
  const seen = [];
  const look = () => {
    // what the maps have drawn, and what the clocks say, now and some work later in the same frame
    const drawn = clocks.map(([id]) => __twin.motion.get(id).t);
    const before = clocks.map(([, clock]) => clock.now());
    for (const until = performance.now() + 4; performance.now() < until; );
    const after = clocks.map(([, clock]) => clock.now()).reverse();
    seen.push([drawn, before, after.reverse(), clocks.map(([, clock]) => clock.moving)]);
    if (seen.length < n) requestAnimationFrame(look);
    else done(seen);
  };
  requestAnimationFrame(look);
})"""


RECORDED = 50
"""Frames from which the clocks are read back."""


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over two weeks of two kitchens, the first of which ends on a Friday."""
    folder = tmp_path_factory.mktemp("fortnight")
    write_demo(folder / "data", days=14, scale=0.05, seed=7)
    port = free_port()
    with running(
        ["twin.cli", "serve", "--source", str(folder / "data"), "--port", str(port)], port, folder / "log"
    ) as at:
        yield at


def compared(page: Page) -> None:
    """Wait until both sides are there and held against each other."""
    expect(by_id(page, "differences-table")).to_be_visible(timeout=MOST_MS)
    page.wait_for_function(f"() => ({BOTH})().length === 2", timeout=MOST_MS)
    expect(page.get_by_test_id("differences")).to_have_attribute("aria-busy", "false", timeout=MOST_MS)


def kitchens(page: Page) -> list[str]:
    return [page.get_by_test_id("kitchen").nth(i).input_value() for i in (0, 1)]


def both_shown(page: Page) -> None:
    for i in (0, 1):
        count = page.get_by_test_id("stage-completed-count").nth(i)
        expect(count).to_have_text(re.compile(r"^[\d,]+$"), timeout=MOST_MS)


class Hand:
    """A mouse whose presses the browser counts: every one that a person would have to make."""

    def __init__(self, page: Page) -> None:
        self.clicks = 0
        self._page = page
        page.context.expose_function("clicked", self._count)
        page.context.add_init_script("addEventListener('pointerdown', ({ isTrusted }) => isTrusted && clicked(), true)")

    def _count(self) -> None:
        self.clicks += 1

    def press(self, what: Locator) -> None:
        what.click(timeout=MOST_MS)


@pytest.mark.parametrize("begins", ["welcome", "kitchen"])
@pytest.mark.parametrize("wanted", ["chicago", "friday"])
def test_workflow_3_takes_three_clicks(page: Page, fortnight: str, begins: str, wanted: str) -> None:
    hand = Hand(page)
    if begins == "welcome":
        page.goto(fortnight)
        hand.press(by_id(page, "city-sanfrancisco"))
    else:
        page.goto(f"{fortnight}/operations?location=sanfrancisco")
    hand.press(by_id(page, "compare"))
    words = "Chicago" if wanted == "chicago" else "Fri 17 Oct"
    hand.press(by_id(page, "beside").get_by_role("link", name=words, exact=True))
    page.wait_for_url(re.compile("/compare"))
    compared(page)
    assert hand.clicks == (3 if begins == "welcome" else 2)
    both_shown(page)
    if wanted == "chicago":
        assert kitchens(page) == ["sanfrancisco", "chicago"]
        until(page, lambda: apart(page) == 0, "the same moment of the same day")
        expect(by_id(page, "differences-sentence")).to_contain_text("Chicago, ")
    else:
        assert kitchens(page) == ["sanfrancisco", "sanfrancisco"]
        until(page, lambda: apart(page) == 7 * 86_400, "a week lies between the two clocks")
        chosen = [by_id(page, f"days-{side}").locator("option:checked").inner_text() for side in "ab"]
        assert chosen == ["Last Friday, 17 Oct", "Friday before, 10 Oct"]
    until(page, lambda: "with=" in page.url and "with_start=" in page.url, "the address names both sides")


def test_the_first_page_leads_to_both_lists_of_kitchens(page: Page, address: str) -> None:
    page.goto(address)
    by_id(page, "welcome-compare").click(timeout=MOST_MS)
    page.wait_for_url(re.compile("/compare"))
    compared(page)
    page.get_by_test_id("kitchen").nth(0).select_option("sanfrancisco")
    page.get_by_test_id("kitchen").nth(1).select_option("chicago")
    comes_to(page, lambda: kitchens(page), ["sanfrancisco", "chicago"])
    compared(page)
    expect(by_id(page, "differences-sentence")).to_contain_text("Chicago", timeout=MOST_MS)
    both_shown(page)
    until(page, lambda: "with=chicago" in page.url, "the address names both sides")


def test_last_friday_against_the_one_before_by_the_lists_of_days(page: Page, fortnight: str) -> None:
    page.goto(f"{fortnight}/compare")
    compared(page)
    assert kitchens(page)[0] == kitchens(page)[1]  # of one kitchen, a week before is what comes first
    friday = by_id(page, "days-a").locator("option", has_text="Last Friday").first
    by_id(page, "days-a").select_option(friday.get_attribute("value"))
    expect(by_id(page, "days-b").locator("option", has_text="The week before").first).to_be_attached()
    before = by_id(page, "days-b").locator("option", has_text="Friday before").first
    by_id(page, "days-b").select_option(before.get_attribute("value"))
    until(page, lambda: "with_start=" in page.url and "with_end=" in page.url, "the address names both sides")
    compared(page)
    first, second = page.evaluate(BOTH)
    until(page, lambda: apart(page) == 7 * 86_400, "a week lies between the two clocks")
    assert first > second


def apart(page: Page) -> float:
    first, second = page.evaluate(BOTH)
    return float(first - second)


def test_both_maps_show_the_same_instant_in_every_frame(page: Page, address: str) -> None:
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago&speed=1000")
    compared(page)
    page.wait_for_function("() => [...__twin.motion.values()].filter((one) => one.held).length === 2", timeout=MOST_MS)
    by_id(page, "play").click()
    page.wait_for_function("() => [...__twin.clocks.values()].some((clock) => clock.moving)")
    page.wait_for_timeout(300)
    frames = page.evaluate(FRAMES, 50)
    assert len(frames) == 50
    for drawn, before, after, moving in frames:
        assert before[0] == before[1]  # both are naive and on the same dates: the very same number
        assert after == before
        assert drawn[0] == drawn[1]
        assert moving[0] == moving[1]
    assert frames[-1][1][0] > frames[0][1][0] + 100, "they have played"


def test_the_clocks_of_recorded_frames_say_the_same(page: Page, address: str) -> None:
    """Frames as they were painted, recorded by the browser: in each the second clock reads as the first one does."""
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago&speed=1000")
    compared(page)
    boxes = [by_id(page, f"side-clock-{side}").bounding_box() for side in "ab"]
    by_id(page, "play").click()
    page.wait_for_function("() => [...__twin.clocks.values()].some((clock) => clock.moving)")
    wire = page.context.new_cdp_session(page)
    taken: list[dict[str, Any]] = []
    wire.on("Page.screencastFrame", lambda frame: (taken.append(frame), acknowledge(wire, frame)))
    wire.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
    until(page, lambda: len(taken) >= RECORDED, "recorded frames")
    wire.send("Page.stopScreencast")
    pictures = [[reading(frame, box, page.viewport_size) for box in boxes] for frame in taken]
    first, second = (np.array([clocks[side] for clocks in pictures]) for side in (0, 1))
    for n, (one, other) in enumerate(zip(first, second, strict=True)):
        differs = np.abs(first - one).max(axis=(1, 2)) > 0  # frames that show another time
        assert differs.sum() > RECORDED // 2, "most frames show times of their own"
        # the same digits, though on another part of a pixel, are nearer than those of any other time
        assert np.abs(one - other).mean() < np.abs(one - second[differs]).mean(axis=(1, 2)).min(), n


def acknowledge(wire: Any, frame: dict[str, Any]) -> None:
    wire.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})


def reading(frame: dict[str, Any], box: Any, size: Any) -> np.ndarray:
    """The picture of a clock in a recorded frame, grey levels, as wide and high for either clock."""
    image = Image.open(io.BytesIO(base64.b64decode(frame["data"]))).convert("L").resize((size["width"], size["height"]))
    x, y = round(box["x"]), round(box["y"])
    return np.asarray(image.crop((x, y, x + 64, y + 20)), np.float64)


def test_the_sentence_says_what_the_rows_say(page: Page, address: str) -> None:
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago")
    compared(page)
    sentence = by_id(page, "differences-sentence").inner_text()
    rows = page.locator("[data-figure]").evaluate_all(
        """(all) => all.map((row) => [row.querySelector("th").textContent,
          ...[...row.querySelectorAll(".value")].map((one) => one.textContent), row.querySelector(".word").textContent])"""
    )
    said = {"better", "worse", "more", "less"}
    differing = [row for row in rows if row[3] in said]
    assert differing
    for label, first, second, word in differing:
        assert f"{label[0].lower()}{label[1:]} {second} against {first} ({word})" in sentence
    alike = sum(row[3] == "no difference" for row in rows)
    told = re.search(r"; (\d+|one) other figures? do", sentence)
    assert (0 if told is None else 1 if told[1] == "one" else int(told[1])) == alike
    assert ("too little to tell" in sentence) == any(row[3] == "too little to tell" for row in rows)


def test_a_side_beside_itself_differs_in_nothing(page: Page, address: str) -> None:
    one = "location=chicago&start=2025-10-16&end=2025-10-17"
    two = "with=chicago&with_start=2025-10-16&with_end=2025-10-17"
    page.goto(f"{address}/compare?{one}&{two}")
    compared(page)
    rows = page.locator("[data-figure]")
    assert rows.count() >= 8
    assert set(rows.evaluate_all("(all) => all.map((row) => row.dataset.change)")) == {""}
    differences = rows.evaluate_all("(all) => all.map((row) => row.querySelector('.difference').dataset.value)")
    assert {float(value) for value in differences if value is not None} == {0.0}
    assert set(page.locator("[data-figure] .difference b").all_inner_texts()) <= {"0", "–"}
    expect(by_id(page, "differences-sentence")).to_have_text(re.compile("^No figure .* differs"))


def test_one_link_restores_both_sides_the_moment_and_the_speed_and_back_goes_back(page: Page, address: str) -> None:
    link = (
        "location=sanfrancisco&start=2025-10-16&end=2025-10-17&with=chicago&with_start=2025-10-16&with_end=2025-10-17"
        "&t=2025-10-16T12:34:56&speed=100"
    )
    page.goto(f"{address}/compare?{link}")
    compared(page)
    comes_to(page, lambda: by_id(page, "side-clock-a").inner_text(), "12:34:56")
    assert by_id(page, "side-clock-b").inner_text() == "12:34:56"
    assert kitchens(page) == ["sanfrancisco", "chicago"]
    expect(by_id(page, "speed-100")).to_have_attribute("aria-pressed", "true")
    until(page, lambda: "12:34:56" in page.url and "speed=100" in page.url, "the address says the same")
    page.get_by_test_id("kitchen").nth(1).select_option("sanfrancisco")
    until(page, lambda: "with=sanfrancisco" in page.url, "another address")
    page.go_back()
    until(page, lambda: kitchens(page) == ["sanfrancisco", "chicago"], "what was compared before")
    compared(page)
    comes_to(page, lambda: by_id(page, "side-clock-b").inner_text(), "12:34:56")
    assert page.evaluate("__twin.clocks.size") == 2, "the clocks of the session that is gone went with it"
    page.go_forward()
    until(page, lambda: kitchens(page) == ["sanfrancisco", "sanfrancisco"], "what came after")


def test_the_operations_page_leads_here_at_the_same_moment(page: Page, address: str) -> None:
    page.goto(
        f"{address}/operations?location=chicago&start=2025-10-16&end=2025-10-17&t=2025-10-16T11:22:33&view=-87.6,41.9,11"
    )
    by_id(page, "compare").click(timeout=MOST_MS)
    page.keyboard.press("Escape")
    expect(by_id(page, "beside")).to_be_hidden()
    expect(by_id(page, "compare")).to_be_focused()
    page.keyboard.press("Enter")
    by_id(page, "beside").get_by_role("link", name="Choose both sides").click()
    page.wait_for_url(re.compile("/compare"))
    compared(page)
    comes_to(page, lambda: by_id(page, "side-clock-a").inner_text(), "11:22:33")
    assert kitchens(page)[0] == "chicago"
    expect(page.get_by_test_id("banner-message")).to_be_hidden()  # it says nothing of what only the other page has


def test_a_side_that_fails_leaves_the_other_alone(page: Page, fortnight: str, tmp_path: Path) -> None:
    page.goto(f"{fortnight}/compare?with=nowhere")
    compared(page)
    expect(by_id(page, "banner-message")).to_contain_text("There is no kitchen “nowhere”")
    both_shown(page)


def test_on_a_phone_one_side_is_seen_at_a_time(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago")
    page.wait_for_function(f"() => ({BOTH})().length === 2", timeout=MOST_MS)
    counts = page.get_by_test_id("stage-completed-count")
    expect(counts.nth(0)).to_be_visible(timeout=MOST_MS)
    expect(counts.nth(1)).to_be_hidden()
    by_id(page, "tab-b").click()
    expect(counts.nth(1)).to_be_visible()
    expect(counts.nth(0)).to_be_hidden()
    by_id(page, "tab-differences").click()
    expect(by_id(page, "differences-table")).to_be_visible(timeout=MOST_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture(scope="module")
def phone(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago")
    page.wait_for_function(f"() => ({BOTH})().length === 2", timeout=MOST_MS)
    expect(page.get_by_test_id("stage-completed-count").nth(0)).to_be_visible(timeout=MOST_MS)
    yield page
    context.close()


def side_seen(page: Page) -> str:
    seen = [page.get_by_test_id("stage-completed-count").nth(i).is_visible() for i in (0, 1)]
    if by_id(page, "differences-table").is_visible():
        return "differences"
    return {(True, False): "a", (False, True): "b"}.get((seen[0], seen[1]), str(seen))


def test_on_a_phone_a_finger_goes_from_side_to_side(phone: Page) -> None:
    touch = phone.context.new_cdp_session(phone)
    by_id(phone, "tab-a").tap()
    comes_to(phone, lambda: side_seen(phone), "a")
    for over, way, comes in (
        ("stage-ready-count", -150, "b"),
        ("map", -150, "differences"),
        ("differences-sentence", -150, "differences"),  # the last one
        ("differences-sentence", 150, "b"),
        ("map", 150, "a"),
        ("stage-cooking-count", 150, "a"),  # the first one
    ):
        places = [phone.get_by_test_id(over).nth(i) for i in range(phone.get_by_test_id(over).count())]
        box = next(one for one in places if one.is_visible()).bounding_box()
        assert box is not None
        x, y = 195.0, box["y"] + min(box["height"], 200) / 2
        swipe(touch, phone, ((x - way / 2, y), (x + way / 2, y + 6)), steps=4)  # a busy machine is slow
        comes_to(phone, lambda: side_seen(phone), comes)
        phone.wait_for_timeout(250)  # a swipe too many would come by now
        assert side_seen(phone) == comes
        expect(by_id(phone, f"tab-{comes}")).to_have_attribute("aria-selected", "true")
    assert "side=" not in phone.url, "the first side needs no name"


def test_what_a_finger_does_otherwise_changes_no_side(phone: Page) -> None:
    touch = phone.context.new_cdp_session(phone)
    by_id(phone, "tab-a").tap()
    comes_to(phone, lambda: side_seen(phone), "a")
    by_id(phone, "scrubber").scroll_into_view_if_needed()
    before = phone.evaluate(BOTH)
    x, y = middle(phone, "scrubber")
    swipe(touch, phone, ((x + 60, y), (x - 60, y + 4)))  # along the timeline
    until(phone, lambda: phone.evaluate(BOTH) != before, "the playhead went with the finger")
    by_id(phone, "tab-a").scroll_into_view_if_needed()
    x, y = 195, 500
    swipe(touch, phone, ((x, y), (x - 60, y - 300)))  # a scroll
    swipe(touch, phone, ((x - 40, y), (x - 140, y)), ((x + 40, y), (x - 60, y)))  # two fingers
    phone.wait_for_timeout(250)
    assert side_seen(phone) == "a"


def test_on_a_phone_the_keyboard_goes_from_side_to_side_and_a_swipe_is_said(phone: Page) -> None:
    touch = phone.context.new_cdp_session(phone)
    by_id(phone, "tab-a").tap()
    by_id(phone, "tab-a").focus()
    for key, comes in (("ArrowRight", "b"), ("ArrowRight", "differences"), ("Home", "a"), ("End", "differences")):
        phone.keyboard.press(key)
        comes_to(phone, lambda: side_seen(phone), comes)
        expect(by_id(phone, f"tab-{comes}")).to_be_focused()
    tabs = phone.get_by_role("tablist", name="What is shown: one side, or what differs")
    expect(tabs.get_by_role("tab", selected=True)).to_have_text("Differences")
    x, y = middle(phone, "differences-sentence")
    swipe(touch, phone, ((x - 80, y), (x + 80, y)), steps=4)
    comes_to(phone, lambda: side_seen(phone), "b")
    expect(phone.get_by_role("status").filter(has_text=re.compile("^B · "))).to_be_attached()


SCREENS = [(1280, 720), (1440, 900), (1920, 1080), (820, 1180), (390, 844)]
SCROLL = """(y) => {
  const walk = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? walk(one.shadowRoot) : [])]);
  const scrolls = (one) => one.scrollHeight > one.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(one).overflowY);
  const page = walk(document).filter(scrolls).sort((a, b) => b.clientHeight * b.clientWidth - a.clientHeight * a.clientWidth)[0];
  if (!page) return [0, 1, 1];
  page.scrollTop = y;
  return [page.scrollTop, page.scrollHeight, page.clientHeight];
}"""
"""Scroll what scrolls most; where it stands then, how high it is, how much of it is seen."""


@pytest.fixture(scope="module", params=["light", "dark"])
def read(browser: Browser, fortnight: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in a rush, with long names: two kitchens on two days each."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=request.param)
    page = context.new_page()
    page.goto(
        f"{fortnight}/compare?location=sanfrancisco&start=2025-10-16&end=2025-10-18&t=2025-10-17T18:40"
        "&with=chicago&with_start=2025-10-09&with_end=2025-10-11"
    )
    compared(page)
    yield page
    context.close()


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_no_text_is_cut_or_covered(read: Page, width: int, height: int) -> None:
    read.set_viewport_size({"width": width, "height": height})
    found: dict[str, set[str]] = {}
    shown = ("a", "b", "differences") if width <= 760 else ("",)
    for side in shown:
        if side:
            by_id(read, f"tab-{side}").click()
            comes_to(read, lambda: side_seen(read), side)
        for tab in ("map", "why") if side != "differences" else ("map",):
            by_id(read, f"tab-{tab}").click()
            found[f"{side} {tab}"] = faults(read, small=width > 760)
    by_id(read, "tab-map").click()
    assert {where: what for where, what in found.items() if what} == {}


def faults(page: Page, small: bool) -> set[str]:
    """What is wrong with the texts, wherever the page is scrolled to; `small`: also with their size."""
    settled(page, lambda: texts(page)["count"])
    found: set[str] = set()
    y = 0
    while True:
        at, whole, seen = page.evaluate(SCROLL, y)
        here = settled(page, lambda: texts(page), still_s=0.1)
        assert here["count"] > 10, "there are texts at all"
        found |= {*here["problems"]} | ({*here["small"]} if small else set())
        y = at + seen // 2
        if at + seen >= whole - 1:
            page.evaluate(SCROLL, 0)
            return found
