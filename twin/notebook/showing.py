"""What panes and figures need to be drawn in a notebook: their scripts, loaded once, and HoloViews' rich display."""

import functools
import sys
import threading
from pathlib import Path
from typing import Any

import holoviews as hv
import panel as pn
import param
from bokeh.model import Model
from bokeh.models.ui import UIElement
from panel.io.notebook import LOAD_MIME, JupyterCommJSBinary, JupyterCommManagerBinary, patch_inline_stylesheets
from panel.viewable import Viewable

_WHOLE = Path(__file__).with_name("whole.js")


def prepare() -> None:
    """Have panes and figures drawn in the notebook that runs, if one does; cheap when it was done.

    The scripts come from this machine instead of from a CDN. Whoever has loaded an extension before chose otherwise, which stays.
    """
    if pn.state.curdoc is not None:
        return
    if not pn.extension._loaded:
        pn.extension(inline=True)
    if hasattr(_ipython(), "kernel"):
        _keep_whole(_ipython())
    if _inlined not in Viewable._preprocessing_hooks:
        Viewable._preprocessing_hooks.append(_inlined)
    JupyterCommManagerBinary.client_comm = _OnMainThread
    if hasattr(_ipython(), "kernel") and not hv.extension._loaded:
        # it warns of the arguments that say not to load scripts, which Panel has loaded
        with param.logging_level("ERROR"):
            hv.extension("bokeh", bokeh=False, holoviews=False)


@functools.cache
def _keep_whole(shell: Any) -> None:
    """Have the page hand on changes whole, once their pane is drawn."""
    script = _WHOLE.read_text("utf-8")
    shell.display_pub.publish({LOAD_MIME: script, "application/javascript": script})


def _ipython() -> Any:
    """Return the IPython that runs this, None if none does."""
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


class _OnMainThread(JupyterCommJSBinary):
    """What the browser says to a pane, heard in the thread in which cells run and clocks tick.

    JupyterLab has the kernel hear messages of widgets in a thread of their own (a subshell), so that they are heard while a cell
    runs. An answer is then sent amid an update: Panel sends each as three or more fragments, which the browser puts together in
    the order in which they come. What was mixed up, and all that came after it, was lost with "Expected binary fragment but
    received text fragment" or "s is not iterable". And a clock that two threads change is no clock.
    """

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        if threading.current_thread() is threading.main_thread():
            super()._handle_msg(msg)
        else:
            _ipython().kernel.io_loop.add_callback(super()._handle_msg, msg)


def _inlined(viewable: Viewable, root: Model) -> None:
    """Have Panel's style sheets come from this machine, which it sees to for its own panes, not for HoloViews' figures."""
    if pn.config.inline and pn.state.curdoc is None:
        for model in root.select({"type": UIElement}):
            patch_inline_stylesheets(model)
