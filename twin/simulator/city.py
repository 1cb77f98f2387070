"""A city's streets as centrelines, in metres around the kitchen, computed from the city's JSON outline.

An outline (cities/*.json) has few things drawn by hand; the rest is computed:
  land / water    rings; with `land`, everything outside is water
  rivers          centrelines with a width; main streets bridge them, side streets do not
  parks           rings without a grid
  grids           bearing (degrees clockwise from north of the "ns" streets), blocks [between ns, between ew streets] in
                  metres, a street through `origin`, `main` streets through given points, `every` [ns, ew] n-th street is
                  main, `halves` chance of an alley between two streets, `gaps` share of missing pieces, `wave`
                  [amplitude, length] of bends, all in metres
  suburbs         superblocks `cell` metres wide, each with a small street pattern of its own
  names           names of the streets of its grids, for addresses
  lines           streets drawn by hand: diagonals, shore drives, freeways; `bridge` lets one cross water
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from twin.simulator.geometry import Bools, Floats, Projection, distance_to_line, inside, rotate, spans

LOCAL, MAIN, FREEWAY = 0, 1, 2
CLASSES = {"local": LOCAL, "main": MAIN, "freeway": FREEWAY}

OVERSHOOT = 24.0
"""Metres by which a grid street extends beyond its district, so that it meets the street along the edge."""

BEND_STEP = 95.0
"""Metres between the vertices of a bent street: short enough to appear as a curve."""

NO_GRID = 99
"""Grid number of streets drawn by hand: they belong to no district and are not clipped to one."""

_LAYOUT_SEED = 20251017
"""Constant, so that a city has the same streets whatever the seed of its orders."""


@dataclass(frozen=True, slots=True)
class Street:
    """One centreline. line: (n, 2) metres; grid: number of its district; gaps: share of missing pieces; bridge: may cross
    water; ramp_only: meets freeways and main streets, never local streets."""

    line: Floats
    klass: int
    grid: int
    gaps: float = 0.0
    bridge: bool = False
    ramp_only: bool = False


@dataclass(frozen=True, slots=True)
class City:
    """The input of the street graph, in metres around one kitchen. rivers: (centreline, half the width)."""

    name: str
    projection: Projection
    half_side: float
    streets: list[Street]
    land: list[Floats]
    water: list[Floats]
    parks: list[Floats]
    rivers: list[tuple[Floats, float]]
    grids: list[Floats] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)
    """Numbers of the outline's lines that the last streets come from; lines far outside are left out."""

    def wet(self, xy: Floats) -> Bools:
        """Return (n,) whether a point lies in the sea, a bay or a lake. Rivers do not count: main streets bridge them."""
        result = np.zeros(len(xy), dtype=bool)
        if self.land:
            result = ~np.any([inside(xy, ring) for ring in self.land], axis=0)
        for ring in self.water:
            result |= inside(xy, ring)
        return result


@lru_cache(maxsize=8)
def outline(name: str) -> dict[str, Any]:
    """Return the outline of a city by its file name; "generic" is a plain grid for kitchens elsewhere."""
    text = resources.files("twin.simulator").joinpath("cities", f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def lay_out(name: str, lat: float, lon: float, half_side: float) -> City:
    """Return the streets within a square of `half_side` metres (and a margin) around a kitchen.

    A pure function of its arguments: a city does not change with the seed of its orders.
    """
    spec, projection = outline(name), Projection(lat, lon)
    rng = np.random.default_rng(_LAYOUT_SEED)
    plane = projection.to_plane
    reach = half_side + 700.0
    frame = np.array([[-reach, -reach], [reach, -reach], [reach, reach], [-reach, reach]])
    grids, streets = [], []
    for number, grid in enumerate(spec.get("grids", [])):
        ring = plane(grid["ring"]) if "ring" in grid else frame
        grids.append(ring)
        streets += _grid_streets(grid, ring, plane, number, reach, rng)
    for suburb in spec.get("suburbs", []):
        ring = plane(suburb["ring"]) if "ring" in suburb else frame
        grids.append(ring)
        streets += _suburb_streets(suburb, ring, plane, len(grids) - 1, reach, rng)
    drawn = []
    for number, line in enumerate(spec.get("lines", [])):
        klass = CLASSES[line["class"]]
        points = plane(line["line"])
        if (np.abs(points).max(axis=1) < reach * 1.6).any():
            bridge, ramp = line.get("bridge", False), line.get("ramp", False)
            streets.append(Street(_bend(points, klass), klass, NO_GRID, 0.0, bridge, ramp))
            drawn.append(number)
    return City(
        name=spec["name"],
        projection=projection,
        half_side=half_side,
        streets=streets,
        land=[plane(ring) for ring in spec.get("land", [])],
        water=[plane(ring) for ring in spec.get("water", [])],
        parks=[plane(park["ring"]) for park in spec.get("parks", [])],
        rivers=[(plane(river["line"]), river["width"] / 2) for river in spec.get("rivers", [])],
        grids=grids,
        drawn=drawn,
    )


def on_river(city: City, xy: Floats) -> Bools:
    """Return (n,) whether a point lies on a river."""
    result = np.zeros(len(xy), dtype=bool)
    for line, half in city.rivers:
        result |= distance_to_line(xy, line) < half
    return result


def _grid_streets(
    grid: dict[str, Any], ring: Floats, plane: Any, number: int, reach: float, rng: np.random.Generator
) -> list[Street]:
    """Return both families of a district's streets. Each is laid out horizontally in a rotated frame and rotated back."""
    streets: list[Street] = []
    origin = plane([grid["origin"]]) if "origin" in grid else np.zeros((1, 2))
    every, halves = grid.get("every", [0, 0]), grid.get("halves", [0.0, 0.0])
    for family, axis in (("ns", 0), ("ew", 1)):
        turn = grid["bearing"] - 90.0 if family == "ns" else grid["bearing"]
        turned, start = rotate(ring, -turn), float(rotate(origin, -turn)[0, 1])
        spacing = float(grid["blocks"][axis])
        through = [
            float(rotate(plane([[lat, lon]]), -turn)[0, 1])
            for which, lat, lon in grid.get("main", [])
            if which == family
        ]
        low = int(np.floor((max(turned[:, 1].min(), -reach * 1.5) - start) / spacing))
        high = int(np.ceil((min(turned[:, 1].max(), reach * 1.5) - start) / spacing))
        for k in range(low, high + 1):
            y = start + k * spacing + rng.normal(0.0, spacing * grid.get("jitter", 0.03))
            near = [value for value in through if abs(value - start - k * spacing) <= spacing / 2]
            main = bool(near) or bool(every[axis] and k % every[axis] == 0)
            rows = [(near[0] if near else y, MAIN if main else LOCAL)]
            if halves[axis] and rng.random() < halves[axis]:
                rows.append((y + spacing / 2, LOCAL))
            for height, klass in rows:
                for west, east in spans(turned, height):
                    line = _wavy(west - OVERSHOOT, east + OVERSHOOT, height, grid.get("wave"), klass)
                    gaps = 0.0 if klass == MAIN else grid.get("gaps", 0.0) + (0.25 if height != rows[0][0] else 0.0)
                    streets.append(Street(rotate(line, turn), klass, number, gaps))
    return streets


def _suburb_streets(
    suburb: dict[str, Any], ring: Floats, plane: Any, number: int, reach: float, rng: np.random.Generator
) -> list[Street]:
    """Return superblocks between section roads: every second road is a main one, each block has a pattern of its own.

    The outskirts of Houston are like that: no through grid, but patches that differ in direction and density.
    """
    cell, bearing = float(suburb["cell"]), float(suburb["bearing"])
    section = {"blocks": [cell, cell], "every": [2, 2], "jitter": 0.09, "gaps": 0.12}
    streets = _grid_streets({**suburb, **section}, ring, plane, number, reach, rng)
    turned = rotate(ring, -bearing)
    low, high = np.maximum(turned.min(axis=0), -reach * 1.45), np.minimum(turned.max(axis=0), reach * 1.45)
    for i in range(int(np.floor(low[0] / cell)), int(np.ceil(high[0] / cell))):
        for j in range(int(np.floor(low[1] / cell)), int(np.ceil(high[1] / cell))):
            centre = np.array([(i + 0.5) * cell, (j + 0.5) * cell])
            if not inside(rotate(centre[None], bearing), ring)[0] or rng.random() < suburb.get("empty", 0.12):
                continue
            half = cell / 2 - 20.0
            block = centre + np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
            tall = rng.random() < 0.5
            # Side streets every 100 m are too dense to see on a map of 24 km; coarser blocks keep the graph small.
            coarse = float(np.clip(reach / 7_500.0, 1.0, 1.6))
            short, long = coarse * rng.uniform(90, 135), coarse * rng.uniform(230, 430)
            pattern = {
                "bearing": bearing + rng.normal(0.0, 3.0),
                "blocks": [short, long] if tall else [long, short],
                "gaps": rng.uniform(0.05, 0.22),
                "wave": [rng.uniform(2, 13), rng.uniform(700, 1500)],
                "jitter": 0.06,
            }
            streets += _grid_streets(pattern, rotate(block, bearing), plane, number, reach, rng)
    return streets


def _wavy(west: float, east: float, y: float, wave: list[float] | None, klass: int) -> Floats:
    """Return a street from west to east at height y, bent by the district's sine wave if it has one (main streets by half)."""
    if not wave:
        return np.array([[west, y], [east, y]])
    x = np.linspace(west, east, max(2, int((east - west) / BEND_STEP)))
    amplitude, length = wave[0] * (0.5 if klass == MAIN else 1.0), wave[1]
    return np.column_stack([x, y + amplitude * np.sin(2 * np.pi * x / length + y / length * 1.3)])


def _bend(points: Floats, klass: int) -> Floats:
    """Round the corners of a hand-drawn line by Chaikin's method: freeways twice, other streets once to preserve corners."""
    for _ in range(2 if klass == FREEWAY else 1):
        if len(points) < 3:
            break
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.vstack([points[:1], np.stack([near, far], axis=1).reshape(-1, 2)[1:-1], points[-1:]])
    return points
