"""An alert takes a wall screen for some minutes, once, and leaves it when it is over, acknowledged or sent away."""

from dataclasses import replace

from twin.alerts.store import Alert
from twin.pages.kiosk.interruption import LONGEST_S, RECENT_S, Interruptions

EDGE = 100_000.0


def alert(key: str, began: float = EDGE, location: str = "chicago") -> Alert:
    return Alert(key, "rule", location, "Outage", "Outage", "", began, began, None, 0, None, None)


def edge(_: str) -> float:
    return EDGE


def shown(interruptions: Interruptions, now: float) -> str:
    one = interruptions.at(now)
    return "" if one is None else one.id


def test_an_alert_is_shown_until_it_is_over_and_the_next_one_then() -> None:
    screen = Interruptions(())
    assert shown(screen, 0.0) == ""
    first, second = alert("a", EDGE - 60), alert("b", EDGE - 120)
    screen.take([second, first], edge)
    assert shown(screen, 1.0) == "a", "the newest first"
    screen.take([second], edge)
    assert shown(screen, 2.0) == "b"
    screen.take([replace(second, acknowledged_at=1.0)], edge)
    assert shown(screen, 3.0) == "", "somebody has seen it"


def test_one_that_goes_on_gives_the_screen_back_and_does_not_return() -> None:
    screen = Interruptions(())
    screen.take([alert("a")], edge)
    assert shown(screen, 10.0) == "a"
    assert shown(screen, 9.9 + LONGEST_S) == "a"
    assert shown(screen, 10.0 + LONGEST_S) == ""
    screen.take([alert("a")], edge)
    assert shown(screen, 11.0 + LONGEST_S) == ""
    screen.take([alert("a"), alert("b")], edge)
    assert shown(screen, 12.0 + LONGEST_S) == "b"


def test_a_presenter_sends_it_away() -> None:
    screen = Interruptions(())
    screen.take([alert("a")], edge)
    assert shown(screen, 0.0) == "a"
    screen.leave()
    assert shown(screen, 1.0) == ""
    screen.leave()  # nothing to send away


def test_other_kitchens_and_what_has_long_been_firing_leave_the_screen_alone() -> None:
    screen = Interruptions(("chicago",))
    screen.take([alert("a", EDGE - RECENT_S - 1.0), alert("b", location="houston")], edge)
    assert shown(screen, 0.0) == ""
    screen.take([alert("c", EDGE - RECENT_S + 1.0)], edge)
    assert shown(screen, 0.0) == "c"


def test_what_is_shown_is_not_cut_short_for_having_begun_long_ago() -> None:
    screen = Interruptions(())
    screen.take([alert("a")], edge)
    assert shown(screen, 0.0) == "a"
    screen.take([alert("a")], lambda _: EDGE + 2 * RECENT_S)
    assert shown(screen, 1.0) == "a"
