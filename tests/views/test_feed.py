"""The feed's Python side: it answers what the browser asks for, and a tick costs it nothing."""

import json
from pathlib import Path

import pytest

import twin
from tests.fake_timeline import send_message
from twin.analysis.event_index import GROUPS, event_index_of
from twin.analysis.wording import describe
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.feed.feed import PAGE_ROWS, ROWS_BEFORE, FeedView
from twin.views.shared.rows import rows_of as rows_of_columns


@pytest.fixture(scope="module")
def timeline(demo: Path) -> Timeline:
    source = twin.open(str(demo)).source
    place = next(place for place in source.locations() if place.id == "sanfrancisco")
    return Timeline.load(source, place.id, place.start, place.end)


class Browser:
    """Asks as feed/pages.js does, and keeps the answers."""

    def __init__(self, view: FeedView) -> None:
        self.list = view.__panel__()
        self.sent: list[dict] = []
        self.list._send_msg = self.sent.append

    def request(self, at: float, **more) -> dict | None:
        before = len(self.sent)
        message = {
            "ask": "feed",
            "serial": 7,
            "version": self.list.version,
            "query": "",
            "stage": "",
            "row": -1,
            "t": at,
        }
        send_message(self.list, message | more)
        if len(self.sent) == before:
            return None
        return self.sent[-1] | {"rows": rows_of_columns(json.loads(self.sent[-1]["rows"]))}


@pytest.fixture
def feed(timeline: Timeline) -> tuple[FeedView, Browser]:
    view = FeedView(ReplayController(timeline))
    return view, Browser(view)


def test_a_page_holds_the_latest_events_at_the_moment_and_the_next_ones(timeline, feed):
    t = timeline.busiest()

    answer = feed[1].request(t)

    latest = describe(timeline, timeline.latest(t, ROWS_BEFORE))[::-1]
    shown = answer["rows"][: answer["top"] - answer["first"]]
    assert [(row["t"], row["order"], row["title"], row["detail"]) for row in shown] == [
        (line.t, line.order, line.title, line.detail) for line in latest
    ]
    assert len(answer["rows"]) == PAGE_ROWS
    assert all(row["t"] > t for row in answer["rows"][len(shown) :])
    assert answer["serial"] == 7


def test_pages_by_number_reach_back_to_the_first_event_of_the_range(timeline, feed):
    answer = feed[1].request(timeline.busiest(), first=0)

    everything = timeline.between(timeline.window.start, timeline.window.end)
    first = next(t for t, kind in zip(everything.ts, everything.type, strict=True) if kind != "driver_ping")
    assert answer["first"] == 0
    assert answer["rows"][0]["t"] == answer["oldest"] == first


def test_the_filter_is_taken_from_the_ask(timeline, feed):
    answer = feed[1].request(timeline.busiest(), query="types=problem;text=pho")

    assert answer["rows"]
    assert all(row["problem"] for row in answer["rows"])
    brands = [[item.brand + item.name for item in timeline.orders.items(row["order"])] for row in answer["rows"]]
    assert all(any("pho" in name.lower() for name in names) for names in brands)


def test_only_the_selected_order_is_its_whole_story(timeline, feed):
    row = 4
    answer = feed[1].request(timeline.busiest(), query=f"types={','.join(GROUPS)};only", row=row)

    whole = timeline.order(timeline.orders.ids[row].as_py()).events
    assert [result["t"] for result in answer["rows"]] == whole.ts.tolist()
    assert {result["order"] for result in answer["rows"]} == {row}


def test_a_stage_shows_what_its_orders_went_through_so_far(timeline, feed):
    t = timeline.busiest()

    answer = feed[1].request(t, stage="out_for_delivery")

    inside = set(timeline.membership.at(t, "out_for_delivery").order.tolist())
    assert {row["order"] for row in answer["rows"]} == inside != set()
    assert answer["total"] == answer["top"]
    assert answer["until"] == t
    assert all(row["t"] <= t for row in answer["rows"])


def test_a_group_has_the_events_of_its_orders_while_it_is_the_selection_s(timeline, feed):
    t, (view, browser) = timeline.busiest(), feed
    rows = timeline.membership.at(t, "out_for_delivery").order[:3].tolist()
    group = view._controller.selection.gather("Some", rows)

    answer = browser.request(t, group=group.number)

    assert {row["order"] for row in answer["rows"]} == set(rows)
    assert any(row["t"] > t for row in answer["rows"])  # who is in a group does not change: rows ahead are valid
    assert browser.request(t, group=group.number + 1)["total"] > answer["total"]


def test_a_tick_says_nothing(timeline, feed):
    view, browser = feed
    state = dict(view.__panel__().param.values())

    view.show(timeline.at(timeline.busiest()))

    assert browser.sent == []
    assert dict(view.__panel__().param.values()) == state


def test_another_timeline_makes_the_old_numbers_void(timeline, feed):
    view, browser = feed
    old = browser.list.version

    view.reset()

    assert browser.request(timeline.busiest(), version=old) is None
    assert browser.request(timeline.busiest()) is not None


@pytest.mark.parametrize("more", [{"first": "x"}, {"first": {}}, {"t": "now"}, {"query": 3}, {"row": "a", "stage": 9}])
def test_what_makes_no_sense_is_no_error(timeline, feed, more):
    feed[1].request(timeline.busiest(), **more)

    assert feed[1].request(timeline.busiest()) is not None


def test_without_a_timeline_there_is_no_answer():
    assert Browser(FeedView(ReplayController())).request(0.0) is None


def test_the_filter_goes_to_the_address_and_comes_from_it(timeline):
    view = FeedView(ReplayController(timeline), query="types=driver,nonsense;text= pho ")
    assert view.__panel__().query == "types=driver;text=pho"

    view.query = "types=problem"
    assert view.__panel__().query == "types=problem"

    view.__panel__().query = "text=bowl"
    assert view.query == "text=bowl"


def test_the_target_decides_what_is_late(timeline, feed):
    view, browser = feed
    usual = browser.request(timeline.busiest(), query="types=problem")["total"]

    view.target = 600.0

    assert browser.request(timeline.busiest(), query="types=problem")["total"] > usual
    assert event_index_of(timeline) is event_index_of(timeline)
