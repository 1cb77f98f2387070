"""Two sides on one clock against one page: frames of both maps, what a session costs the server, and a seek of both.

Frames are those of the slower of the two maps, against one map of the same size in all with the same drivers. Sessions are real
ones in a browser; what they cost is the server's CPU time, of the two pages in turn.
"""

import random
import statistics
from typing import Any

import panel as pn
from playwright.sync_api import Browser, Page

from benchmarks import data
from benchmarks.browser import READY_MS, chromium, new_page
from benchmarks.in_turn import in_turn, ratio, served
from benchmarks.served import Served, serving
from benchmarks.table import Row, percentile
from tests.fake_roads import DAY0, RoadTimeline
from twin.foundation.zones import NAIVE
from twin.replay.controller import ReplayController
from twin.replay.paired import PairedController
from twin.views.map.map import MapView

CROWDS = (60, 300, 2000)
ROUNDS = 6
LEAST, MOST, SEEK_MS = 0.9, 2.0, 200.0
SIZE = (920, 580)
FIRST, SECOND = "2025-10-16", "2025-10-15"
RANGE = f"location={data.LOCATION}&start={FIRST}T00:00:00&end={FIRST}T23:59:00&t={FIRST}T12:00:00&speed=60"
PAGES = {
    "one": f"operations?{RANGE}",
    "two": f"compare?{RANGE}&with={data.LOCATION}&with_start={SECOND}T00:00:00&with_end={SECOND}T23:59:00",
}
SETTLE_MS, PLAY_MS = 1500, 10_000


def measure(quick: bool) -> list[Row]:
    """Return the rows of frames, of sessions and of seeks."""
    rows = [_frames(n, 3 if quick else ROUNDS) for n in CROWDS]
    with serving(data.week()) as server, chromium() as browser:
        for name in PAGES:  # what is loaded once for all
            _open(browser, server, name).context.close()
        rows += _sessions(browser, server, 2 if quick else 6)
        rows.append(_seeks(browser, server, 10 if quick else 40))
    return rows


# -- frames ------------------------------------------------------------------------------------------------------------------
def _frames(drivers: int, rounds: int) -> Row:
    apps = {"one": _maps([drivers], 900), "two": _maps([drivers // 2] * 2, 450)}
    with served(apps) as address:
        one, two = in_turn([f"{address}/{name}" for name in apps], [drivers] * 2, rounds, SIZE)
    cpu, seen = ratio(two, one)
    return Row(
        f"frames of both maps of those of one with the same {drivers:,} drivers",
        f"≥ {LEAST}",
        f"{cpu:.2f} for the same CPU time, {seen:.2f} as seen; both {two}; one {one}",
        min(cpu, seen) >= LEAST,
        min(cpu, seen),
    )


def _maps(crowds: list[int], width: int) -> Any:
    def build() -> pn.Row:
        lead = ReplayController()
        controllers = [lead, *(PairedController(lead) for _ in crowds[1:])]
        for seed, (controller, drivers) in enumerate(zip(controllers, crowds, strict=True)):
            line: Any = RoadTimeline(drivers, seed=7 + seed)
            line.tz = NAIVE
            controller.load(line)
        views = [MapView(controller, online=False) for controller in controllers]
        for view in views:
            view.layers_text = "routes,customers,trails,radius"
        lead.seek(DAY0 + 3600)
        lead.play()
        return pn.Row(*(pn.Column(view, width=width, height=560, margin=0) for view in views), margin=0)

    return build


# -- sessions ----------------------------------------------------------------------------------------------------------------
USABLE = """(maps) => {
  const motion = [...globalThis.__twin?.motion?.values() ?? []];
  return motion.length === maps && motion.every((one) => one.held && one.positions().length);
}"""


def _open(browser: Browser, server: Served, name: str) -> Page:
    """Open one of `PAGES` and wait until all that it shows is there."""
    page = new_page(browser)
    page.goto(f"{server.address}/{PAGES[name]}", wait_until="commit")
    page.wait_for_function(USABLE, arg=1 + (name == "two"), timeout=READY_MS)
    if name == "two":
        page.get_by_test_id("differences-table").wait_for(timeout=READY_MS)
    page.wait_for_timeout(SETTLE_MS)
    return page


def _sessions(browser: Browser, server: Served, rounds: int) -> list[Row]:
    opened: dict[str, list[float]] = {name: [] for name in PAGES}
    playing: dict[str, list[float]] = {name: [] for name in PAGES}
    for _ in range(rounds):
        for name in PAGES:
            used = server.cpu()
            page = _open(browser, server, name)
            opened[name].append(1000 * (server.cpu() - used))
            page.evaluate("() => globalThis.__bench.find('play').click()")
            page.wait_for_timeout(SETTLE_MS)
            used = server.cpu()
            page.wait_for_timeout(PLAY_MS)
            playing[name].append(100_000 * (server.cpu() - used) / PLAY_MS)
            page.context.close()
    return [_against(*what, found) for what, found in (
        (("session of two sides opened", "ms"), opened),
        (("… while it plays at 60x", "% of a core"), playing),
    )]  # fmt: skip


def _against(what: str, unit: str, found: dict[str, list[float]]) -> Row:
    one, two = (statistics.median(found[name]) for name in PAGES)
    # a clock tick of the system is 10 ms, so that what plays hardly costs anything is told from the sum
    times = sum(found["two"]) / max(sum(found["one"]), 1e-9)
    return Row(
        f"{what}, of a session of one page, the server's CPU", f"≤ {MOST:g} ×",
        f"{times:.2f} ×: {two:.1f} {unit} against {one:.1f} (n={len(found['one'])} each)", times <= MOST, times,
    )  # fmt: skip


# -- seeks -------------------------------------------------------------------------------------------------------------------
WATCH = """() => {
  const found = [], ids = /^(stage-.*-count|kpi-.*-value|side-clock-.)$/;
  const walk = (root) => root.querySelectorAll("*").forEach((node) => {
    if (ids.test(node.dataset?.testid ?? "")) found.push(node);
    if (node.shadowRoot) walk(node.shadowRoot);
  });
  walk(document);
  const maps = [...globalThis.__twin.motion.values()];
  globalThis.__bench.both = () => found.map((node) => node.textContent).join("|")
    + maps.map((map) => map.time() + ":" + map.positions().length).join("|");
  return [found.length, maps.length];
}"""
SEEK = """(settle) => {
  const eyes = globalThis.__bench;
  eyes.seek = new Promise((done) => addEventListener("pointerdown", () => {
    const began = performance.now();
    let shown = eyes.both(), since = null, changed = false;
    eyes.frames((now) => {
      if (changed) { since = now; changed = false; }   // the frame after the one that first shows it
      const text = eyes.both();
      if (text !== shown) { shown = text; changed = true; }
      return now - began > settle;
    }).then(() => done(since - began));
  }, { once: true, capture: true }));
}"""
CLOCKS = "() => [...globalThis.__twin.clocks.values()].filter((clock) => clock.anchor).map((clock) => clock.now())"


def _seeks(browser: Browser, server: Served, count: int) -> Row:
    """Click the scrubber at random; the seek is over when clocks, counts, figures and drivers of both sides stand."""
    page = _open(browser, server, "two")
    watched = page.evaluate(WATCH)
    box = page.get_by_test_id("scrubber").first.bounding_box()
    assert box is not None
    chance = random.Random(1)
    taken, used, beside = [], server.cpu(), 0
    for _ in range(count):
        page.evaluate(SEEK, SETTLE_MS)
        page.mouse.click(box["x"] + box["width"] * chance.uniform(0.1, 0.9), box["y"] + 0.4 * box["height"])
        taken.append(page.evaluate("() => globalThis.__bench.seek"))
        first, second = page.evaluate(CLOCKS)
        beside += abs(first - second) == 24 * 3600
    cpu = 1000 * (server.cpu() - used) / count
    worst = percentile(taken, 0.95)
    page.context.close()
    return Row(
        "seek of two sides → both repainted, p95", f"≤ {SEEK_MS:g} ms",
        f"{worst:.0f} ms (median {statistics.median(taken):.0f}, worst {max(taken):.0f}, n={count}); {cpu:.0f} ms of the "
        f"server's CPU each; {beside} of {count} a day apart; {watched[0]} figures of {watched[1]} maps' sides watched",
        worst <= SEEK_MS and beside == count, worst,
    )  # fmt: skip
