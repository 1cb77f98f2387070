"""The operations page, used as a person uses it: `twin serve` in a process of its own, Chromium, eyes on what is shown."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import twin
from tests.browser.app import START_S, free_port, running
from tests.browser.conftest import Kept, kept_page, watched
from tests.browser.operations import (
    CLOCK,
    DRAWN,
    MOTION,
    NUMBER,
    begins,
    by_id,
    choose,
    clock,
    comes_to,
    counts,
    drawn,
    five,
    moves,
    settled,
    speed,
    stands,
    until,
)
from tests.browser.prepared import Prepared
from twin.foundation.times import seconds, text
from twin.notebook.door import Twin
from twin.timeline.timeline import Timeline

pytestmark = pytest.mark.browser

EVENING = seconds("2025-10-17T18:30:00")
HOSTILE = "<img src=x onerror=alert(1)>Pie"


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module")
def kept(browser: Browser, address: str) -> Iterator[Kept]:
    """The page of San Francisco."""
    with kept_page(browser, lambda page: choose(page, address, "sanfrancisco")) as kept:
        yield kept


@pytest.fixture
def page(browser: Browser, kept: Kept) -> Iterator[Page]:
    """An empty page, as conftest's."""
    kept.close()
    with watched(browser) as (page, problems):
        yield page
    assert problems == []


@pytest.fixture
def there(kept: Kept, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of San Francisco on Friday evening, paused, as it is for one test after another."""
    with kept.used(request) as page:
        begins(page, EVENING)
        yield page


def timeline(source: Twin, location: str) -> Timeline:
    return source.timeline(location)


def assert_drawn_where_at_says(page: Page, line: Timeline, t: float) -> None:
    drivers = line.at(t).drivers
    comes_to(page, lambda: set(drawn(page)), set(drivers.order.tolist()))
    shown = drawn(page)
    scale = np.cos(np.radians(line.location.lat or 0))
    for order, x, y in zip(drivers.order.tolist(), drivers.x, drivers.y, strict=True):
        assert np.hypot(shown[order][0] - x, shown[order][1] - y) * scale < 30


INSET = 10
"""Pixels that the timeline's strip lies within its box, on both sides."""


def scrub_to(page: Page, t: float, line: Timeline) -> None:
    box = by_id(page, "scrubber").bounding_box()
    assert box is not None
    share = (t - line.window.start) / (line.window.end - line.window.start)
    page.mouse.click(box["x"] + INSET + share * (box["width"] - 2 * INSET), box["y"] + box["height"] / 2)


def test_a_newcomer_chooses_a_kitchen_and_sees_it_alive(page: Page, address: str, source: Twin) -> None:
    page.goto(address)
    for place in source.locations:
        card = by_id(page, f"city-{place.id}")
        expect(card).to_contain_text(place.display_name)
        expect(card).to_contain_text(f"{place.orders:,}")
        assert card.locator("svg.activity").count() == 1
    by_id(page, "city-sanfrancisco").click()
    expect(by_id(page, "stage-cooking-count")).to_have_text(NUMBER)
    line = timeline(source, "sanfrancisco")
    assert counts(page) == five(line.at(line.busiest()).counts)
    assert clock(page) == pytest.approx(line.busiest(), abs=1e-3)
    page.wait_for_function(DRAWN)
    assert_drawn_where_at_says(page, line, line.busiest())
    for panel in ("clock", "kpi-orders-hour", "kpi-delivery-time", "kpi-completion", "kpi-active", "feed", "health"):
        expect(by_id(page, panel)).to_be_visible()
    assert by_id(page, "feed-row").count() > 0


def test_the_clock_keeps_its_speed_and_the_drivers_move_until_paused(there: Page) -> None:
    figure = there.locator(".bk-Figure").first
    still = figure.screenshot()
    by_id(there, "play").click()
    moves(there)
    assert speed(there, for_ms=4000) == pytest.approx(60, rel=0.05)
    assert figure.screenshot() != still
    by_id(there, "play").click()
    t = stands(there)
    one = settled(there, figure.screenshot, still_s=0.5)
    there.wait_for_timeout(1000)
    assert figure.screenshot() == one
    assert clock(there) == t


def test_scrubbing_shows_that_moment_in_every_panel(there: Page, source: Twin) -> None:
    begins(there, timeline(source, "sanfrancisco").busiest())
    line = timeline(source, "sanfrancisco")
    scrub_to(there, seconds("2025-10-17 18:30"), line)
    aim = seconds("2025-10-17 18:30")
    until(there, lambda: abs(clock(there) - aim) < 600, "within the bar that was aimed at")
    t = stands(there)
    assert abs(t - aim) < 600
    snapshot = line.at(t)
    comes_to(there, lambda: counts(there), five(snapshot.counts))
    expect(by_id(there, "clock")).to_contain_text("Fri 18:")
    expect(by_id(there, "kpi-active")).to_contain_text(str(len(snapshot.order)))
    assert_drawn_where_at_says(there, line, t)
    newest = line.latest(t, 1)
    expect(by_id(there, "feed-row")).to_contain_text(line.orders.ids[newest.order[0]].as_py()[:6])


def test_a_change_of_speed_keeps_the_position(there: Page) -> None:
    begins(there, seconds("2025-10-17T12:00:00"))
    by_id(there, "play").click()
    moves(there)
    look = f"() => [({CLOCK})(), performance.now() / 1000]"
    before = there.evaluate(look)
    by_id(there, "speed-1000").click()
    after = there.evaluate(look)
    assert 0 <= after[0] - before[0] < 1000 * (after[1] - before[1]) + 1  # what went by between the two looks
    assert speed(there, for_ms=1000) > 800


def test_stop_returns_to_the_start_of_the_range(there: Page, source: Twin) -> None:
    by_id(there, "stop").click()
    comes_to(there, lambda: clock(there), timeline(source, "sanfrancisco").window.start)


@pytest.mark.parametrize("speed", [60, 1000])
def test_no_driver_jumps_blinks_or_stands_still_at_the_border_of_two_windows(
    there: Page, source: Twin, speed: int
) -> None:
    line = timeline(source, "sanfrancisco")
    begins(there, seconds("2025-10-17T18:05:00"), speed)
    by_id(there, "play").click()
    told = there.evaluate(
        f"""() => new Promise((done) => {{
          const motion = ({MOTION})(), frames = [], first = motion.asks;
          const look = () => {{
            frames.push([motion.time(), motion.asks - first, motion.positions().map((d) => [d.order, d.x, d.y])]);
            if (frames.length < 600 && motion.asks - first < 3) requestAnimationFrame(look); else done(JSON.stringify(frames));
          }};
          requestAnimationFrame(look);
        }})"""
    )
    frames = json.loads(told)
    assert frames[-1][1] >= 2  # several windows were crossed
    scale = np.cos(np.radians(line.location.lat or 0))
    for t, _, shown in frames[:: max(1, len(frames) // 60)]:
        drivers = line.at(t).drivers
        truth = dict(zip(drivers.order.tolist(), zip(drivers.x, drivers.y, strict=True), strict=True))
        assert {order for order, _, _ in shown} == set(truth)  # nobody blinks
        for order, x, y in shown:
            assert np.hypot(x - truth[order][0], y - truth[order][1]) * scale < 30  # nobody jumps or stands


def test_another_city_brings_its_own_range_map_and_numbers(page: Page, address: str, source: Twin) -> None:
    choose(page, address, "sanfrancisco")
    page.get_by_role("combobox", name="Kitchen").select_option("Chicago")
    line = timeline(source, "chicago")
    page.wait_for_function(f"(t) => Math.abs(({CLOCK})() - t) < 0.01", arg=line.busiest())
    page.wait_for_function(DRAWN)
    assert counts(page) == five(line.at(line.busiest()).counts)
    assert_drawn_where_at_says(page, line, line.busiest())
    centre = page.evaluate(
        "() => { const f = [...Bokeh.documents[0]._all_models.values()].find((m) => m.type === 'Figure');"
        " return [(f.x_range.start + f.x_range.end) / 2, (f.y_range.start + f.y_range.end) / 2]; }"
    )
    assert np.hypot(centre[0] - line.location.x, centre[1] - line.location.y) < 8000
    assert "location=chicago" in page.url


def test_a_link_restores_where_one_was(page: Page, address: str, source: Twin) -> None:
    choose(page, address, "chicago", t="2025-10-17T17:15:00", speed="100")
    link = page.url
    by_id(page, "step-forward").click()
    until(page, lambda: clock(page) > seconds("2025-10-17 17:15"), "a step on")
    until(page, lambda: page.url != link, "the link of the moment")
    t = stands(page)
    shown = five(timeline(source, "chicago").at(t).counts)
    comes_to(page, lambda: counts(page), shown)
    page.reload()
    page.wait_for_function(
        f"(t) => globalThis.__twin?.clocks?.size && Math.abs(({CLOCK})() - t) < 0.01", arg=t, timeout=20_000
    )
    expect(by_id(page, "speed-100")).to_have_attribute("aria-pressed", "true")
    comes_to(page, lambda: counts(page), shown)


def test_the_data_health_chip_accounts_for_every_row(page: Page, address: str, source: Twin) -> None:
    choose(page, address, "sanfrancisco")
    by_id(page, "health").click()
    quality = source.quality("sanfrancisco")
    said = by_id(page, "health-sum").inner_text()
    assert said.startswith(f"{quality.used:,} used + {quality.read - quality.used:,} set aside = {quality.read:,}")
    for reason in quality.rejected:
        expect(page.get_by_text(reason, exact=False).first).to_be_visible()


def test_the_page_fits_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    choose(page, address, "sanfrancisco")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    # what is cut off does not scroll either: the header's controls must be inside the window
    for control in (by_id(page, "health"), by_id(page, "more"), page.get_by_role("combobox", name="Kitchen")):
        box = control.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= 390 - box["width"]
    for stage in ("created", "cooking", "ready", "out_for_delivery", "completed"):
        box = by_id(page, f"stage-{stage}-count").bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= 390 - box["width"]
        assert box["y"] < 844


def test_a_page_loads_what_it_uses_and_shows_its_places_before_any_script_has_run(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.context.browser is not None
    still = page.context.browser.new_context(java_script_enabled=False)
    first = still.new_page()
    first.goto(f"{address}/operations?location=sanfrancisco")
    for bone in first.locator(".opening .bone").all():
        expect(bone).to_be_visible()
    expect(first.locator(".opening .bone")).to_have_count(5)
    still.close()
    choose(page, address, "sanfrancisco")
    assert sorted(url.rpartition(".")[2] for url in set(asked) if "/assets/" in url) == ["js", "js", "js", "woff2"], (
        "all views are one script, all models another, beside the one that says what fails, and one typeface"
    )
    assert not [url for url in asked if "/static/" in url and ".js" in url]
    assert not [url for url in asked if "material-ui" in url or (".woff" in url and "/assets/" not in url)]


def test_who_works_in_the_dark_is_not_dazzled(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.add_init_script(
        "globalThis.themes = []; new MutationObserver(() => { const { theme } = document.documentElement.dataset;"
        " if (theme && themes.at(-1) !== theme) themes.push(theme); })"
        ".observe(document, { attributes: true, subtree: true, attributeFilter: ['data-theme'] });"
    )
    with page.expect_request(lambda request: "/tiles/sanfrancisco/dark/" in request.url, timeout=20_000):
        choose(page, address, "sanfrancisco")
    assert page.evaluate("() => themes") == ["dark"]


def test_dark_and_light_are_whole_pages(page: Page, address: str) -> None:
    choose(page, address, "sanfrancisco")
    background = "() => getComputedStyle(document.documentElement).getPropertyValue('--tw-bg').trim()"
    light = page.evaluate(background)
    with page.expect_request(lambda request: "/tiles/sanfrancisco/dark/" in request.url, timeout=10_000):
        page.get_by_label("Toggle theme").click()
    page.wait_for_function(f"(light) => ({background})() !== light", arg=light)


def hostile_events(folder: Path) -> Path:
    lines = []
    for number in range(40):
        t0 = seconds("2025-10-16 12:00") + number * 60
        body = {
            "customer_lat": 37.78,
            "customer_lon": -122.40,
            "customer_addr": HOSTILE,
            "items": [{"name": HOSTILE, "brand_id": HOSTILE, "price": 1, "qty": 1}],
        }
        route = {"route_points": [[37.791, -122.393], [37.785, -122.396], [37.78, -122.40]]}
        for sequence, (kind, after, content) in enumerate(
            [
                ("order_created", 0, body),
                ("gk_ready", 300, {}),
                ("driver_picked_up", 400, route),
                ("delivered", 1300, {}),
            ]
        ):
            ts = text(t0 + after)
            lines.append(
                json.dumps(
                    {
                        "event_type": kind,
                        "ts": ts,
                        "location": HOSTILE,
                        "order_id": f"{HOSTILE}{number}",
                        "sequence": sequence,
                        "body": json.dumps(content),
                    }
                )
            )
    path = folder / "events.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_hostile_texts_are_only_texts(page: Page, tmp_path: Path) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    port = free_port()
    command = ["twin.cli", "serve", "--source", str(hostile_events(tmp_path)), "--port", str(port)]
    with running(command, port, tmp_path / "log.txt") as address:
        page.goto(address)
        page.locator(".city:not(.skeleton)").first.click()
        expect(page.get_by_role("combobox", name="Kitchen")).to_contain_text("<img src=x", timeout=40_000)
        page.wait_for_function(DRAWN)
        box = page.locator(".bk-Figure").first.bounding_box()
        assert box is not None
        for step in range(40):  # sweep over the map's drivers and pins
            page.mouse.move(box["x"] + box["width"] * (0.3 + step / 100), box["y"] + box["height"] * (0.2 + step / 66))
        by_id(page, "stage-ready-pick").click()  # every panel that shows texts of the data
        expect(by_id(page, "stage-orders")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        by_id(page, "feed-search").fill("<img src=x")
        expect(by_id(page, "feed-row")).to_contain_text("…>Pie")  # the end of the id, as they all begin alike
        by_id(page, "tab-trends").click()
        expect(by_id(page, "trends-brand")).to_contain_text("<img src=x")
        by_id(page, "tab-moments").click()
        by_id(page, "tab-orders").click()
        by_id(page, "orders-row").click()
        expect(by_id(page, "order-items")).to_contain_text("<img src=x")
        expect(by_id(page, "order-panel")).to_contain_text(HOSTILE)
        page.wait_for_timeout(500)
        assert page.locator("img[src=x]").count() == 0
        page.goto(f"{page.url}&order={HOSTILE}&stage={HOSTILE}&tab={HOSTILE}&events=text={HOSTILE}&layers={HOSTILE}")
        expect(by_id(page, "stage-created-count")).to_have_text(NUMBER)
        assert page.locator("img[src=x]").count() == 0
        page.goto("about:blank")  # before its server goes
    assert dialogs == []


@pytest.mark.parametrize(("name", "least"), [("casper_sample_events.csv", 1), ("sf_cabs_2008-05-24.csv.gz", 50)])
def test_real_data_loads_plays_and_shows_its_drivers(
    page: Page, real_data: Path, tmp_path: Path, name: str, least: int
) -> None:
    port = free_port()
    command = ["twin.cli", "serve", "--source", str(real_data / name), "--port", str(port)]
    with running(command, port, tmp_path / "log.txt") as address:
        choose(page, address, "sanfrancisco")
        page.wait_for_function(f"(least) => ({MOTION})().positions().length >= least", arg=least)
        before = drawn(page)
        by_id(page, "play").click()
        until(
            page,
            lambda: any(before[order] != at for order, at in drawn(page).items() if order in before),
            "a driver moves",
        )
        page.goto("about:blank")  # before its server goes


@pytest.mark.parametrize(
    ("content", "says"), [(None, "does not exist"), ("event_type,ts,order_id\nx,never,1\n", "set aside")]
)
def test_a_bad_source_is_one_sentence_on_the_command_line_and_on_the_page(
    page: Page, tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "events.csv"
    if content is not None:
        path.write_text(content)
    said = tmp_path / "said.txt"
    assert Prepared("twin.cli", ["serve", "--source", str(path)], os.environ, said).wait(START_S) == 2
    assert says in said.read_text()
    assert "Traceback" not in said.read_text()
    port = free_port()
    command = [
        "panel",
        "serve",
        "dashboards/operations.py",
        "--port",
        str(port),
        "--address",
        "127.0.0.1",
        "--plugins",
        "twin.api",
    ]
    with running(command, port, tmp_path / "log.txt", TWIN_SOURCE=str(path)) as address:
        page.goto(f"{address}/operations")
        problem = by_id(page, "welcome-error")
        expect(problem).to_contain_text(says)
        assert "Traceback" not in problem.inner_text()
        page.goto("about:blank")  # before its server goes


def test_a_plain_panel_serve_works_too(page: Page, demo: Path, tmp_path: Path) -> None:
    port = free_port()
    command = ["panel", "serve", "dashboards/operations.py", "--port", str(port), "--address", "127.0.0.1"]
    with running(command, port, tmp_path / "log.txt", from_nothing=True, TWIN_SOURCE=str(demo)) as address:
        with page.expect_response(lambda response: "/tiles/" in response.url and response.ok, timeout=40_000):
            choose(page, address, "sanfrancisco")
        page.goto("about:blank")  # before its server goes
