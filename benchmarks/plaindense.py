"""A straightforward HoloViews page of many drivers: points, rasterized again for every view; served by `panel serve`.

CROWD is the folder of events, CROWD_T the time in data seconds.
"""

import os

import holoviews as hv
import pandas as pd
import panel as pn
from holoviews.operation.datashader import rasterize

import twin
from twin.timeline import fleet
from twin.timeline.timeline import Timeline

pn.extension()


@pn.cache
def places() -> pd.DataFrame:
    """Return the positions of all drivers at CROWD_T, metres from the kitchen."""
    source, t = twin.open(os.environ["CROWD"]).source, float(os.environ["CROWD_T"])
    found = fleet.gather(Timeline.load(source, source.locations()[0].id, t - 1200, t + 2400).trips, t)
    return pd.DataFrame({"x": found.x, "y": found.y})


points = hv.Points(places(), ["x", "y"])
pn.pane.HoloViews(
    rasterize(points).opts(
        width=1200, height=800, active_tools=["pan"], xlim=(-7200, 7200), ylim=(-4800, 4800), tools=["pan"]
    )
).servable()
