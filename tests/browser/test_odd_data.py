"""The whole page on data that nobody promised: holes, doubles, disorder, other years, no map, no orders, a broken source."""

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.app import free_port, running
from tests.browser.operations import CLOCK, by_id, clock, counts
from tests.raw_orders import CUSTOMER, WHOLE, rows_of
from twin.analysis import metrics
from twin.foundation.errors import SourceError
from twin.notebook.door import Twin
from twin.pages.operations.operations import operations_page
from twin.sources.base import Source

pytestmark = pytest.mark.browser

Rows = list[dict[str, Any]]

ORDERS = 60
SEED = 3
KITCHEN_EVENTS = {"gk_started", "gk_finished", "gk_ready"}


def day(location: str, *, places: bool = True, year: str = "2025", number: int = ORDERS) -> Rows:
    """A lunch of `number` orders, one every three minutes from 11:00; every fourth has to wait for its driver."""
    rows: Rows = []
    for k in range(number):
        slow = 16 if k % 4 == 0 else 0
        shift = {"arrived": slow, "picked_up": slow, "delivered": slow}
        minutes = {name: 3 * k - 60 + at - 16 * (at > 14) + shift.get(name, 0) for name, at in WHOLE.items()}
        pings = {minutes["picked_up"] + at: 100 * at / 11 for at in (2, 4, 6, 8, 10)}
        lat, lon = CUSTOMER
        east = (lat - 0.001 * (k % 9), lon - 0.001 * (k % 7))
        route = [(37.791, -122.393), (37.791, east[1]), east]
        items = [{"brand_id": str(1 + k % 5), "name": f"Bowl {k % 11}", "price": 9.5 + k % 4, "qty": 1 + k % 2}]
        address = f"{k} Main Street" if places else None
        order = f"{location[:4].upper():X<4}{k:04d}"
        told = rows_of(
            order, minutes, pings=pings if places else None, route=route, items=items, address=address, places=places
        )
        rows += [{**row, "location": location, "ts": year + row["ts"][4:]} for row in told]
    return rows


def without(rows: Rows, *kinds: str) -> Rows:
    return [row for row in rows if row["event_type"] not in kinds]


def shuffled(rows: Rows) -> Rows:
    mixed = list(rows)
    random.Random(SEED).shuffle(mixed)
    return mixed


ODD: dict[str, Rows] = {
    "plain": day("plain"),
    "nowhere": day("nowhere", places=False),
    "kitchenless": without(day("kitchenless"), *KITCHEN_EVENTS),
    "uncreated": without(day("uncreated"), "order_created"),
    "undelivered": without(day("undelivered"), "driver_picked_up", "driver_ping", "delivered"),
    "single": day("single", number=1),
    "shuffled": shuffled(day("shuffled")),
    "doubled": [row for row in day("doubled") for _ in range(2)],
    "future": day("future", year="2031"),
}
PINGED = [row for row in day("pinged") if row["event_type"] == "driver_ping"]
"""Nothing but positions, which the feed does not list unless one asks for them."""


def written(folder: Path) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for rows in (*ODD.values(), PINGED) for row in rows))
    return path


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    return twin.open(written(tmp_path_factory.mktemp("odd")))


@pytest.fixture(scope="module")
def address(odd: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    port = free_port()
    with running(
        ["twin.cli", "serve", "--source", str(written(folder)), "--port", str(port)], port, folder / "log.txt"
    ) as served:
        yield served


STAGE_KEYS = ("created", "cooking", "ready", "out_for_delivery", "completed")


@pytest.mark.parametrize("location", ODD)
def test_whatever_is_missing_the_stages_show_what_is_known_and_the_feed_tells_it(
    page: Page, address: str, odd: Twin, location: str
) -> None:
    line = odd.timeline(location)
    page.goto(f"{address}/operations?location={location}")
    expect(by_id(page, "feed-row")).to_be_visible()
    known = line.at(clock(page)).counts
    told = metrics.metrics_of(line).recorded
    for key, is_told in zip(STAGE_KEYS, told, strict=True):
        expect(by_id(page, f"stage-{key}-count")).to_have_text(str(known[key]) if is_told else "–")
    by_id(page, "play").click()
    before = clock(page)
    page.wait_for_function(f"(before) => ({CLOCK})() > before + 30", arg=before)
    for tab in ("moments", "orders", "events"):
        by_id(page, f"tab-{tab}").click()
        expect(by_id(page, f"tab-{tab}")).to_have_attribute("aria-selected", "true")


def test_a_feed_that_lists_no_positions_does_not_say_that_there_are_no_events(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=pinged")
    expect(by_id(page, "feed")).to_contain_text("No events of the listed types in this range")
    by_id(page, "feed-all-types").click()
    expect(by_id(page, "feed-row")).to_contain_text("On the road")


def test_what_the_map_says_of_an_unknown_kitchen_stands_clear_of_its_trouble(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{address}/operations?location=undelivered")
    expect(by_id(page, "map-note")).to_contain_text("does not tell where the kitchen is")
    expect(by_id(page, "alert-status")).to_be_visible()
    note, trouble = by_id(page, "map-note").bounding_box(), by_id(page, "alert-status").bounding_box()
    assert note is not None
    assert trouble is not None
    assert note["y"] > trouble["y"] + trouble["height"]


def test_what_is_missing_is_said_where_it_is_missed(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=kitchenless")
    expect(by_id(page, "stage-cooking")).to_contain_text("not in the data")
    # Created lasts until the pick-up there: that is not slow
    colour = "(node) => getComputedStyle(node).color"
    told = [by_id(page, f"stage-{stage}-oldest") for stage in ("created", "out_for_delivery")]
    assert told[0].evaluate(colour) == told[1].evaluate(colour)
    page.goto(f"{address}/operations?location=uncreated")
    expect(by_id(page, "kpi-orders-hour")).to_contain_text("not in the data")
    page.goto(f"{address}/operations?location=nowhere")
    expect(by_id(page, "map-empty")).to_contain_text("No coordinates in this data")


def test_disorder_and_doubles_change_nothing(odd: Twin) -> None:
    plain = odd.timeline("plain")
    for t in range(int(plain.window.start), int(plain.window.end), 1777):
        expected = plain.at(float(t)).counts
        assert odd.timeline("shuffled").at(float(t)).counts == expected
        assert odd.timeline("doubled").at(float(t)).counts == expected
    assert odd.quality("doubled").rejected == {"duplicate": odd.quality("plain").read}


def test_an_empty_range_says_what_there_is_and_shows_that(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=plain&start=2025-10-20T00:00:00&end=2025-10-21T00:00:00")
    expect(by_id(page, "banner-message")).to_contain_text("No orders in this range: the data covers")
    expect(by_id(page, "feed-row").first).to_be_visible()
    by_id(page, "banner-close").click()
    expect(by_id(page, "banner")).to_be_hidden()


class Unsteady:
    """A source that can be made to fail, as a warehouse does that stops."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.down = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def window(self, location: str, start: float, end: float) -> Any:
        if self.down:
            raise SourceError("The warehouse does not answer. Try again in a minute.")
        return self._source.window(location, start, end)


def test_a_source_that_fails_says_so_keeps_the_last_picture_and_is_tried_again(
    page: Page, serve: Callable[..., str], odd: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Unsteady(odd.source)
    unsteady = Twin(source)
    monkeypatch.setattr("twin.server.process.process.hub", lambda _visitor=None: unsteady)
    address = serve({"operations": operations_page})
    page.goto(f"{address}/operations?location=plain")
    expect(by_id(page, "feed-row")).to_be_visible()
    shown = counts(page)
    source.down = True
    by_id(page, "range").click()
    page.get_by_role("button", name=re.compile("Whole|All")).first.click()
    expect(by_id(page, "banner-message")).to_contain_text("The warehouse does not answer")
    assert counts(page) == shown
    source.down = False
    by_id(page, "banner-action").click()
    expect(by_id(page, "banner")).to_be_hidden()
    expect(by_id(page, "feed-row")).to_be_visible()
    page.goto("about:blank")
