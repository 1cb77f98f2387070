"""The street graph of a city: centrelines cut at their crossings, water and parks left out, one connected piece."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from twin.simulator.city import FREEWAY, LOCAL, MAIN, NO_GRID, City, lay_out, on_river
from twin.simulator.geometry import Bools, Floats, Ints, PairFilter, crossings, inside

SNAP = 11.0
"""Metres within which two crossings are one: about the width of a street."""

CUT = 100.0
"""Metres: long streets are cut to this before looking for crossings, which keeps the search local."""

GAP_LENGTH = 420.0
"""Metres of a missing stretch of street: a park, a campus, a railway yard, not a single house."""

STUB = 60.0
"""Metres: a dead end shorter than this is where a line overshot its district, not a street."""


DOUBLE = 55.0
"""Metres within which a grid street beside a hand-drawn one is that street a second time."""

PARALLEL = float(np.cos(np.radians(14.0)))
"""Cosine of the angle below which two streets count as running beside each other."""


@dataclass(frozen=True, slots=True)
class StreetGraph:
    """An undirected road network around a kitchen.

    xy, latlon: (n, 2) nodes; tail, head: (m,) nodes of each edge; length (m,) metres; street (m,) which centreline it
    belongs to; klass (m,) local, main or freeway; bridge (m,) whether it may cross water. Node `kitchen` is the kitchen.
    """

    city: City
    xy: Floats
    latlon: Floats
    tail: Ints
    head: Ints
    length: Floats
    street: Ints
    klass: Ints
    bridge: Bools
    kitchen: int

    @property
    def size(self) -> int:
        return len(self.xy)


@lru_cache(maxsize=8)
def street_graph(name: str, lat: float, lon: float, half_side: float) -> StreetGraph:
    """The road network of a city around a kitchen; customers fill the square of `half_side` metres.

    Deterministic: the same arguments give the same streets for every seed.
    """
    city = lay_out(name, lat, lon, half_side)
    xy, edges, attributes = _planar(city)
    keep = _buildable(city, xy, edges, attributes)
    # Points along a street every 75 m in a city, further apart where the radius is suburban: what OSM's nodes look like.
    piece = float(np.clip(half_side / 75.0, 75.0, 150.0))
    xy, edges, attributes = _subdivide(xy, edges[keep], attributes[keep], piece)
    wet = city.wet((xy[edges[:, 0]] + xy[edges[:, 1]]) / 2) & (attributes[:, 2] == 0)
    edges, attributes = edges[~wet], attributes[~wet]
    edges, attributes = _without_stubs(xy, edges, attributes)
    return _connected(city, _warped(xy), edges, attributes)


def _planar(city: City) -> tuple[Floats, Ints, Ints]:
    """Nodes, edges (m, 2) and their attributes (m, 6): street, class, bridge, grid, gap per mille, metres along it."""
    starts, ends, rows = [], [], []
    for number, street in enumerate(city.streets):
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(street.line, axis=0).T))])
        marks = along
        if np.diff(along).max() > CUT:
            marks = np.unique(np.concatenate([along, np.linspace(0, along[-1], int(along[-1] / CUT) + 2)]))
        points = np.column_stack(
            [np.interp(marks, along, street.line[:, 0]), np.interp(marks, along, street.line[:, 1])]
        )
        near = np.abs((points[:-1] + points[1:]) / 2).max(axis=1) < city.half_side + 400.0
        starts.append(points[:-1][near])
        ends.append(points[1:][near])
        row = [number, street.klass, int(street.bridge), street.grid, int(street.gaps * 1000), int(street.ramp_only)]
        rows.append(np.column_stack([np.tile(row, (int(near.sum()), 1)), marks[:-1][near].astype(np.int64)]))
    start, end, attributes = np.vstack(starts), np.vstack(ends), np.vstack(rows)
    # A street with ramps only (a bridge) meets freeways and main streets, never side streets: same rule as a freeway.
    rank = np.where(attributes[:, 5] == 1, FREEWAY, attributes[:, 1])
    segment, fraction = crossings(start, end, PairFilter(attributes[:, 0], rank, freeway=FREEWAY, local=LOCAL))
    every = np.arange(len(start))
    segment = np.concatenate([segment, every, every])
    fraction = np.concatenate([fraction, np.zeros(len(start)), np.ones(len(start))])
    order = np.lexsort((fraction, segment))
    segment, fraction = segment[order], fraction[order]
    points = start[segment] + fraction[:, None] * (end - start)[segment]
    follows = segment[1:] == segment[:-1]
    edges = np.column_stack([np.flatnonzero(follows), np.flatnonzero(follows) + 1])
    attributes = np.delete(attributes[segment[:-1][follows]], 5, axis=1)
    return *_snapped(points, edges), attributes


def _snapped(points: Floats, edges: Ints) -> tuple[Floats, Ints]:
    """Points within a street's width of each other become one node at their mean."""
    pairs = cKDTree(points).query_pairs(SNAP, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    count, label = connected_components(graph, directed=False)
    total = np.bincount(label, minlength=count)
    xy = np.column_stack([np.bincount(label, points[:, k], count) / total for k in (0, 1)])
    return xy, label[edges].astype(np.int64)


def _buildable(city: City, xy: Floats, edges: Ints, attributes: Ints) -> Bools:
    """Which edges may stand: on dry land, in their own district, outside parks, not in one of the planned gaps."""
    middle = (xy[edges[:, 0]] + xy[edges[:, 1]]) / 2
    street, klass, bridge, grid, gap, along = attributes.T
    keep = (edges[:, 0] != edges[:, 1]) & (~city.wet(middle) | (bridge == 1))
    by_hand = grid == NO_GRID
    for park in city.parks:
        keep &= by_hand | ~inside(middle, park)
    owner = np.full(len(middle), NO_GRID)
    for number, ring in reversed(list(enumerate(city.grids))):
        owner[inside(middle, ring)] = number
    # The overshoot at a district's edge lies in the neighbour's ground; it may stay where it is short.
    short = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T) < 30.0
    keep &= by_hand | (owner == grid) | short
    keep &= (klass != LOCAL) | ~on_river(city, middle)
    chance = _noise(street, (along // GAP_LENGTH).astype(np.int64))
    keep &= by_hand | (chance * 1000 >= gap)
    keep &= by_hand | ~_doubled(city, middle, xy[edges[:, 1]] - xy[edges[:, 0]])
    # Of two edges between the same corners one is enough, chosen among those that stand.
    standing = np.flatnonzero(keep)
    low, high = edges[standing].min(axis=1), edges[standing].max(axis=1)
    _, first = np.unique(low * len(xy) + high, return_index=True)
    result = np.zeros(len(edges), dtype=bool)
    result[standing[first]] = True
    return result


def _doubled(city: City, middle: Floats, direction: Floats) -> Bools:
    """Which edges run beside a hand-drawn street: the grid's own copy of that street, a few metres off."""
    drawn = [street.line for street in city.streets if street.grid == NO_GRID]
    if not drawn:
        return np.zeros(len(middle), dtype=bool)
    points, ways = [], []
    for line in drawn:
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        marks = np.arange(0.0, along[-1], DOUBLE)
        segment = np.clip(np.searchsorted(along, marks, side="right") - 1, 0, len(line) - 2)
        points.append(np.column_stack([np.interp(marks, along, line[:, 0]), np.interp(marks, along, line[:, 1])]))
        ways.append(np.diff(line, axis=0)[segment])
    way = np.vstack(ways)
    distance, nearest = cKDTree(np.vstack(points)).query(middle, distance_upper_bound=DOUBLE)
    found = np.isfinite(distance)
    way = way[np.where(found, nearest, 0)]
    size = np.maximum(np.hypot(*way.T) * np.hypot(*direction.T), 1e-9)
    aligned = np.abs((way * direction).sum(axis=1)) / size > PARALLEL
    return found & aligned


def _noise(a: Ints, b: Ints) -> Floats:
    """A fixed number in [0, 1) for each pair of integers (a small integer hash)."""
    mixed = (a.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (
        b.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    )
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed >> np.uint64(40)).astype(np.float64)) / float(1 << 24)


def _subdivide(xy: Floats, edges: Ints, attributes: Ints, piece: float) -> tuple[Floats, Ints, Ints]:
    """Cut edges into equal parts no longer than `piece` metres; a bridge over water stays one jump, as in real routes."""
    a, b = xy[edges[:, 0]], xy[edges[:, 1]]
    parts = np.maximum(1, np.ceil(np.hypot(*(b - a).T) / piece)).astype(np.int64)
    parent = np.repeat(np.arange(len(edges)), parts)
    step = np.arange(len(parent)) - np.repeat(np.cumsum(parts) - parts, parts)
    fresh = step > 0
    number = np.cumsum(fresh) - 1 + len(xy)
    weight = (step / parts[parent])[:, None]
    added = (a[parent] * (1 - weight) + b[parent] * weight)[fresh]
    tail = np.where(fresh, number, edges[parent, 0])
    last = np.append(parent[1:] != parent[:-1], True)
    head = np.where(last, edges[parent, 1], np.append(tail[1:], 0))
    return np.vstack([xy, added]), np.column_stack([tail, head]), attributes[parent]


def _without_stubs(xy: Floats, edges: Ints, attributes: Ints) -> tuple[Ints, Ints]:
    """Drop short dead ends, twice, because dropping one can expose another."""
    for _ in range(2):
        degree = np.bincount(edges.ravel(), minlength=len(xy))
        length = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T)
        stub = (degree[edges].min(axis=1) == 1) & (length < STUB)
        edges, attributes = edges[~stub], attributes[~stub]
    return edges, attributes


def _warped(xy: Floats) -> Floats:
    """Bend everything by a few metres with slow waves: no surveyor's grid is perfect."""
    x, y = xy[:, 0], xy[:, 1]
    dx = 5.0 * np.sin(y / 410.0 + 0.7) + 3.0 * np.sin(x / 290.0 + y / 530.0)
    dy = 5.0 * np.sin(x / 450.0 + 2.1) + 3.0 * np.sin(y / 310.0 - x / 610.0)
    fade = np.clip(np.hypot(x, y) / 300.0, 0.0, 1.0)  # the kitchen itself stays where it is
    return xy + np.column_stack([dx, dy]) * fade[:, None]


def _connected(city: City, xy: Floats, edges: Ints, attributes: Ints) -> StreetGraph:
    """Keep the piece that the kitchen stands in, join the kitchen to its nearest corner, and number the nodes anew."""
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(xy),) * 2)
    _, label = connected_components(graph, directed=False)
    largest = np.bincount(label[edges[:, 0]]).argmax()
    keep = label[edges[:, 0]] == largest
    edges, attributes = edges[keep], attributes[keep]
    nodes, flat = np.unique(edges.ravel(), return_inverse=True)
    edges, xy = flat.reshape(-1, 2), xy[nodes]
    slow = np.unique(edges[attributes[:, 1] != FREEWAY])
    door = slow[np.hypot(*xy[slow].T).argmin()]
    edges = np.vstack([edges, [len(xy), door]]).astype(np.int64)
    xy = np.vstack([xy, [0.0, 0.0]])
    attributes = np.vstack([attributes, [attributes[:, 0].max() + 1, MAIN, 0, NO_GRID, 0, 0]])
    # Seven decimals, as the real routes are rounded: what is computed from the graph is what is written.
    latlon = np.round(city.projection.to_degrees(xy), 7)
    latlon[-1] = np.round([city.projection.lat, city.projection.lon], 7)
    length = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T)
    return StreetGraph(
        city, xy, latlon, edges[:, 0], edges[:, 1], np.maximum(length, 0.5),
        attributes[:, 0], attributes[:, 1], attributes[:, 2] == 1, len(xy) - 1,
    )  # fmt: skip
