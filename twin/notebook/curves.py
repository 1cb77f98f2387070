"""HoloViews curves of a kitchen, to compose in a notebook: `a.volume() * b.volume()`, `k.curve("delivery_min") + …`."""

import holoviews as hv
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.notebook.showing import prepare
from twin.notebook.tables import stamps
from twin.timeline.timeline import Timeline
from twin.views.shared import figure_backend  # noqa: F401  # how figures are drawn

WIDTH, HEIGHT = 720, 240
"""Pixels; a notebook's cell on a laptop is that wide."""


def volume(timeline: Timeline, every: float) -> hv.Curve:
    """Return the orders created in each `every` seconds of the window, drawn as steps."""
    prepare()
    edges, counts = timeline.volume(every)
    name = timeline.location.label
    steps = hv.Curve((stamps(timeline.tz.local(edges[:-1])), counts.astype(np.int64)), "time", "orders", label=name)
    return steps.opts(interpolation="steps-post", width=WIDTH, height=HEIGHT, backend="bokeh")


def steps(table: pd.DataFrame, label: str) -> hv.Overlay:
    """Return the columns of a table, whose index is the time of day (timedeltas), as steps over the hours of the clock."""
    prepare()
    hours = pd.TimedeltaIndex(table.index).total_seconds().to_numpy() / 3600
    lines = [
        hv.Curve((hours, column.to_numpy()), "hour", label, label=str(name)).opts(
            interpolation="steps-post", backend="bokeh"
        )
        for name, column in table.items()
    ]
    return hv.Overlay(lines).opts(width=WIDTH, height=HEIGHT, legend_position="top_left", backend="bokeh")


def _on_clock(index: pd.Index) -> NDArray[np.datetime64]:
    """Return times as the kitchen's clock shows them: the axes of a drawing know no zones."""
    return pd.DatetimeIndex(index).tz_localize(None).to_numpy()


def curve(name: str, history: pd.DataFrame, kpi: str) -> hv.Curve:
    """Return a column of a kitchen's history as a curve. Raises ValueError for an unknown column."""
    if kpi not in history:
        raise ValueError(f"There is no KPI {kpi!r}: it can be {', '.join(map(str, history.columns))}.")
    prepare()
    line = hv.Curve((_on_clock(history.index), history[kpi].to_numpy()), "time", kpi, label=name)
    return line.opts(width=WIDTH, height=HEIGHT, backend="bokeh")
