"""The shows of a process, with a clock of the test's own."""

from pathlib import Path

import pytest

import twin
from twin.notebook.door import Twin
from twin.show import Anchor, Scene, Show
from twin.show.options import Options
from twin.show.showings import Stage

NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture
def stage(source: Twin, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("twin.show.showings.time.time", lambda: NOW)
    return Stage(lambda: source, lambda twin: None)


def test_screens_that_ask_for_the_same_show_get_the_same(stage: Stage) -> None:
    assert stage.show(Options(speed=100)) is stage.show(Options(speed=100))
    assert stage.show(Options(speed=100)) is not stage.show(Options(speed=120))


def test_a_looping_show_has_the_origin_that_everybody_knows_and_one_that_ends_begins_now(stage: Stage) -> None:
    stage.show(Options())
    stage.show(Options(loop=False))
    assert stage.anchor(Options()).origin == 0
    assert stage.anchor(Options(loop=False)).origin == NOW


def test_a_presenter_moves_all_screens_of_the_show_and_no_other(stage: Stage) -> None:
    show, other = stage.show(Options()), Options(speed=100)
    stage.show(other)
    before = show.position(stage.anchor(Options()).seconds(NOW)).number
    stage.move(Options(), 2)
    assert show.position(stage.anchor(Options()).seconds(NOW + 0.01)).number == before + 2
    assert stage.anchor(other) == Anchor()


def test_after_a_restart_the_latest_word_that_any_screen_remembers_counts(stage: Stage, source: Twin) -> None:
    stage.show(Options())
    stage.hold(Options())
    kept = stage.anchor(Options())
    restarted = Stage(lambda: source, lambda twin: None)
    restarted.show(Options())
    restarted.offer(Options(), kept)
    restarted.offer(Options(), Anchor(origin=5.0, stamp=kept.stamp - 10))
    assert restarted.anchor(Options()) == kept


def test_a_word_from_the_future_is_not_believed(stage: Stage) -> None:
    stage.show(Options())
    stage.offer(Options(), Anchor(origin=5.0, stamp=NOW + 3600))
    assert stage.anchor(Options()) == Anchor()


def test_a_script_is_shown_unless_the_address_asks_for_a_tour_of_its_own(source: Twin) -> None:
    scripted = Show((Scene("chicago", "Chicago", 0.0, 60.0, 0.0, 1.0, 10.0, "Rehearsed"),))
    stage = Stage(lambda: source, lambda twin: scripted)
    assert stage.show(Options.from_query({})) is scripted
    assert stage.show(Options.from_query({"locations": "chicago"})) is not scripted
