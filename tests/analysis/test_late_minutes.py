"""What made orders late in a trouble: the ledger's sentence, and of what was known then nothing that came later."""

import pytest

from tests.fake_timeline import DAY0, HOUR, FakeTimeline
from twin.analysis.baseline import Baseline
from twin.analysis.ledger import ledger_of
from twin.analysis.moments import Moment
from twin.analysis.moments.late_minutes import LateMinutes

NOON = DAY0 + 12 * HOUR
MINUTE = 60.0
TARGET = 30 * MINUTE


def order(began: float, cook: float, wait: float) -> dict[str, float]:
    """An order whose milestones are minutes after noon: 1 until it is started, 1 to pack, 1 to hand over, 8 to drive."""
    ready = began + 2 + cook
    minutes = {
        "created": began, "started": began + 1, "finished": ready - 1, "ready": ready, "arrived": ready + wait,
        "picked_up": ready + wait + 1, "delivered": ready + wait + 9,
    }  # fmt: skip
    return {name: NOON + at * MINUTE for name, at in minutes.items()}


EARLY = [order(n, 10 + 2 * n, 1 + 3 * n) for n in range(10)]
LATER = [order(70 + n, 30, 0) for n in range(40)]
TROUBLE = Moment("slow_kitchen", NOON, NOON + 30 * MINUTE, NOON, 1.0, "Slow", "Cooking took longer")


def test_without_other_days_only_what_was_over_is_compared() -> None:
    timeline = FakeTimeline(EARLY + LATER)
    (known,) = LateMinutes(timeline, Baseline.none(), TARGET).said([TROUBLE], NOON + 80 * MINUTE)
    (then,) = LateMinutes(FakeTimeline(EARLY), Baseline.none(), TARGET).said([TROUBLE])
    assert known.why == then.why
    assert known.why.startswith("156 late minutes in 8 of 10 deliveries: ")
    (hindsight,) = LateMinutes(timeline, Baseline.none(), TARGET).said([TROUBLE])
    account = ledger_of(timeline, Baseline.none(), TARGET).account(timeline.orders.began < TROUBLE.end)
    assert hindsight.why == account.sentence != known.why


def test_it_counts_what_was_delivered_by_then_and_is_empty_while_nothing_was_late() -> None:
    late = LateMinutes(FakeTimeline(EARLY), Baseline.none(), TARGET)
    words = [late.said([TROUBLE], NOON + minutes * MINUTE)[0].why for minutes in (0, 22, 45, 60, 90)]
    assert words[:2] == ["", ""]
    assert [word.partition(":")[0] for word in words[2:]] == [
        "9 late minutes in 2 of 4 deliveries",
        "60 late minutes in 5 of 7 deliveries",
        "156 late minutes in 8 of 10 deliveries",
    ]


def test_a_peak_has_none_and_a_ledger_that_fails_leaves_the_moments(caplog: pytest.LogCaptureFixture) -> None:
    late = LateMinutes(FakeTimeline(EARLY), Baseline.none(), TARGET)
    peak = Moment("peak", NOON, NOON + HOUR, NOON, 0.1, "Peak", "10 orders")
    assert late.said([peak]) == [peak]
    late._shared = None  # type: ignore[assignment]
    assert late.said([TROUBLE, peak]) == [TROUBLE, peak]
    assert "the ledger of 'slow_kitchen'" in caplog.text
