"""Importing this makes HoloViews and GeoViews draw with Bokeh, silently.

`hv.extension` would do the same, and in a notebook also write Bokeh's scripts into the cell, addressed to a CDN; there
Panel has loaded them already, from where the user said.
"""

import geoviews.plotting.bokeh  # noqa: F401  # importing registers GeoViews' plots, and before them HoloViews'
import holoviews as hv

hv.Store.set_current_backend("bokeh")
