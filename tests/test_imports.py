"""The import rule of the design, held: what computes knows no Panel, Bokeh or HoloViews."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

FORBIDDEN = ("param", "panel", "bokeh", "holoviews", "geoviews")
PURE = [
    "twin.timeline.events",
    "twin.timeline.orders",
    "twin.timeline.trips",
    "twin.timeline.knots",
    "twin.timeline.fleet",
    "twin.render.densestore",
    "twin.timeline.timeline",
    "twin.analysis.metrics",
    "twin.analysis.baseline",
    "twin.analysis.moments",
    "twin.analysis.insights",
    "twin.analysis.wording",
    "twin.render.density",
    "twin.foundation.settings",
    "twin.server.hosting",
    "twin.analysis.durations",
    "twin.timeline.membership",
    "twin.analysis.lifecycle",
    "twin.analysis.driver_supply",
    "twin.analysis.event_index",
    "twin.analysis.brands",
    "twin.foundation.telemetry",
    "twin.sources.files",
    "twin.simulator",
    "twin.render.tiles",
    "twin.replay.clock",
    "twin.show.showings",
    "twin.show.scenefile",
    "twin",
]


def loaded_by(module: str) -> set[str]:
    script = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("module", PURE)
def test_what_computes_imports_no_user_interface(module: str) -> None:
    assert not loaded_by(module) & set(FORBIDDEN)


def test_the_controller_imports_param_and_nothing_else_of_the_user_interface() -> None:
    assert loaded_by("twin.replay.controller") & set(FORBIDDEN) == {"param"}
