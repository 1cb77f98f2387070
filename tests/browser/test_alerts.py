"""A manager, an outage and its alert: what the page tells, who has seen it, and what is said where there are no alerts."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import free_port, running, started
from tests.browser.operations import FEW_FRAMES, by_id, clock, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "of-whoever-sends-the-events"
KITCHEN = "ChIJvXT99PfCQIYROz3H0NrIctA"
"""Where the demo of this seed starts nothing from 17:25 to 18:00 on its last day."""
DEMO = ("--days", "3", "--scale", "0.4", "--seed", "7", "--from", "17:31", "--speed", "8")
STATE = "() => [...globalThis.__twin.clocks.values()].find((clock) => clock.anchor?.end > clock.anchor?.start).state"


class Served:
    """A server with alerts, and what is asked of its API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, given: Any = None) -> Any:
        headers = {"X-Twin-Request": "1", "Content-Type": "application/json"}
        body = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(f"{self.address}/api/v1{path}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    @property
    def latest(self) -> str:
        """The time of the kitchen's latest event; "" before the first."""
        try:
            places = self.ask("/locations")["locations"]
        except urllib.error.HTTPError:  # the inbox is empty
            return ""
        return "".join(place["date_range"]["end"] for place in places if place["location_name"] == KITCHEN)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Served]:
    """A server whose inbox `twin demo --live` sends the demo's days to, the last one as it happens."""
    port = free_port()
    inbox, token = str(tmp_path / "inbox"), TOKEN
    command = ["twin.cli", "serve", "--source", inbox, "--port", str(port)]
    alerts = f"sqlite:///{tmp_path / 'alerts.db'}"
    environment = {"TWIN_INBOX": inbox, "TWIN_INBOX_TOKEN": token, "TWIN_ALERTS": alerts}
    with running(command, port, tmp_path / "log.txt", **environment) as address:
        sending = started(["twin.cli", "demo", "--live", address, *DEMO], tmp_path / "demo.txt", **environment)
        try:
            yield Served(address)
        finally:
            sending.terminate()
            sending.wait()


def state(page: Page) -> str:
    return str(page.evaluate(STATE))


def test_an_outage_fires_and_the_manager_looks_back_returns_and_acknowledges_it(
    live: Served, page: Page, barriers: Callable[[Page], list[str]]
) -> None:
    """A wall screen shows the kitchen meanwhile."""
    page.context.add_init_script(FEW_FRAMES)
    until(page, lambda: live.latest >= "2025-10-17T17:30", "what lies before is sent", 120)
    page.goto(f"{live.address}/operations?location={KITCHEN}&live=1")
    expect(by_id(page, "live")).to_contain_text("LIVE", timeout=60_000)
    expect(by_id(page, "bell")).to_have_accessible_name("Alerts: none is firing")
    live.ask("/alerts/rules", {"trouble": {"kind": "outage"}, "for_s": 60, "name": "Kitchen stands still"})
    title = page.title()
    assert not title.startswith("(")
    wall = page.context.new_page()
    wall.goto(f"{live.address}/kiosk?seconds=600")
    headline = wall.frame_locator("iframe").last.get_by_test_id("kiosk-headline")
    expect(headline).to_have_text(re.compile("."), timeout=60_000)

    bar = by_id(page, "alert-bar")
    expect(bar).to_contain_text("Kitchen stands still", timeout=90_000)
    expect(bar).to_contain_text(re.compile(r"\d+ orders wait or waited long to be cooked"))
    expect(by_id(page, "bell-count")).to_have_text("1")
    expect(page).to_have_title(f"(1) {title}")
    assert state(page) == "live", "an alert takes nobody away from where he looks"
    expect(headline).to_contain_text("Kitchen stands still")
    expect(wall.frame_locator("iframe").last.get_by_test_id("kiosk-detail")).to_contain_text(
        "orders wait or waited long"
    )

    by_id(page, "stage-created").click()
    page.keyboard.press("Escape")
    now = clock(page)
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert state(page) == "behind"
    assert now - 300 <= clock(page) + 1 <= now - 200
    by_id(page, "alert-bar-go").click()
    (firing,) = live.ask(f"/alerts?location={KITCHEN}&state=firing")["alerts"]
    began = firing["since"][11:16]
    expect(by_id(page, "clock")).to_contain_text(began)
    expect(bar).to_be_visible()

    page.keyboard.press("l")
    until(page, lambda: state(page) == "live", "the page is live again")
    by_id(page, "alert-bar-acknowledge").click()
    by_id(page, "acknowledge-name").fill("Maya")
    assert barriers(page) == []
    by_id(page, "acknowledge-note").fill("The oven is <b>back</b> at six")
    by_id(page, "acknowledge-send").click()
    expect(by_id(page, "acknowledge")).to_be_hidden()
    expect(bar).to_be_hidden()
    expect(page).to_have_title(title)
    expect(headline).not_to_contain_text("Kitchen stands still")  # the wall goes back to its tour

    by_id(page, "bell").click()
    seen = by_id(page, "alert-seen")
    expect(seen).to_have_text("Acknowledged by Maya: “The oven is <b>back</b> at six”")
    assert barriers(page) == []
    (told,) = live.ask(f"/alerts?location={KITCHEN}")["alerts"]
    assert (told["acknowledged_by"], told["note"]) == ("Maya", "The oven is <b>back</b> at six")
    assert told["acknowledged_at"]


def test_without_alerts_there_is_no_bell_and_the_help_says_how_to_have_one(address: str, page: Page) -> None:
    page.goto(f"{address}/operations?location=sanfrancisco")
    expect(by_id(page, "help")).to_be_visible()
    expect(by_id(page, "stage-created-count")).to_be_visible()
    expect(page.get_by_test_id("bell")).to_have_count(0)
    expect(page.get_by_test_id("alert-bar")).to_have_count(0)
    by_id(page, "help").click()
    expect(by_id(page, "help-dialog")).to_contain_text("TWIN_ALERTS=on")


@pytest.fixture
def watched(demo: Path, tmp_path: Path) -> Iterator[Served]:
    """A server with alerts over the demo, which does not grow."""
    port = free_port()
    command = ["twin.cli", "serve", "--source", str(demo), "--port", str(port)]
    with running(command, port, tmp_path / "log.txt", TWIN_ALERTS=f"sqlite:///{tmp_path / 'alerts.db'}") as address:
        yield Served(address)


def test_a_rule_is_written_as_a_sentence_and_saved_when_its_past_has_been_seen(
    watched: Served, page: Page, barriers: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{watched.address}/operations?location=sanfrancisco")
    by_id(page, "bell").click()
    expect(by_id(page, "alert-list")).to_contain_text("No alert has fired at this kitchen.")
    by_id(page, "alert-rules").click()
    expect(by_id(page, "rules-dialog")).to_contain_text("There are no rules yet")

    by_id(page, "rule-new").click()
    expect(by_id(page, "rule-save")).to_be_disabled()
    expect(by_id(page, "tried-verdict")).to_contain_text("in the last")
    expect(by_id(page, "rule-save")).to_be_enabled()
    by_id(page, "rule-limit").fill("")
    expect(by_id(page, "rule-problem")).to_have_text("A number is missing in the sentence.")
    expect(by_id(page, "rule-save")).to_be_disabled()

    by_id(page, "rule-subject").select_option("trouble/outage")
    expect(by_id(page, "rule-for")).to_have_value("0")  # it has waited for its evidence already
    by_id(page, "rule-subject").select_option("figure/orders_per_hour")
    expect(by_id(page, "rule-for")).to_have_value("10")
    by_id(page, "rule-way").select_option("over")
    by_id(page, "rule-limit").fill("60")
    expect(by_id(page, "rule-recovery")).to_have_value("54")
    by_id(page, "rule-quiet").select_option("quiet")
    by_id(page, "rule-from").fill("23:00")
    by_id(page, "rule-name").fill("<b>Busy")
    expect(by_id(page, "tried-alert")).to_be_visible()
    expect(by_id(page, "tried-coverage")).to_contain_text(re.compile(r"\d+ days? of record; .* \d+ % of it"))
    expect(by_id(page, "tried-verdict")).to_contain_text(re.compile("Would have fired (once|[0-9]+ times) in the last"))
    expect(by_id(page, "tried-precision")).to_contain_text("Precision")
    for size in ({"width": 390, "height": 844}, {"width": 1440, "height": 900}):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        dialog = by_id(page, "rules-dialog")
        assert dialog.evaluate("node => node.querySelector('.body:not([hidden])').scrollWidth <= node.clientWidth")
        assert barriers(page) == [], size

    first = by_id(page, "tried-alert").get_by_role("button")
    at = re.search(r"\d\d:\d\d", first.text_content() or "")
    assert at is not None
    first.click()
    expect(by_id(page, "rules-dialog")).to_be_hidden()
    expect(by_id(page, "clock")).to_contain_text(at[0])

    by_id(page, "bell").click()
    by_id(page, "alert-rules").click()
    expect(by_id(page, "rule-name")).to_have_value("<b>Busy")
    by_id(page, "rule-save").click()
    rule = by_id(page, "rule")
    expect(rule).to_contain_text("<b>Busy")
    (stored,) = watched.ask("/alerts/rules")["rules"]
    watches = stored["figure"]
    assert (stored["name"], watches["figure"], watches["limit"], watches["recovery"]) == (
        "<b>Busy",
        "orders_per_hour",
        60,
        54,
    )
    assert (stored["quiet"], stored["locations"]) == ({"begin": 82_800, "end": 28_800}, ["sanfrancisco"])

    by_id(page, "rule-enabled").uncheck()
    expect(by_id(page, "rules-status")).to_contain_text("is off")
    assert not watched.ask("/alerts/rules")["rules"][0]["enabled"]
    by_id(page, "rule-edit").click()
    expect(by_id(page, "rule-from")).to_have_value("23:00")
    expect(by_id(page, "tried-verdict")).to_be_visible()
    by_id(page, "rule-back").click()
    by_id(page, "rule-delete").click()
    expect(rule).to_be_hidden()
    assert watched.ask("/alerts/rules")["rules"] == []
    by_id(page, "rule-undo").click()
    expect(rule).to_contain_text("<b>Busy")
    assert watched.ask("/alerts/rules")["rules"][0]["id"] == stored["id"]
