"""What panes and figures need to be drawn in a notebook: their scripts, loaded once, and HoloViews' rich display."""

import sys

import holoviews as hv
import panel as pn
import param
from bokeh.model import Model
from bokeh.models.ui import UIElement
from panel.io.notebook import patch_inline_stylesheets
from panel.viewable import Viewable


def prepare() -> None:
    """Have panes and figures drawn in the notebook that runs, if one does; cheap when it was done.

    The scripts come from this machine instead of from a CDN. Whoever has loaded an extension before chose otherwise, which stays.
    """
    if pn.state.curdoc is not None:
        return
    if not pn.extension._loaded:
        pn.extension(inline=True)
    if _inlined not in Viewable._preprocessing_hooks:
        Viewable._preprocessing_hooks.append(_inlined)
    module = sys.modules.get("IPython")
    in_kernel = module is not None and hasattr(module.get_ipython(), "kernel")
    if in_kernel and not hv.extension._loaded:
        # it warns of the arguments that say not to load scripts, which Panel has loaded
        with param.logging_level("ERROR"):
            hv.extension("bokeh", bokeh=False, holoviews=False)


def _inlined(viewable: Viewable, root: Model) -> None:
    """Have Panel's style sheets come from this machine, which it sees to for its own panes, not for HoloViews' figures."""
    if pn.config.inline and pn.state.curdoc is None:
        for model in root.select({"type": UIElement}):
            patch_inline_stylesheets(model)
