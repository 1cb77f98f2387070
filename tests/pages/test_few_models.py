"""The one script of Bokeh and Panel: it has what our models require, and nothing is lost of a page that it does not fit."""

import json
import logging
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from twin.pages import few_models as module
from twin.pages.few_models import MODELS, few_models, models_url
from twin.server.process import process
from twin.views.map.figure import build_figure
from twin.views.trends.figures import BrandsFigure, StagesFigure, VolumeFigure

HEAD = """((make) => make())(function() {
  return (function(modules, entry, aliases) { told(Object.keys(modules), entry, aliases) })"""
BOKEH = """/* licence */
HEAD
([
function _(t,e){t(1),t(2)},
function _(t,e){e.register_models=1},
function _(t,e){t(3)},
function _(t,e){t(4),t(5)},
function _(t,e){n.__name__="Plot";e.Plot=t(6);x.toFixed(5)},
function _(t,e){n.__name__="Pie"},
function _(t,e){"a plot's own"},
function _(t,e){"what a widget needs"},
], 0, {"main":0,"base":1,"models/main":2,"models/index":3,"models/plot":4,"models/pie":5,"core/axis":6}, {});});
""".replace("HEAD", HEAD)
WIDGETS = """HEAD
({
20: function _(t,e){t(21),t(22)},
21: function _(t,e){n.__name__="Markup";t(7)},
22: function _(t,e){n.__name__="Slider"},
}, 20, {"models/widgets/main":20,"models/widgets/markup":21,"models/widgets/slider":22}, {});});
""".replace("HEAD", HEAD)
PANEL = """HEAD
({
"aa": function _(t,e){t("bb"),t("cc")},
"bb": function _(t,e){n.__name__="HTML";t("@bokehjs/models/widgets/markup");t("dd");setTimeout(f,5);f(5)},
"cc": function _(t,e){n.__name__="Tabulator"},
"dd": function _(t,e){e.getVersion=function(){},e.transform=function(){"a compiler"}},
}, "aa", {"index":"aa","models/html":"bb","models/tabulator":"cc"}, {});});
""".replace("HEAD", HEAD)


def told(text: str) -> list[list[Any]]:
    """Return the ids of the modules, the entry and the aliases of each script in a text, as a browser would take them."""
    node = shutil.which("node")
    assert node
    script = f"const every = [], told = (...one) => every.push(one);\n{text}console.log(JSON.stringify(every));"
    return json.loads(
        subprocess.run([node, "-e", script], check=True, capture_output=True, text=True, timeout=60).stdout
    )


def test_what_the_models_require_stays_over_all_three_scripts() -> None:
    text = few_models(frozenset({"Plot", "HTML"}), BOKEH, WIDGETS, PANEL)
    assert [name for name in ("Plot", "Pie", "Markup", "Slider", "HTML", "Tabulator") if f'"{name}"' in text] == [
        "Plot", "Markup", "HTML",
    ]  # fmt: skip
    assert "a plot's own" in text
    assert "what a widget needs" in text
    assert "a compiler" not in text
    assert text.startswith("/* licence */"), "whose it is stays said"
    core, more, ours = told(text)
    assert core == [
        ["0", "1", "2", "4", "6", "7"],
        0,
        {"main": 0, "base": 1, "models/main": 2, "models/plot": 4, "core/axis": 6},
    ]
    assert more == [["20", "21"], 20, {"models/widgets/main": 20, "models/widgets/markup": 21}]
    assert ours == [["aa", "bb", "dd"], "aa", {"index": "aa", "models/html": "bb"}]


def test_every_model_of_our_pages_is_found_in_the_scripts_as_they_are() -> None:
    models_url.cache_clear()
    address = models_url()
    text = process.assets[address.removeprefix("assets/")].decode()
    assert not [name for name in MODELS if f'.__name__="{name}"' not in text]
    for gone in ("Tabulator", "DatetimePicker", "VTKVolumePlot", "Wedge", "BoxEditTool"):
        assert f'.__name__="{gone}"' not in text
    assert len(text) < 1_000_000, "of 2.4 MB"


@pytest.mark.slow
def test_the_models_of_our_figures_are_among_ours() -> None:
    figures = (build_figure(), VolumeFigure(), StagesFigure(), BrandsFigure())
    found = {type(model).__name__ for one in figures for model in one.figure.references()}
    assert {"Figure" if name == "figure" else name for name in found} <= MODELS


@pytest.mark.parametrize(
    "text", ["", "({\n}", BOKEH.replace("], 0,", "], 9,"), BOKEH.replace("function _(", "function (")]
)
def test_scripts_of_another_form_are_loaded_as_they_are(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "js").mkdir()
    for name in ("bokeh.min.js", "bokeh-widgets.min.js"):
        (tmp_path / "js" / name).write_text(text)
    monkeypatch.setattr(module, "bokehjs_path", lambda: tmp_path)
    models_url.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert models_url() == ""
    models_url.cache_clear()
    assert "Pages load all models of Bokeh and Panel, because" in caplog.text
