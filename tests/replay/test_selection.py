"""The selection: shared by all views, consistent with the browser in any order of changes, and preserved by another range."""

import contextlib
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.replay.controller import ReplayController
from twin.replay.selection import MAX_VERSION, Selection


def timeline(*ids):
    """A timeline of these orders; rows are their places here."""

    class Orders(SimpleNamespace):
        def __len__(self):
            return len(self.ids)

    orders = Orders(ids=pa.array(list(ids), pa.string()), row_of={name: i for i, name in enumerate(ids)})
    return SimpleNamespace(orders=orders, window=SimpleNamespace(start=0.0, end=3600.0))


@pytest.fixture
def chosen():
    selection = Selection()
    selection.attach(timeline("A", "B", "C"))
    return selection


class Browser:
    """The selection in a browser, as verbs.js implements it: a choice is applied at once and sent later."""

    def __init__(self, selection):
        self.selection, self.sent = selection, []
        self.state = selection.to_browser()
        self.pushed = []
        selection.param.watch(lambda _: self.pushed.append(selection.to_browser()), "version")

    def choose(self, **changes):
        self.state = {**self.state, "away": False, **changes, "version": self.state["version"] + 1}
        self.sent.append(self.state)

    def hear(self):
        """Apply what the server has sent so far."""
        for sent in self.pushed:
            reloaded = sent["loads"] > self.state["loads"]
            if sent["version"] >= self.state["version"] or reloaded:
                self.state = {**sent, "version": max(sent["version"], self.state["version"])}
        self.pushed.clear()

    def deliver(self):
        """Deliver this browser's messages to the server, which corrects the browser after a rejected one, as a component does."""
        sent, self.sent = self.sent, []
        for message in sent:
            with contextlib.suppress(ValueError):
                self.selection.handle_message(message)


def test_an_order_is_selected_by_its_id_or_its_row(chosen):
    chosen.select("B")
    assert (chosen.order, chosen.row) == ("B", 1)
    chosen.select(2)
    assert (chosen.order, chosen.row) == ("C", 2)
    chosen.select(None)
    assert (chosen.order, chosen.row, chosen.away) == ("", -1, False)


@pytest.mark.parametrize("row", [-1, 3, 99])
def test_an_unknown_row_is_rejected_and_changes_nothing(chosen, row):
    chosen.select("B")
    with pytest.raises(ValueError, match="no order in row"):
        chosen.select(row)
    assert chosen.order == "B"


def test_an_unknown_stage_is_rejected(chosen):
    with pytest.raises(ValueError, match="no stage"):
        chosen.filter("eaten")


def test_clear_forgets_order_and_stage(chosen):
    chosen.select("B")
    chosen.filter("ready")
    chosen.clear()
    assert (chosen.order, chosen.row, chosen.stage) == ("", -1, "")


def test_every_change_is_one_higher_version_and_one_notice(chosen):
    versions = []
    chosen.param.watch(lambda event: versions.append(event.new), "version")
    first = chosen.version
    chosen.select("A")
    chosen.filter("ready")
    chosen.clear()
    assert versions == [first + 1, first + 2, first + 3]


def test_an_order_stays_selected_in_another_range_under_its_new_row(chosen):
    chosen.select("B")
    chosen.attach(timeline("X", "Y", "Z", "B"))
    assert (chosen.order, chosen.row) == ("B", 3)


def test_an_order_outside_the_new_range_is_away_and_comes_back_with_its_range(chosen):
    chosen.select("B")
    chosen.attach(timeline("X"))
    assert (chosen.order, chosen.row, chosen.away) == ("B", -1, True)
    chosen.attach(timeline("A", "B"))
    assert (chosen.row, chosen.away) == (1, False)


def test_a_stage_chosen_while_the_order_is_away_keeps_the_order(chosen):
    chosen.select("B")
    chosen.attach(timeline("X"))
    sent = chosen.to_browser()

    chosen.handle_message({**sent, "stage": "ready", "version": sent["version"] + 1})

    assert (chosen.order, chosen.stage, chosen.away) == ("B", "ready", True)


def test_the_browser_clears_an_order_that_is_away(chosen):
    chosen.select("B")
    chosen.attach(timeline("X"))
    sent = chosen.to_browser()

    chosen.handle_message({**sent, "away": False, "version": sent["version"] + 1})

    assert (chosen.order, chosen.away) == ("", False)


def test_a_row_of_the_range_that_was_left_meanwhile_selects_no_other_order(chosen):
    browser = Browser(chosen)
    browser.choose(row=1)  # B; the message is on its way
    chosen.attach(timeline("X", "Y", "Z"))  # row 1 is Y now
    browser.deliver()

    assert (chosen.order, chosen.row) == ("", -1)
    browser.hear()
    assert browser.state["row"] == -1


def test_the_stage_chosen_in_the_range_that_was_left_is_taken(chosen):
    browser = Browser(chosen)
    browser.choose(stage="ready")
    chosen.attach(timeline("X"))
    browser.deliver()

    assert chosen.stage == "ready"


def test_a_browser_ahead_of_the_server_still_takes_the_rows_of_a_new_range(chosen):
    browser = Browser(chosen)
    chosen.select("B")
    browser.hear()
    for row in (0, 2, 1, 0):
        browser.choose(row=row)
    chosen.attach(timeline("X", "B"))

    browser.hear()

    assert (browser.state["row"], browser.state["loads"]) == (1, 2)


def test_a_confirmation_does_not_undo_what_the_user_did_meanwhile(chosen):
    browser = Browser(chosen)
    browser.choose(row=0)
    browser.deliver()
    browser.choose(row=2)

    browser.hear()

    assert browser.state["row"] == 2


choices = st.lists(
    st.one_of(
        st.tuples(st.just("browser"), st.integers(-1, 2), st.sampled_from(["", "ready"])),
        st.tuples(st.just("server"), st.sampled_from(["A", "B", "C", "nowhere", ""])),
        st.tuples(st.just("load"), st.sampled_from(["ABC", "CBA", "B", ""])),
        st.just(("deliver",)),
        st.just(("hear",)),
    ),
    max_size=30,
)


@given(choices)
def test_browser_and_server_agree_after_any_order_of_changes_and_messages(steps):
    selection = Selection()
    selection.attach(timeline("A", "B", "C"))
    browser = Browser(selection)
    for step in steps:
        match step:
            case "browser", row, stage:
                browser.choose(row=row, stage=stage)
            case "server", order:
                selection.select(order)
            case "load", ids:
                selection.attach(timeline(*ids))
            case ("deliver",):
                browser.deliver()
            case ("hear",):
                browser.hear()
    browser.deliver()
    browser.hear()

    assert browser.state == selection.to_browser()


@pytest.mark.parametrize(
    "message",
    [
        None,
        "row 1",
        {},
        {"row": 1},
        {"row": "1", "stage": "", "version": 1},
        {"row": 1.5, "stage": "", "version": 1},
        {"row": 0, "stage": "eaten", "version": 1},
        {"row": 3, "stage": "", "version": 1},
        {"row": 0, "stage": None, "version": 1},
        {"row": 0, "stage": "", "version": MAX_VERSION},
    ],
)
def test_an_invalid_message_is_rejected_and_the_browser_corrected(chosen, message):
    chosen.select("B")
    version = chosen.version

    with pytest.raises(ValueError, match=r"selection is|no stage|no order"):
        chosen.handle_message(message)

    assert (chosen.order, chosen.row, chosen.stage) == ("B", 1, "")
    assert chosen.version > version


def test_a_rejection_has_a_newer_version_than_the_browser_sent(chosen):
    with pytest.raises(ValueError, match="no stage"):
        chosen.handle_message({"row": 0, "stage": "eaten", "version": 40})
    assert chosen.version >= 40


def test_two_sessions_have_two_selections():
    one, other = ReplayController(timeline("A", "B")), ReplayController(timeline("A", "B"))
    one.selection.select("B")
    one.selection.filter("ready")
    assert (other.selection.order, other.selection.row, other.selection.stage) == ("", -1, "")


def test_a_selection_made_before_anything_is_loaded_is_looked_up_when_it_is():
    replay = ReplayController()
    replay.selection.select("B")
    assert replay.selection.away

    replay.load(timeline("A", "B"))

    assert (replay.selection.row, replay.selection.away) == (1, False)


def test_nothing_is_assigned_from_outside(chosen):
    with pytest.raises(TypeError):
        chosen.row = 2


def test_a_group_and_a_stage_take_each_others_place(chosen):
    chosen.filter("ready")
    group = chosen.gather("Cook 18:00–19:00", [2, 0])
    assert (chosen.stage, chosen.group, group.rows) == ("", group, (2, 0))
    told = {"number": group.number, "label": "Cook 18:00–19:00", "orders": 2}
    assert chosen.to_browser()["group"] == told
    chosen.select("B")
    assert chosen.group is group
    chosen.filter("ready")
    assert chosen.group is None
    assert "group" not in chosen.to_browser()
    assert chosen.gather("Pack", [1]).number != group.number
    chosen.clear()
    assert chosen.group is None


@pytest.mark.parametrize("end", [lambda chosen: chosen.show_all(), lambda chosen: chosen.attach(timeline("A"))])
def test_a_group_ends_with_its_timeline_or_when_all_are_shown(chosen, end):
    chosen.gather("Cook", [1])
    end(chosen)
    assert chosen.group is None


def test_a_group_of_orders_that_do_not_exist_is_refused(chosen):
    with pytest.raises(ValueError, match="no order in row"):
        chosen.gather("Cook", [1, 3])
    assert chosen.group is None


@pytest.mark.parametrize(
    ("sent", "stays"), [({}, False), ({"group": -1}, False), ({"group": "x"}, False), (None, True)]
)
def test_a_browser_can_only_let_a_group_stay_or_go(chosen, sent, stays):
    group = chosen.gather("Cook", [1])
    said = {"group": group.number} if sent is None else sent
    chosen.handle_message({"row": 2, "stage": "", "version": chosen.version + 1, **said})
    assert (chosen.group is group, chosen.row) == (stays, 2)
    chosen.handle_message({"row": 2, "stage": "ready", "version": chosen.version + 1, **said})
    assert chosen.group is None


def test_walking_through_a_group_follows_its_order_and_ends_with_it(chosen):
    group = chosen.gather("Cook", [2, 0, 1])
    assert [group.neighbour(row, 1) for row in (2, 0, 1)] == [0, 1, None]
    assert [group.neighbour(row, -1) for row in (2, 0, 1)] == [None, 2, 0]
    assert group.neighbour(9, 1) == 2
