"""Chromium for the measures: a new process where the goal says cold, with a script that reads every panel."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE: ViewportSize = {"width": 1440, "height": 900}
READY_MS = 60_000

PAGE_SCRIPT = """
globalThis.__bench = {
  found: new Map(),
  /** The element with a test id, in any shadow root. */
  find(id, root = document) {
    const cached = this.found.get(id);
    if (cached?.isConnected) return cached;
    const here = root.querySelector(`[data-testid="${id}"]`);
    if (here) { this.found.set(id, here); return here; }
    for (const node of root.querySelectorAll("*")) {
      const inside = node.shadowRoot && this.find(id, node.shadowRoot);
      if (inside) return inside;
    }
    return null;
  },
  text(id) { return this.find(id)?.textContent ?? ""; },
  get motion() { return globalThis.__twin?.motion?.values().next().value; },
  get clock() { return globalThis.__twin?.clocks?.values().next().value; },
  /** Whether clock, counts and at least one driver are shown. */
  usable() {
    return /\\d\\d:\\d\\d:\\d\\d/.test(this.text("clock")) && /\\d/.test(this.text("stage-completed-count"))
      && (this.motion?.positions().length ?? 0) > 0 && Number.isFinite(this.motion.positions()[0].x);
  },
  /** The text of everything that depends on the playhead. */
  panels() {
    const ids = ["clock", "stage-created-count", "stage-cooking-count", "stage-ready-count", "stage-out_for_delivery-count",
      "stage-completed-count",
      "kpi-orders-hour-value", "kpi-delivery-time-value", "kpi-completion-value",
      "kpi-active-value", "feed-rows"];
    return ids.map((id) => this.text(id)).join("|") + "|" + this.motion.time() + "|" + this.motion.positions().length;
  },
  /** Call `each` before every paint until it returns true; resolves to the time of the following frame. */
  frames(each) {
    return new Promise((done) => {
      const step = (now) => each(now) ? requestAnimationFrame(done) : requestAnimationFrame(step);
      requestAnimationFrame(step);
    });
  },
};
"""


@contextmanager
def chromium(more: Sequence[str] = ()) -> Iterator[Browser]:
    """Launch Chromium ($CHROMIUM, else the first on the path) with `more` options; it is closed at the end of the block."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        raise RuntimeError(
            "The page's measures need Chromium: install it, or name it in the environment variable CHROMIUM."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Wire:
    """What a page has received, and the number of frames that it sent."""

    http_bytes: int = 0
    socket_bytes: int = 0
    messages: int = 0
    sent: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


def watch_wire(page: Page) -> tuple[Wire, CDPSession]:
    """Count what a page receives from now on. HTTP bytes are those on the wire: compressed, with headers."""
    wire = Wire()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def loaded(event: dict) -> None:
        wire.http_bytes += int(event["encodedDataLength"])

    def received(event: dict) -> None:
        frame = event["response"]
        binary = frame["opcode"] != 1
        size = len(frame["payloadData"])
        wire.socket_bytes += size * 3 // 4 if binary else size
        # a Bokeh message has several frames; the first one is the header, and only that has a msgtype
        if not binary and frame["payloadData"].startswith("{") and '"msgtype"' in frame["payloadData"][:200]:
            wire.messages += 1

    session.on("Network.loadingFinished", loaded)
    session.on("Network.webSocketFrameReceived", received)
    session.on("Network.webSocketFrameSent", lambda _event: setattr(wire, "sent", wire.sent + 1))
    return wire, session


def new_page(browser: Browser) -> Page:
    """Return an empty page in a new profile."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.add_init_script(PAGE_SCRIPT)
    return page


def open_page(page: Page, address: str) -> float:
    """Open the page; return the milliseconds from the start of the navigation until it is usable."""
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => globalThis.__bench?.usable()", polling="raf", timeout=READY_MS)
    return page.evaluate("() => performance.now()")
