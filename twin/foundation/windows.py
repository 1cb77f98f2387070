"""The windows of figures: the stretch of data time that a number speaks of, in one word of one vocabulary.

Every figure of a page, a wall screen or a picture names its window by one of these, so that nobody takes an average of the last
hour for one of the orders that are here now. docs/figures.md says which figure has which.
"""

from twin.foundation.zones import Zone

NOW = "now"
"""At the playhead itself: what is open, on the road, waiting."""

LAST_HOUR = "last 60 min"
"""The interval (t − 60 min, t] before the playhead."""

TODAY = "today"
"""From the midnight before the playhead, on the kitchen's clock, to the playhead."""

RANGE = "range"
"""The whole range that is loaded, whatever the playhead."""

SINCE = "since"
"""With a time of the clock: from then to the playhead."""

WINDOWS: tuple[str, ...] = (NOW, LAST_HOUR, TODAY, RANGE, SINCE)
"""Every window there is."""


def since(begin: float, t: float, tz: Zone) -> str:
    """Return the window from `begin` to t (data seconds): "since 18:10", with its weekday where that is not the day of t.

    >>> from twin.foundation.zones import NAIVE
    >>> since(1760638200.0, 1760640600.0, NAIVE), since(1760638200.0 - 86_400.0, 1760640600.0, NAIVE)
    ('since 18:10', 'since Wed 18:10')
    """
    day = "" if tz.day(begin) == tz.day(t) else f"{tz.weekday(begin)[:3]} "
    return f"{SINCE} {day}{tz.clock(begin)}"
