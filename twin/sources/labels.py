"""What tells kitchens of one name apart: several branches of a brand, or one kitchen in both generations of the feed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from twin.foundation.zones import NAIVE, Zone
from twin.sources.base import Location


def qualified(places: Sequence[Location]) -> list[Location]:
    """Return the places in their order, those whose names look alike with a `qualifier`: city and months if they differ, and id.

    The id is always in it, because addresses, notebooks and the API take it, and because nothing else is sure to differ.
    """
    alike: dict[str, list[Location]] = {}
    for place in places:
        alike.setdefault(_folded(place.display_name), []).append(place)
    return [_qualified(place, alike[_folded(place.display_name)]) for place in places]


def months(start: float, end: float, tz: Zone = NAIVE) -> str:
    """Return the months of a range of data seconds on a kitchen's clock, briefly.

    >>> months(1704067200, 1709251200), months(1760320343, 1760326443)
    ('Jan 2024 – Mar 2024', 'Oct 2025')
    """
    first, last = (f"{tz.datetime(t):%b %Y}" for t in (start, end))
    return first if first == last else f"{first} – {last}"


def _qualified(place: Location, alike: Sequence[Location]) -> Location:
    if len(alike) == 1:
        return place
    parts = [place.city] if place.city and _differ(other.city for other in alike) else []
    if _differ(months(other.start, other.end, other.tz) for other in alike):
        parts.append(months(place.start, place.end, place.tz))
    return replace(place, qualifier=", ".join([*parts, f"id {place.id}"]))


def _differ(values: Iterable[str]) -> bool:
    return len(set(values)) > 1


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
