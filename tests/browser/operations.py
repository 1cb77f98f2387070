"""The operations page as a person's hands and eyes have it: what to press, what is shown."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Locator, Page, expect

MOTION = "() => [...globalThis.__twin.motion.values()][0]"
CLOCK = "() => [...globalThis.__twin.clocks.values()].find((clock) => clock.anchor?.end > clock.anchor?.start)?.now()"
DRAWN = f"() => globalThis.__twin?.motion?.size && ({MOTION})().held && ({MOTION})().positions().length > 0"
FEW_FRAMES = """(() => {
  const ask = requestAnimationFrame.bind(globalThis), waiting = new Map();
  let last = 0, number = 0, timer = 0;
  const run = (now) => {
    timer = 0;
    last = performance.now();
    for (const [one, call] of [...waiting]) {
      if (!waiting.delete(one)) continue;
      try { call(now); } catch (error) { reportError(error); }
    }
  };
  globalThis.requestAnimationFrame = (call) => {
    waiting.set(++number, call);
    timer ||= setTimeout(() => ask(run), Math.max(0, last + 100 - performance.now()));
    return number;
  };
  globalThis.cancelAnimationFrame = (one) => waiting.delete(one);
})()"""
"""For a page that plays for long while a test looks at something else: ten pictures a second, as a slow machine draws them.

Without a graphics card each costs 5 to 20 ms of CPU, and Chromium draws as many as it can.
"""
MOST_S = 30.0
"""For whatever a page comes to by itself; a loaded machine may need it."""
Value = TypeVar("Value")
NUMBER = re.compile(r"^[\d,]+$")


def by_id(page: Page, name: str) -> Locator:
    return page.get_by_test_id(name).first


def choose(page: Page, address: str, location: str, **query: str) -> None:
    """Open a location by its address and wait until it is alive."""
    words = "".join(f"&{key}={value}" for key, value in query.items())
    page.goto(f"{address}/operations?location={location}{words}")
    expect(by_id(page, "stage-out_for_delivery-count")).to_have_text(NUMBER)  # every data has drivers
    page.wait_for_function(f"() => globalThis.__twin?.motion?.size && ({MOTION})().held", timeout=20_000)


def until(page: Page, holds: Callable[[], object], what: str, most_s: float = MOST_S) -> None:
    """Wait until a condition of the page or of its server holds; the page goes on meanwhile."""
    deadline = time.monotonic() + most_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {most_s:g} s"
        page.wait_for_timeout(30)


def comes_to(page: Page, read: Callable[[], Value], expected: Value, most_s: float = MOST_S) -> None:
    """Wait until what is read is what is expected; then, or when the time is up, assert it."""
    deadline = time.monotonic() + most_s
    while read() != expected and time.monotonic() < deadline:
        page.wait_for_timeout(30)
    assert read() == expected


def settled(page: Page, read: Callable[[], Value], still_s: float = 0.3, most_s: float = MOST_S) -> Value:
    """Return what is read once it has stayed the same for a while. It is read four times in that, as some readings are costly."""
    deadline = time.monotonic() + most_s
    value, since = read(), time.monotonic()
    while time.monotonic() - since < still_s:
        assert time.monotonic() < deadline, f"still changing after {most_s:g} s"
        page.wait_for_timeout(1000 * still_s / 3)
        if (now := read()) != value:
            value, since = now, time.monotonic()
    return value


def clock(page: Page) -> float:
    return float(page.evaluate(CLOCK))


def moves(page: Page) -> None:
    """Wait until the clock has begun to run."""
    page.wait_for_function(f"(t) => ({CLOCK})() > t", arg=clock(page), timeout=1000 * MOST_S)


def seek(page: Page, t: float) -> None:
    """Bring a paused replay to a moment, as going back in the browser's history does; much quicker than a new page."""
    page.evaluate(
        """t => {
          const page = [...__twin.pages.values()].find((one) => one.isCurrent);
          page.resume({ ...page.state(), t, playing: false });
        }""",
        t,
    )


def begins(page: Page, t: float, speed: float = 60) -> None:
    """Bring an open page to how its address would have opened it: paused at a moment of its range, at a speed, without a loop."""
    if page.evaluate("() => [...__twin.clocks.values()].some((clock) => clock.moving)"):
        by_id(page, "play").click()
        stands(page)
    page.evaluate(
        """([t, speed]) => {
          const page = [...__twin.pages.values()].find((one) => one.isCurrent);
          page.resume({ ...page.state(), t, speed, playing: false, loop: false });
        }""",
        [t, speed],
    )
    comes_to(page, lambda: clock(page), t)
    page.wait_for_function(
        f"(t) => {{ const [from, to] = ({MOTION})().held ?? []; return from <= t && t <= to; }}", arg=t
    )


def stands(page: Page) -> float:
    """Wait until the clock has stopped; return where."""
    return settled(page, lambda: clock(page), still_s=0.2)


def speed(page: Page, for_ms: float) -> float:
    """The clock's speed over that long: data seconds a second of the page's own time."""
    look = f"() => [({CLOCK})(), performance.now() / 1000]"
    begin = page.evaluate(look)
    page.wait_for_timeout(for_ms)
    end = page.evaluate(look)
    return float((end[0] - begin[0]) / (end[1] - begin[1]))


def counts(page: Page) -> dict[str, int]:
    stages = ("created", "cooking", "ready", "out_for_delivery", "completed")
    return {stage: int(by_id(page, f"stage-{stage}-count").inner_text().replace(",", "")) for stage in stages}


def five(snapshot_counts: dict[str, int]) -> dict[str, int]:
    return {stage: snapshot_counts[stage] for stage in ("created", "cooking", "ready", "out_for_delivery", "completed")}


def drawn(page: Page) -> dict[int, tuple[float, float]]:
    positions = page.evaluate(f"() => ({MOTION})().positions()")
    return {one["order"]: (one["x"], one["y"]) for one in positions}
