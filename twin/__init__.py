"""Casper's Kitchens digital twin: replay and understand delivery operations.

>>> import twin
>>> twin.__version__.count(".")
2
>>> t = twin.open("demo")
>>> sorted(place.id for place in t.locations)[-1]
'sanfrancisco'
>>> k = t.kitchen("sanfrancisco", day="2025-10-16")
>>> k.at("18:30").counts["cooking"] > 0
True
"""

from twin.foundation.settings import Settings
from twin.foundation.version import VERSION
from twin.notebook.comparing import Differences, compare
from twin.notebook.door import Locations, Twin, open
from twin.notebook.kitchen import Instant, Kitchen
from twin.notebook.order_life import OrderLife
from twin.notebook.racing import Racing, race

__all__ = [
    "Differences",
    "Instant",
    "Kitchen",
    "Locations",
    "OrderLife",
    "Racing",
    "Settings",
    "Twin",
    "compare",
    "open",
    "race",
]
__version__ = VERSION
