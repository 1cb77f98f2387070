"""A session that plays at 60x: frames in the browser, and the cost on server and wire."""

from playwright.sync_api import Page

from benchmarks import data
from benchmarks.browser import chromium, new_page, open_page, watch_wire
from benchmarks.served import Served, serving
from benchmarks.table import Row

CROWDS = {20: None, 300: 55, 500: None, 2000: 55, 12_000: 50}
"""Drivers on the road -> frames per second, at least."""
COSTS = {20: 0.8, 500: 1.2}
"""Drivers -> percent of a core that the server may use."""
MOST_MESSAGES, MOST_KILOBYTES = 4.0, 40.0
ALL_ALONE = "routes,customers,trails,radius"
"""The map's layers without clusters: every driver is drawn, with its trail."""
ENOUGH = 0.9
"""Share of the nominal drivers that must be on the road for a row to count."""
FRAMES_S, COST_S, SETTLE_S = 6, 20, 3


def measure(quick: bool) -> list[Row]:
    """Return the rows of frames and of costs."""
    rows: list[Row] = []
    for drivers in CROWDS:
        rows += _crowd(drivers, quick)
    return rows


def _crowd(drivers: int, quick: bool) -> list[Row]:
    folder = data.crowd(drivers)
    cost_s = COST_S // 2 if quick else COST_S
    with serving(folder) as server, chromium() as browser:
        page = new_page(browser)
        wire, _ = watch_wire(page)
        open_page(page, server.page(location=data.LOCATION, t="2025-10-16T18:40:00", speed="60", layers=ALL_ALONE))
        page.wait_for_timeout(SETTLE_S * 1000)
        idle = _cpu(page, server, cost_s)
        page.evaluate("() => globalThis.__bench.find('play').click()")
        page.wait_for_timeout(SETTLE_S * 1000)
        before = (wire.messages, wire.socket_bytes, wire.sent)
        busy = _cpu(page, server, cost_s)
        messages, received, sent = (
            (now - then) / cost_s
            for now, then in zip((wire.messages, wire.socket_bytes, wire.sent), before, strict=True)
        )
        frames = page.evaluate(FRAMES, FRAMES_S * 1000)
    shown = f"{frames['drivers']:,.0f} drivers"
    rows = []
    enough = frames["drivers"] >= ENOUGH * drivers  # with fewer drivers a miss counts, but a pass proves nothing
    if CROWDS[drivers] is not None:
        rows.append(
            Row(
                f"frames per second with trails, {drivers:,} drivers at 60x",
                f"≥ {CROWDS[drivers]}",
                f"{frames['moved']:.0f} with drivers moved ({frames['all']:.0f} in all), p95 gap {frames['gap']:.0f} ms; {shown}",
                False if frames["moved"] < CROWDS[drivers] else True if enough else None,
            )
        )
    else:
        rows.append(
            Row(f"frames per second with trails, {drivers:,} drivers at 60x", "–", f"{frames['moved']:.0f}; {shown}")
        )
    if drivers in COSTS:
        percent, kilobytes = 100 * (busy - idle), received / 1000
        met = percent <= COSTS[drivers]
        goal = f"≤ {COSTS[drivers]:g} % of a core"
        text = f"{percent:.1f} % (playing {100 * busy:.1f}, paused {100 * idle:.1f}) over {cost_s} s; {shown}"
        rows.append(Row(f"server CPU per playing session, {drivers} drivers at 60x", goal, text, met))
        rows.append(
            Row(
                f"messages to the browser, {drivers} drivers at 60x",
                f"≤ {MOST_MESSAGES:g} /s" + (f", ≤ {MOST_KILOBYTES:g} KB/s" if drivers == 500 else ""),
                f"{messages:.1f} /s, {kilobytes:.1f} KB/s; {sent:.1f} frames/s back",
                messages <= MOST_MESSAGES and (drivers != 500 or kilobytes <= MOST_KILOBYTES),
            )
        )
    return rows


def _cpu(page: Page, server: Served, seconds: float) -> float:
    """Return the share of a core that the server uses during `seconds`."""
    used = server.cpu()
    page.wait_for_timeout(seconds * 1000)
    return (server.cpu() - used) / seconds


FRAMES = """async (span) => {
  const eyes = globalThis.__bench, gaps = [];
  let all = 0, moved = 0, drivers = 0, last = 0, time = NaN, began = 0;
  await eyes.frames((now) => {
    if (!began) { began = last = now; time = eyes.motion.time(); return false; }
    all++;
    gaps.push(now - last);
    last = now;
    if (eyes.motion.time() !== time) { moved++; time = eyes.motion.time(); }
    return now - began >= span;
  });
  drivers = eyes.motion.positions().length;
  gaps.sort((a, b) => a - b);
  const seconds = (last - began) / 1000;
  return { all: all / seconds, moved: moved / seconds, drivers, gap: gaps[Math.ceil(gaps.length * 0.95) - 1] };
}"""
"""Count animation frames; `moved` are those with another map time than the frame before."""
