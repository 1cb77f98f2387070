"""A crowd on the map: frames that are a plain histogram of the drivers, and each of them again where one looks closely."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.test_map import HOUR, MAP, Shown, maps, show, wait_for  # noqa: F401  # fixtures
from tests.fake_roads import DAY0, RoadTimeline
from twin.foundation.settings import Settings
from twin.timeline import fleet
from twin.views.map.messages import to_viewport

pytestmark = pytest.mark.browser

DRIVERS = 600
FRAME = f"() => {MAP}.frame()"


@pytest.fixture
def city(show) -> Shown:  # noqa: F811
    """Six hundred drivers where two hundred are drawn one by one."""
    timeline = RoadTimeline(DRIVERS)
    shown = show(timeline, ready=f"{MAP}.frameAt", settings=Settings(dense_from=200))
    shown.page.wait_for_function(f"() => {MAP}.frameAt === {DAY0 + HOUR}")
    return shown


def histogram(timeline: RoadTimeline, frame: dict) -> np.ndarray:
    """Drivers per cell, south row first, from positions worked out one by one."""
    kx, ky = timeline.kitchen
    places = np.array(list(timeline.truth(frame["t"]).values())) - (kx, ky)
    x0, y0, x1, y1 = frame["extent"]
    found, _, _ = np.histogram2d(places[:, 1], places[:, 0], (frame["rows"], frame["columns"]), ((y0, y1), (x0, x1)))
    return found.astype(int)


def cells(frame: dict) -> np.ndarray:
    return np.array(frame["cells"]).reshape(frame["rows"], frame["columns"])


def test_a_frame_is_the_histogram_of_the_drivers(city: Shown) -> None:
    frame = city.page.evaluate(FRAME)
    assert city.ask("map.positions().length") == 0, "none is told one by one"
    assert city.ask("map.crowd") == len(city.timeline.truth(DAY0 + HOUR))
    seen, truth = cells(frame), histogram(city.timeline, frame)
    assert seen.sum() == truth.sum() > 300
    # a place that float32 knots round across a cell's edge
    assert np.abs(seen - truth).sum() <= 0.02 * truth.sum()
    legend = city.page.get_by_test_id("map-legend").last
    expect(legend).to_contain_text(f"{city.ask('map.crowd'):,} drivers, few to many")


def test_the_pixels_are_where_the_drivers_are(city: Shown) -> None:
    city.layer("trails", False)
    city.layer("radius", False)
    city.still()
    shot = city.picture()
    kx, ky = city.timeline.kitchen
    background = np.median(shot[150:400, 100:700].reshape(-1, 3), axis=0)
    hit = total = 0
    for x, y in city.timeline.truth(DAY0 + HOUR).values():
        px, py = city.ask(f"map.screen({x}, {y})")
        if not (60 < px < 780 and 60 < py < 480) or np.hypot(x - kx, y - ky) < 300:
            continue
        total += 1
        near = shot[int(py) - 3 : int(py) + 4, int(px) - 3 : int(px) + 4].reshape(-1, 3)
        hit += np.abs(near - background).max() > 40
    assert total > 200
    assert hit >= 0.97 * total


def test_it_plays(city: Shown) -> None:
    city.do(city.controller.play)
    moments = city.page.evaluate(f"""async () => {{
      const seen = new Set(), until = performance.now() + 3000;
      while (performance.now() < until) {{ await new Promise(requestAnimationFrame); seen.add({MAP}.frameAt); }}
      return [...seen];
    }}""")
    assert len(moments) > 5
    assert moments == sorted(moments)
    city.do(city.controller.pause)
    city.page.wait_for_function(f"() => {MAP}.frameAt === {MAP}.time()")
    frame = city.page.evaluate(FRAME)
    truth = histogram(city.timeline, frame)
    assert np.abs(cells(frame) - truth).sum() <= 0.02 * truth.sum()


def test_whoever_looks_closely_sees_each_driver_where_the_frame_had_them(city: Shown) -> None:
    kx, ky = city.timeline.kitchen
    everyone = fleet.gather(city.timeline.trips, DAY0 + HOUR)
    x, y = np.median(everyone.x[everyone.x > 900]), np.median(everyone.y[everyone.x > 900])
    lon, lat, zoom = to_viewport(kx + x, ky + y, 0.9)
    city.do(lambda: setattr(city.view, "viewport", [lon, lat, zoom]))
    city.page.wait_for_function(f"() => {MAP}.within && !{MAP}.frameAt")
    city.rested()
    truth, (x0, y0, x1, y1) = city.timeline.truth(DAY0 + HOUR), city.ask("map.within")
    inside = {order for order, (x, y) in truth.items() if x0 <= x - kx <= x1 and y0 <= y - ky <= y1}
    drawn = city.positions()
    assert len(inside) > 3
    assert inside <= drawn.keys(), "everybody in view is there"
    for order, (x, y) in drawn.items():
        assert np.hypot(truth[order][0] - x, truth[order][1] - y) < 2.0, "nobody has jumped"
    assert city.page.evaluate(FRAME) is None, "the frame has faded"
    city.page.get_by_test_id("map-home").click()
    city.page.wait_for_function(f"() => {MAP}.frameAt === {DAY0 + HOUR} && !{MAP}.within")
    assert city.ask("map.positions().length") == 0


def test_a_driver_of_a_crowd_is_told_and_picked_out(city: Shown) -> None:
    kx, ky = city.timeline.kitchen
    everyone = fleet.gather(city.timeline.trips, DAY0 + HOUR)
    far = np.hypot(everyone.x, everyone.y)
    for at in np.argsort(-far):
        order, x, y = int(everyone.trip[at]), kx + everyone.x[at], ky + everyone.y[at]
        px, py = city.ask(f"map.screen({x}, {y})")
        if 120 < px < 700 and 120 < py < 400:
            break
    box = city.page.get_by_test_id("map").bounding_box()
    city.page.mouse.move(box["x"] + px - 2, box["y"] + py - 2)
    city.page.mouse.move(box["x"] + px, box["y"] + py, steps=3)
    tip = city.page.get_by_test_id("map-tip")
    expect(tip).to_contain_text(f"Order R{order:05d}")
    expect(tip).to_contain_text("% of the way")
    city.page.mouse.click(box["x"] + px, box["y"] + py)
    wait_for(lambda: city.controller.selection.row == order)
    city.page.wait_for_function(f"(order) => {MAP}.positions().some((one) => one.order === order)", arg=order)
    assert city.positions().keys() == {order}, "and nobody else"


def test_at_rest_a_crowd_costs_nothing(city: Shown) -> None:
    city.still()
    frames, asks = city.ask("map.frames"), city.ask("map.asks")
    city.page.wait_for_timeout(1500)
    assert (city.ask("map.frames"), city.ask("map.asks")) == (frames, asks)


def test_a_crowd_that_goes_home_is_drawn_one_by_one_again(city: Shown) -> None:
    city.controller.settings = Settings(dense_from=5000)
    t = DAY0 + HOUR + 900.0
    city.seek(t)
    city.page.wait_for_function(f"() => {MAP}.crowd === 0")
    city.assert_true_to(t, city.positions())
