"""The feed sends each event once, in links that a browser can check; whoever follows the links sees the latest events."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, FakeController, FakeItem, FakeTimeline, say
from twin.views.feed import ROWS, FeedView

MINUTE = 60.0


def day(orders: int = 40) -> FakeTimeline:
    rows, pings = [], []
    for i in range(orders):
        t = DAY0 + 150.0 * i
        rows.append({"created": t, "started": t + 120, "ready": t + 900, "picked_up": t + 1200, "delivered": t + 2000})
        pings += [(t + 1200 + 60 * k, "driver_ping", i, 8.0 * k) for k in range(1, 12)]
    return FakeTimeline(rows, baskets=[[FakeItem("<img src=x>", "Pho Real")]] * orders, extra=pings)


class Browser:
    """Follows the links as feed.js does."""

    def __init__(self, view: FeedView) -> None:
        self.view, self.rows, self.serial, self.received = view, [], None, 0
        self.list = view.__panel__()
        self.list.param.watch(self.take, "state")
        self.take()

    def take(self, *_) -> None:
        link = self.list.state
        self.received += len(link["rows"])
        if link["base"] == 0:
            self.rows = link["rows"]
        elif link["base"] == self.serial:
            self.rows = [*link["rows"], *self.rows]
        else:
            say(self.list, {"ask": "all"})
            return
        self.serial = link["serial"]

    def shows(self, timeline, t, pings=False) -> bool:
        """Whether the rows on the screen are the latest events, none missing, none twice."""
        truth = timeline.latest(t, max(ROWS, len(self.rows)), pings=pings)
        return [(row[5], row[0].split(".")[-1]) for row in self.rows] == list(
            zip(truth.ts.tolist(), truth.type, strict=True)
        )


def feed(timeline):
    view = FeedView(FakeController(timeline))
    return view, Browser(view)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-10, 8200), min_size=1, max_size=12))
def test_wherever_the_playhead_goes_the_list_shows_the_latest_events(seconds):
    timeline = day()
    view, browser = feed(timeline)

    for second in seconds:
        view.show(timeline.at(DAY0 + second))
        assert browser.shows(timeline, DAY0 + second)


def test_playing_on_sends_only_the_new_events():
    timeline = day()
    view, browser = feed(timeline)
    view.show(timeline.at(DAY0 + 3000))
    browser.received = 0

    view.show(timeline.at(DAY0 + 3200))

    new = [e for e in timeline.events if DAY0 + 3000 < e[0] <= DAY0 + 3200 and e[1] != "driver_ping"]
    assert browser.received == len(new) > 0


def test_a_moment_without_news_sends_nothing():
    timeline = day()
    view, browser = feed(timeline)
    view.show(timeline.at(DAY0 + 3000))
    serial = browser.serial

    view.show(timeline.at(DAY0 + 3000.5))

    assert view.__panel__().state["serial"] == serial


def test_a_jump_sends_at_most_thirty_rows():
    timeline = day()
    view, browser = feed(timeline)
    view.show(timeline.at(DAY0 + 300))

    view.show(timeline.at(DAY0 + 8000))

    assert len(browser.rows) == ROWS == 30
    assert view.__panel__().state["base"] == 0


def test_a_browser_that_missed_a_link_asks_and_gets_everything():
    timeline = day()
    view, _ = feed(timeline)
    view.show(timeline.at(DAY0 + 3000))
    view.show(timeline.at(DAY0 + 3200))

    late = Browser(view)

    assert late.shows(timeline, DAY0 + 3200)


def test_pings_are_listed_only_on_demand():
    timeline = day()
    view, browser = feed(timeline)
    view.show(timeline.at(DAY0 + 4000))
    assert not any(row[0].endswith("driver_ping") for row in browser.rows)

    view.__panel__().pings = True
    assert browser.shows(timeline, DAY0 + 4000, pings=True)
    assert any(row[0].endswith("driver_ping") for row in browser.rows)

    view.__panel__().pings = False
    assert browser.shows(timeline, DAY0 + 4000)


def test_before_the_first_event_the_list_is_empty():
    timeline = day()
    view, browser = feed(timeline)
    view.show(timeline.at(DAY0 + 4000))

    view.show(timeline.at(DAY0 - 60))

    assert browser.rows == []


def test_reset_shows_the_new_timeline_and_nothing_of_the_old_one():
    controller = FakeController(day())
    view = FeedView(controller)
    browser = Browser(view)
    view.show(controller.timeline.at(DAY0 + 4000))
    controller.take(FakeTimeline([{"created": DAY0 + 3990}], ["NEW001"]))

    view.reset()
    view.show(controller.timeline.at(DAY0 + 4000))

    assert [row[3] for row in browser.rows] == ["Order created · NEW001"]


def test_events_at_the_same_instant_are_all_shown():
    rows = [{"created": DAY0, "arrived": DAY0}, {"created": DAY0}]
    timeline = FakeTimeline(rows, extra=[(DAY0, "surprise", 0, math.nan)])
    view, browser = feed(timeline)

    view.show(timeline.at(DAY0))

    assert len(browser.rows) == 4
    assert len({row[0] for row in browser.rows}) == 4


def test_the_rows_are_sent_as_plain_text():
    timeline = FakeTimeline([{"created": DAY0}], baskets=[[FakeItem("x", "<b>Kingpin</b>")]])
    view, browser = feed(timeline)

    view.show(timeline.at(DAY0))

    assert browser.rows[0][4] == "1 item from <b>Kingpin</b>"


def test_an_unasked_message_changes_nothing():
    timeline = day()
    view, browser = feed(timeline)
    view.show(timeline.at(DAY0 + 100))
    serial = browser.serial

    say(view.__panel__(), {"seek": 0})

    assert view.__panel__().state["serial"] == serial
