"""The wall screen, as it hangs there: nobody touches it, and it goes on whatever happens to its server and its network."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

import twin
from tests.browser.app import Server, free_port, running
from tests.browser.cable import Cable
from tests.browser.operations import FEW_FRAMES, settled
from tests.browser.texts import texts
from twin.analysis.race import LeadChange
from twin.notebook.door import Twin
from twin.show.deriving import derive
from twin.show.options import SHORTEST_S, Options
from twin.show.scenefile import load

pytestmark = pytest.mark.browser

WALL = {"width": 1920, "height": 1080}
STATE = """() => {
  const { front, back } = __kiosk, inside = front?.node.contentWindow.__twin, kiosk = inside?.kiosk;
  const motion = [...inside?.motion?.values() ?? []][0], scene = kiosk?.scene();
  return { back: !!back, beat: front?.beat ?? null, t: kiosk?.now() ?? null,
    epoch: kiosk?.epoch() ?? null, scene: scene ?? null, ready: !!kiosk?.ready(),
    frames: motion?.frames ?? 0, drivers: motion?.positions().length ?? 0,
    notice: document.getElementById("notice").hidden ? "" : document.getElementById("notice").textContent };
}"""
SHOWN = "() => __kiosk.front?.beat?.ready === true && __kiosk.why === ''"
NEW_MS = 60_000
"""A new page on a busy machine, streets included."""


@pytest.fixture(scope="module")
def server(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    served = Server(demo, tmp_path_factory.mktemp("kiosk") / "log.txt")
    served.start()
    yield served
    served.kill()


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@contextmanager
def screens(
    browser: Browser, count: int = 1, *, lonely: bool = False, size: dict[str, int] = WALL, few_frames: bool = True
) -> Iterator[list[Page]]:
    """Open that many displays, each a computer of its own; a console error of any fails, unless it is one of the network."""
    problems: list[str] = []
    pages = []
    for _ in range(count):
        context = browser.new_context(viewport=size)  # type: ignore[arg-type]
        context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
        context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page = context.new_page()
        page.set_default_timeout(NEW_MS)
        if few_frames:
            page.add_init_script(FEW_FRAMES)
        pages.append(page)
    yield pages
    for page in pages:
        page.context.close()
    network = re.compile(
        r"Failed to load resource: net::ERR_|WebSocket connection to .* failed|Lost websocket|ERR_CONNECTION"
    )
    assert [problem for problem in problems if not (lonely and network.search(problem))] == []


def hang(page: Page, port: int, **query: object) -> None:
    words = "&".join(f"{key}={value}" for key, value in query.items())
    page.goto(f"http://127.0.0.1:{port}/kiosk?{words}")
    page.wait_for_function(SHOWN, timeout=NEW_MS)


def state(page: Page) -> dict[str, Any]:
    return page.evaluate(STATE)


def living(page: Page) -> Frame:
    return next(frame for frame in page.frames if "frame=1" in frame.url)


def until(page: Page, holds: Callable[[dict[str, Any]], bool], what: str, most_ms: int = NEW_MS) -> dict[str, Any]:
    for _ in range(most_ms // 200):
        now = state(page)
        if holds(now):
            return now
        page.wait_for_timeout(200)
    raise AssertionError(f"{what}: not within {most_ms} ms; the screen is at {now}")


def test_a_wall_screen_tours_two_locations_unattended(server: Server, browser: Browser, source: Twin) -> None:
    places = [place.id for place in source.locations[:2]]
    scenes = derive(source, Options(locations=tuple(places), scene_s=SHORTEST_S)).scenes
    with screens(browser) as [page]:
        hang(page, server.port, locations=",".join(places), seconds=SHORTEST_S)
        seen: dict[int, dict[str, Any]] = {}
        for _ in range(300):
            now = state(page)
            if now["ready"] and now["drivers"]:
                seen.setdefault(now["scene"]["index"], now)
            if len(seen) == len(scenes):
                break
            page.wait_for_timeout(150)
        assert sorted(seen) == list(range(len(scenes)))
        for index, now in seen.items():
            assert now["scene"]["headline"] == scenes[index].headline
            assert scenes[index].t <= now["t"] <= scenes[index].at(SHORTEST_S) + 60
        assert {scenes[index].name for index in seen} == {source.location(place).display_name for place in places}


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160), (1280, 720), (1080, 1920)])
def test_the_screen_is_filled_without_scroll_bars_controls_or_cursor(
    server: Server, browser: Browser, width: int, height: int
) -> None:
    with screens(browser, size={"width": width, "height": height}) as [page]:
        hang(page, server.port, seconds=600)
        frame = living(page)
        box = page.locator("iframe").first.bounding_box()
        assert box is not None
        assert box["width"] >= width - 10
        assert box["height"] >= height - 10
        for where in (page, frame):
            sizes = where.evaluate(BEYOND)
            assert max(sizes) <= 0
        expect(frame.get_by_test_id("race")).to_be_hidden()  # it would lie over everything
        assert page.evaluate("() => getComputedStyle(document.body).cursor") == "none"
        assert page.evaluate("() => getComputedStyle(document.querySelector('iframe')).pointerEvents") == "none"
        assert frame.evaluate("() => document.body.inert")
        names = (
            frame.locator("button").filter(visible=True).evaluate_all("(all) => all.map((one) => one.dataset.testid)")
        )
        assert all(re.fullmatch("stage-.*-pick", name) for name in names)  # the names of the stages, no more to press
        for _ in range(8):
            page.keyboard.press("Tab")
        assert frame.evaluate("() => document.activeElement === document.body")
        sizes = frame.evaluate(TEXT_SIZES)
        scale = box["width"] / frame.evaluate("() => innerWidth")
        small = {words: size * scale * 1080 / min(width, height) for words, size in sizes.items()}
        assert {words: size for words, size in small.items() if size < LEAST_PX} == {}


RACING = """
loop: true
scenes:
  - {place: sanfrancisco, time: 2025-10-16 18:10, duration: 6}
  - race: late
    time: 2025-10-16 18:00
    lanes:
      - place: sanfrancisco
      - {place: chicago, day: 2025-10-17}
      - {place: sanfrancisco, day: 2025-10-17}
    relative: true
    speed: 1000
    duration: 30
    caption: Who keeps the promise?
  - {place: chicago, time: 2025-10-17 12:00, duration: 6}
"""


RACE = """() => {
  const find = (id, root) => [...root.querySelectorAll("*")].flatMap((node) =>
    [...(node.dataset.testid === id ? [node] : []), ...(node.shadowRoot ? find(id, node.shadowRoot) : [])]);
  const lanes = find("race-lane", document);
  return [__twin.kiosk.now(), lanes.map((one) => +one.querySelector(".rank").textContent),
    lanes.map((one) => one.querySelector(".value").textContent),
    [...(find("race-leads", document)[0]?.children ?? [])].map((one) => one.textContent.trim().split(" at ")[0])];
}"""
"""Of one instant: the clock, the place and the value of each lane, and what is told of the lead."""
LAG_S = 1800
"""Data seconds by which what stands there may be older than the clock: under two of a busy machine's seconds at 1000x."""


def test_a_race_has_its_turn_in_a_show(demo: Path, source: Twin, browser: Browser, tmp_path: Path) -> None:
    """The rotation comes to it and goes on; its lanes run, and who takes the lead is told once that has lasted."""
    (tmp_path / "show.yaml").write_text(RACING)
    scene = load(tmp_path / "show.yaml", source).scenes[1]
    race, length = scene.race, scene.speed * scene.duration
    assert race is not None
    assert len(race.leads_known(length)) >= 2, "there is a change to be told"
    served = Server(demo, tmp_path / "log.txt", "--scenes", str(tmp_path / "show.yaml"))
    served.start()
    seen: list[tuple[float, list[int], list[str], list[str]]] = []
    try:
        with screens(browser) as [page]:
            hang(page, served.port)
            for _ in range(-state(page)["scene"]["index"] % 3):  # it stands wherever the show would be by now
                page.keyboard.press("ArrowRight")
            until(page, lambda now: now["ready"] and now["scene"]["index"] == 0, "a kitchen before it", 2 * NEW_MS)
            expect(living(page).get_by_test_id("race")).to_be_hidden()
            until(page, lambda now: now["ready"] and now["scene"]["index"] == 1, "the race")
            frame = living(page)
            expect(frame.get_by_test_id("race-lane")).to_have_count(3)
            expect(frame.locator("h1").first).to_have_text("Who keeps the promise?")
            while (now := state(page))["scene"]["index"] == 1 and now["t"] < scene.t + length - 2 * scene.speed:
                seen.append(frame.evaluate(RACE))
                page.wait_for_timeout(150)
            until(page, lambda now: now["ready"] and now["scene"]["index"] == 2, "a kitchen after it")
            until(page, lambda now: now["drivers"] > 0, "its drivers")
            expect(living(page).get_by_test_id("race")).to_be_hidden()
            until(page, lambda now: now["ready"] and now["scene"]["index"] == 1, "the race, again", 2 * NEW_MS)
            expect(living(page).get_by_test_id("race")).to_be_visible()
            page.wait_for_timeout(2000)  # behind the title card until then
            # it lies over the panes of a kitchen, whose texts are there below it
            over = [
                one
                for one in texts(living(page))["problems"]
                if re.findall(r"\[([\w-]*)\]", one) in (["race-lane"] * 2, ["race-lane"])
            ]
            assert over == []
            assert state(page)["notice"] == ""
    finally:
        served.kill()

    def value(one: float) -> str:
        if np.isnan(one):
            return "–"
        places = Decimal("0.1" if one < 0.995 else "1")
        return f"{Decimal(100 * round(one, 4)).quantize(places, ROUND_HALF_UP)} %"  # as a browser rounds

    def story(known: tuple[LeadChange, ...]) -> tuple[str, ...]:
        clock = source.location(scene.location).tz.clock
        names = [lane.name for lane in race.lanes]
        acts = [
            f"{clock(scene.t + one.at)} {names[one.leader]} "
            + ("leads first" if one.before is None else f"takes the lead from {names[one.before]}")
            for one in known
        ]
        return tuple(acts[::-1][:4])

    assert seen[-1][0] - seen[0][0] > 0.6 * length, "the clock ran"
    assert len({tuple(places) for _, places, _, _ in seen}) > 1, "a lane passed another"
    assert len({len(told) for *_, told in seen}) > 1, "and that was told while it ran"
    for t, places, values, told in seen:
        moments = [max(0.0, t - scene.t - late) // 60 * 60 for late in range(0, LAG_S + 1, 60)]
        assert sorted(places) == [1, 2, 3]
        for lane, shown in enumerate(values):
            assert shown in {value(float(race.values(at)[lane])) for at in moments}
        assert tuple(told) in {story(race.leads_known(at + extra)) for at in moments for extra in (0, 59)}


BEYOND = """() => {
  const page = document.scrollingElement;
  return [page.scrollWidth - page.clientWidth, page.scrollHeight - page.clientHeight];
}"""

LOOK = """() => {
  const kiosk = __kiosk.front.node.contentWindow.__twin.kiosk;
  const before = Date.now();
  const now = kiosk.now();
  const after = Date.now(); // on a busy machine the page may rest between the two
  const way = Math.min(...kiosk.wall.samples.map((sample) => sample.way)) / 1000;
  return [now, after / 1000, kiosk.ready() && after - before < 20 ? kiosk.scene().number : null, way];
}"""

IN_STEP_S = 0.07
"""Seconds apart of two screens that know the time: each is put right when it is 0.02 s off; a look takes 0.02 s at most.

A screen knows the server's time to half of the shortest way to it and back: milliseconds, or a second on a busy machine.
"""

LEAST_PX = 25.0
"""Of 1080 rows. On a 55-inch display its capitals are 11.5 mm high, 8 minutes of arc at five metres; normal sight ends at 5."""

TEXT_SIZES = """() => {
  const sizes = {};
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) walk(node.shadowRoot);
      const words = [...node.childNodes].filter((child) => child.nodeType === 3)
        .map((child) => child.data.trim()).filter(Boolean).join(" ");
      if (!words || ["SCRIPT", "STYLE", "TITLE"].includes(node.tagName)) continue;
      if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const box = node.getBoundingClientRect();
      if (box.width && box.height) sizes[words] = Math.min(sizes[words] ?? Infinity, parseFloat(getComputedStyle(node).fontSize));
    }
  };
  walk(document.body);
  return sizes;
}"""


MAP_SIZE = """() => {
  const find = (root) => [...root.querySelectorAll("*")].flatMap((node) =>
    [...(node.classList.contains("pane-map") ? [node] : []), ...(node.shadowRoot ? find(node.shadowRoot) : [])]);
  const { width, height } = find(document)[0].getBoundingClientRect();
  return [innerWidth, width, height].map(Math.round);
}"""
SAY = """(changes) => {
  const card = Bokeh.documents.flatMap((one) => [...one.all_models]).find((one) => one.class_name === "KioskCard");
  card.data.scene = { ...card.data.scene, ...changes };
}"""


def test_five_panes_leave_the_map_its_size_and_the_caption_agrees_with_the_clock(
    server: Server, browser: Browser
) -> None:
    shapes = {"width": 1280, "height": 720}, {"width": 1080, "height": 1920}
    with screens(browser, 2, size=shapes[0]) as [three, five]:
        hang(three, server.port, locations="sanfrancisco", seconds=600)
        hang(five, server.port, locations="sanfrancisco", panes="map,pipeline,kpis,trends,feed", seconds=600)
        for shape in shapes:
            for page in (three, five):
                page.set_viewport_size(shape)  # type: ignore[arg-type]
            usual, crowded = ("", ""), ("", "")
            for _ in range(50):  # until both frames have been laid out anew
                three.wait_for_timeout(100)
                usual, crowded = (living(page).evaluate(MAP_SIZE) for page in (three, five))
                if crowded[0] == usual[0] and crowded[2] >= usual[2] - 8 and crowded[1] >= usual[1] - 8:
                    break
            assert crowded[1] >= usual[1] - 8, (shape, usual, crowded)
            assert crowded[2] >= usual[2] - 8, (shape, usual, crowded)

        card, now = living(five), state(five)["t"]
        words = {
            "coming": (now + 36000, now + 72000, "Coming at "),
            "on": (now - 60, now + 36000, ""),
            "over": (now - 120, now - 60, "Over since "),
        }
        for name, (since, until_, begin) in words.items():
            card.evaluate(SAY, {"captions": [], "since": since, "until": until_, "trouble": True})
            expect(card.get_by_test_id("kiosk-phase")).to_have_text(re.compile(f"^{begin}" if begin else "^$"))
            on = card.locator(".card-root").get_attribute("data-trouble")
            assert on == {"coming": "", "on": "on", "over": "over"}[name]


def test_no_text_on_a_wall_is_cut_or_lies_on_another(server: Server, browser: Browser) -> None:
    with screens(browser, 2, size={"width": 1920, "height": 1080}) as [three, five]:
        hang(three, server.port, locations="sanfrancisco", seconds=600)
        hang(five, server.port, locations="sanfrancisco", panes="map,pipeline,kpis,trends,feed", seconds=600)
        for width, height in ((1920, 1080), (1280, 720), (1080, 1920)):
            for page in (three, five):
                page.set_viewport_size({"width": width, "height": height})
                seen = settled(page, lambda page=page: texts(living(page))["problems"], still_s=1.0)
                assert seen == [], (width, height, page is five)


def test_two_screens_are_in_step(server: Server, browser: Browser) -> None:
    speed = 1000
    with screens(browser, 2) as pages:
        for page in pages:
            hang(
                page,
                server.port,
                seconds=60,
                speed=speed,
                range="2025-10-16T00:00/2025-10-18T00:00",
                locations="chicago",
            )
        apart: list[tuple[float, float]] = []
        scene = None
        deadline = time.monotonic() + NEW_MS / 1000
        while len(apart) < 20:
            assert time.monotonic() < deadline, f"only {len(apart)} looks at the same scene"
            first, second = (
                # one machine, one epoch: what each page shows is told against the same clock
                page.evaluate(LOOK)
                for page in pages
            )
            begun, scene = scene, first[2] if first[2] == second[2] else None
            if scene is not None and begun == scene:  # not while one of them begins it
                off = abs((first[0] - second[0]) - speed * (first[1] - second[1])) / speed
                apart.append((off, IN_STEP_S + (first[3] + second[3]) / 2))
            pages[0].wait_for_timeout(100)
        assert [one for one in apart if one[0] >= one[1]] == []


def test_the_server_is_killed_and_comes_back(server: Server, browser: Browser) -> None:
    with screens(browser, lonely=True) as [page]:
        hang(page, server.port, seconds=30, locations="chicago,sanfrancisco")
        server.kill()
        until(page, lambda now: "Connection lost" in now["notice"], "the notice")
        last = state(page)
        page.wait_for_timeout(1500)
        assert state(page)["t"] == last["t"]  # the last picture, standing still
        assert last["frames"] > 0
        assert page.locator("iframe").first.is_visible()
        server.start()
        page.wait_for_function(SHOWN, timeout=NEW_MS)
        back = until(page, lambda now: now["notice"] == "" and now["drivers"] > 0, "the picture")
        # the right place: where the show would be had nothing happened
        scene = back["scene"]
        due = min(scene["t"] + scene["speed"] * (back["epoch"] - scene["began"]), scene["end"])
        assert back["t"] == pytest.approx(due, abs=0.1 * scene["speed"])
        number = int(back["epoch"] // 30)
        assert scene["number"] == number


def test_a_show_that_a_presenter_paused_is_still_paused_after_a_restart_of_the_server(
    server: Server, browser: Browser
) -> None:
    """Each screen remembers it, and hands it to the new server in its own session; its address has nothing of it."""
    with screens(browser, lonely=True) as [page]:
        hang(page, server.port, seconds=300, locations="chicago", speed=62)
        page.keyboard.press(" ")
        held = until(page, lambda now: now["scene"].get("held") is not None, "the pause")["t"]
        server.kill()
        until(page, lambda now: "Connection lost" in now["notice"], "the notice")
        server.start()
        page.wait_for_function(SHOWN, timeout=NEW_MS)
        again = until(
            page, lambda now: now["notice"] == "" and now["scene"].get("held") is not None, "the pause, again"
        )
        assert again["t"] == pytest.approx(held, abs=0.1)
        assert not [frame.url for frame in page.frames if "anchor" in frame.url]


@pytest.mark.soak
def test_the_network_is_cut_for_a_minute(
    server: Server, browser: Browser, lasting: Callable[[float, float], float]
) -> None:
    with Cable(server.port) as cable, screens(browser, lonely=True) as [page]:
        hang(page, cable.port, seconds=40, locations="chicago")
        cable.cut()
        until(page, lambda now: "Connection lost" in now["notice"], "the notice")
        last = state(page)["t"]
        page.wait_for_timeout(1000 * lasting(12, 60))  # long enough for three attempts to come back
        assert state(page)["t"] == last
        assert page.locator("iframe").first.is_visible()
        cable.mend()
        page.wait_for_function(SHOWN, timeout=NEW_MS)
        back = until(page, lambda now: now["notice"] == "" and now["drivers"] > 0, "the picture")
        assert back["scene"]["number"] == int(back["epoch"] // 40)


def test_a_screen_that_is_switched_on_before_its_server_waits_for_the_data(
    browser: Browser, demo: Path, tmp_path: Path
) -> None:
    """The source is missing when the server starts: a plain `panel serve` opens it with the first page."""
    missing = tmp_path / "later"
    port = free_port()
    log = tmp_path / "log.txt"
    command = ["panel", "serve", "dashboards/kiosk.py", "--port", str(port), "--address", "127.0.0.1"]
    with (
        running([*command, "--plugins", "twin.api"], port, log, TWIN_SOURCE=str(missing)) as address,
        screens(browser, lonely=True) as [page],
    ):
        page.goto(f"{address}/kiosk?seconds=30")
        expect(page.get_by_test_id("kiosk-notice")).to_contain_text("later", timeout=NEW_MS)
        missing.symlink_to(demo)
        page.wait_for_function(SHOWN, timeout=3 * NEW_MS)  # reading and drawing, all for the first time


def test_a_presenter_steps_pauses_and_blanks(server: Server, browser: Browser) -> None:
    with screens(browser, 2) as pages:
        for page in pages:
            hang(page, server.port, seconds=300, locations="chicago,sanfrancisco", speed=61)
        first, second = pages
        before = state(first)["scene"]["number"]
        first.keyboard.press("ArrowRight")
        for page in pages:  # one presenter, all screens of the show
            until(page, lambda now: now["scene"]["number"] == before + 1 and now["ready"], "the next scene")
        first.keyboard.press(" ")
        held = until(second, lambda now: now["scene"].get("held") is not None, "the pause")["t"]
        second.wait_for_timeout(1000)
        assert state(second)["t"] == pytest.approx(held, abs=0.1)
        assert state(first)["t"] == pytest.approx(state(second)["t"], abs=0.1)
        first.reload()  # a restart of the screen forgets nothing
        first.wait_for_function(SHOWN)
        assert state(first)["scene"].get("held") is not None
        first.keyboard.press(" ")
        until(second, lambda now: now["scene"].get("held") is None, "going on")
        first.keyboard.press("ArrowLeft")
        until(second, lambda now: now["scene"]["number"] == before, "the scene before")
        first.keyboard.press("b")
        assert first.locator("#blank").is_visible()
        assert not second.locator("#blank").is_visible()
        first.keyboard.press("b")
        assert not first.locator("#blank").is_visible()


def test_the_picture_drifts_by_whole_pixels_within_its_margin(server: Server, browser: Browser) -> None:
    with screens(browser, few_frames=False) as [page]:
        page.clock.install()
        page.goto(f"http://127.0.0.1:{server.port}/kiosk?seconds=600")
        places = []
        for _ in range(200):
            page.clock.fast_forward(60_000)
            matrix = page.evaluate("() => new DOMMatrix(getComputedStyle(document.getElementById('stage')).transform)")
            places.append((matrix["e"], matrix["f"]))
        assert all(abs(x) <= 4 and abs(y) <= 4 and x == int(x) and y == int(y) for x, y in places)
        assert len(set(places)) == 81  # every pixel within reach has its turn
        steps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in itertools.pairwise(places)]
        assert max(steps) <= 1  # and nobody sees it go


@pytest.mark.soak
def test_a_minute_at_1000x_leaves_the_heap_as_it_was_and_the_console_clean(
    server: Server, browser: Browser, lasting: Callable[[float, float], float]
) -> None:
    """The short form of `make kiosk-soak`; the first round fills caches, so that it is not counted."""
    small = {"width": 1280, "height": 720}  # fewer pixels to paint; none of them is in the heap
    with screens(browser, size=small, few_frames=False) as [page]:
        hang(page, server.port, speed=1000, seconds=lasting(4, 8), locations="chicago,sanfrancisco")
        eyes = page.context.new_cdp_session(page)
        eyes.send("Performance.enable")

        def heap() -> float:
            eyes.send("HeapProfiler.collectGarbage")
            metrics = {metric["name"]: metric["value"] for metric in eyes.send("Performance.getMetrics")["metrics"]}
            return float(metrics["JSHeapUsedSize"])

        def play_a_round() -> None:
            scene = state(page)["scene"]
            last = scene["number"] + scene["count"]
            until(page, lambda now: now["ready"] and now["scene"]["number"] >= last, "the next round", 2 * NEW_MS)

        play_a_round()
        before = heap()
        play_a_round()
        after = heap()
        assert after < 1.1 * before
        assert state(page)["notice"] == ""
