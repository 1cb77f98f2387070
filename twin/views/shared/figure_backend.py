"""Importing this module makes HoloViews and GeoViews draw with Bokeh.

`hv.extension` would do the same, but in a notebook it also writes Bokeh's scripts into the cell, linked to a CDN; Panel has
already loaded them there, from where the user configured.
"""

import geoviews.plotting.bokeh  # noqa: F401  # importing registers GeoViews' plots, and before them HoloViews'
import holoviews as hv

hv.Store.set_current_backend("bokeh")
