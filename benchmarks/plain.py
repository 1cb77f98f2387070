"""A straightforward Panel page: a map of points, a curve, a number and a slider; served by `panel serve`."""

import holoviews as hv
import numpy as np
import panel as pn

pn.extension()
at = np.arange(200.0)
t = pn.widgets.IntSlider(label="t", start=0, end=100)
points = hv.DynamicMap(lambda value: hv.Points((np.cos(at + value), np.sin(at))), streams={"value": t.param.value})
curve = hv.Curve((at, np.sin(at / 9))).opts(responsive=True, height=200)
pn.Column(points.opts(responsive=True, height=400), curve, pn.indicators.Number(value=7), t).servable()
