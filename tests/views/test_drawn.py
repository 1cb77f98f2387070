"""Figures are drawn once, by another process where one serves, and each session shows a copy."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace as Some
from typing import Any

import pytest
from bokeh.core.serialization import Serializer
from bokeh.plotting import figure as Figure

from twin.foundation.settings import Settings
from twin.views.map import figure as map_figure
from twin.views.shared import drawn
from twin.views.shared.drawn import Drawn
from twin.views.trends import figures as trend_figures

DRAWINGS = ("twin.views.map.drawing", "twin.views.trends.drawing")
DRAWS = {"holoviews", "geoviews", "cartopy", "matplotlib"}


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> list[Drawn]:
    """All drawings, none of which is known to this process."""
    monkeypatch.setattr(drawn, "_ALL", [])
    return [Drawn(module) for module in DRAWINGS]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_folder=tmp_path / "cache")


def looks(figure: Figure) -> Any:
    """What a browser gets of a figure, with ids numbered as they come."""
    numbers: dict[str, int] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, dict):
            return {
                key: numbers.setdefault(one, len(numbers)) if key == "id" else plain(one) for key, one in value.items()
            }
        return value

    return plain(Serializer().serialize(figure).content)


def not_here(*_: Any, **__: Any) -> Any:
    raise AssertionError("it was to be done elsewhere, or not again")


@pytest.mark.slow
def test_another_process_draws_what_this_one_would_and_the_next_server_finds_it(
    every: list[Drawn], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = [Drawn(module).draw() for module in DRAWINGS]
    monkeypatch.setattr(Drawn, "draw", not_here)
    drawn.prepare(settings)
    for one, names in zip(every, here, strict=True):
        for name, content in names.items():
            copy = one.copy(name)
            assert {model.id for model in copy.references()}.isdisjoint(
                {model.id for model in one.copy(name).references()}
            )
            assert looks(copy) == looks(drawn.loaded(json.loads(json.dumps(content))))
    monkeypatch.setattr(subprocess, "run", not_here)
    for one in every:
        one.put(None)
    drawn.prepare(settings)
    assert all(one.is_known for one in every)


@pytest.mark.parametrize("damage", [b"", b"{"])
def test_what_is_no_figure_is_drawn_anew(
    every: list[Drawn], settings: Settings, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: Some(stdout=json.dumps([one.draw() for one in every])))
    files = drawn.DiskCache(settings.cache_folder, settings.cache_bytes)
    files.store(every[0].key, drawn.ENDING, lambda path: path.write_bytes(damage))
    drawn.prepare(settings)
    assert every[0].copy("map").renderers


@pytest.mark.parametrize("failure", [OSError("no process"), subprocess.TimeoutExpired("draw", 1)])
def test_without_another_process_this_one_draws(
    every: list[Drawn], settings: Settings, failure: Exception, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(subprocess, "run", fail)
    drawn.prepare(settings)
    assert "figures are drawn when they are first shown" in caplog.text
    assert every[0].copy("map").renderers
    assert not settings.cache_folder.exists()


@pytest.mark.slow
def test_pages_need_nothing_that_draws() -> None:
    script = (
        "import sys, twin.serve; from twin.foundation.settings import Settings; from twin.views.shared import drawn;"
        "from twin.views.map.figure import build_figure; from twin.views.trends.figures import VolumeFigure;"
        "drawn.prepare(Settings.from_environment()); build_figure(); VolumeFigure();"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & DRAWS


def test_all_figures_of_pages_are_among_them() -> None:
    assert {one.module for one in drawn._ALL} >= set(DRAWINGS)
    assert map_figure._DRAWN in drawn._ALL
    assert trend_figures._DRAWN in drawn._ALL
