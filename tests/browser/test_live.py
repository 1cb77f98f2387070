"""A page on a kitchen while it happens: events come in over HTTP, and the page goes along, is left behind, and comes back."""

import json
import re
import urllib.request
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import free_port, running
from tests.browser.operations import FEW_FRAMES, by_id, clock, settled, until
from twin.foundation.times import seconds
from twin.simulator.feed import simulated_lines

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "of-whoever-sends-the-events"
DAY = date(2025, 10, 17)
STATE = "() => [...globalThis.__twin.clocks.values()].find((clock) => clock.anchor?.end > clock.anchor?.start).state"


class Feed:
    """The events of one kitchen over a day, sent up to a time of day; an outage begins at 17:25."""

    def __init__(self, address: str, rows: list[dict[str, str]]) -> None:
        self.address = address
        self.rows = sorted(rows, key=lambda row: row["ts"])
        self.sent = 0

    def until(self, time: str) -> float:
        """Send what happens before a time of the day; return the time of the last event."""
        until = next(i for i, row in enumerate(self.rows) if row["ts"] >= f"{DAY.isoformat()} {time}")
        lines = [json.dumps(row) for row in self.rows[self.sent : until]]
        for first in range(0, len(lines), 2000):
            body = "\n".join(lines[first : first + 2000]).encode()
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with urllib.request.urlopen(
                urllib.request.Request(f"{self.address}/api/v1/events", body, headers), timeout=60
            ) as answer:
                assert json.loads(answer.read())["rejected"] == 0
        self.sent = until
        return self.latest

    @property
    def latest(self) -> float:
        return seconds(self.rows[self.sent - 1]["ts"])

    def after(self, t: float) -> int:
        """How many of the events that were sent lie after t."""
        return sum(seconds(row["ts"]) > t for row in self.rows[: self.sent])


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The day's events of the kitchen at which nothing is started for half an hour."""
    lines = [json.loads(line) for line in simulated_lines(1, DAY, 7, 0.3, "2025")]
    still = {row["location"] for row in lines} - {
        row["location"] for row in lines if row["event_type"] == "gk_started" and "17:30" <= row["ts"][11:16] < "17:50"
    }
    assert len(still) == 1
    return [row for row in lines if row["location"] in still]


SPARE = """(select) => {
  const { font, paddingLeft, paddingRight } = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
  pen.font = font;
  const room = select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  return room - pen.measureText("San Francisco").width;
}"""
"""CSS pixels that a name of thirteen letters leaves free in a selector."""


@pytest.fixture
def feed(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    command = ["twin.cli", "serve", "--source", str(folder / "inbox"), "--port", str(port)]
    environment = {"TWIN_INBOX": str(folder / "inbox"), "TWIN_INBOX_TOKEN": TOKEN}
    with running(command, port, folder / "log.txt", **environment) as address:
        made = Feed(address, rows)
        made.until("17:20")
        yield made


def state(page: Page) -> str:
    return str(page.evaluate(STATE))


def waiting(feed: Feed) -> int:
    """Orders that were created and not started, of what was sent."""
    sent = feed.rows[: feed.sent]
    created, started = (
        {row["order_id"] for row in sent if row["event_type"] == kind} for kind in ("order_created", "gk_started")
    )
    gone = {row["order_id"] for row in sent if row["event_type"] == "order_cancelled"}
    return len(created - started - gone)


def test_a_manager_watches_an_outage_begin_looks_back_and_returns(feed: Feed, page: Page) -> None:
    """The alert that the outage fires, and who acknowledges it, are tested with the alerts."""
    location = feed.rows[0]["location"]
    page.add_init_script(FEW_FRAMES)
    page.goto(f"{feed.address}/operations?location={location}&live=1")
    badge, count = by_id(page, "live"), by_id(page, "stage-created-count")
    expect(badge).to_contain_text("LIVE", timeout=30_000)
    page.keyboard.press("2")
    page.keyboard.press("l")

    for time in ("17:26", "17:32", "17:38"):  # nothing is started any more, and the queue grows
        latest = feed.until(time)
        until(page, lambda latest=latest: abs(clock(page) - latest) < 1e-3, f"the page is at {time}")
        expect(count).to_have_text(str(waiting(feed)))
        assert state(page) == "live"
    assert waiting(feed) >= 2

    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert state(page) == "behind"
    size = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})  # beside the bell and how far behind the page is
    expect(badge).to_contain_text("5 min behind")
    until(
        page, lambda: page.get_by_role("combobox", name="Kitchen").evaluate(SPARE) >= 0, "the kitchen's name is whole"
    )
    page.set_viewport_size(size)
    back = settled(page, lambda: clock(page))
    assert feed.latest - back == pytest.approx(300, abs=2)
    expect(badge).to_contain_text("5 min behind")
    expect(badge).to_contain_text(f"{feed.after(back)} event")
    before = count.text_content()

    feed.until("17:45")
    expect(badge).to_contain_text(re.compile(r"1[12] min behind"), timeout=30_000)
    expect(badge).to_contain_text(f"{feed.after(back)} event")
    assert clock(page) == back, "what comes in moves nobody who looks back"
    assert count.text_content() == before
    expect(page).to_have_url(re.compile(r"live=0&t=2025-10-17T17:3"))

    page.keyboard.press("l")
    assert state(page) == "live"
    until(page, lambda: abs(clock(page) - feed.latest) < 1e-3, "the page is at the latest event again")
    expect(count).to_have_text(str(waiting(feed)))
    expect(badge).to_contain_text("LIVE")
    expect(page).to_have_url(re.compile(r"live=1"))
    assert page.evaluate("() => [...globalThis.__twin.clocks.values()][0].anchor.speed") == 10, "the chosen speed stays"

    page.reload()
    expect(by_id(page, "live")).to_contain_text("LIVE", timeout=30_000)
    until(page, lambda: state(page) == "live", "the page came back live")
