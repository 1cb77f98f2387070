"""`Kitchen.follow`: instants of a kitchen while it happens, and panes that follow."""

import pytest

from tests.memory_source import MemorySource, table
from tests.replay.test_live import orders
from twin.analysis.baseline import Baseline
from twin.notebook.door import Twin
from twin.notebook.panes import NotebookReplay


@pytest.fixture
def source() -> MemorySource:
    return MemorySource(table(orders(0, 200)))


@pytest.fixture
def opened(source: MemorySource, monkeypatch: pytest.MonkeyPatch) -> Twin:
    made = Twin(source)
    monkeypatch.setattr(made, "_read_baseline", lambda timeline: (Baseline.none(), ()))
    return made


def test_each_instant_has_what_came_in(opened, source):
    seen = []
    for now in opened.kitchen("sf").follow():
        seen.append(now)
        if len(seen) == 3:
            break
        source.send(table(orders(200 + 5 * len(seen), 205 + 5 * len(seen))))
    assert [now.counts["created"] - seen[0].counts["created"] for now in seen] == [0, 5, 10]
    assert seen[0].time < seen[1].time < seen[2].time


def test_following_ends_after_the_seconds_given(opened):
    assert len(list(opened.kitchen("sf").follow(seconds=0))) <= 1


def test_panes_follow_the_latest_events(opened, monkeypatch):
    monkeypatch.setattr(NotebookReplay, "_base_map", lambda self, location: None)
    kitchen = opened.kitchen("sf")
    shown = kitchen.follow().__panel__()
    assert len(shown) == 4
    assert kitchen.replay.state == "live"
    kitchen.replay.pause()
    assert kitchen.replay.state == "behind"


def test_a_source_that_cannot_grow_says_so(opened, source):
    source.as_of = None
    with pytest.raises(ValueError, match="nothing can be followed"):
        opened.kitchen("sf").follow()
