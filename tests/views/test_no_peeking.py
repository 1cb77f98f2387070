"""As it was known: whatever speaks of a moment says the same on a record that ends there.

The messages that Python makes are compared, cut by the browser's own functions where it cuts them, on the whole record of the
demo and on records whose day ends at the moment: other days are what is usual, the day itself has no future.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

import twin
from tests.fake_timeline import send_message
from twin.analysis.driver_supply import summarise
from twin.analysis.moments.unfolding import block_of
from twin.notebook.door import Twin
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.moments.known import known_to_browser
from twin.views.order.order import OrderView
from twin.views.transport.transport import summary_parts
from twin.views.why.why import WhyView

ROOT = Path(__file__).parents[2]
TIMES = (
    ("sanfrancisco", "2025-10-16 18:41:17", "driver_shortage"),
    ("sanfrancisco", "2025-10-16 21:00", ""),
    ("chicago", "2025-10-17 12:40", "slow_kitchen"),
    ("ChIJARA-WRHDQIYR_dt-PARrtas", "2025-10-17 19:05", "driver_shortage"),
    ("ChIJvXT99PfCQIYROz3H0NrIctA", "2025-10-17 17:50", "outage"),
)
"""Kitchens and moments of the demo: in the middle of its troubles, and one without."""


@dataclass(frozen=True)
class Pair:
    """One moment: the whole record, and the one whose day ends there."""

    t: float
    whole: Twin
    part: Twin
    location: str
    trouble: str

    def timelines(self) -> tuple[Timeline, Timeline]:
        start = self.whole.location(self.location).tz.midnight(self.t)
        return (
            self.whole.timeline(self.location, start, start + 86_400),
            self.part.timeline(self.location, start, start + 86_400),
        )


@pytest.fixture(scope="module")
def whole(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module", params=TIMES, ids=lambda chosen: f"{chosen[1]} {chosen[0]}")
def pair(request: pytest.FixtureRequest, demo: Path, whole: Twin, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    location, time, trouble = request.param
    place = whole.location(location)
    t = place.tz.seconds(time)
    folder = tmp_path_factory.mktemp("part")
    end_day_at(demo, folder, location, t, place.tz.midnight(t) + 86_400)
    return Pair(t, whole, twin.open(folder), location, trouble)


def end_day_at(demo: Path, folder: Path, location: str, t: float, midnight: float) -> None:
    """Copy a demo without what orders of the day before `midnight` did after t."""
    for path in demo.glob("*.parquet"):
        if path.name != f"events_{location}.parquet":
            shutil.copy(path, folder)
            continue
        duckdb.sql(
            f"""COPY (SELECT * EXCLUDE (happened, began) FROM (
                SELECT *, epoch(try_cast(ts AS TIMESTAMP)) AS happened, min(happened) OVER (PARTITION BY order_id) AS began
                FROM '{path}'
            ) WHERE coalesce(NOT (happened > {t} AND began < {midnight}), true)) TO '{folder / path.name}'"""
        )


def test_the_part_has_less_than_the_whole(pair: Pair) -> None:
    whole, part = pair.timelines()
    assert 0 < len(part.orders) < len(whole.orders)
    assert part.at(pair.t).counts == whole.at(pair.t).counts


def test_the_alert(pair: Pair) -> None:
    sent = []
    for hub, timeline in zip((pair.whole, pair.part), pair.timelines(), strict=True):
        controller = ReplayController(timeline)
        number = block_of(pair.t)
        controller.unfold(timeline, {number: hub.unfolding(timeline, number)})
        ((block),) = known_to_browser(controller)
        sent.append([change for change in block["changes"] if change[0] <= pair.t])
    assert sent[0] == sent[1]
    assert [one["kind"] for one in sent[0][-1][1] if one["going_on"]] == [pair.trouble] * bool(pair.trouble)


def test_the_range_s_summary(pair: Pair) -> None:
    whole, part = pair.timelines()
    until, all_of_it = summarise(whole, pair.t), summarise(part)
    assert until.earlier is not None
    assert until == replace(all_of_it, earlier=until.earlier), "only what is told up to a time has orders from before"
    assert summary_parts(until, "18:40") != summary_parts(summarise(whole), "18:40")


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[tuple[dict[str, Any], float]]], list[Any]]:
    """Return what the browser makes of stories at times."""
    folder = tmp_path_factory.mktemp("cut")

    def run(stories: list[tuple[dict[str, Any], float]]) -> list[Any]:
        (folder / "in.json").write_text(json.dumps(stories, allow_nan=False), "utf-8")
        script = (
            f"import {{ readFileSync }} from 'node:fs'; import {{ knownStory, turnsOf }} from '{ROOT}/twin/views/order/known.js';"
            f"const all = JSON.parse(readFileSync('{folder}/in.json', 'utf8'));"
            "console.log(JSON.stringify(all.map(([story, t]) => [knownStory(story, t), turnsOf(story).filter((x) => x <= t)])));"
        )
        node = shutil.which(os.environ.get("NODE", "node"))
        assert node
        done = subprocess.run(
            [node, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True
        )
        made: list[Any] = json.loads(done.stdout)
        return made

    return run


def stories_at(timeline: Timeline, names: list[str]) -> list[dict[str, Any]]:
    controller = ReplayController(timeline)
    view = OrderView(controller)
    stories = []
    for name in names:
        controller.selection.select(name)
        stories.append(dict(view.__panel__().story))
    return stories


def different(one: Any, other: Any, where: str = "story") -> str:
    """Return where two plain values differ; times may differ by a tenth of a second, because a trip's places are stored in
    steps that depend on how far it goes."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next((found for key in one if (found := different(one[key], other[key], f"{where}.{key}"))), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((found for i, (a, b) in pairs if (found := different(a, b, f"{where}[{i}]"))), "")
    if isinstance(one, float | int) and isinstance(other, float | int):
        return "" if abs(one - other) < 0.1 else f"{where}: {one!r} is not {other!r}"
    return "" if one == other else f"{where}: {one!r} is not {other!r}"


def test_the_order_panel(pair: Pair, cut: Callable[[list[tuple[dict[str, Any], float]]], list[Any]]) -> None:
    whole, part = pair.timelines()
    names = part.orders.ids.to_pylist()
    near = [name for name, last in zip(names, part.orders.last.tolist(), strict=True) if last > pair.t - 2400][::3]
    assert len(near) > 5
    told = cut([(story, pair.t) for timeline in (whole, part) for story in stories_at(timeline, near)])
    for name, (one, turns), (other, _) in zip(near, told[: len(near)], told[len(near) :], strict=True):
        for story in (one, other):
            del story["row"]
        assert different(one, other) == "", name
        assert turns
        assert max(turns) <= pair.t


@pytest.mark.parametrize("scope", ["hour", "range"])
def test_why_late(pair: Pair, scope: str) -> None:
    """The waterfall, what the late ones share, and the worst orders; a row's number is that of its record."""
    said = []
    for hub, timeline in zip((pair.whole, pair.part), pair.timelines(), strict=True):
        controller = ReplayController(timeline)
        controller.learn(hub.insights(timeline))
        controller.seek(pair.t)
        view = WhyView(controller)
        view.learn()
        for message in ({"scope": scope}, {"part": "food_waits"}):
            send_message(view.__panel__(), message)
        panel = view.__panel__()
        assert panel.state["orders"] > 0
        said.append((panel.state, panel.shared, [one for _, *one in panel.worst], panel.promises))
    assert said[0] == said[1]
