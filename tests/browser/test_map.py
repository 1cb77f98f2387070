"""The map as a person sees it: drivers where they were, moving without a jump, and a view that stays true when it is moved."""

import base64
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import panel as pn
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.browser.operations import settled, until
from tests.fake_roads import DAY0, Road, RoadTimeline
from twin.foundation.geo import project
from twin.foundation.settings import Settings
from twin.replay.controller import ReplayController
from twin.sources.base import Location
from twin.views.map.map import MapView
from twin.views.shared import theme

pytestmark = pytest.mark.browser

HOUR = 3600.0
NEAR_M = 30.0
STILL_S = 2.0
"""Longer than the camera waits between two moves of its own."""
EVIL = "<img src=x onerror=\"document.title='owned'\">"
MAP = "[...window.__twin.motion.values()][0]"
RECORD = f"""(seconds) => new Promise((done) => {{
  const map = {MAP}, frames = [], until = performance.now() + seconds * 1000;
  const look = () => {{
    frames.push({{ time: map.time(), positions: map.positions().map((d) => [d.order, d.x, d.y]) }});
    if (performance.now() < until) requestAnimationFrame(look); else done(JSON.stringify(frames));
  }};
  requestAnimationFrame(look);
}})"""


@dataclass
class Shown:
    """The page of one test and what the server holds of it."""

    page: Page
    timeline: RoadTimeline
    held: dict = field(default_factory=dict)

    @property
    def view(self) -> MapView:
        return self.held["view"]

    @property
    def controller(self) -> ReplayController:
        return self.held["controller"]

    def do(self, act: Callable[[], object]) -> None:
        """Act on the server in the session's own thread; return when it is done."""
        done = []
        self.held["document"].add_next_tick_callback(lambda: done.append((act(), True)))
        wait_for(lambda: done)

    def ask(self, expression: str):
        return self.page.evaluate(f"() => {{ const map = {MAP}; return {expression}; }}")

    def seek(self, t: float) -> None:
        self.do(lambda: self.controller.seek(t))
        self.page.wait_for_function(f"(t) => {MAP}.time() === t", arg=t)

    def positions(self) -> dict[int, tuple[float, float]]:
        return {d["order"]: (d["x"], d["y"]) for d in self.ask("map.positions()")}

    def assert_true_to(self, t: float, drawn: dict[int, tuple[float, float]]) -> None:
        truth = self.timeline.truth(t)
        assert drawn.keys() == truth.keys()
        for order, (x, y) in truth.items():
            assert np.hypot(drawn[order][0] - x, drawn[order][1] - y) < NEAR_M

    def rested(self) -> dict:
        """Where the camera looks once it has stopped."""
        self.page.wait_for_timeout(150)  # for a fit to begin
        self.page.wait_for_function(f"() => !{MAP}.gliding")
        return self.ask("map.looking")

    def still(self) -> None:
        """Wait until nothing is drawn any more: what was under way has ended, the tiles have come."""
        deadline, drawn, since = time.monotonic() + 20, -1, time.monotonic()
        while time.monotonic() - since < STILL_S:
            assert time.monotonic() < deadline, "the map never comes to rest"
            if (now := self.ask("map.frames + map.paints")) != drawn:
                drawn, since = now, time.monotonic()
            self.page.wait_for_timeout(50)

    def layer(self, name: str, on: bool) -> None:
        shown = {**self.view.__panel__().layers, name: on}
        self.do(lambda: setattr(self.view.__panel__(), "layers", shown))
        self.page.wait_for_timeout(100)

    def picture(self) -> np.ndarray:
        shot = self.page.get_by_test_id("map").screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=int)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def maps(serve) -> Callable[[Callable[[], object]], str]:
    """Takes what the page shows next and returns its address: one server for all tests, so that its scripts are compiled once."""
    given: list[Callable[[], object]] = []
    address = serve({"map": lambda: given[-1]()}) + "/map"

    def at(application: Callable[[], object]) -> str:
        given.append(application)
        return address

    return at


@pytest.fixture
def show(visited, maps):
    """Open a page with a map of a timeline, paused an hour after its start."""

    def open_map(
        timeline: RoadTimeline,
        at: float = DAY0 + HOUR,
        ready: str = f"{MAP}.positions().length",
        settings: Settings | None = None,
    ) -> Shown:
        shown = Shown(visited, timeline)

        def app():
            pn.extension()
            controller = ReplayController(timeline, settings=settings)
            controller.seek(at)
            view = MapView(controller)
            shown.held.update(controller=controller, view=view, document=pn.state.curdoc)
            pn.state.onload(lambda: shown.held.update(loaded=True))
            return pn.Column(view, width=900, height=560, margin=0)

        visit(visited, maps(app))
        expect(visited.get_by_test_id("map")).to_be_visible()
        wait_for(lambda: "loaded" in shown.held)  # what changes on the server before is lost
        if timeline.location.lat is not None:
            visited.wait_for_function(f"() => window.__twin?.motion?.size && {MAP}.held && {ready}")
        return shown

    return open_map


def test_drivers_are_drawn_where_they_were_at_any_moment(show):
    shown = show(RoadTimeline(40))
    rng = np.random.default_rng(1)
    for t in DAY0 + rng.uniform(0, 2 * HOUR, 12).round(3):
        shown.seek(float(t))
        shown.assert_true_to(float(t), shown.positions())


def test_with_many_drivers_they_are_drawn_by_the_canvas_in_the_same_places(show):
    shown = show(RoadTimeline(600))
    shown.layer("clusters", False)
    shown.still()
    shown.assert_true_to(DAY0 + HOUR, shown.positions())
    heads = np.abs(shown.picture() - [59, 130, 246]).sum(axis=2) < 60
    found = []
    for x, y in shown.timeline.truth(DAY0 + HOUR).values():
        px, py = shown.page.evaluate(f"([x, y]) => {MAP}.screen(x, y)", [x, y])
        if 20 < px < 780 and 20 < py < 500:  # not under the buttons and the legend
            found.append(heads[round(py) - 3 : round(py) + 4, round(px) - 3 : round(px) + 4].any())
    assert len(found) > 100
    assert np.mean(found) > 0.9  # the rest is under the kitchen or another driver's rim


def test_no_driver_jumps_where_glyphs_become_pixels(show):
    shown = show(RoadTimeline(400))
    for layer in ("clusters", "trails", "routes", "customers", "radius"):
        shown.layer(layer, False)

    def heads(glyphs: int) -> list[np.ndarray]:
        """The middle of what is blue around each driver that stands alone, pixels."""
        frame = shown.view.__panel__()
        shown.do(lambda: setattr(frame, "scene", {**frame.scene, "glyphs": glyphs}))
        shown.still()
        blue = np.abs(shown.picture() - [59, 130, 246]).sum(axis=2) < 120
        places = np.array([shown.ask(f"map.screen({x}, {y})") for x, y in shown.timeline.truth(DAY0 + HOUR).values()])
        found = []
        for x, y in places:
            alone = np.sum(np.hypot(*(places - (x, y)).T) < 24) == 1
            if alone and 30 < x < 770 and 30 < y < 490:  # not under the buttons and the legend
                box = blue[round(y) - 9 : round(y) + 10, round(x) - 9 : round(x) + 10]
                found.append(np.argwhere(box).mean(axis=0) if box.any() else np.full(2, np.nan))
        return found

    one_by_one, by_pixels = np.array(heads(1000)), np.array(heads(10))
    seen = np.isfinite(one_by_one).all(axis=1) & np.isfinite(by_pixels).all(axis=1)
    assert len(seen) > 20
    assert seen.mean() > 0.9  # the rest is under the kitchen
    apart = np.hypot(*(one_by_one - by_pixels)[seen].T)
    assert apart.max() < 1.0


@pytest.mark.parametrize("speed", [60, 1000])
def test_no_driver_jumps_blinks_or_stands_still_where_two_windows_meet(show, speed):
    shown = show(RoadTimeline(25), at=DAY0 + 600)
    shown.page.wait_for_function(f"() => {MAP}.held[1] - {MAP}.time() >= 900")  # a rested page is ready for any speed
    before = shown.ask("map.asks")
    shown.do(lambda: (shown.controller.set_speed(speed), shown.controller.play()))
    frames = json.loads(shown.page.evaluate(RECORD, 6))

    assert shown.ask("map.asks") - before >= 1
    times = [frame["time"] for frame in frames[5:]]
    assert len(times) > 30
    assert np.all(np.diff(times) > 0)  # the clock's moment is drawn in every frame
    for frame in frames[5:]:
        shown.assert_true_to(frame["time"], {int(order): (x, y) for order, x, y in frame["positions"]})


def test_a_loop_returns_to_its_start_without_a_gap(show):
    shown = show(RoadTimeline(25))
    start, end = DAY0 + 1800, DAY0 + 2100  # five seconds at 60x
    shown.do(lambda: (shown.controller.set_range(start, end), shown.controller.set_loop(True)))
    shown.page.wait_for_function(f"(end) => {MAP}.time() <= end", arg=end)
    shown.do(shown.controller.play)
    frames = json.loads(shown.page.evaluate(RECORD, 8))

    began = next(
        k for k, frame in enumerate(frames) if frame["time"] != frames[0]["time"]
    )  # a busy machine takes its time
    times = np.array([frame["time"] for frame in frames[max(5, began) :]])
    assert np.count_nonzero(np.diff(times) < 0) >= 1
    assert np.all(np.diff(times) != 0)
    assert times.min() >= start
    assert times.max() < end
    for frame in frames[5:]:
        shown.assert_true_to(frame["time"], {int(order): (x, y) for order, x, y in frame["positions"]})


def test_the_last_picture_stays_until_the_trips_of_another_moment_are_here(show):
    shown = show(RoadTimeline(25))
    before = shown.positions()
    answer = shown.view._send_window
    shown.view._send_window = lambda *question: shown.held.update(question=question)
    shown.do(lambda: shown.controller.seek(DAY0 + 1.5 * HOUR))
    wait_for(lambda: "question" in shown.held)
    assert shown.positions() == before
    shown.view._send_window = answer
    shown.do(lambda: answer(*shown.held["question"]))
    shown.page.wait_for_function(f"(t) => {MAP}.time() === t", arg=DAY0 + 1.5 * HOUR)
    shown.assert_true_to(DAY0 + 1.5 * HOUR, shown.positions())


def test_the_picture_moves_while_playing(show):
    shown = show(RoadTimeline(25))
    shown.do(shown.controller.play)
    first = shown.picture()
    until(shown.page, lambda: np.count_nonzero((shown.picture() != first).any(axis=2)) > 200, "another picture")


def test_nothing_moves_and_nothing_is_sent_while_paused(visited, show):
    messages = []
    visited.on(
        "websocket",
        lambda socket: [
            socket.on(way, lambda data, way=way: messages.append(way)) for way in ("framesent", "framereceived")
        ],
    )
    shown = show(RoadTimeline(25))
    assert messages
    shown.do(shown.controller.play)
    shown.page.wait_for_timeout(500)
    shown.do(shown.controller.pause)
    shown.still()
    messages.clear()
    first, frames = shown.picture(), shown.ask("map.frames")
    shown.page.wait_for_timeout(2000)
    assert np.array_equal(shown.picture(), first)
    assert shown.ask("map.frames") == frames
    assert messages == []


def test_hover_shows_an_order_s_hostile_names_as_text(show):
    timeline = RoadTimeline(6)
    timeline.item = EVIL
    shown = show(timeline)
    shown.rested()  # a map that still glides leaves the pointer behind
    order = next(d["order"] for d in shown.ask("map.positions()") if far_from_kitchen(timeline, d))
    hover(shown, order)
    tip = shown.page.get_by_test_id("map-tip")
    expect(tip).to_contain_text(f"Order R{order:05d}")
    expect(tip).to_contain_text(EVIL)
    expect(tip).to_contain_text("Out for delivery · ")
    expect(tip).to_contain_text("% of the way")
    expect(tip).to_contain_text("Expected at ")
    assert tip.locator("img").count() == 0
    assert shown.page.title() != "owned"


def far_from_kitchen(timeline: RoadTimeline, driver: dict) -> bool:
    kx, ky = timeline.kitchen
    others = [place for order, place in timeline.truth(DAY0 + HOUR).items() if order != driver["order"]]
    away = min(np.hypot(x - driver["x"], y - driver["y"]) for x, y in [*others, (kx, ky)])
    return away > 600


def hover(shown: Shown, order: int) -> None:
    shown.rested()  # a view that still glides takes the driver away from under the pointer
    box = shown.page.get_by_test_id("map").bounding_box()
    x, y = shown.page.evaluate(f"([x, y]) => {MAP}.screen(x, y)", list(shown.positions()[order]))
    shown.page.mouse.move(box["x"] + x, box["y"] + y)


def alignment(shown: Shown) -> tuple[float, float]:
    """Pixels between where our canvas and where Bokeh draws a driver; relative difference of the two axes' scales."""
    return tuple(
        shown.ask(
            """(() => {
          const { x, y } = map.positions()[0], [px, py] = map.screen(x, y), view = map.figure();
          const { x_scale, y_scale, bbox } = view.frame;
          const { x_range: xr, y_range: yr } = view.model;
          return [Math.hypot(px + bbox.left - x_scale.compute(x), py + bbox.top - y_scale.compute(y)),
                  Math.abs((xr.end - xr.start) / bbox.width / ((yr.end - yr.start) / bbox.height) - 1)];
        })()"""
        )
    )


def test_panning_zooming_and_resizing_keep_canvas_and_glyphs_together_and_the_map_undistorted(show):
    shown = show(RoadTimeline(25))
    page, box = shown.page, shown.page.get_by_test_id("map").bounding_box()
    x, y = box["x"] + 300, box["y"] + 250

    def settled():
        shown.still()
        looking = shown.rested()
        off, skew = alignment(shown)
        assert off < 0.01
        assert skew < 0.002
        return looking

    seen = [settled()]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 60, steps=6)
    page.mouse.up()
    seen.append(settled())
    for _ in range(3):
        page.mouse.wheel(0, -120)
        page.wait_for_timeout(60)
    seen.append(settled())
    page.get_by_test_id("map-out").click()
    seen.append(settled())
    assert seen[1]["x"] < seen[0]["x"]  # the map follows the hand
    assert seen[1]["y"] > seen[0]["y"]
    assert seen[2]["metres"] < seen[1]["metres"]
    assert seen[3]["metres"] == pytest.approx(2 * seen[2]["metres"])
    shown.do(lambda: setattr(shown.view.__panel__(), "height", 400))
    assert settled()["metres"] == pytest.approx(seen[3]["metres"])


def test_a_moved_view_is_known_to_the_server_and_home_returns(show):
    shown = show(RoadTimeline(25))
    shown.page.get_by_test_id("map-home").click()
    home = shown.rested()
    shown.page.get_by_test_id("map-in").click()
    wait_for(lambda: shown.view.viewport)
    lon, lat, zoom = shown.view.viewport
    x, y = project(lat, lon)
    assert np.hypot(float(x) - home["x"], float(y) - home["y"]) < 5
    assert 156_543.034 / 2**zoom == pytest.approx(home["metres"] / 2, rel=1e-3)
    shown.page.get_by_test_id("map-home").click()
    wait_for(lambda: shown.view.viewport == [])
    assert shown.rested()["metres"] == pytest.approx(home["metres"])


def test_a_viewport_given_by_the_server_is_shown(show):
    shown = show(RoadTimeline(25))
    shown.do(lambda: setattr(shown.view, "viewport", [-122.42, 37.77, 14.5]))
    x, y = project(37.77, -122.42)
    shown.page.wait_for_function(f"(x) => Math.abs({MAP}.looking.x - x) < 1", arg=float(x))
    assert shown.ask("map.looking.y") == pytest.approx(float(y), abs=1)
    assert shown.ask("map.looking.metres") == pytest.approx(156_543.034 / 2**14.5, rel=1e-6)


def test_another_city_takes_the_map_there_even_from_a_moved_view(show):
    shown = show(RoadTimeline(25))
    shown.page.get_by_test_id("map-in").click()
    wait_for(lambda: shown.view.viewport)
    chicago = RoadTimeline(
        10, location=Location("chi", "Chicago", 41.88, -87.63, 5000.0, 0, DAY0, DAY0 + 86_400.0), seed=3
    )
    shown.timeline = chicago
    shown.do(lambda: (shown.controller.load(chicago, DAY0 + 1800), shown.view.reset()))
    shown.page.wait_for_function(f"(t) => {MAP}.time() === t", arg=DAY0 + 1800)
    kx, _ = chicago.kitchen
    assert abs(shown.ask("map.looking.x") - kx) < 10_000
    shown.assert_true_to(DAY0 + 1800, shown.positions())


def test_layers_are_switched_in_their_list_and_kept_as_text(show):
    shown = show(RoadTimeline(12))
    with_all = shown.picture()
    shown.page.get_by_test_id("map-layers").click()
    for name in ("routes", "customers", "trails", "radius"):
        shown.page.get_by_test_id(f"map-{name}").uncheck()
    shown.page.keyboard.press("Escape")
    expect(shown.page.get_by_test_id("map-layer-list")).to_be_hidden()
    wait_for(lambda: shown.view.layers_text == "clusters")

    def differs_from(other: np.ndarray) -> bool:
        return np.count_nonzero((shown.picture() != other).any(axis=2)) > 500

    until(shown.page, lambda: differs_from(with_all), "a map without its layers")
    settled(shown.page, lambda: shown.picture().tobytes())
    without = shown.picture()
    shown.do(lambda: setattr(shown.view, "layers_text", ""))
    until(shown.page, lambda: differs_from(without), "a map with other layers")


def test_without_coordinates_the_map_says_why_it_is_empty(show):
    timeline = RoadTimeline(3)
    timeline.location = Location("x", "Nowhere", None, None, None, 0, DAY0, DAY0 + HOUR)
    shown = show(timeline)
    expect(shown.page.get_by_test_id("map-empty")).to_contain_text("No coordinates in this data")
    expect(shown.page.get_by_test_id("map-fit")).not_to_be_visible()


def test_in_the_dark_the_map_takes_the_dark_colours(show):
    shown = show(RoadTimeline(12))
    shown.page.evaluate("() => { document.documentElement.dataset.theme = 'dark'; }")
    background = tuple(int(theme.TOKENS["dark"]["map"][i : i + 2], 16) for i in (1, 3, 5))
    until(shown.page, lambda: np.abs(shown.picture()[30, 5] - background).max() < 25, "a dark corner")


def test_the_names_of_the_base_map_are_written_as_text_where_they_belong(show):
    shown = show(RoadTimeline(12))
    frame = shown.view.__panel__()
    x, y = frame.scene["kitchen"]
    hostile = '<img src="x" onerror="window.hacked = 1">'
    names = [
        {"text": hostile, "kind": "district", "rank": 2, "at": [x + 1500, y + 1500]},
        {"text": "Hidden by the first", "kind": "district", "rank": 3, "at": [x + 1500, y + 1480]},
        {"text": "Straight Street", "kind": "street", "rank": 1, "at": [x - 4000, y - 3000, x + 4000, y - 3000]},
    ]
    streets = {"url": None, "label": "Streets", "credit": "Here", "max_zoom": 18, "names": names}
    before = shown.picture()
    shown.do(lambda: setattr(frame, "base", {"maps": {"streets": streets}, "chosen": "streets"}))
    until(shown.page, lambda: len(shown.ask("map.names()")) == 2, "two names, as the third has no room")
    shown.still()
    written = {name["text"]: name for name in shown.ask("map.names()")}
    assert set(written) == {hostile, "Straight Street"}
    right, below = shown.ask(f"map.screen({x + 1500}, {y + 1500})")
    assert (written[hostile]["x"], written[hostile]["y"]) == pytest.approx((right, below), abs=1)
    assert all(name["size"] >= 12 for name in written.values())
    box = np.s_[round(below) - 8 : round(below) + 8, round(right) - 60 : round(right) + 60]
    assert np.abs(shown.picture()[box] - before[box]).max() > 80, "dark letters on a light map"
    assert shown.page.evaluate("() => window.hacked") is None


def test_a_trip_that_never_ends_leaves_no_error(show):
    timeline = RoadTimeline(3)
    stuck = Road(DAY0 + HOUR - 60, *(np.array(v, np.float32) for v in ([0, 30, 7200], [0, 200, 200], [0, 0, 0])))
    timeline.roads[0] = stuck
    shown = show(timeline)
    assert shown.positions()[0] == pytest.approx((timeline.kitchen[0] + 200, timeline.kitchen[1]), abs=NEAR_M)


def color_near(shown: Shown, x: float, y: float) -> np.ndarray:
    """The colours of the 7 x 7 pixels around a place of the map, (49, 3)."""
    px, py = (round(v) for v in shown.page.evaluate(f"([x, y]) => {MAP}.screen(x, y)", [x, y]))
    return shown.picture()[py - 3 : py + 4, px - 3 : px + 4].reshape(-1, 3)


def has(colours: np.ndarray, token: str) -> bool:
    wanted = [int(theme.TOKENS["light"][token][i : i + 2], 16) for i in (1, 3, 5)]
    return bool((np.abs(colours - wanted).sum(axis=1) < 30).any())


def test_late_drivers_have_the_colour_of_trouble_and_inferred_positions_are_hollow(show):
    timeline = RoadTimeline(8)
    drivers = [order for order, place in timeline.truth(DAY0 + HOUR).items()]
    kx, ky = timeline.kitchen
    apart = sorted(drivers, key=lambda o: -np.hypot(*(np.subtract(timeline.truth(DAY0 + HOUR)[o], (kx, ky)))))[:4]
    late, risky, hollow, fine = apart
    starts = np.array([road.start for road in timeline.roads])
    timeline.orders.created = starts - 60.0
    timeline.orders.eta_mins[:] = 12.0
    timeline.orders.created[late] = DAY0 + HOUR - 1801  # a second over the half hour that is promised
    timeline.orders.created[risky] = starts[risky] + 12 * 60 - 1801  # it will be, when the promise is kept
    if timeline.orders.created[risky] < DAY0 + HOUR - 1800:
        timeline.orders.eta_mins[risky] = 60.0
        timeline.orders.created[risky] = starts[risky] - 60.0
    timeline.unseen = [(hollow, 1.0, np.inf)]
    shown = show(timeline)
    told = {d["order"]: d for d in shown.ask("map.positions()")}
    assert (told[late]["tone"], told[risky]["tone"], told[fine]["tone"]) == (2, 1, 0)
    assert [order for order, d in told.items() if d["inferred"]] == [hollow]
    shown.rested()
    at = {order: color_near(shown, told[order]["x"], told[order]["y"]) for order in apart}
    assert has(at[late], "bad")
    assert has(at[risky], "risk-fill")
    assert has(at[fine], "out_for_delivery-fill")
    assert has(at[hollow], "panel")
    assert not has(at[hollow], "out_for_delivery-fill")


def test_a_delivered_driver_fades_for_thirty_seconds_of_kitchen_time(show):
    shown = show(RoadTimeline(25))
    road = next(road for road in shown.timeline.roads if DAY0 + HOUR < road.end < DAY0 + HOUR + 1200)
    order = shown.timeline.roads.index(road)
    for since, there in ((-1.0, False), (1.0, True), (29.0, True), (31.0, False)):
        shown.seek(road.end + since)
        assert (order in shown.ask("map.faded()")) is there
    shown.do(lambda: shown.controller.set_speed(1000))  # half a second of the viewer's time is 500 seconds there
    shown.seek(road.end + 450.0)
    assert order in shown.ask("map.faded()")
    shown.seek(road.end + 510.0)
    assert order not in shown.ask("map.faded()")


def test_over_fifty_drivers_that_overlap_are_one_number_and_a_click_opens_it(show):
    shown = show(RoadTimeline(120))
    shown.page.wait_for_function(f"() => {MAP}.clusters().length > 0")
    shown.page.get_by_test_id("map-home").click()
    shown.rested()
    shown.page.wait_for_timeout(500)
    merged, lone = ([d for d in shown.ask("map.positions()") if d["merged"] is wanted] for wanted in (True, False))
    bubbles = shown.ask("map.clusters()")
    assert sum(b["n"] for b in bubbles) == len(merged)
    assert min(b["n"] for b in bubbles) >= 2
    assert lone  # who is alone goes on moving by itself
    points = [shown.page.evaluate(f"([x, y]) => {MAP}.screen(x, y)", [d["x"], d["y"]]) for d in lone]
    nearest = [
        min(np.hypot(x - a, y - b) for i, (a, b) in enumerate(points) if i != k) for k, (x, y) in enumerate(points)
    ]
    assert min(nearest) >= 14  # no two of them overlap
    before = shown.ask("map.looking.metres")
    box, biggest = shown.page.get_by_test_id("map").bounding_box(), max(bubbles, key=lambda b: b["n"])
    shown.page.mouse.click(box["x"] + biggest["x"], box["y"] + biggest["y"])
    shown.page.wait_for_function(f"(metres) => {MAP}.looking.metres < metres / 1.5", arg=before)
    shown.layer("clusters", False)
    shown.page.wait_for_function(f"() => {MAP}.clusters().length === 0")


def test_fewer_than_fifty_drivers_are_never_merged(show):
    shown = show(RoadTimeline(40))
    assert shown.ask("map.clusters().length") == 0


def test_the_map_fits_to_what_is_on_the_road_until_it_is_moved_by_hand(show):
    shown = show(RoadTimeline(25))
    fit, page = shown.page.get_by_test_id("map-fit"), shown.page
    expect(fit).to_have_attribute("aria-pressed", "true")
    box = page.get_by_test_id("map").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 300, steps=5)
    page.mouse.up()
    expect(fit).to_have_attribute("aria-pressed", "false")
    moved = shown.rested()
    shown.seek(DAY0 + 1.2 * HOUR)
    page.wait_for_timeout(1800)  # longer than the time between two fits
    assert shown.rested() == moved
    shown.do(lambda: None)
    page.evaluate("() => [...globalThis.__twin.mapcommands.values()][0].toggleFit()")
    expect(fit).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(f"(x) => {MAP}.looking.x !== x", arg=moved["x"])
    shown.rested()
    for d in shown.ask("map.positions()"):
        x, y = page.evaluate(f"([x, y]) => {MAP}.screen(x, y)", [d["x"], d["y"]])
        assert 0 < x < box["width"]
        assert 0 < y < box["height"]


def test_a_click_on_a_driver_selects_its_order_and_a_selection_from_elsewhere_shows_here(show):
    timeline = RoadTimeline(6)
    shown = show(timeline)
    shown.rested()
    inner = (slice(5, -5), slice(5, -5))  # the focus may leave a ring around the map
    order = next(d["order"] for d in shown.ask("map.positions()") if far_from_kitchen(timeline, d))
    plain = shown.picture()[inner]
    hover(shown, order)
    shown.page.mouse.down()
    shown.page.mouse.up()
    wait_for(lambda: shown.controller.selection.row == order)
    expect(shown.page.get_by_test_id("map-follow")).to_be_visible()
    shown.page.mouse.move(1, 1)

    def changed() -> int:
        return np.count_nonzero((shown.picture()[inner] != plain).any(axis=2))

    until(shown.page, lambda: changed() > 500, "the others are dimmed")
    shown.do(lambda: shown.controller.selection.select(None))
    expect(shown.page.get_by_test_id("map-follow")).to_be_hidden()
    until(shown.page, lambda: changed() < 300, "the picture from before")


def test_a_followed_driver_stays_in_view(show):
    shown = show(RoadTimeline(6, minutes=20.0))
    page = shown.page
    order = shown.ask("map.positions()")[-1]["order"]
    shown.do(lambda: shown.controller.selection.select(order))
    for _ in range(3):
        page.get_by_test_id("map-in").click()
        shown.rested()
    page.get_by_test_id("map-follow").click()
    for later in (60.0, 300.0, 540.0):
        shown.seek(DAY0 + HOUR + later)
        page.wait_for_timeout(100)
        shown.rested()
        positions = shown.positions()
        if order not in positions:
            break
        x, y = page.evaluate(f"([x, y]) => {MAP}.screen(x, y)", list(positions[order]))
        assert 90 < x < 810
        assert 56 < y < 504


def test_the_map_is_one_picture_for_a_report(show):
    shown = show(RoadTimeline(12))
    shown.rested()
    shown.still()
    pixels = shown.page.evaluate(
        """() => {
          const [make] = globalThis.__twin.reports.values(), canvas = make();
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          let some = "";  // as one text: a million numbers take Playwright half a minute
          for (let i = 0; i < data.length; i += 4) some += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
          const { legend } = canvas, inks = new Set();
          const strip = legend.getContext("2d").getImageData(0, 0, legend.width, legend.height).data;
          for (let i = 0; i < strip.length; i += 4) inks.add(strip.slice(i, i + 3).join());
          const { width, height } = canvas;
          return { width, height, some: btoa(some), legend: [legend.width, legend.height, inks.size] };
        }"""
    )
    wide, high, inks = pixels["legend"]
    assert wide > 8 * high
    assert inks > 20, "marks in their colours, and words"
    some = np.frombuffer(base64.b64decode(pixels["some"]), np.uint8)
    report = some.reshape(pixels["height"], pixels["width"], 3).astype(int)
    seen = shown.picture()
    middle = (slice(120, 440), slice(100, 780))
    assert np.mean(np.abs(report[: seen.shape[0], : seen.shape[1]][middle] - seen[middle]).max(axis=2) < 60) > 0.97
