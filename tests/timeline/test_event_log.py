"""The log of a timeline's events answers what a slow look at all of them does, wherever pings lie among blocks."""

from collections.abc import Iterator

import numpy as np
import pytest

from twin.timeline import event_log
from twin.timeline import events as ev
from twin.timeline.event_log import EventLog
from twin.timeline.events import MICROSECONDS, Events

START = 1_760_000_000


def events(pings: np.ndarray, seed: int = 0) -> Events:
    """An event a second, of which those in `pings` (n,) bool are pings of other orders and places."""
    rng, n = np.random.default_rng(seed), len(pings)
    lat, lon, progress = (np.where(pings, rng.uniform(0, 80, n), np.nan) for _ in range(3))
    return Events(
        ts=(START + np.arange(n)) * MICROSECONDS,
        type=np.where(pings, ev.DRIVER_PING, rng.choice([ev.ORDER_CREATED, ev.DELIVERED], n)).astype(np.uint8),
        order=rng.integers(0, 5, n).astype(np.int32),
        lat=lat, lon=lon, progress=progress.astype(np.float32), row=np.arange(n), order_ids=None,  # type: ignore[arg-type]
        type_names=ev.EVENT_TYPES, duplicates=0,
    )  # fmt: skip


def cases() -> Iterator[np.ndarray]:
    rng = np.random.default_rng(1)
    for n in (0, 1, 7, 8, 9, 64, 101):
        yield np.zeros(n, bool)
        yield np.ones(n, bool)
        for share in (0.05, 0.5, 0.95):
            yield rng.random(n) < share


def same(found: object, made: Events, positions: np.ndarray) -> None:
    assert found.ts.tolist() == (made.ts[positions] / MICROSECONDS).tolist()  # type: ignore[attr-defined]
    assert found.order.tolist() == made.order[positions].tolist()  # type: ignore[attr-defined]
    for name, digits in (("lat", 7), ("lon", 7), ("progress", 5)):
        expected = getattr(made, name)[positions]
        np.testing.assert_array_almost_equal(getattr(found, name), expected, digits, err_msg=name)


@pytest.mark.parametrize("pings", cases(), ids=lambda pings: f"{int(pings.sum())} of {len(pings)}")
def test_every_question_is_answered_as_by_a_look_at_all(pings: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "BLOCK", 8)
    made = events(pings)
    log, n = EventLog.of(made), len(pings)
    everything = np.arange(n)
    others = np.flatnonzero(~pings)
    for first in range(0, n + 1, 5):
        for last in (first, first + 1, first + 9, n):
            inside = everything[first:last]
            same(log.between(START + first, START + last), made, inside)
            coded = log.coded(START + first, START + last)
            expected = np.where(pings, made.progress, np.nan)[inside]
            np.testing.assert_array_equal(coded.progress, expected.astype(np.float32))
        for count in (0, 1, 3, n):
            until = START + first
            same(log.latest(until, count, pings=True), made, everything[: first + 1][::-1][:count])
            same(log.latest(until, count), made, others[others <= first][::-1][:count])
    for row in range(5):
        same(log.of_order(row), made, np.flatnonzero(made.order == row))
