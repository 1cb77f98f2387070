"""The health chip accounts for every row."""

from tests.fake_timeline import FakeController, FakeDataQuality, FakeTimeline
from twin.views.data_quality.data_quality import DataQualityView


def chip_of(health):
    timeline = FakeTimeline([])
    timeline.data_quality = health
    return DataQualityView(FakeController(timeline)).__panel__()


def test_it_is_hidden_while_nothing_is_loaded():
    assert not DataQualityView(FakeController(None)).__panel__().visible


def test_it_tells_the_reasons_largest_first():
    state = chip_of(
        FakeDataQuality(120, 100, {"bad timestamp": 5, "no order": 15, "broken JSON": 0}, {"unknown type": 2})
    ).state

    assert state == {
        "read": 120,
        "used": 100,
        "rejected": [["no order", 15], ["bad timestamp", 5]],
        "flagged": [["unknown type", 2]],
        "left_out": 0,
        "named": [],
        "guessed": 0,
        "guesses": [],
    }
    assert state["used"] + sum(n for _, n in state["rejected"]) == state["read"]


def test_files_that_could_not_be_read_are_counted_and_the_first_are_named():
    state = chip_of(FakeDataQuality(4, 4, left_out=tuple(f"{n}.csv is empty" for n in range(1_000)))).state

    assert state["left_out"] == 1_000
    assert state["named"] == [f"{n}.csv is empty." for n in range(20)]


def test_files_whose_encoding_is_a_guess_are_named():
    state = chip_of(FakeDataQuality(4, 4, assumed=tuple(f"{n}.csv is not UTF-8" for n in range(1_000)))).state

    assert state["guessed"] == 1_000
    assert state["guesses"] == [f"{n}.csv is not UTF-8." for n in range(20)]


def test_reasons_of_equal_count_keep_one_order():
    assert chip_of(FakeDataQuality(4, 2, {"b": 1, "a": 1})).state["rejected"] == [["a", 1], ["b", 1]]


def test_it_follows_the_controller_to_another_timeline():
    controller = FakeController(None)
    view = DataQualityView(controller)
    controller.take(FakeTimeline([]))
    controller.timeline.data_quality = FakeDataQuality(7, 7)

    view.reset()

    assert view.__panel__().visible
    assert view.__panel__().state["used"] == 7
