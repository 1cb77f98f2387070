"""A tour of a source: its locations in turn, at their most remarkable moments, with captions for passers-by."""

import logging
from itertools import zip_longest

from twin.analysis.moments import TROUBLES, Moment
from twin.analysis.moments.moment import WEEK
from twin.foundation.errors import SourceError, TwinError
from twin.foundation.zones import NAIVE, Zone
from twin.hub import Hub
from twin.show.options import Options
from twin.show.scene import Scene, Show
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

MOST_PER_LOCATION = 2
"""Moments per location at most: a third one is seldom worth showing."""

MOST_LOCATIONS = 24
"""Locations of a tour whose address names none, the busiest first: each is loaded before the first scene is shown."""

BEFORE = 0.4
"""The share of a scene that is over when its moment is at its worst, so that viewers see it develop. But no scene begins before
its moment does, when its caption is not true yet."""


def derive(hub: Hub, options: Options) -> Show:
    """Return a show of the source's locations: the first moment of each, then the second of each, so that they alternate.

    A location without moments shows its busiest time. Locations that have no orders in the range or fail to load are left
    out; raises SourceError if none remains.
    """
    every = [place.id for place in hub.locations]
    chosen = [location for location in options.locations if location in every] or every[:MOST_LOCATIONS]
    tours, problem = [], ""
    for location in chosen:
        try:
            tours.append(_tour(hub, location, options))
        except TwinError as error:
            problem = str(error)
            log.warning("show: %s is left out: %s", location, error)
    scenes = tuple(scene for turn in zip_longest(*tours) for scene in turn if scene is not None)
    if not scenes:
        raise SourceError(problem or "There are no orders in this range to show. Ask for another range.")
    return Show(scenes, options.loop)


def caption(name: str, t: float, title: str, tz: Zone = NAIVE, dated: bool = False) -> str:
    """Return a caption: place, weekday, time and what happens; `dated` for a range in which the weekday comes again.

    >>> caption("San Francisco", 1760638200.0, "Drivers are short")
    'San Francisco, Thursday 18:10: drivers are short'
    """
    day = f"{tz.weekday(t)} {tz.date(t)}" if dated else tz.weekday(t)
    return f"{name}, {day} {tz.clock(t)}: {title[:1].lower()}{title[1:]}"


def _tour(hub: Hub, location: str, options: Options) -> list[Scene]:
    """Return the scenes of one location, the most remarkable first; none if it has no orders in the range."""
    latest = hub.last_hours(location, options.hours)
    start, end = options.range or (latest.start, latest.end)
    if options.range and options.local:
        tz = hub.location(location).tz
        start, end = tz.from_local(start), tz.from_local(end, later=True)
    window = hub.within(location, start, end)
    timeline = None if window is None else hub.timeline(location, window.start, window.end)
    if timeline is None or not timeline.has_orders:
        return []
    moments = hub.insights(timeline).moments
    if not moments:
        busiest = timeline.busiest()
        return [_scene(timeline, busiest, _caption(timeline, busiest, "Busiest time"), "", options, since=busiest)]
    return [_scene_of(timeline, moment, options) for moment in moments[:MOST_PER_LOCATION]]


def _scene_of(timeline: Timeline, moment: Moment, options: Options) -> Scene:
    headline = _caption(timeline, moment.start, moment.title)
    trouble = moment.kind in TROUBLES
    return _scene(timeline, moment.at, headline, moment.sentence, options, moment.start, moment.end, trouble)


def _caption(timeline: Timeline, t: float, title: str) -> str:
    dated = timeline.window.end - timeline.window.start > WEEK
    return caption(timeline.location.label, t, title, timeline.tz, dated)


def _scene(
    timeline: Timeline,
    worst: float,
    headline: str,
    detail: str,
    options: Options,
    since: float,
    until: float | None = None,
    trouble: bool = False,
) -> Scene:
    window, length = timeline.window, options.scene_s * options.speed
    begin = max(window.start, min(max(since, worst - BEFORE * length), window.end - length))
    place = timeline.location
    return Scene(
        location=place.id, name=place.label, start=window.start, end=window.end, t=begin, speed=options.speed,
        duration=options.scene_s, headline=headline, detail=detail, since=since, until=until, trouble=trouble,
    )  # fmt: skip
