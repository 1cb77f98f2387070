"""The operations page and a wall screen in Chromium, and whether they show what the oracle says."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, CDPSession, Error, Page

from tests.browser.operations import FEW_FRAMES
from tests.chaos.oracle import Oracle
from twin.foundation.times import text
from twin.hub import Hub
from twin.show.deriving import derive
from twin.show.options import Options

STAGES = ("created", "cooking", "ready", "out_for_delivery", "completed")

FIND = """(root, id) => {
  const within = (node) => {
    const found = node.querySelector(`[data-testid="${id}"]`);
    if (found) return found;
    for (const host of node.querySelectorAll("*")) {
      const inside = host.shadowRoot && within(host.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  return within(root);
}"""

COUNTS = f"""(document) => Object.fromEntries({list(STAGES)}.map((stage) => {{
  const found = ({FIND})(document, `stage-${{stage}}-count`);
  return [stage, found ? Number(found.textContent.replaceAll(",", "")) : null];
}}))"""

PAGE = f"""() => {{
  const twin = globalThis.__twin, connection = twin?.connection;
  const clocks = [...twin?.clocks?.values() ?? []].filter((clock) => clock.anchor?.end > clock.anchor?.start);
  const clock = clocks.at(-1), banner = ({FIND})(document, "banner");
  return {{
    lost: !!connection?.lost || !!connection?.moving || !!clock?.halted,
    t: clock?.now() ?? null, moving: !!clock?.moving, speed: clock?.anchor?.speed ?? null,
    counts: ({COUNTS})(document),
    banner: banner && !banner.hidden ? banner.textContent : "",
  }};
}}"""

KIOSK = f"""() => {{
  const front = globalThis.__kiosk?.front, inside = front?.node.contentWindow, kiosk = inside?.__twin?.kiosk;
  const notice = document.getElementById("notice");
  return {{
    ready: !!kiosk?.ready() && !!front.beat?.ready, lost: !!front?.beat?.lost || (globalThis.__kiosk?.why ?? "") !== "",
    t: kiosk?.now() ?? null, epoch: kiosk?.epoch() ?? null, scene: kiosk?.scene() ?? null,
    counts: kiosk ? ({COUNTS})(inside.document) : {{}},
    notice: notice && !notice.hidden ? notice.textContent : "",
  }};
}}"""

JUMP = """(seconds) => {
  const { now } = (globalThis.__realDate ??= { now: Date.now.bind(Date), Date });
  const Real = globalThis.__realDate.Date, off = 1000 * seconds;
  globalThis.Date = class extends Real {
    constructor(...parts) { parts.length ? super(...parts) : super(now() + off); }
    static now() { return now() + off; }
  };
}"""
"""Let the browser's epoch time be off; its monotonic clock (performance.now) goes on, as on a real machine."""

BEHIND_S = 4.0
"""Wall seconds by which the counts of a page that plays may be behind its clock, on a busy machine."""


@dataclass
class Screen:
    """One page and what has gone wrong in it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)
    """What it showed when it was looked at last."""
    loads: int = 0
    """How often the page was loaded: the first time, and whenever it could not help itself otherwise."""

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("domcontentloaded", self._count)
        self.eyes: CDPSession = self.page.context.new_cdp_session(self.page)
        self.eyes.send("Performance.enable")

    def _count(self, _: Page) -> None:
        self.loads += 1

    def look(self, script: str) -> bool:
        """Look at the page; return whether it is there, and not just being loaded."""
        try:
            self.seen = self.page.evaluate(script)
        except Error:
            self.seen = {}
        return bool(self.seen)

    def heap(self) -> int:
        """Return the bytes of live objects."""
        self.eyes.send("HeapProfiler.collectGarbage")
        metrics = {metric["name"]: metric["value"] for metric in self.eyes.send("Performance.getMetrics")["metrics"]}
        return int(metrics["JSHeapUsedSize"])

    def jump(self, seconds: float) -> None:
        """Let the browser's epoch time jump, in every frame."""
        for frame in self.page.frames:
            frame.evaluate(JUMP, seconds)


def new_page(browser: Browser, width: int, height: int, few_frames: bool) -> Page:
    """An empty page in a profile of its own."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    if few_frames:
        page.add_init_script(FEW_FRAMES)
    return page


class OperationsPage(Screen):
    """The operations page, playing."""

    def __init__(self, browser: Browser, address: str, oracle: Oracle, query: dict[str, str], few_frames: bool) -> None:
        super().__init__(new_page(browser, 1440, 900, few_frames))
        self._oracle = oracle
        self.page.goto(f"{address}/operations?{urlencode(query)}")

    def problem(self) -> str:
        """Return what is wrong with what it shows, empty if nothing is."""
        if not self.look(PAGE):
            return "it is being loaded"
        now = self.seen
        if now["t"] is None:
            return "it has no clock"
        if now["lost"]:
            return f"it has lost its server: {now['banner']}"
        if not now["moving"]:
            return f"it does not play: {now['banner']}"
        if not self._oracle.allows(now["counts"], now["t"], BEHIND_S * now["speed"]):
            return f"at {text(now['t'])} it shows {now['counts']}, not {self._oracle.counts(now['t'])}"
        return ""


class WallScreen(Screen):
    """A wall screen on its tour."""

    def __init__(self, browser: Browser, address: str, hub: Hub, query: dict[str, str], few_frames: bool) -> None:
        super().__init__(new_page(browser, 1280, 720, few_frames))
        self._hub = hub
        self._scenes = derive(hub, Options.from_query(query)).scenes
        self._oracles = [Oracle(hub, scene.location, scene.start, scene.end) for scene in self._scenes]
        self.page.goto(f"{address}/kiosk?{urlencode(query)}")

    def problem(self) -> str:
        """Return what is wrong with what it shows, empty if nothing is."""
        if not self.look(KIOSK):
            return "it is being loaded"
        now = self.seen
        if not now["ready"] or now["lost"]:
            return f"it shows no scene: {now['notice']}"
        scene = now["scene"]
        due = min(scene["t"] + scene["speed"] * max(0.0, now["epoch"] - scene["began"]), scene["end"])
        if abs(now["t"] - due) > scene["speed"]:
            return f"it is at {text(now['t'])} of its scene, not at {text(due)}"
        if not self._oracles[scene["index"]].allows(now["counts"], now["t"], BEHIND_S * scene["speed"]):
            return f"at {text(now['t'])} it shows {now['counts']}, not {self._oracles[scene['index']].counts(now['t'])}"
        return ""


def right_within(screens: dict[str, Screen], most_s: float) -> dict[str, float]:
    """Wait until every screen shows what it must; return the seconds that each took. Fails with what is wrong after `most_s`."""
    began, took = time.monotonic(), dict[str, float]()
    problems: dict[str, str] = {}
    while len(took) < len(screens):
        for name, screen in screens.items():
            if name in took:
                continue
            problems[name] = screen.problem()  # type: ignore[attr-defined]
            if not problems[name]:
                took[name] = time.monotonic() - began
        waiting = {name: problems[name] for name in screens if name not in took}
        assert not waiting or time.monotonic() - began < most_s, f"not right within {most_s:g} s: {waiting}"
        next(iter(screens.values())).page.wait_for_timeout(100)
    return took
