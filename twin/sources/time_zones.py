"""Which zone a kitchen's clock is in, where the data has instants: configured, of the table of locations, or where it lies."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import tzfpy

from twin.foundation.settings import Settings
from twin.foundation.zones import is_zone
from twin.sources.base import Location, Times

COLUMNS = ("timezone", "time_zone", "tz", "iana_timezone", "iana_tz", "zone")
"""Columns of a table of locations that may hold an IANA name, the first that does is taken."""
LONGEST = 40
"""Characters of a value that is no zone, in the sentence that says so."""


def of_entry(entry: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the zone that a row of the table of locations names, None if none, and a sentence on a value that is none.

    >>> of_entry({"name": "Loop", "time_zone": "America/Chicago"}), of_entry({"tz": "Central"})
    (('America/Chicago', ''), (None, 'The table of locations says “Central”, which is no time zone.'))
    """
    texts = [str(entry.get(name) or "").strip() for name in COLUMNS]
    named = next((text for text in texts if is_zone(text)), None)
    other = next(filter(None, texts), "")
    if named or not other:
        return named, ""
    return None, f"The table of locations says “{other[:LONGEST]}”, which is no time zone."


def in_zones(places: Iterable[Location], times: Times, settings: Settings) -> list[Location]:
    """Return the locations with the zone that their times are shown in and where it comes from; naive times have none.

    `zone` and `zone_origin` are as `of_entry` returns them.
    """
    if times == "naive":
        return [
            replace(place, zone=None, zone_origin="") if place.zone or place.zone_origin else place for place in places
        ]
    return [_in_zone(place, settings) for place in places]


def _in_zone(place: Location, settings: Settings) -> Location:
    configured = settings.time_zones.get(place.id) or settings.time_zones.get("")
    if configured:
        return replace(place, zone=configured, zone_origin="as configured (TWIN_TIME_ZONE)")
    if place.zone:
        return replace(place, zone_origin="by the table of locations")
    remark = f". {place.zone_origin}" if place.zone_origin else ""
    zone = None if place.lat is None or place.lon is None else zone_at(place.lat, place.lon)
    if zone:
        return replace(place, zone=zone, zone_origin=f"by the kitchen’s coordinates{remark}")
    unknown = "because nothing tells the kitchen’s zone: name it in TWIN_TIME_ZONE"
    return replace(place, zone="UTC", zone_origin=f"{unknown}{remark}")


@functools.lru_cache(maxsize=65_536)
def zone_at(lat: float, lon: float) -> str | None:
    """Return the IANA name of the zone at a place, None where there is none.

    >>> zone_at(37.79, -122.39), zone_at(27.7, 85.3)
    ('America/Los_Angeles', 'Asia/Kathmandu')
    """
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):  # false for NaN
        return None
    zone = tzfpy.get_tz(lon, lat)
    return zone if is_zone(zone) else None
