"""Time until the page is usable, until playback moves and until a seek is shown, with a real browser and server."""

import random
import statistics
from typing import Any

from playwright.sync_api import Browser, Page

import twin
from benchmarks import data
from benchmarks.browser import SIZE, chromium, new_page, open_page, watch_wire
from benchmarks.served import Served, serving, serving_plain
from benchmarks.table import Row, percentile, spread

DRIVERS = 300
KITCHENS = 2000
MEGABIT = 1_000_000 / 8
SLOW: dict[str, Any] = {
    "offline": False,
    "latency": 40,
    "downloadThroughput": 10 * MEGABIT,
    "uploadThroughput": 10 * MEGABIT,
}
"""10 Mbit/s with 40 ms. Chromium does not slow WebSockets down by this, so messages over one are not slowed."""
SETTLE_MS = 1200
"""Milliseconds after which a seek is complete: the page then shows its final state."""


def measure(quick: bool) -> list[Row]:
    """Return the rows of loading, playing and seeking, with some 300 drivers on the road."""
    folder = data.crowd(DRIVERS)
    few = 2 if quick else 5
    with serving(folder) as server:
        address = server.page(location=data.LOCATION, t="2025-10-16T18:45:00", speed="60")
        first, _ = _cold(address, None)
        loads = [_cold(address, None) for _ in range(few)]
        slow = [_cold(address, SLOW)[0] for _ in range(few)]
        with chromium() as browser:
            plays = [_play(browser, address) for _ in range(few)]
            seeks, right = _seeks(browser, server, folder, 10 if quick else 40)
    with serving(data.kitchens(KITCHENS)) as server:
        choices = [_choice(server.address) / 1000 for _ in range(few + 1)][1:]
    plain_ms, plain_bytes, plain_seek = _plain(few)
    usable = [ms / 1000 for ms, _ in loads]
    slowly = [ms / 1000 for ms in slow]
    megabytes = [size / 1e6 for _, size in loads]
    return [
        Row(
            "page usable, cold browser, loopback", "≤ 1.0 s; the very first ≤ 1.5 s",
            f"{spread(usable, 's', 2)}; the server's very first page {first / 1000:.2f} s",
            statistics.median(usable) <= 1.0 and first <= 1500,
            statistics.median(usable), f"a plain Panel page of points, curve, number and slider in {plain_ms / 1000:.2f} s",
            plain_ms / 1000 / statistics.median(usable),
        ),
        Row(
            "page usable, cold browser, 10 Mbit/s and 40 ms", "≤ 2 s", spread(slowly, "s", 2),
            statistics.median(slowly) <= 2, statistics.median(slowly),
        ),
        Row(
            "transferred for it (HTTP, as on the wire)", "≤ 0.8 MB", spread(megabytes, "MB", 2),
            statistics.median(megabytes) <= 0.8, statistics.median(megabytes), f"the plain page {plain_bytes / 1e6:.1f} MB",
            plain_bytes / 1e6 / statistics.median(megabytes),
        ),
        Row(
            f"choice of {KITCHENS:,} kitchens shown, cold browser, loopback", "≤ 1.5 s", spread(choices, "s", 2),
            statistics.median(choices) <= 1.5, statistics.median(choices),
        ),
        Row(
            "play pressed → drivers moving", "≤ 50 ms", spread(plays, "ms"), statistics.median(plays) <= 50,
            statistics.median(plays),
        ),
        Row(
            "seek → everything repainted, p95", "≤ 60 ms",
            f"{percentile(seeks, 0.95):.0f} ms (median {statistics.median(seeks):.0f}, worst {max(seeks):.0f}, n={len(seeks)}); "
            f"{right} of {len(seeks)} show Timeline.at(t)'s counts", percentile(seeks, 0.95) <= 60 and right == len(seeks),
            percentile(seeks, 0.95), f"the plain page's slider moves its points, and no more, in {plain_seek:.0f} ms",
            plain_seek / statistics.median(seeks),
        ),
    ]  # fmt: skip


def _plain(times: int) -> tuple[float, float, float]:
    """Return medians of a plain Panel page: milliseconds and bytes until its figures are shown, and milliseconds of a seek."""
    spent, sizes, seeks = [], [], []
    with serving_plain() as server:
        for _ in range(times):
            with chromium() as browser:
                shown = browser.new_context(viewport=SIZE).new_page()
                wire, _ = watch_wire(shown)
                shown.goto(f"{server.address}/plain", wait_until="commit")
                shown.locator(".bk-Figure canvas").nth(1).wait_for()
                spent.append(shown.evaluate("() => performance.now()"))
                sizes.append(wire.http_bytes)
                shown.wait_for_timeout(SETTLE_MS)
                seeks += [shown.evaluate(SLIDE, value) for value in range(10, 60, 10)]
    return statistics.median(spent), statistics.median(sizes), statistics.median(seeks)


SLIDE = """(value) => new Promise((done) => {
  const models = [...Bokeh.documents[0]._all_models.values()], began = performance.now();
  for (const source of models.filter((model) => model.type === "ColumnDataSource"))
    source.properties.data.change.connect(() => requestAnimationFrame(() => requestAnimationFrame((now) => done(now - began))));
  models.find((model) => model.type === "Slider").value = value;
})"""
"""Move the slider of the plain page; resolves to the milliseconds until the frame after the one with the new points."""


def _cold(address: str, network: dict[str, Any] | None) -> tuple[float, int]:
    """Return milliseconds until the page is usable and bytes transferred until then, in a new browser."""
    with chromium() as browser:
        page = new_page(browser)
        wire, session = watch_wire(page)
        if network:
            session.send("Network.emulateNetworkConditions", network)
        return open_page(page, address), wire.http_bytes


def _choice(address: str) -> float:
    """Return milliseconds until a kitchen of the first page can be chosen, in a new browser."""
    with chromium() as browser:
        page = new_page(browser)
        page.goto(address, wait_until="commit")
        page.locator(".row").first.wait_for()
        return float(page.evaluate("() => performance.now()"))


def _play(browser: Browser, address: str) -> float:
    """Return the milliseconds from pressing Play until a driver has moved."""
    page = new_page(browser)
    open_page(page, address)
    page.wait_for_timeout(SETTLE_MS)
    taken = page.evaluate(
        """async () => {
          const eyes = globalThis.__bench, where = () => eyes.motion.positions().map((d) => d.x + ":" + d.y).join();
          const before = where(), began = performance.now();
          eyes.find("play").click();
          return await eyes.frames(() => where() !== before) - began;
        }"""
    )
    page.context.close()
    return taken


def _seeks(browser: Browser, server: Served, folder: object, count: int) -> tuple[list[float], int]:
    """Click the scrubber at random; return the milliseconds until all panels show their final state, and how many are correct."""
    page = new_page(browser)
    open_page(
        page,
        server.page(
            location=data.LOCATION, t="2025-10-16T18:45:00", start="2025-10-16T18:00:00", end="2025-10-16T20:00:00"
        ),
    )
    page.wait_for_timeout(SETTLE_MS)
    box = page.evaluate(
        "() => { const b = globalThis.__bench.find('scrubber').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; }"
    )
    timeline = twin.open(str(folder)).timeline(data.LOCATION, "2025-10-16T18:00:00", "2025-10-16T20:00:00")
    chance = random.Random(1)
    taken, right = [], 0
    for _ in range(count):
        x, y = box[0] + box[2] * chance.uniform(0.1, 0.7), box[1] + box[3] * 0.4
        ms, t, shown = _seek(page, x, y)
        counts = timeline.at(t).counts
        expected = [counts[stage] for stage in ("created", "cooking", "ready", "out_for_delivery", "completed")]
        right += [int(text.replace(",", "")) for text in shown] == expected
        taken.append(ms)
    page.context.close()
    return taken, right


def _seek(page: Page, x: float, y: float) -> tuple[float, float, list[str]]:
    page.evaluate(
        """(settle) => {
          const eyes = globalThis.__bench;
          eyes.seek = new Promise((done) => addEventListener("pointerdown", () => {
            const began = performance.now();
            let shown = eyes.panels(), since = null, changed = false;
            eyes.frames((now) => {
              if (changed) { since = now; changed = false; }   // the frame after the one that first shows it
              const text = eyes.panels();
              if (text !== shown) { shown = text; changed = true; }
              return now - began > settle;
            }).then(() => done(since - began));
          }, { once: true, capture: true }));
        }""",
        SETTLE_MS,
    )
    page.mouse.click(x, y)
    return page.evaluate(
        """async () => {
          const eyes = globalThis.__bench, taken = await eyes.seek;
          const stages = ["created", "cooking", "ready", "out_for_delivery", "completed"];
          return [taken, eyes.clock.now(), stages.map((stage) => eyes.text(`stage-${stage}-count`))];
        }"""
    )
