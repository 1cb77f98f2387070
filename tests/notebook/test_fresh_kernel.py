"""In a kernel in which nothing was loaded before, figures are drawn and Tab completes; nothing is asked of a network."""

import re

import pytest

from tests.notebook.conftest import Kernel

pytestmark = pytest.mark.slow

FIGURES = [
    "k.volume()",
    "k.volume() * c.volume()",
    'k.curve("active", "1h")',
    'k.curve("active", "1h") + k.volume("1h")',
]


@pytest.mark.parametrize("code", FIGURES)
def test_a_figure_is_drawn_at_once(kernel: Kernel, code: str) -> None:
    shown = kernel.shown(code)
    assert "bk-" in shown["text/html"] or "data-root-id" in shown["text/html"]
    assert "application/vnd.holoviews_exec.v0+json" in shown
    assert not re.search(r"""(src=["']?|"url":")https?://""", shown["text/html"])


def test_an_order_is_shown_as_a_figure(kernel: Kernel) -> None:
    assert "<svg" in kernel.shown('k.order(k.orders["delivered"].idxmin())')["text/html"]


def test_hvplot_draws_the_tables(kernel: Kernel) -> None:
    kernel.run("import hvplot.pandas")
    for code in (
        'k.history("1h").hvplot.line(y="active")',
        'k.trajectories("1min").hvplot.points("lon", "lat")',
        'k.moments.hvplot.bar("title", "severity")',
    ):
        assert "data-root-id" in kernel.shown(code)["text/html"]


def test_tab_completes_arguments_and_keys(kernel: Kernel) -> None:
    assert kernel.completed('t.kitchen("sanf') == ["sanfrancisco"]
    assert kernel.completed('k.curve("in_k') == ["in_kitchen"]
    assert any("sanfrancisco" in one for one in kernel.completed('t["sanf'))


def test_the_scripts_are_loaded_once(kernel: Kernel) -> None:
    outputs = [output for code in ("k.volume()", "k.timeline()") for output in kernel.run(code)]
    assert (
        sum(len(output["data"].get("application/javascript", "")) for output in outputs if "data" in output) < 100_000
    )


def test_what_a_browser_says_is_heard_by_the_thread_of_the_cells(kernel: Kernel) -> None:
    kernel.run(
        """import threading
import panel as pn
k.kpis()  # which loads what panes need
heard = []
comm = pn.io.notebook.JupyterCommManagerBinary.get_client_comm(on_msg=lambda _: heard.append(threading.current_thread()))
saying = threading.Thread(target=comm._handle_msg, args=({"content": {"data": {}}, "buffers": []},))  # JupyterLab's subshell
saying.start()
saying.join()"""
    )
    kernel.run("assert heard == [threading.main_thread()], heard")
