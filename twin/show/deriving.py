"""A tour of a source: its locations in turn, at their most remarkable moments, with captions for passers-by."""

import logging
from itertools import zip_longest

from twin.analysis.moments import Moment
from twin.foundation.errors import SourceError, TwinError
from twin.foundation.zones import NAIVE, Zone
from twin.hub import Hub
from twin.show.options import Options
from twin.show.scene import Scene, Show
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

MOST_PER_LOCATION = 2
"""Moments per location at most: a third one is seldom worth showing."""

BEFORE = 0.4
"""The share of a scene that is over when its moment is at its worst, so that viewers see it develop."""


def derive(hub: Hub, options: Options) -> Show:
    """Return a show of the source's locations: the first moment of each, then the second of each, so that they alternate.

    A location without moments shows its busiest time. Locations that have no orders in the range or fail to load are left
    out; raises SourceError if none remains.
    """
    every = [place.id for place in hub.locations]
    chosen = [location for location in options.locations if location in every] or every
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


def caption(name: str, t: float, title: str, tz: Zone = NAIVE) -> str:
    """Return a caption: place, weekday, time and what happens.

    >>> caption("San Francisco", 1760638200.0, "Drivers are short")
    'San Francisco, Thursday 18:10: drivers are short'
    """
    return f"{name}, {tz.weekday(t)} {tz.clock(t)}: {title[:1].lower()}{title[1:]}"


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
        busiest, place = timeline.busiest(), timeline.location
        return [_scene(timeline, busiest, caption(place.display_name, busiest, "Busiest time", place.tz), "", options)]
    return [_scene_of(timeline, moment, options) for moment in moments[:MOST_PER_LOCATION]]


def _scene_of(timeline: Timeline, moment: Moment, options: Options) -> Scene:
    headline = caption(timeline.location.display_name, moment.start, moment.title, timeline.tz)
    return _scene(timeline, moment.at, headline, moment.sentence, options)


def _scene(timeline: Timeline, worst: float, headline: str, detail: str, options: Options) -> Scene:
    window, length = timeline.window, options.scene_s * options.speed
    begin = max(window.start, min(worst - BEFORE * length, window.end - length))
    place = timeline.location
    return Scene(
        location=place.id, name=place.display_name, start=window.start, end=window.end, t=begin, speed=options.speed,
        duration=options.scene_s, headline=headline, detail=detail,
    )  # fmt: skip
