"""Casper's Kitchens digital twin: replay and understand delivery operations.

>>> import twin
>>> t = twin.open("demo")  # doctest: +SKIP
>>> [place.display_name for place in t.locations]  # doctest: +SKIP
['Chicago', 'San Francisco', 'Houston Fondren', 'Houston Westheimer']
"""

from twin.twin import Twin, open

__all__ = ["Twin", "open"]
