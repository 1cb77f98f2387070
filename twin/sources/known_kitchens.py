"""Names and delivery radii of kitchens whose data has none: the first generation identifies the Houston sites by place id."""

from collections.abc import Sequence

from twin.sources.base import Location

METRES_PER_MILE = 1609.344

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
    """Return the ids of locations whose id or display name resembles `wanted`, for an error message."""
    key = wanted.casefold().replace(" ", "")
    return [
        place.id
        for place in locations
        if key in place.id.casefold()
        or key in place.display_name.casefold().replace(" ", "")
        or place.id.casefold() in key
    ]
