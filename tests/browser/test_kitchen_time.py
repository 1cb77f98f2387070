"""A page of instants shows the kitchen's clock, wherever the person who looks is."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.operations import by_id, choose, clock
from tests.instants import FALL, ZONE, hub_of, orders_of, write
from twin.pages.operations.operations import operations_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = dt.datetime(2025, 11, 2, 8, 30, tzinfo=dt.UTC)
"""01:30 PDT; an hour later the clock shows 01:30 again."""


@pytest.fixture
def far(browser: Browser) -> Iterator[Page]:
    """A page of somebody in Kathmandu, 12 hours and three quarters ahead of San Francisco."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Asia/Kathmandu")
    page = context.new_page()
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    yield page
    context.close()
    assert problems == []


def test_the_clock_is_the_kitchens_and_tells_a_doubled_hour_apart(
    far: Page, serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = orders_of(FALL - dt.timedelta(days=1), 3)
    hub = hub_of(write(tmp_path_factory.mktemp("instants"), orders))
    monkeypatch.setattr("twin.server.process.process.hub", lambda _visitor=None: hub)
    address = serve({"operations": operations_page})
    day = {"start": "2025-11-02", "end": "2025-11-03"}
    choose(far, address, "7", **day, t="2025-11-02T01:30:00-07:00")
    assert far.evaluate("new Date(0).getHours()") == 5  # the browser itself is elsewhere
    assert clock(far) == FIRST.timestamp()
    expect(by_id(far, "clock")).to_have_text("Sun 01:30:00")
    expect(by_id(far, "date")).to_have_text("2 November 2025 · PDT")
    expect(by_id(far, "zone")).to_have_attribute(
        "title", re.compile(r"America/Los_Angeles \(PDT\), by the kitchen’s coordinates")
    )
    expect(by_id(far, "range")).to_have_text("Sun 2 Nov 2025 00:00 – 24:00")
    labels = far.locator(".labels .label").all_inner_texts()
    assert labels[0] == "00:00"
    assert labels[-1] == "24:00"
    delivered = [order.delivered.astimezone(ZONE) for order in orders]
    today = sum(at.date() == FALL and at.timestamp() <= FIRST.timestamp() for at in delivered)
    expect(by_id(far, "stage-completed-count")).to_have_text(str(today))
    choose(far, address, "7", **day, t="2025-11-02T01:30:00-08:00")
    assert clock(far) == FIRST.timestamp() + 3600
    expect(by_id(far, "clock")).to_have_text("Sun 01:30:00")
    expect(by_id(far, "date")).to_have_text("2 November 2025 · PST")
    expect(by_id(far, "feed-row").first).to_contain_text(re.compile(r"01:\d\d:\d\d PST"))
    far.wait_for_function("() => new URLSearchParams(location.search).get('t') === '2025-11-02T01:30:00-08:00'")
    by_id(far, "range").click()
    expect(by_id(far, "range-start")).to_have_value("2025-11-02")
    expect(by_id(far, "range-start-time")).to_have_value("00:00")
    expect(by_id(far, "range-end")).to_have_value("2025-11-03")
    expect(by_id(far, "range-end-time")).to_have_value("00:00")
    expect(by_id(far, "range-zone")).to_have_text("Kitchen time (America/Los_Angeles)")
    by_id(far, "range-end").fill("2025-11-02")
    by_id(far, "range-end-time").fill("02:00")
    by_id(far, "range-apply").click()
    expect(by_id(far, "range")).to_have_text("Sun 2 Nov 2025 00:00 – 02:00", timeout=20_000)
    far.wait_for_function("() => location.search.includes('end=2025-11-02T02:00:00-08:00')")
    far.goto("about:blank")
