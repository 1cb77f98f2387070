"""The header's controls as a person uses them: link, picture, help, tour, keys, the skeleton while something loads."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import panel as pn
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.fake_timeline import DAY0, HOUR, FakeTimeline
from twin.foundation.settings import Settings
from twin.pages.operations.banner import BannerView
from twin.pages.operations.chrome import ChromeView
from twin.replay.controller import ReplayController
from twin.sources.base import Window

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"

REPORTS = """() => {
  const clock = [...__twin.clocks.keys()][0], reports = (__twin.reports ??= new Map()), map = document.createElement("canvas");
  map.width = 800; map.height = 500;
  const pen = map.getContext("2d");
  pen.fillStyle = "#ff0000"; pen.fillRect(0, 0, 800, 500);
  reports.set(`${clock}/map`, () => map);
  const ready = {label: "Ready", count: 14, lines: ["oldest 28 min"], colour: "#0000ff", trouble: true};
  reports.set(`${clock}/pipeline`, () => [ready]);
  reports.set(`${clock}/kpis`, () => [{heading: "Delivery time", value: "41 min", lines: ["11 over"], tone: "bad"}]);
}"""
"""What the views of a page offer for a picture: a red map, one stage in blue and one figure."""


@dataclass
class Session:
    """What the server holds of the page opened last."""

    chrome: ChromeView | None = None
    banner: BannerView | None = None
    controller: ReplayController | None = None
    document: Any = None
    retried: list[int] = field(default_factory=list)
    loaded: threading.Event = field(default_factory=threading.Event)

    def do(self, change: Callable[[], object]) -> None:
        self.document.add_next_tick_callback(change)


SESSION = Session()


def application() -> pn.Column:
    timeline = FakeTimeline([{"created": DAY0 + HOUR * k} for k in range(24)])
    timeline.window = Window(DAY0, DAY0 + 24 * HOUR)
    controller = ReplayController()
    controller.load(timeline, DAY0 + 18.75 * HOUR)
    SESSION.controller, SESSION.document = controller, pn.state.curdoc
    given = pn.state.session_args or {}
    if linked := "linked" in given:
        controller.settings = Settings(ask_link="https://ask.example/k?id={location}&from={start}&to={end}")
    place, user = "a b&c" if linked else "sanfrancisco", "user" if "signed" in given else ""
    SESSION.chrome = ChromeView(controller, place=HOSTILE, place_id=place, user=user)
    SESSION.banner = BannerView()
    SESSION.retried.clear()
    below = pn.pane.HTML(
        '<p data-testid="map" style="height:300px">A map</p><input aria-label="Search" data-testid="search">'
    )
    pn.state.onload(SESSION.loaded.set)
    return pn.Column(SESSION.chrome, SESSION.banner, below, sizing_mode="stretch_width")


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    return serve({"chrome": application})


def open_in(page: Page, address: str) -> Page:
    SESSION.loaded.clear()
    visit(page, f"{address}/chrome?location=sanfrancisco&t=2025-10-16T00:00:00")
    expect(page.get_by_test_id("help")).to_be_visible()
    expect(page.get_by_test_id("banner")).to_be_attached()
    page.wait_for_function("() => Bokeh.documents[0].is_idle")  # what changes while a page is being drawn is lost
    assert SESSION.loaded.wait(timeout=20), "Panel takes changes of a page only once it has loaded"
    return page


@pytest.fixture
def opened(visited: Page, address: str) -> Page:
    """A session of the test's own."""
    return open_in(visited, address)


@pytest.fixture
def fresh(page: Page, address: str) -> Page:
    """A page of the test's own, for tests that change what a browser offers or what scripts remember."""
    return open_in(page, address)


def test_the_copied_link_leads_to_the_moment_that_is_seen(fresh: Page) -> None:
    fresh.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fresh.get_by_test_id("link").click()
    expect(fresh.get_by_test_id("toast")).to_have_text("Link copied")
    query = parse_qs(urlsplit(fresh.evaluate("() => navigator.clipboard.readText()")).query)
    assert query == {"location": ["sanfrancisco"], "t": ["2025-10-16T18:45:00"], "speed": ["60"]}


def test_without_a_clipboard_the_link_is_offered_in_a_field(fresh: Page) -> None:
    fresh.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    fresh.keyboard.press("c")
    field = fresh.get_by_test_id("link-field")
    expect(field).to_have_value(re.compile(r"t=2025-10-16T18:45:00"))
    assert field.evaluate("(node) => node.value.slice(node.selectionStart, node.selectionEnd) === node.value")


def test_the_picture_shows_what_the_views_offer_under_the_place_s_name(opened: Page) -> None:
    opened.evaluate(REPORTS)
    with opened.expect_download() as download:
        opened.keyboard.press("r")
    assert download.value.suggested_filename == "casper-sanfrancisco-2025-10-16T1845.png"
    picture = Image.open(BytesIO(download.value.path().read_bytes())).convert("RGB")
    colours = {colour: count for count, colour in picture.getcolors(1 << 24) or []}
    assert picture.width == 3200
    assert colours[(255, 0, 0)] > picture.width * picture.height / 3  # the map fills most of it
    assert colours[(0, 0, 255)] > 50  # the stage's dot and number
    assert opened.title() != "owned"


def test_without_anything_to_show_no_picture_is_saved(opened: Page) -> None:
    opened.keyboard.press("r")
    expect(opened.get_by_test_id("toast")).to_contain_text("nothing to put into a picture")


GUARDED = """(value) => {
  const read = CanvasRenderingContext2D.prototype.getImageData;
  CanvasRenderingContext2D.prototype.getImageData = function (...box) {
    const image = read.apply(this, box);
    for (let i = 0; i < image.data.length; i++) image.data[i] = eval(value)(image.data[i]);
    return image;
  };
  globalThis.printed = 0;
  globalThis.print = () => { globalThis.printed += 1; };
}"""
"""A browser that guards itself against fingerprints: what is read of a canvas is changed, byte by byte."""


@pytest.mark.parametrize("value", ["(byte) => 255", "(byte) => 256 * Math.random()"])
def test_where_the_browser_gives_noise_for_a_canvas_no_picture_is_saved_and_printing_is_offered(
    fresh: Page, value: str
) -> None:
    fresh.evaluate(REPORTS)
    fresh.evaluate(GUARDED, value)
    downloads: list[object] = []
    fresh.on("download", lambda download: downloads.append(download))
    fresh.keyboard.press("r")
    dialog = fresh.get_by_test_id("print-dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("No picture was saved")
    expect(fresh.get_by_test_id("toast")).to_be_hidden()
    fresh.get_by_test_id("print").click()
    expect(dialog).to_be_hidden()
    assert fresh.evaluate("() => printed") == 1
    assert downloads == []


def test_a_guard_that_changes_only_the_last_bits_leaves_the_picture_as_it_is(fresh: Page) -> None:
    fresh.evaluate(REPORTS)
    fresh.evaluate(GUARDED, "(byte) => byte ^ 1")
    with fresh.expect_download():
        fresh.keyboard.press("r")


def test_help_opens_on_its_key_closes_on_escape_and_gives_the_focus_back(opened: Page) -> None:
    opened.get_by_test_id("help").focus()
    opened.keyboard.press("?")
    dialog = opened.get_by_test_id("help-dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("The mean of the orders that moved on in the 60 minutes up to the playhead")
    opened.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opened.get_by_test_id("help")).to_be_focused()


def test_escape_closes_what_is_open_before_it_clears_the_selection(opened: Page) -> None:
    SESSION.do(lambda: SESSION.controller.selection.filter("ready"))
    opened.wait_for_function("() => [...(__twin.selections?.values() ?? [])].some((one) => one.stage === 'ready')")
    opened.keyboard.press("?")
    opened.keyboard.press("Escape")
    expect(opened.get_by_test_id("help-dialog")).to_be_hidden()
    assert opened.evaluate("() => [...__twin.selections.values()][0].stage") == "ready"
    opened.keyboard.press("Escape")
    assert opened.evaluate("() => [...__twin.selections.values()][0].stage") == ""


def test_keys_are_left_to_somebody_who_types(opened: Page) -> None:
    opened.get_by_test_id("search").click()
    opened.keyboard.type("?cr")
    expect(opened.get_by_test_id("search")).to_have_value("?cr")
    expect(opened.get_by_test_id("help-dialog")).to_be_hidden()


def test_single_keys_can_be_switched_off_for_every_view_and_stay_off(fresh: Page) -> None:
    fresh.evaluate("() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }")
    fresh.get_by_test_id("help").click()
    fresh.get_by_test_id("single-keys").uncheck()
    fresh.keyboard.press("Escape")
    fresh.keyboard.press("m")
    fresh.keyboard.press("ArrowRight")
    assert fresh.evaluate("() => heard").count("m") == 0
    assert "ArrowRight" in fresh.evaluate("() => heard")
    fresh.reload()
    expect(fresh.get_by_test_id("help")).to_be_visible()
    fresh.keyboard.press("?")
    expect(fresh.get_by_test_id("help-dialog")).to_be_hidden()


def test_the_tour_is_offered_once_and_shows_only_what_is_there(fresh: Page) -> None:
    expect(fresh.get_by_test_id("tour")).to_be_hidden()  # never by itself
    before = fresh.evaluate("() => [...__twin.clocks.values()][0].now()")
    fresh.get_by_test_id("tour-start").click()
    tour = fresh.get_by_test_id("tour")
    expect(tour).to_contain_text("1 of 2")  # this page has a map and the link alone
    expect(tour).to_contain_text("Who is on the road")
    fresh.keyboard.press("ArrowRight")
    expect(tour).to_contain_text("2 of 2")
    fresh.keyboard.press("Enter")
    expect(tour).to_be_hidden()
    assert fresh.evaluate("() => [...__twin.clocks.values()][0].now()") == before
    fresh.reload()
    expect(fresh.get_by_test_id("help")).to_be_visible()
    expect(fresh.get_by_test_id("tour-offer")).to_be_hidden()


def test_a_skeleton_stands_in_while_something_loads_and_says_what_when_it_takes_long(opened: Page) -> None:
    skeleton = opened.get_by_test_id("skeleton")
    SESSION.do(lambda: SESSION.chrome.param.update(waiting=f"Loading {HOSTILE} …"))
    expect(skeleton).to_be_visible()
    expect(skeleton).to_contain_text("Loading <img src=x")
    SESSION.do(lambda: SESSION.chrome.param.update(waiting=""))
    expect(skeleton).to_be_hidden()


def test_a_phone_finds_everything_in_one_menu(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 844})
    expect(opened.get_by_test_id("link")).to_be_hidden()
    opened.get_by_test_id("more").click()
    for name in ("link", "report", "tour", "help"):
        expect(opened.get_by_test_id(f"menu-{name}")).to_be_visible()
    opened.get_by_test_id("menu-help").click()
    box = opened.get_by_test_id("help-dialog").bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= 390 - box["width"]


def test_a_failing_source_says_so_and_shows_that_it_tries_again(opened: Page) -> None:
    message = f"The data source does not answer: {HOSTILE}"
    expect(opened.get_by_test_id("banner")).to_be_hidden()
    SESSION.do(lambda: SESSION.banner.fail(message, retry=lambda: SESSION.retried.append(1)))
    expect(opened.get_by_role("alert")).to_contain_text(message)
    opened.get_by_test_id("banner-action").click()
    expect(opened.get_by_test_id("banner-action")).to_have_text("Trying …")
    expect(opened.get_by_test_id("banner-action")).to_be_disabled()
    SESSION.do(SESSION.banner.clear)
    expect(opened.get_by_test_id("banner")).to_be_hidden()
    assert SESSION.retried == [1]
    assert opened.title() != "owned"


def test_a_sign_in_is_renewed_and_its_end_is_said(page: Page, address: str) -> None:
    answers = iter([{"name": "Maya", "again_s": 0.01}, {"name": "Maya", "again_s": 0.01}])
    page.route("**/user", lambda route: route.fulfill(json=next(answers, {"name": "Maya", "expired": True})))
    page.goto(f"{address}/chrome?location=sanfrancisco&signed=1")
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    expect(page.get_by_test_id("tour-offer")).to_be_hidden()
    page.unroute("**/user")
    page.route("**/user", lambda route: route.fulfill(json={"name": "Maya", "again_s": 600}))
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("user")).to_be_visible()
    expect(page.get_by_test_id("sign-in")).to_be_hidden()


def test_a_link_to_a_page_of_others_opens_it_about_what_is_seen(page: Page, address: str) -> None:
    page.add_init_script("window.open = (...given) => { window.opened = given; }")
    page.goto(f"{address}/chrome?location=sanfrancisco&linked=1")
    page.get_by_test_id("more").click()
    expect(page.get_by_test_id("menu-dashboard")).to_have_count(0)
    expect(page.get_by_test_id("menu-help")).to_be_hidden()
    page.get_by_test_id("menu-ask").click()
    link, *how = page.evaluate("window.opened")
    assert parse_qs(urlsplit(link).query) == {
        "id": ["a b&c"],
        "from": ["2025-10-16T00:00:00"],
        "to": ["2025-10-17T00:00:00"],
    }
    assert how == ["_blank", "noopener,noreferrer"]
