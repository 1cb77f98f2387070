"""How much memory a range takes: what is refused, and what is offered instead."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.errors import UnknownTimeError
from twin.foundation.times import DAY, HOUR
from twin.sources import window_sizes
from twin.sources.base import Window
from twin.sources.databricks import _within
from twin.sources.window_sizes import AROUND_S, Budget, Size


def refusal(size: Size, span: float, memory_bytes: int) -> str:
    with pytest.raises(UnknownTimeError) as refused:
        window_sizes.check(size, Window(0.0, span), memory_bytes)
    return str(refused.value)


def test_the_memory_there_is_decides() -> None:
    day = Size(4_000_000, 4_000_000 * 155)
    said = refusal(day, DAY + AROUND_S, 4 << 30)
    assert "have 4,000,000 events, which take 2.1 GB of memory, and a range may take 1.3 GB: choose one of " in said
    window_sizes.check(day, Window(0.0, DAY + AROUND_S), 8 << 30)


@given(st.integers(1, 10_000), st.integers(40, 5_000), st.integers(1 << 28, 1 << 36))
def test_what_is_offered_fits(rows_per_hour: int, hours: int, memory_bytes: int) -> None:
    size = Size.guessed(rows_per_hour * hours)
    if size.bytes <= window_sizes.most(memory_bytes):
        window_sizes.check(size, Window(0.0, hours * HOUR), memory_bytes)
        return
    offered = re.search(r"at most (\d+) (day|hour)s?,", refusal(size, hours * HOUR, memory_bytes))
    if offered is not None:
        span = int(offered[1]) * (DAY if offered[2] == "day" else HOUR) + AROUND_S
        assert Size.guessed(int(rows_per_hour * span / HOUR)).bytes <= window_sizes.most(memory_bytes)


def test_parts_are_added_up_until_they_are_too_many() -> None:
    part = pa.table({"ts": pa.array([0] * 10, pa.timestamp("us")), "body": ["x" * 100] * 9 + [None]})
    assert Size.of(part) == Size(10, 900)
    budget = Budget(Window(0.0, 1.0), 3 * (2 * Size.of(part).bytes + 100))
    for _ in range(2):
        budget.check()
        assert budget.add(part) is part
    with pytest.raises(UnknownTimeError, match="have 30 events"):
        budget.add(part)
    with pytest.raises(UnknownTimeError, match="have 30 events"):
        budget.check()


def test_a_day_within_the_window_is_not_copied() -> None:
    day = pa.table({"ts": pa.array([10_000_000, 20_000_000], pa.timestamp("us")), "body": ["a", "b"]})
    assert _within(day, Window(0.0, 30.0)) is day
    assert _within(day, Window(15.0, 30.0))["body"].to_pylist() == ["b"]
    assert _within(day, Window(10.0, 20.0))["body"].to_pylist() == ["a"]
