"""The shows of a process, with a fixed clock."""

import time
from pathlib import Path

import pytest

import twin
from twin.notebook.door import Twin
from twin.show import Scene, Show, ShowAnchor
from twin.show.options import Options
from twin.show.showings import RESTORE_S, Showings

NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture
def showings(source: Twin, monkeypatch: pytest.MonkeyPatch) -> Showings:
    monkeypatch.setattr("twin.show.showings.time.time", lambda: NOW)
    return Showings(lambda: source, lambda twin: None)


def test_screens_with_equal_options_share_a_show(showings: Showings) -> None:
    assert showings.show(Options(speed=100)) is showings.show(Options(speed=100))
    assert showings.show(Options(speed=100)) is not showings.show(Options(speed=120))


def test_a_looping_show_has_origin_zero_and_one_that_ends_begins_now(showings: Showings) -> None:
    showings.show(Options())
    showings.show(Options(loop=False))
    assert showings.anchor(Options()).origin == 0
    assert showings.anchor(Options(loop=False)).origin == NOW


def test_a_presenter_moves_all_screens_of_the_show_and_no_other(showings: Showings) -> None:
    show, other = showings.show(Options()), Options(speed=100)
    showings.show(other)
    before = show.position(showings.anchor(Options()).seconds(NOW)).number
    showings.move(Options(), 2)
    assert show.position(showings.anchor(Options()).seconds(NOW + 0.01)).number == before + 2
    assert showings.anchor(other) == ShowAnchor()


@pytest.fixture
def restarted(source: Twin, showings: Showings) -> Showings:
    """The same show in a process that has just begun to play it."""
    begun = Showings(lambda: source, lambda twin: None)
    begun.show(Options())
    return begun


def test_after_a_restart_the_latest_anchor_of_any_screen_is_restored(showings: Showings, restarted: Showings) -> None:
    showings.show(Options())
    showings.hold(Options())
    held = showings.anchor(Options())
    restarted.restore(Options(), ShowAnchor(origin=5.0, stamp=held.stamp - 20))
    restarted.restore(Options(), held)
    restarted.restore(Options(), ShowAnchor(origin=5.0, stamp=held.stamp - 10))
    assert restarted.anchor(Options()) == held


@pytest.mark.parametrize("ahead", [3.0, 59.0, 3600.0, 1e12])
def test_an_anchor_from_the_future_is_ignored(restarted: Showings, ahead: float) -> None:
    restarted.restore(Options(), ShowAnchor(origin=5.0, stamp=NOW + ahead))
    assert restarted.anchor(Options()) == ShowAnchor()


@pytest.mark.parametrize(
    "anchor",
    [
        ShowAnchor(origin=1e300, stamp=NOW),
        ShowAnchor(origin=-1e300, stamp=NOW),
        ShowAnchor(held=1e18, stamp=NOW),
        ShowAnchor(origin=float("nan"), stamp=NOW),
        ShowAnchor(held=float("inf"), stamp=NOW),
        ShowAnchor(origin=5.0, stamp=float("nan")),
    ],
)
def test_an_anchor_that_no_server_has_made_is_ignored(restarted: Showings, anchor: ShowAnchor) -> None:
    restarted.restore(Options(), anchor)
    assert restarted.anchor(Options()) == ShowAnchor()


def test_what_a_screen_remembers_never_overrides_what_a_presenter_does(restarted: Showings) -> None:
    """Not even an anchor that is later, or that was restored first: the keys always win."""
    restarted.restore(Options(), ShowAnchor(origin=5.0, stamp=NOW + 1))
    restarted.hold(Options())
    held = restarted.anchor(Options())
    assert held.held == NOW - 5.0
    assert held.stamp == NOW + 1, "what screens remember of it is not older than what they had"
    restarted.restore(Options(), ShowAnchor(origin=7.0, stamp=NOW + 2))
    assert restarted.anchor(Options()) == held


def test_a_show_that_has_played_for_a_while_is_restored_by_nobody(
    restarted: Showings, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.monotonic() + RESTORE_S + 1
    monkeypatch.setattr("twin.show.showings.time.monotonic", lambda: later)
    restarted.restore(Options(), ShowAnchor(origin=5.0, stamp=NOW))
    assert restarted.anchor(Options()) == ShowAnchor()


def test_a_rehearsed_show_is_played_unless_the_url_specifies_a_tour(source: Twin) -> None:
    scripted = Show((Scene("chicago", "Chicago", 0.0, 60.0, 0.0, 1.0, 10.0, "Rehearsed"),))
    showings = Showings(lambda: source, lambda twin: scripted)
    assert showings.show(Options.from_query({})) is scripted
    assert showings.show(Options.from_query({"locations": "chicago"})) is not scripted
