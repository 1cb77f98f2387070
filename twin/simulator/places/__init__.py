"""Writes the demo's place file: water, parks and names of its cities, drawn by hand, as GeoJSON (docs/places.md).

A city's outline (`twin/simulator/cities`) has the rings that its streets respect, and the names of streets drawn by hand; the
files in this folder have what lies around them and the names of districts and of main streets on grids:
  sea               a ring within which everything is water but what is `land`
  land              rings of land in it
  water             {name, rank, ring, at}: the name stands at `at`; without a ring, it is a name only
  rivers, parks     as in an outline
  built             names of the outline's parks that are no park: only no street crosses them
  cities, districts [name, latitude, longitude, rank]
  streets           [name, rank, line]: the line that the name follows
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any

from twin.simulator.city import outline

FILE = "places.geojson"
"""Name of the file, which is looked for beside a source."""

_RANKS = {"freeway": 2, "main": 4, "local": 7}
"""Rank of the names of streets drawn by hand, by class; 1 is written first."""

Feature = dict[str, Any]


def place_file(cities: Iterable[str]) -> bytes | None:
    """Return the place file of some cities, by the names of their outlines; None if nothing is known of any."""
    features = [feature for city in sorted(set(cities)) for feature in _features(city)]
    if not features:
        return None
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()


@cache
def _around(city: str) -> dict[str, Any] | None:
    path = resources.files("twin.simulator").joinpath("places", f"{city}.json")
    loaded: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return loaded


def _features(city: str) -> Iterator[Feature]:
    around = _around(city)
    if around is None:
        return
    inner = outline(city)
    if "sea" in around:
        yield _feature("water", _ring(around["sea"]))
    for ring in [*around.get("land", []), *inner.get("land", [])]:
        yield _feature("land", _ring(ring))
    for ring in inner.get("water", []):
        yield _feature("water", _ring(ring))
    for water in around.get("water", []):
        named = {"name": water["name"], "rank": water["rank"]}
        if "at" not in water:
            yield _feature("water", _ring(water["ring"]), **named)
            continue
        if "ring" in water:
            yield _feature("water", _ring(water["ring"]))
        yield _feature("water", _point(*water["at"]), **named)
    for river in [*inner.get("rivers", []), *around.get("rivers", [])]:
        yield _feature("river", _line(river["line"]), name=river["name"], width=river["width"])
    parks = [park for park in inner.get("parks", []) if park["name"] not in around.get("built", [])]
    for park in [*parks, *around.get("parks", [])]:
        yield _feature("park", _ring(park["ring"]), name=park["name"])
    for kind, key in (("city", "cities"), ("district", "districts")):
        for name, lat, lon, rank in around.get(key, []):
            yield _feature(kind, _point(lat, lon), name=name, rank=rank)
    for name, rank, line in around.get("streets", []):
        yield _feature("street", _line(line), name=name, rank=rank)
    for line in inner.get("lines", []):
        yield _feature("street", _line(line["line"]), name=line["name"], rank=_RANKS[line["class"]])


def _feature(kind: str, geometry: dict[str, Any], **properties: str | int) -> Feature:
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": geometry}


def _point(lat: float, lon: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def _line(line: list[list[float]]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in line]}


def _ring(ring: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in [*ring, ring[0]]]]}
