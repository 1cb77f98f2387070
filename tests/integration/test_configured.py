"""Who reads the environment, and when: a wrong variable is one sentence when something starts, and two twins may differ."""

import json
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest

import twin
from tests.browser.app import START_S
from tests.browser.prepared import Prepared
from tests.views.test_feed import Browser
from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings
from twin.notebook.kitchen import Kitchen
from twin.notebook.panes import NotebookReplay
from twin.pages.operations.chrome import ChromeView
from twin.server.process import Process
from twin.simulator import write_demo
from twin.views.feed.feed import FeedView
from twin.views.order.order import OrderView

MINUTE = 60.0
BAD = {"TWIN_DELIVERY_TARGET_MIN": "soon"}
SENTENCE = (
    "TWIN_DELIVERY_TARGET_MIN is 'soon': it must be over 0 and at most 1440 minutes, such as 30. Mend or unset it."
)

STRICT = Settings(
    delivery_target_s=15 * MINUTE, late_after_s=1 * MINUTE, completion_target=0.99, tiles="osm", glyphs_to=10,
    stage_red_s={"created": 60.0, "cooking": 60.0, "ready": 60.0, "out_for_delivery": 60.0},
    stage_amber_s={"created": 30.0, "cooking": 30.0, "ready": 30.0, "out_for_delivery": 30.0},
)  # fmt: skip
EASY = Settings(delivery_target_s=90 * MINUTE, late_after_s=60 * MINUTE, completion_target=0.5)


@pytest.mark.slow
def test_a_wrong_variable_never_stands_in_the_way_of_an_import() -> None:
    modules = (
        "twin, twin.api, twin.serve, twin.pages.operations.operations, twin.pages.kiosk.kiosk, twin.notebook.saved"
    )
    assert subprocess.run([sys.executable, "-c", f"import {modules}"], env={**os.environ, **BAD}).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("check", "demo"), ("demo",)])
def test_a_wrong_variable_is_one_sentence_when_a_command_starts(command: tuple[str, ...], tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    assert Prepared("twin.cli", command, {**os.environ, **BAD}, said).wait(START_S) == 2
    assert said.read_text() == f"twin: {SENTENCE}\n"


def test_a_wrong_variable_is_one_sentence_when_a_notebook_opens(monkeypatch: pytest.MonkeyPatch, demo: Path) -> None:
    monkeypatch.setenv(*next(iter(BAD.items())))
    with pytest.raises(ConfigError) as caught:
        twin.open(demo)
    assert str(caught.value) == SENTENCE
    assert twin.open(demo, settings=Settings()).settings == Settings(), "who gives settings asks no environment"


def test_a_wrong_variable_is_what_the_process_says_of_its_health_until_it_is_mended(
    monkeypatch: pytest.MonkeyPatch, demo: Path
) -> None:
    process = Process()
    monkeypatch.setenv("TWIN_SOURCE", str(demo))
    monkeypatch.setenv(*next(iter(BAD.items())))
    for _ in range(2):
        with pytest.raises(ConfigError):
            process.hub()
        assert process.failure == SENTENCE
    monkeypatch.setenv("TWIN_DELIVERY_TARGET_MIN", "20")
    assert process.hub().settings.delivery_target_s == 20 * MINUTE
    assert process.failure is None
    monkeypatch.setenv("TWIN_DELIVERY_TARGET_MIN", "40")
    assert process.hub().settings is process.settings
    assert process.settings.delivery_target_s == 20 * MINUTE, "it is read once"


def test_a_process_goes_by_what_its_command_line_gave_it(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_SOURCE", "/no/such/folder")
    process = Process()
    process.configure(replace(Settings(), source=str(demo), delivery_target_s=20 * MINUTE))
    assert process.hub().source.name == str(demo)
    assert process.hub().settings.delivery_target_s == 20 * MINUTE


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().delivery_target_s = 1.0  # type: ignore[misc]
    assert len({Settings(), Settings.from_environment({}), STRICT}) == 2


@pytest.fixture(scope="module")
def kitchens(demo: Path) -> tuple[Kitchen, Kitchen]:
    """The same kitchen of two twins with different targets."""
    strict, easy = (twin.open(demo, settings=settings)["sanfrancisco"] for settings in (STRICT, EASY))
    return strict, easy


def test_two_twins_with_different_targets_have_different_figures(kitchens: tuple[Kitchen, Kitchen]) -> None:
    strict, easy = kitchens
    at = strict.data.busiest()
    assert strict.at(at).kpis["over_target"] > easy.at(at).kpis["over_target"] == 0
    assert strict.history(3600)["over_target"].sum() > easy.history(3600)["over_target"].sum() == 0
    assert strict.at(at).kpis["deliveries"] == easy.at(at).kpis["deliveries"] > 0


@pytest.mark.slow
def test_two_twins_with_different_targets_find_different_moments(tmp_path: Path) -> None:
    """The short evening of Thursday: whose drivers are late is short of drivers, for the other one food is waiting."""
    write_demo(tmp_path / "demo", days=3)
    found = []
    for settings in (Settings(), EASY):
        moments = twin.open(tmp_path / "demo", settings=settings).kitchen("sanfrancisco", day="2025-10-16").moments
        found.append(next(kind for kind in moments["kind"] if kind != "peak"))
    assert found == ["driver_shortage", "food_waiting"]


def test_two_twins_with_different_targets_have_different_panes(kitchens: tuple[Kitchen, Kitchen]) -> None:
    panes = [NotebookReplay(kitchen._hub, kitchen.data) for kitchen in kitchens]
    cards = [json.loads(replay.pane("kpis").state) for replay in panes]
    assert [card["delivery"]["target"] for card in cards] == [15 * MINUTE, 90 * MINUTE]
    assert [card["completion"]["goal"] for card in cards] == [0.99, 0.5]
    strips = [replay.pane("pipeline") for replay in panes]
    assert [strip.limits["cooking"] for strip in strips] == [[30.0, 60.0], [16 * MINUTE, 20 * MINUTE]]
    levels = [json.loads(strip.state)["cooking"]["levels"] for strip in strips]
    assert levels[0] != levels[1]
    scenes = [replay.pane("map").scene for replay in panes]
    assert [(scene["target"], scene["glyphs"]) for scene in scenes] == [(15 * MINUTE, 10), (90 * MINUTE, 250)]


def test_two_twins_with_different_targets_use_different_words(kitchens: tuple[Kitchen, Kitchen]) -> None:
    panes = [NotebookReplay(kitchen._hub, kitchen.data) for kitchen in kitchens]
    feeds = [feed_of(replay) for replay in panes]
    assert any("over target" in line for line in feeds[0])
    assert any("Driver arrived late" in line for line in feeds[0])
    assert not any("over target" in line for line in feeds[1])
    assert not any("Driver arrived late" in line for line in feeds[1])
    orders = kitchens[0].data.orders
    total, waited = orders.delivered - orders.created, orders.arrived - orders.ready
    late = int(np.flatnonzero((total > 16 * MINUTE) & (total < 90 * MINUTE) & (waited > MINUTE))[0])
    facts = []
    for replay in panes:
        replay.controller.selection.select(late)
        view = OrderView(replay.controller)
        facts.append({fact["label"]: fact for fact in view.__panel__().story["facts"]})
    assert [fact["Delivery time"]["tone"] for fact in facts] == ["bad", "good"]
    assert "target 15 min" in facts[0]["Delivery time"]["note"]
    assert "over 1 min the driver" in facts[0]["Driver came"]["why"]
    help_ = [dict(ChromeView(replay.controller).__panel__().definitions) for replay in panes]
    assert "the target is 15 minutes" in help_[0]["Delivery time"]
    assert "the target is 90 minutes" in help_[1]["Delivery time"]
    assert "more than 60 minutes" in help_[1]["Late driver"]


def feed_of(replay: NotebookReplay) -> list[str]:
    """The problems that the feed lists around the playhead, as it tells them."""
    feed = FeedView(replay.controller)
    answer = Browser(feed).request(replay.controller.now(), query="types=problem")
    assert answer is not None
    return [f"{row['title']} {row['detail']}" for row in answer["rows"]]
