"""The transport as a person uses it: watch the clock, press, drag, type, choose a range."""

import datetime as dt
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import panel as pn
import pytest
from panel.io import PeriodicCallback
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.browser.operations import comes_to
from twin.replay.controller import ReplayController
from twin.views.shared.theme import TOKENS
from twin.views.transport.transport import TransportView

pytestmark = pytest.mark.browser

HOUR, DAY = 3600.0, 86_400.0
THURSDAY = 1_760_572_800.0
"""2025-10-16 00:00."""
DATA = (THURSDAY - 6 * DAY + 8 * HOUR, THURSDAY + 2 * DAY - 1)


class Timeline:
    """Ten orders in every bar, eleven in those that begin with an hour; of 12 meals at 18:00 nine wait for 40 minutes."""

    def __init__(self, start: float = THURSDAY, end: float = THURSDAY + DAY) -> None:
        self.window = SimpleNamespace(start=start, end=end)
        ready = np.full(12, THURSDAY + 18 * HOUR)
        picked_up = ready + np.where(np.arange(12) < 9, 2400.0, 0.0)
        delivered = picked_up + 1200.0
        missing = np.full(12, np.nan)
        self.orders = SimpleNamespace(
            created=ready - 900.0, began=ready - 900.0, ready=ready, finished=missing, cancelled=missing, delivered=delivered,
            enter=np.vstack([ready - 900.0, ready - 600.0, ready - 60.0, picked_up, delivered]),
            revenue=np.full(12, 25.0),
        )  # fmt: skip
        stays = {"ready": (ready - 60.0, picked_up), "out_for_delivery": (picked_up, delivered)}
        self.membership = SimpleNamespace(
            between=lambda _start, _end, stage: SimpleNamespace(begin=stays[stage][0], end=stays[stage][1])
        )

    def cached(self, make: Any) -> Any:
        """Make it, but for the index of figures (`metrics_of`): every stage is recorded."""
        return make(self) if isinstance(make, type) else SimpleNamespace(recorded=(True,) * 5)

    def volume(self, bucket: float):
        edges = np.append(np.arange(self.window.start, self.window.end, bucket), self.window.end)
        return edges, np.where(edges[:-1] % HOUR == 0, 11, 10)


def moment(kind: str, hour: float, title: str) -> SimpleNamespace:
    """A moment of 40 minutes that is worst after half an hour."""
    start = THURSDAY + hour * HOUR
    return SimpleNamespace(
        kind=kind, start=start, end=start + 2400, at=start + 1800, title=title, when=f"Thu {hour:g} h", sentence="It was bad.",
        why="", stage="", settled=start + 2400,
    )  # fmt: skip


MOMENTS = (
    moment("driver_shortage", 18, "Drivers are <b>short</b>"),
    moment("food_waiting", 18.1, "Food waits"),
    moment("demand_spike", 18.05, "Many orders"),
    moment("peak", 9, "Breakfast"),
)
NO_BASELINE = SimpleNamespace(stage_time=lambda stage, t: None)


@dataclass
class Session:
    """The server side of the page opened last."""

    replay: ReplayController | None = None
    document: Any = None
    ranges: list[tuple[float, float]] = field(default_factory=list)
    column: pn.Column | None = None
    ready: bool = False

    def do(self, act) -> None:
        self.document.add_next_tick_callback(act)


SESSION = Session()


def replay_page() -> pn.Column:
    replay = ReplayController(Timeline())
    replay.seek(THURSDAY + 18 * HOUR)

    def load(start: float, end: float) -> None:
        SESSION.ranges.append((start, end))
        if end - start > 30 * DAY:
            raise ValueError("That is too much for this kitchen.")
        replay.load(Timeline(start, end))
        view.reset()

    view = TransportView(replay, on_range=load, source_range=DATA, latest=THURSDAY + 2 * DAY - 600)
    if pn.state.session_args.get("playing"):
        replay.play()
    if pn.state.session_args.get("moments"):
        replay.learn(SimpleNamespace(timeline=replay.timeline, baseline=NO_BASELINE, moments=MOMENTS))
        view.learn()
    PeriodicCallback(callback=replay.settle, period=250, background=True, log=False).start()
    column = pn.Column(pn.Spacer(height=420), view, sizing_mode="stretch_width")
    SESSION.__init__(replay, pn.state.curdoc, [], column)
    pn.state.onload(lambda: setattr(SESSION, "ready", True))
    return column


@pytest.fixture(scope="module")
def address(serve) -> str:
    return serve({"replay": replay_page}) + "/replay"


@pytest.fixture
def bar(visited: Page, address: str) -> Page:
    SESSION.ready = False
    visit(visited, address)
    expect(visited.get_by_test_id("clock")).to_have_text("Thu 18:00:00")
    # Panel may lose what a server changes in the moment between drawing a page and hearing that it is drawn
    until(visited, lambda: SESSION.ready)
    return visited


def until(page: Page, condition) -> None:
    """Wait until the server side is as the condition says."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("the server did not come to that within 10 s")


def playhead(page: Page) -> float:
    """The moment that a person reads from the clock, data seconds."""
    clock, date = page.get_by_test_id("clock").inner_text(), page.get_by_test_id("date").inner_text()
    return dt.datetime.strptime(f"{clock} {date.split(' ·')[0]} +0000", "%a %H:%M:%S %d %B %Y %z").timestamp()


def exact(page: Page) -> dict:
    """The browser's anchor and its playhead."""
    return page.evaluate(
        "() => { const c = [...__twin.clocks.values()].at(-1); return { ...c.anchor, now: c.now(), moving: c.moving }; }"
    )


def frames(page: Page, n: int = 20) -> None:
    """Let the browser draw n frames."""
    page.evaluate(
        "(n) => new Promise((done) => { const f = () => (n-- ? requestAnimationFrame(f) : done()); f(); })", n
    )


def agreed(page: Page, moment: float) -> None:
    """Wait until the server has come to the same moment."""
    until(page, lambda: SESSION.replay.now() == moment)


def x_of(page: Page, moment: float, start: float = THURSDAY, end: float = THURSDAY + DAY) -> tuple[float, float]:
    box = page.locator(".track").bounding_box()
    return box["x"] + (moment - start) / (end - start) * box["width"], box["y"] + box["height"] / 2


def playhead_x(page: Page) -> float:
    return page.get_by_test_id("playhead").bounding_box()["x"]


@pytest.mark.parametrize("speed", [60, 1000])
def test_the_clock_runs_at_its_speed_within_five_percent(bar, speed):
    bar.get_by_test_id(f"speed-{speed}").click()
    bar.get_by_test_id("play").click()
    measure = """(clock) => new Promise((done) => {
      const read = () => {
        const [h, m, s] = clock.textContent.slice(4).split(":").map(Number);
        return [performance.now() / 1000, h * 3600 + m * 60 + s];
      };
      const first = read();
      setTimeout(() => { const last = read(); done((last[1] - first[1]) / (last[0] - first[0])); }, 4000);
    })"""
    assert bar.get_by_test_id("clock").evaluate(measure) == pytest.approx(speed, rel=0.05)


def test_server_and_browser_tell_the_same_time_while_playing(bar):
    bar.get_by_test_id("play").click()
    frames(bar, 60)
    before = SESSION.replay.now()
    shown = exact(bar)["now"]
    after = SESSION.replay.now()
    latency = 0.5 * 60  # the message that pressed play took its time, half a second at the very most
    assert before <= shown <= after + latency


def test_playing_needs_no_message(bar):
    sent = []
    bar.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    bar.reload()
    bar.get_by_test_id("play").click()
    frames(bar, 30)
    sent.clear()
    frames(bar, 90)
    assert sent == []


def test_pause_holds(bar):
    bar.get_by_test_id("play").click()
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Pause")
    frames(bar)
    bar.get_by_test_id("play").click()
    held = exact(bar)["now"]
    frames(bar, 40)
    assert exact(bar)["now"] == held > THURSDAY + 18 * HOUR
    assert playhead(bar) == int(held)
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Play")
    agreed(bar, held)


def test_a_change_of_speed_keeps_the_position(bar):
    bar.get_by_test_id("play").click()
    frames(bar)
    before = exact(bar)["now"]
    bar.get_by_test_id("speed-1000").click()
    anchor = exact(bar)
    assert anchor["speed"] == 1000
    frames(bar, 5)
    bar.get_by_test_id("play").click()
    stood = exact(bar)["now"]
    assert before <= anchor["t0"] <= stood
    assert anchor["t0"] - before < 60 * 5, "the clock ran at 60x until the click, whose way takes a moment"
    expect(bar.get_by_test_id("speed-1000")).to_have_attribute("aria-pressed", "true")
    expect(bar.get_by_test_id("speed-60")).to_have_attribute("aria-pressed", "false")
    agreed(bar, stood)


def test_stop_returns_to_the_start_and_steps_go_a_minute(bar):
    bar.get_by_test_id("step-forward").click()
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 18:01:00")
    bar.get_by_test_id("step-back").click(modifiers=["Shift"])
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 17:51:00")
    agreed(bar, THURSDAY + 18 * HOUR - 540)
    bar.get_by_test_id("play").click()
    bar.get_by_test_id("stop").click()
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 00:00:00")
    agreed(bar, THURSDAY)
    comes_to(bar, lambda: SESSION.replay.playing, False)


def test_a_click_on_the_scrubber_seeks_and_playing_goes_on(bar):
    bar.get_by_test_id("play").click()
    bar.mouse.click(*x_of(bar, THURSDAY + 6 * HOUR))
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Pause")
    frames(bar)
    assert playhead(bar) == pytest.approx(THURSDAY + 6 * HOUR, abs=600)
    assert exact(bar)["moving"]


def test_a_drag_moves_the_playhead_at_once_and_the_server_hears_of_it_now_and_then(bar):
    sent = []
    bar.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    bar.reload()
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 18:00:00")
    x, y = x_of(bar, THURSDAY + 18 * HOUR)
    bar.mouse.move(x, y)
    frames(bar, 30)
    sent.clear()
    began = bar.evaluate("performance.now()")
    bar.mouse.down()
    for i in range(120):
        bar.mouse.move(x - 4 * i, y)
        if i % 30 == 7:
            frames(bar, 2)
            assert playhead_x(bar) == pytest.approx(x - 4 * i, abs=1.5)
    bar.mouse.up()
    took = bar.evaluate("performance.now()") - began
    moment = exact(bar)["now"]
    assert playhead(bar) == int(moment) < THURSDAY + 9 * HOUR
    agreed(bar, moment)
    told = [frame for frame in sent if '"verb"' in frame]
    assert 2 <= len(told) <= took / 100 + 3


def test_the_server_is_heard_after_a_drag(bar):
    bar.mouse.move(*x_of(bar, THURSDAY + 5 * HOUR))
    bar.mouse.down()
    for hour in range(5, 12):
        bar.mouse.move(*x_of(bar, THURSDAY + hour * HOUR), steps=15)
    bar.mouse.up()
    agreed(bar, exact(bar)["now"])
    SESSION.do(lambda: SESSION.replay.seek("2025-10-16 20:15"))
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 20:15:00")


def test_a_finger_drags_it_on_a_telephone(bar):
    bar.set_viewport_size({"width": 390, "height": 844})
    frames(bar, 5)
    finger = bar.context.new_cdp_session(bar)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    bar.get_by_test_id("scrubber").scroll_into_view_if_needed()
    touch("touchStart", x_of(bar, THURSDAY + 6 * HOUR))
    for hour in (7, 8, 9, 10, 11, 12):
        touch("touchMove", x_of(bar, THURSDAY + hour * HOUR))
    touch("touchEnd")
    assert playhead(bar) == pytest.approx(THURSDAY + 12 * HOUR, abs=300)
    agreed(bar, exact(bar)["now"])
    width = bar.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing hangs over the edge"


def test_the_pointer_is_told_the_time_and_the_orders(bar):
    x, y = x_of(bar, THURSDAY + 12 * HOUR)
    bar.mouse.move(x + 2, y)
    expect(bar.get_by_test_id("tip")).to_have_text(
        re.compile(
            r"^Thu 12:0\d · 11 orders 12:00 – 12:10on average 12:00 – 12:10: 0.0 meals waiting · 0.0 drivers on the road$"
        )
    )
    bar.mouse.wheel(0, 100)
    bar.mouse.move(10, 10)
    expect(bar.get_by_test_id("tip")).to_be_hidden()
    assert playhead(bar) == THURSDAY + 18 * HOUR


def test_the_keyboard_moves_the_slider(bar):
    scrubber = bar.get_by_test_id("scrubber")
    scrubber.focus()
    for key, moment in [
        ("ArrowRight", "18:01:00"), ("Shift+ArrowRight", "18:11:00"), ("ArrowLeft", "18:10:00"), ("ArrowUp", "18:11:00"),
        ("Shift+ArrowDown", "18:01:00"), ("PageUp", "19:01:00"), ("PageDown", "18:01:00"), ("Home", "00:00:00"),
    ]:  # fmt: skip
        bar.keyboard.press(key)
        expect(bar.get_by_test_id("clock")).to_have_text(f"Thu {moment}")
    expect(scrubber).to_have_attribute("aria-valuetext", "Thu 16 October 2025, 00:00:00")
    expect(scrubber).to_have_attribute("aria-valuenow", str(int(THURSDAY)))
    bar.keyboard.press("End")
    expect(bar.get_by_test_id("clock")).to_have_text("Fri 00:00:00")
    agreed(bar, THURSDAY + DAY)


def test_keys_work_anywhere_but_where_one_types(bar):
    bar.mouse.click(200, 100)
    bar.keyboard.press("ArrowLeft")
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 17:59:00")
    bar.keyboard.press("Space")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Pause")
    bar.keyboard.press("Space")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Play")
    bar.keyboard.press("5")
    expect(bar.get_by_test_id("speed-500")).to_have_attribute("aria-pressed", "true")
    bar.get_by_test_id("range").click()
    bar.get_by_test_id("range-start").focus()
    bar.keyboard.press("1")
    bar.keyboard.press("ArrowUp")
    expect(bar.get_by_test_id("speed-500")).to_have_attribute("aria-pressed", "true")
    comes_to(bar, lambda: SESSION.replay.speed, 500)


def test_space_on_a_focused_button_presses_that_button_once(bar):
    bar.get_by_test_id("loop").focus()
    bar.keyboard.press("Space")
    expect(bar.get_by_test_id("loop")).to_have_attribute("aria-pressed", "true")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Play")


def test_space_plays_after_a_click_on_another_control(bar):
    bar.get_by_test_id("loop").click()
    bar.keyboard.press("Space")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Pause")
    expect(bar.get_by_test_id("loop")).to_have_attribute("aria-pressed", "true")
    bar.keyboard.press("Space")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Play")
    bar.keyboard.press("Tab")
    bar.keyboard.press("Shift+Tab")
    bar.keyboard.press("Space")
    expect(bar.get_by_test_id("loop")).to_have_attribute("aria-pressed", "false")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Play")


def test_at_the_end_it_settles_and_play_begins_anew(bar):
    SESSION.do(lambda: SESSION.replay.seek(THURSDAY + DAY - 30))
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 23:59:30")
    bar.get_by_test_id("play").click()
    expect(bar.get_by_test_id("clock")).to_have_text("Fri 00:00:00")
    expect(bar.get_by_test_id("play")).to_have_accessible_name("Play")
    agreed(bar, THURSDAY + DAY)
    bar.wait_for_function("() => ![...__twin.clocks.values()].at(-1).anchor.playing")
    bar.get_by_test_id("play").click()
    expect(bar.get_by_test_id("clock")).to_have_text(re.compile("Thu 00:0"))


def test_a_loop_goes_on_from_the_start(bar):
    bar.get_by_test_id("loop").click()
    until(bar, lambda: SESSION.replay.loop)  # else the server's own seek may come before it
    SESSION.do(lambda: SESSION.replay.seek(THURSDAY + DAY - 30))
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 23:59:30")
    bar.get_by_test_id("play").click()
    expect(bar.get_by_test_id("clock")).to_have_text(re.compile("Thu 00:0"))
    assert exact(bar)["moving"]


def test_a_day_is_chosen_and_loaded(bar):
    expect(bar.get_by_test_id("range")).to_have_text("Thu 16 Oct 2025 00:00 – 24:00")
    bar.get_by_test_id("range").click()
    sheet = bar.get_by_test_id("range-sheet")
    expect(sheet.get_by_role("group", name="Days").get_by_role("button")).to_have_count(8)
    expect(sheet.get_by_role("button", name="Thu 16")).to_have_attribute("aria-pressed", "true")
    sheet.get_by_role("button", name="Tue 14").click()
    expect(sheet).to_be_hidden()
    expect(bar.get_by_test_id("range")).to_have_text("Tue 14 Oct 2025 00:00 – 24:00")
    expect(bar.get_by_test_id("clock")).to_have_text("Tue 00:00:00")
    assert SESSION.ranges == [(THURSDAY - 2 * DAY, THURSDAY - DAY)]


def test_the_last_24_hours_count_back_from_the_last_delivery(bar):
    bar.get_by_test_id("range").click()
    bar.get_by_role("button", name="Last 24 hours").click()
    expect(bar.get_by_test_id("range")).to_have_text("Thu 16 Oct 23:50 – Fri 17 Oct 2025 23:50")
    assert SESSION.ranges == [(THURSDAY + DAY - 600, THURSDAY + 2 * DAY - 600)]


def fill_range(bar, start: str, end: str) -> None:
    for name, moment in (("range-start", start), ("range-end", end)):
        day, _, time = moment.partition("T")
        bar.get_by_test_id(name).fill(day)
        bar.get_by_test_id(f"{name}-time").fill(time)


def test_any_range_can_be_typed_and_days_are_marked_in_it(bar):
    bar.get_by_test_id("range").click()
    fill_range(bar, "2025-10-13T00:00", "2025-10-17T00:00")
    bar.get_by_test_id("range-apply").click()
    expect(bar.get_by_test_id("range")).to_have_text("Mon 13 Oct – Thu 16 Oct 2025")
    assert SESSION.ranges == [(THURSDAY - 3 * DAY, THURSDAY + DAY)]
    expect(bar.locator(".label.day")).to_have_text(["Mon 13", "Tue 14", "Wed 15", "Thu 16"])
    expect(bar.get_by_test_id("legend")).to_have_text("Orders per hour")


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("2025-10-16T12:00", "2025-10-16T12:00", "The end must be after the start."),
        ("", "2025-10-16T12:00", "Give both a date and a time for the start and for the end."),
        ("2024-01-01T00:00", "2024-02-01T00:00",
         "No orders in this range: the data covers Fri 10 October 2025, 08:00:00 to Fri 17 October 2025, 23:59:59."),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_says_why(bar, start, end, problem):
    bar.get_by_test_id("range").click()
    fill_range(bar, start, end)
    bar.get_by_test_id("range-apply").click()
    expect(bar.get_by_test_id("range-problem")).to_have_text(problem)
    expect(bar.get_by_test_id("range-sheet")).to_be_visible()
    assert SESSION.ranges == []


def test_while_loading_the_bar_says_so_and_waits(bar):
    bar_model = SESSION.column[1]  # the bar itself: a Column keeps what a Viewer shows
    SESSION.do(lambda: setattr(bar_model, "busy", "Loading Chicago …"))
    expect(bar.get_by_test_id("legend")).to_have_text("Loading Chicago …")
    expect(bar.get_by_test_id("transport")).to_have_attribute("aria-busy", "true")
    bar.keyboard.press("Space")
    bar.mouse.click(*x_of(bar, THURSDAY + 6 * HOUR))
    SESSION.do(lambda: setattr(bar_model, "busy", ""))
    expect(bar.get_by_test_id("legend")).to_have_text("Orders per 10 min")
    assert (playhead(bar), exact(bar)["moving"]) == (THURSDAY + 18 * HOUR, False)


def test_a_page_opened_while_it_plays_is_on_time(page, address):
    page.goto(address + "?playing=1")
    expect(page.get_by_test_id("play")).to_have_accessible_name("Pause")
    page.wait_for_function(
        "() => [...__twin.clocks.values()].at(-1).anchor.age > 0.05"
    )  # it asked, and was told the age
    server, shown = SESSION.replay.now(), exact(page)["now"]
    assert abs(server - shown) < 60 * 1.0, "within the second that a slow message may take, at 60x"


def test_a_reload_leaves_a_page_that_works(bar):
    bar.get_by_test_id("play").click()
    bar.reload()
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 18:00:00")
    bar.get_by_test_id("play").click()
    expect(bar.get_by_test_id("clock")).not_to_have_text("Thu 18:00:00")


def test_when_paused_or_removed_it_draws_no_frames(bar):
    bar.evaluate("""() => { const real = globalThis.__frame = requestAnimationFrame; globalThis.__asked = 0;
      globalThis.requestAnimationFrame = (f) => { globalThis.__asked++; return real.call(globalThis, f); }; }""")
    asked = "() => new Promise((done) => { const before = __asked; setTimeout(() => done(__asked - before), 500); })"
    bar.get_by_test_id("play").click()
    assert bar.evaluate(asked) > 5
    bar.get_by_test_id("play").click()
    bar.wait_for_timeout(100)
    assert bar.evaluate(asked) == 0
    bar.get_by_test_id("play").click()
    assert bar.evaluate(asked) > 5
    SESSION.do(lambda: SESSION.column.pop(1))
    expect(bar.get_by_test_id("clock")).to_have_count(0)
    assert bar.evaluate(asked) == 0
    assert bar.evaluate("() => [...__twin.clocks.values()].at(-1).listeners.size") == 0
    bar.evaluate("() => { globalThis.requestAnimationFrame = __frame; }")


def test_the_theme_changes_without_a_new_drawing(bar):
    fill = "() => getComputedStyle(document.documentElement).getPropertyValue('--tw-accent')"
    light = bar.locator(".played path").evaluate("(n) => getComputedStyle(n.parentNode).fill")
    bar.evaluate("() => document.documentElement.classList.add('mui-dark')")
    dark = bar.locator(".played path").evaluate("(n) => getComputedStyle(n.parentNode).fill")
    accents = [TOKENS[theme]["accent"] for theme in ("light", "dark")]
    assert [light, dark] == [f"rgb{tuple(bytes.fromhex(accent[1:]))}" for accent in accents]
    assert bar.evaluate(fill) == accents[1]


def test_the_ribbon_tells_of_waiting_meals_without_colour_too(visited, address):
    visit(visited, f"{address}?moments=1")
    bar = visited
    expect(bar.get_by_test_id("moment")).to_have_count(len(MOMENTS))
    bar.mouse.move(*x_of(bar, THURSDAY + 18 * HOUR + 900))
    expect(bar.get_by_test_id("tip")).to_have_text(
        re.compile("on average 18:10 – 18:20: 9.0 meals waiting · 3.0 drivers on the road · drivers short$")
    )
    high = "(path) => path.getBBox().height"
    assert bar.locator(".ribbon .short").evaluate(high) > 3 * bar.locator(".ribbon .fine").evaluate(high)
    expect(bar.get_by_test_id("ribbon-legend")).to_have_attribute("title", re.compile("Red and hatched"))


def test_the_whole_range_is_summed_up_with_hindsight(bar):
    bar.get_by_test_id("hindsight-on").click()
    expect(bar.get_by_test_id("summary")).to_have_text(
        "Rangelater12 orders createddelivery 1 h 05 (P95 75)all delivered$300"
    )
    expect(bar.get_by_test_id("summary").get_by_text("delivery")).to_have_attribute("title", re.compile("12 delivered"))


def test_brushing_the_strip_loops_a_section(bar):
    x, y = x_of(bar, THURSDAY + 12 * HOUR)
    bar.mouse.move(x, bar.get_by_test_id("strip").bounding_box()["y"] + 5)
    bar.mouse.down()
    bar.mouse.move(x_of(bar, THURSDAY + 14 * HOUR)[0], y, steps=5)
    bar.mouse.up()
    expect(bar.get_by_test_id("section-clear")).to_have_text("Loop 12:00 – 14:00")
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 12:00:00")
    until(bar, lambda: (SESSION.replay.start, SESSION.replay.end) == (THURSDAY + 12 * HOUR, THURSDAY + 14 * HOUR))
    until(bar, lambda: SESSION.replay.loop and SESSION.replay.now() == THURSDAY + 12 * HOUR)
    expect(bar.get_by_test_id("range")).to_have_text("Thu 16 Oct 2025 00:00 – 24:00")
    assert playhead_x(bar) == pytest.approx(x, abs=1.5), "the scrubber still shows the whole range"
    bar.mouse.click(*x_of(bar, THURSDAY + 20 * HOUR))
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 14:00:00")
    bar.get_by_test_id("section-start").focus()
    bar.keyboard.press("ArrowRight")
    expect(bar.get_by_test_id("section-clear")).to_have_text("Loop 12:05 – 14:00")
    bar.get_by_test_id("section-clear").click()
    expect(bar.get_by_test_id("section-clear")).to_be_hidden()
    until(bar, lambda: (SESSION.replay.start, SESSION.replay.end) == (THURSDAY, THURSDAY + DAY))
    until(bar, lambda: not SESSION.replay.loop)


def test_the_keyboard_sets_a_section_and_steps_suit_it(bar):
    step = "(step) => [...__twin.clocks.values()].at(-1).anchor.step === step"
    bar.keyboard.press("[")
    until(bar, lambda: SESSION.replay.step_length == 30)
    bar.wait_for_function(step, arg=30)
    bar.keyboard.press("Shift+ArrowRight")
    bar.keyboard.press("]")
    expect(bar.get_by_test_id("section-clear")).to_have_text("Loop 18:00 – 18:05")
    until(bar, lambda: SESSION.replay.step_length == 1)
    bar.wait_for_function(step, arg=1)
    bar.keyboard.press("Home")
    bar.get_by_test_id("step-forward").click()
    expect(bar.get_by_test_id("clock")).to_have_text("Thu 18:00:01")
    agreed(bar, THURSDAY + 18 * HOUR + 1)
    bar.keyboard.press("\\")
    expect(bar.get_by_test_id("section-clear")).to_be_hidden()


def test_moments_are_marked_explained_and_visited(visited, address):
    SESSION.ready = False
    visit(visited, address + "?moments=1")
    page = visited
    expect(page.get_by_test_id("moment")).to_have_count(4)
    until(page, lambda: SESSION.ready)
    gravest = page.get_by_role("button", name=re.compile("Drivers are"))
    gravest.hover()
    expect(page.get_by_test_id("moment-note")).to_have_text("Drivers are <b>short</b>Thu 18 h · 40 minlaterIt was bad.")
    names = [
        page.get_by_role("button", name=re.compile(title)).locator(".name") for title in ("Drivers", "Food", "Many")
    ]
    expect(names[0]).to_be_visible()
    expect(names[2]).to_be_hidden()  # the graver two have the room to its right and left
    first, second = (name.bounding_box() for name in names[:2])
    assert second["x"] + second["width"] < first["x"]
    gravest.click(force=True)
    expect(page.get_by_test_id("clock")).to_have_text("Thu 18:30:00")
    agreed(page, THURSDAY + 18.5 * HOUR)
    for key, moment in [("m", "18:33"), ("m", "18:36"), ("m", "09:30"), ("Shift+M", "18:36")]:
        page.keyboard.press(key)
        expect(page.get_by_test_id("clock")).to_have_text(f"Thu {moment}:00")


def test_a_moment_outside_the_section_leaves_it(visited, address):
    SESSION.ready = False
    visit(visited, address + "?moments=1")
    page = visited
    expect(page.get_by_test_id("moment")).to_have_count(4)
    until(page, lambda: SESSION.ready)
    page.keyboard.press("[")
    expect(page.get_by_test_id("section-clear")).to_be_visible()
    page.get_by_role("button", name=re.compile("Breakfast")).press("Enter")
    expect(page.get_by_test_id("clock")).to_have_text("Thu 09:30:00")
    expect(page.get_by_test_id("section-clear")).to_be_hidden()
    agreed(page, THURSDAY + 9.5 * HOUR)


def test_a_meal_of_the_day_shown_is_chosen(bar):
    bar.get_by_test_id("range").click()
    bar.get_by_role("button", name="Dinner 17:00 – 21:00").click()
    expect(bar.get_by_test_id("range")).to_have_text("Thu 16 Oct 2025 17:00 – 21:00")
    assert SESSION.ranges == [(THURSDAY + 17 * HOUR, THURSDAY + 21 * HOUR)]
