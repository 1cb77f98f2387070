"""Names and delivery radii of kitchens whose data has none: the first generation identifies the Houston sites by place id."""

import difflib
import re
from collections.abc import Sequence

from twin.sources.base import Location

METRES_PER_MILE = 1609.344
LONGEST_COMPARED = 64
"""Characters of a name that is compared letter by letter with every id."""

_DASHES = re.compile(r"[\s_\-\u2010-\u2015]+")

# From the generator's configurations; a `locations` table in the source takes precedence.
KNOWN_NAMES: dict[str, str] = {
    "sanfrancisco": "San Francisco",
    "chicago": "Chicago",
    "ChIJvXT99PfCQIYROz3H0NrIctA": "Houston Fondren",
    "ChIJARA-WRHDQIYR_dt-PARrtas": "Houston Westheimer",
}
KNOWN_RADIUS_MI: dict[str, float] = {
    "sanfrancisco": 4.0,
    "chicago": 3.5,
    "ChIJvXT99PfCQIYROz3H0NrIctA": 7.5,
    "ChIJARA-WRHDQIYR_dt-PARrtas": 3.5,
}


def display_name(location: str) -> str:
    """Return a readable name for a location id that is in no dimension table.

    >>> display_name("new_york")
    'New York'
    >>> display_name("7")
    'Kitchen 7'
    """
    if location in KNOWN_NAMES:
        return KNOWN_NAMES[location]
    name = location.replace("_", " ").replace("-", " ").strip()
    if name.isdigit() or (any(c.isdigit() for c in name) and " " not in name and len(name) > 12):
        return f"Kitchen {location}"
    return name.title() if name == name.lower() else name


def near_matches(wanted: str, locations: Sequence[Location]) -> list[str]:
    """Return the ids of locations that `wanted` most likely means, for an error message: best first, empty if none is near.

    Case, spaces and dashes make no difference. A part of an id or display name is near, an id that is a part of `wanted`, and,
    failing these, an id with a slip of the keyboard.
    """
    key = folded(wanted)
    if not key:
        return []
    ids = {place.id: folded(place.id) for place in locations}
    if same := [location for location, one in ids.items() if one == key]:
        return same
    near = [
        place.id
        for place in locations
        if key in ids[place.id] or key in folded(place.display_name) or (ids[place.id] and ids[place.id] in key)
    ]
    if near:
        return near
    by_key = {one: location for location, one in ids.items()}
    return [by_key[one] for one in difflib.get_close_matches(key[:LONGEST_COMPARED], by_key, n=1)]


def folded(text: str) -> str:
    """Return a name without what is written differently from hand to hand: case, spaces, dashes and underscores.

    >>> folded("San-Francisco ") == folded("san_francisco")
    True
    """
    return _DASHES.sub("", text.casefold())
