"""Place files: what a map has besides streets (water, parks) and the names on it, as GeoJSON: docs/places.md.

A place file lies beside the data, so it works for any city and without a network. Areas become flat tones of the base map's
tiles (`twin.render.ground`); names are sent to the browser, which writes them with the page's own type, so that they are
crisp at every zoom and on every display.
"""

import functools
import hashlib
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from twin.foundation.errors import ConfigError
from twin.foundation.geo import project
from twin.render.streets import Box

log = logging.getLogger(__name__)

FILE = "places.geojson"
"""Name of the place file that lies beside a source."""

MAX_BYTES = 32 << 20
MAX_FEATURES = 50_000
MAX_NAME = 60
"""Characters of a name; what is longer is cut."""

MAX_NAMES = 400
"""Names that a map gets, the most important first: more would not fit on it, and each costs the browser time."""

WIDEST_M = 5_000.0
"""Widest river, metres on the ground."""

FARTHEST_LAT = 85.05
"""Degrees at which Web Mercator ends."""

RANKS = {"city": 1, "water": 2, "district": 3, "street": 4, "park": 5, "river": 5, "land": 6}
"""The kinds of features, and the rank of their names where a feature has none: 1 is written first, 9 last."""

AREAS = ("water", "land", "park")
Kind = Literal["city", "district", "street", "water", "park", "river", "land"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name on the map. x, y: (n,) Web Mercator metres, one point or the line that it follows; rank: 1 (first) to 9."""

    text: str
    kind: str
    rank: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def touches(self, box: Box) -> bool:
        """Return whether the name's place touches a box."""
        return bool(
            self.x.max() >= box[0] and self.x.min() <= box[2] and self.y.max() >= box[1] and self.y.min() <= box[3]
        )

    def as_json(self) -> dict[str, Any]:
        """Return the name for the browser: text, kind, rank, and its places [x0, y0, x1, y1, …] in whole metres."""
        at = np.stack([self.x, self.y], axis=1).round().astype(int).ravel().tolist()
        return {"text": self.text, "kind": self.kind, "rank": self.rank, "at": at}


@dataclass(frozen=True, slots=True)
class Area:
    """A flat tone: a polygon in Web Mercator metres; kind: of `AREAS`."""

    kind: str
    shape: BaseGeometry


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What a place file says. Areas come in the order in which they are drawn: the largest first, whatever their kind, so that
    an island lies in its lake and a pond on its island."""

    areas: tuple[Area, ...] = ()
    names: tuple[Name, ...] = ()
    version: str = ""
    """Changes with the content; empty for no places."""
    problem: str = ""
    """A sentence about what is not drawn, and why; empty if everything is."""

    @property
    def nbytes(self) -> int:
        """Bytes of the coordinates, about."""
        points = sum(shapely.get_num_coordinates(area.shape) for area in self.areas)
        return int(16 * (points + sum(len(name.x) for name in self.names)))

    def names_in(self, box: Box, most: int = MAX_NAMES) -> list[Name]:
        """Return the names that touch a box, at most `most`, by rank."""
        return sorted((name for name in self.names if name.touches(box)), key=lambda name: name.rank)[:most]


NOTHING = Places()


def beside(source: str) -> Path:
    """Return where the place file of a source lies: in its folder, or beside a file, a pattern or a table.

    >>> beside("data/orders.csv").as_posix()
    'data/places.geojson'
    """
    path = os.path.expanduser(source)
    return (
        Path(path if os.path.isdir(path) and not os.path.isdir(os.path.join(path, "_delta_log")) else Path(path).parent)
        / FILE
    )


def find(named: Path | None, source: str) -> Places:
    """Return the places of a source, from the file that is named, else from the one beside it; none if there is none.

    A file that cannot be used is no reason to show no map: its sentence becomes the `problem`, and is logged.
    """
    path = beside(source) if named is None else named
    if named is None and ("://" in source or not path.is_file()):
        return NOTHING
    try:
        places = load(path)
    except ConfigError as error:
        places = Places(problem=str(error))
    if places.problem:
        log.warning("%s", places.problem)
    return places


def load(path: Path) -> Places:
    """Read a place file, once for as long as it does not change. Raises `ConfigError` with a sentence if it cannot be used."""
    path = path.expanduser()
    try:
        state = path.stat()
        if not path.is_file():
            raise ConfigError(f"The place file {path.name} is no regular file: name a GeoJSON file.")
        if state.st_size > MAX_BYTES:
            raise ConfigError(
                f"The place file {path.name} has more than {MAX_BYTES >> 20} MB: leave out what no map needs."
            )
        return _load(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise ConfigError(f"The place file {path.name} cannot be read: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=4)
def _load(path: Path, _changed: int, _size: int) -> Places:
    return parse(path.read_bytes(), path.name)


def parse(content: bytes, name: str = FILE) -> Places:
    """Return the places in GeoJSON. Raises `ConfigError` for what is no collection of features at all; single features that
    cannot be used are left out, and counted with the reason of the first."""
    try:
        raw = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The place file {name} is not valid JSON: {error}. Mend it, or take it away.") from error
    features = raw.get("features") if isinstance(raw, dict) else None
    if not isinstance(features, list):
        raise ConfigError(f"The place file {name} is no GeoJSON FeatureCollection: it needs a list of features.")
    if len(features) > MAX_FEATURES:
        raise ConfigError(f"The place file {name} has over {MAX_FEATURES:,} features: leave out what no map needs.")
    areas: list[Area] = []
    names: list[Name] = []
    wrong: list[str] = []
    for number, feature in enumerate(features, 1):
        try:
            more_areas, more_names = _feature(feature)
        except ValueError as error:
            wrong.append(f"number {number} {error}")
            continue
        areas += more_areas
        names += more_names
    areas.sort(key=lambda area: -area.shape.area)
    return Places(
        tuple(areas), tuple(names), hashlib.blake2s(content, digest_size=4).hexdigest(), _left_out(wrong, features, name)
    )  # fmt: skip


def _left_out(wrong: list[str], features: list[Any], name: str) -> str:
    return f"{len(wrong):,} of {len(features):,} features of {name} are left out: {wrong[0]}." if wrong else ""


def _feature(feature: Any) -> tuple[list[Area], list[Name]]:
    """Return the areas and names of one feature. Raises ValueError with the end of a sentence."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    kind = properties.get("kind") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(kind, str) or kind not in RANKS:
        raise ValueError(f"has no kind of {', '.join(RANKS)}")
    rank = properties.get("rank", RANKS[kind])
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= 9:
        raise ValueError("has a rank that is no whole number from 1 to 9")
    text = properties.get("name", "")
    if not isinstance(text, str):
        raise ValueError("has a name that is no text")
    text = clean(text)
    lonlat = _geometry(feature.get("geometry"))
    scale = float(np.cos(np.radians(shapely.get_coordinates(lonlat)[:, 1].mean())))
    shape = shapely.transform(lonlat, _project)
    areas, names = [], []
    if kind == "river" and shape.geom_type.endswith("LineString"):
        areas.append(Area("water", shape.buffer(_width(properties) / 2 / scale, quad_segs=3)))
    elif kind in AREAS and shape.geom_type.endswith("Polygon"):
        areas.append(Area(kind, shape))
    elif not text:
        raise ValueError(f"is a {kind} with neither an area nor a name")
    if text:
        names += [Name(text, kind, rank, *at) for at in _places_of(shape)]
    return areas, names


def _geometry(raw: Any) -> BaseGeometry:
    """Return a valid geometry in degrees. Raises ValueError."""
    try:
        shape = shapely.from_geojson(json.dumps(raw))
    except (shapely.errors.ShapelyError, ValueError, TypeError, RecursionError) as error:
        raise ValueError("has a geometry that is no GeoJSON") from error
    if shape is None or shape.is_empty or shape.geom_type == "GeometryCollection":
        raise ValueError("has no geometry")
    at = shapely.get_coordinates(shape)
    if not (np.isfinite(at).all() and (np.abs(at[:, 0]) <= 180).all() and (np.abs(at[:, 1]) <= FARTHEST_LAT).all()):
        raise ValueError("has coordinates that are no [longitude, latitude] in degrees")
    if shape.geom_type.endswith("Polygon") and not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        if shape.is_empty:
            raise ValueError("has an area without an inside")
    return shape


def _width(properties: dict[str, Any]) -> float:
    width = properties.get("width", 30)
    if not isinstance(width, int | float) or isinstance(width, bool) or not 0 < width <= WIDEST_M:
        raise ValueError(f"has a width that is no number of metres up to {WIDEST_M:,.0f}")
    return float(width)


def _places_of(shape: BaseGeometry) -> Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield where a feature's name stands: along each of its lines, else at a point in the largest part."""
    if shape.geom_type.endswith("LineString"):
        for line in shapely.get_parts(shape):
            at = shapely.get_coordinates(line)
            yield at[:, 0], at[:, 1]
        return
    part = max(shapely.get_parts(shape), key=lambda one: one.area)
    at = shapely.get_coordinates(part if part.geom_type == "Point" else part.representative_point())
    yield at[:1, 0], at[:1, 1]


def _project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(project(lonlat[:, 1], lonlat[:, 0]), axis=1)


def clean(text: str) -> str:
    """Return a name as one line of printable characters, cut at `MAX_NAME`.

    >>> clean(" North\\n Beach\\u202e")
    'North Beach'
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_NAME else f"{line[: MAX_NAME - 1].rstrip()}…"
