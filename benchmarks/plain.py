"""The page that one writes first with Panel: a map of points, a curve, a number and a slider; served by `panel serve`."""

import holoviews as hv
import numpy as np
import panel as pn

pn.extension()
at = np.arange(200.0)
points = hv.Points((np.cos(at), np.sin(at))).opts(responsive=True, height=400)
curve = hv.Curve((at, np.sin(at / 9))).opts(responsive=True, height=200)
pn.Column(points, curve, pn.indicators.Number(value=7), pn.widgets.IntSlider(label="t")).servable()
