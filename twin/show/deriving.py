"""A tour of whatever a source holds: its locations in turn, at the moments that stand out, in a passer-by's words."""

import logging
from itertools import zip_longest

from twin.analysis.moments import Moment
from twin.foundation.errors import SourceError, TwinError
from twin.foundation.times import text
from twin.hub import Hub
from twin.show.options import Options
from twin.show.scene import Scene, Show
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

MOST_PER_LOCATION = 2
"""The two most remarkable moments of each location: a third one is seldom worth a passer-by's time."""

BEFORE = 0.4
"""The share of a scene that is over when its moment is at its worst: one sees it come."""

_DAY = 86_400.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def derive(hub: Hub, options: Options) -> Show:
    """Return a show of the source's locations: the first moment of each, then the second of each, so that the places take turns.

    A location without a moment shows its busiest time. One without orders in the range, or that cannot be loaded, is left out;
    where none is left, SourceError says so.
    """
    known = {place.id: place for place in hub.locations}
    wanted = [name for name in options.locations if name in known] or list(known)
    tours, problem = [], ""
    for location in wanted:
        try:
            tours.append(_tour(hub, location, options))
        except TwinError as error:
            problem = str(error)
            log.warning("show: %s is left out: %s", location, error)
    scenes = tuple(scene for turn in zip_longest(*tours) for scene in turn if scene is not None)
    if not scenes:
        raise SourceError(problem or "There are no orders in this range to show. Ask for another range.")
    return Show(scenes, options.loop)


def caption(name: str, t: float, title: str) -> str:
    """Return a caption as people say it.

    >>> caption("San Francisco", 1760638200.0, "Drivers are short")
    'San Francisco, Thursday 18:10: drivers are short'
    """
    return f"{name}, {weekday(t)} {text(t)[11:16]}: {title[:1].lower()}{title[1:]}"


def weekday(t: float) -> str:
    """Return the weekday of a data time in full."""
    return _WEEKDAYS[int(t // _DAY + 3) % 7]  # 1970 began on a Thursday


def _tour(hub: Hub, location: str, options: Options) -> list[Scene]:
    if options.range is not None:
        timeline = hub.timeline(location, *options.range)
    else:
        window = hub.last_hours(location, options.hours)
        timeline = hub.timeline(location, window.start, window.end)
    if not timeline.has_orders:
        return []
    moments = hub.insights(timeline).moments
    if not moments:
        busiest = timeline.busiest()
        return [
            _scene(timeline, busiest, caption(timeline.location.display_name, busiest, "Busiest time"), "", options)
        ]
    return [_told(timeline, moment, options) for moment in moments[:MOST_PER_LOCATION]]


def _told(timeline: Timeline, moment: Moment, options: Options) -> Scene:
    headline = caption(timeline.location.display_name, moment.start, moment.title)
    return _scene(timeline, moment.at, headline, moment.sentence, options)


def _scene(timeline: Timeline, worst: float, headline: str, detail: str, options: Options) -> Scene:
    window, length = timeline.window, options.scene_s * options.speed
    begin = max(window.start, min(worst - BEFORE * length, window.end - length))
    place = timeline.location
    return Scene(
        location=place.id, name=place.display_name, start=window.start, end=window.end, t=begin, speed=options.speed,
        duration=options.scene_s, headline=headline, detail=detail,
    )  # fmt: skip
