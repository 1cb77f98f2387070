"""The operations page as a person's hands and eyes have it: what to press, what is shown."""

import re

from playwright.sync_api import Locator, Page, expect

MOTION = "() => [...globalThis.__twin.motion.values()][0]"
CLOCK = "() => [...globalThis.__twin.clocks.values()].find((clock) => clock.anchor?.end > clock.anchor?.start)?.now()"
DRAWN = f"() => globalThis.__twin?.motion?.size && ({MOTION})().held && ({MOTION})().positions().length > 0"
NUMBER = re.compile(r"^[\d,]+$")


def by_id(page: Page, name: str) -> Locator:
    return page.get_by_test_id(name).first


def choose(page: Page, address: str, location: str, **query: str) -> None:
    """Open a location by its address and wait until it is alive."""
    words = "".join(f"&{key}={value}" for key, value in query.items())
    page.goto(f"{address}/operations?location={location}{words}")
    expect(by_id(page, "stage-out_for_delivery-count")).to_have_text(NUMBER, timeout=20_000)  # every data has drivers
    page.wait_for_function(f"() => globalThis.__twin?.motion?.size && ({MOTION})().held", timeout=20_000)


def clock(page: Page) -> float:
    return float(page.evaluate(CLOCK))


def counts(page: Page) -> dict[str, int]:
    stages = ("created", "cooking", "ready", "out_for_delivery", "completed")
    return {stage: int(by_id(page, f"stage-{stage}-count").inner_text().replace(",", "")) for stage in stages}


def five(snapshot_counts: dict[str, int]) -> dict[str, int]:
    return {stage: snapshot_counts[stage] for stage in ("created", "cooking", "ready", "out_for_delivery", "completed")}


def drawn(page: Page) -> dict[int, tuple[float, float]]:
    positions = page.evaluate(f"() => ({MOTION})().positions()")
    return {one["order"]: (one["x"], one["y"]) for one in positions}
