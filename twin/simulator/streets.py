"""The street graph of a city: centrelines cut at their crossings, without water and parks, as one connected piece."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from twin.simulator.city import FREEWAY, LOCAL, MAIN, NO_GRID, City, lay_out, on_river
from twin.simulator.geometry import Bools, ExcludedPairs, Floats, Ints, crossings, inside

SNAP = 11.0
"""Metres within which two crossings are the same: about the width of a street."""

CUT = 100.0
"""Metres to which long streets are cut before the search for crossings, which keeps that search local."""

GAP_LENGTH = 420.0
"""Metres of a missing stretch of street: the size of a campus or a railway yard, not of a single house."""

STUB = 60.0
"""Metres: a dead end shorter than this comes from a line that extends beyond its district and is no street."""

DOUBLE = 55.0
"""Metres within which a grid street parallel to a hand-drawn one is a copy of it."""

PARALLEL = float(np.cos(np.radians(14.0)))
"""Cosine of the angle below which two streets count as parallel."""

_STREET, _CLASS, _BRIDGE, _GRID, _GAPS, _ALONG = range(6)
"""Columns of an edge's attributes while the graph is built: number of the street, its class, whether it may cross water, its
grid, its share of gaps per mille, and metres along the street."""


@dataclass(frozen=True, slots=True)
class StreetGraph:
    """An undirected road network around a kitchen.

    xy, latlon: (n, 2) nodes; tail, head: (m,) nodes of each edge; length: (m,) metres; street: (m,) number of its
    centreline; klass: (m,) local, main or freeway; bridge: (m,) whether it may cross water; kitchen: the kitchen's node.
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
        """Number of nodes."""
        return len(self.xy)


@lru_cache(maxsize=8)
def street_graph(name: str, lat: float, lon: float, half_side: float) -> StreetGraph:
    """Return the road network around a kitchen; customers live in the square that reaches `half_side` metres from it.

    Deterministic: the same arguments give the same streets for every seed.
    """
    city = lay_out(name, lat, lon, half_side)
    xy, edges, attributes = _planar(city)
    keep = _buildable(city, xy, edges, attributes)
    # A node every 75 m of street in a city and fewer where the radius is suburban, similar to OpenStreetMap.
    piece = float(np.clip(half_side / 75.0, 75.0, 150.0))
    xy, edges, attributes = _subdivide(xy, edges[keep], attributes[keep], piece)
    wet = city.wet((xy[edges[:, 0]] + xy[edges[:, 1]]) / 2) & (attributes[:, _BRIDGE] == 0)
    edges, attributes = edges[~wet], attributes[~wet]
    edges, attributes = _without_stubs(xy, edges, attributes)
    return _connected(city, _warped(xy), edges, attributes)


def _planar(city: City) -> tuple[Floats, Ints, Ints]:
    """Return nodes (n, 2), edges (m, 2) and their attributes (m, 6), with a node at every crossing."""
    starts, ends, rows, ramps = [], [], [], []
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
        row = [number, street.klass, int(street.bridge), street.grid, int(street.gaps * 1000)]
        rows.append(np.column_stack([np.tile(row, (int(near.sum()), 1)), marks[:-1][near].astype(np.int64)]))
        ramps.append(np.full(int(near.sum()), street.ramp_only))
    start, end, attributes = np.vstack(starts), np.vstack(ends), np.vstack(rows)
    # A street with ramps only (a bridge) has the rule of a freeway: it never meets a local street.
    rank = np.where(np.concatenate(ramps), FREEWAY, attributes[:, _CLASS])
    excluded = ExcludedPairs(attributes[:, _STREET], rank, freeway=FREEWAY, local=LOCAL)
    segment, fraction = crossings(start, end, excluded)
    every = np.arange(len(start))
    segment = np.concatenate([segment, every, every])
    fraction = np.concatenate([fraction, np.zeros(len(start)), np.ones(len(start))])
    order = np.lexsort((fraction, segment))
    segment, fraction = segment[order], fraction[order]
    points = start[segment] + fraction[:, None] * (end - start)[segment]
    follows = segment[1:] == segment[:-1]
    edges = np.column_stack([np.flatnonzero(follows), np.flatnonzero(follows) + 1])
    return *_snapped(points, edges), attributes[segment[:-1][follows]]


def _snapped(points: Floats, edges: Ints) -> tuple[Floats, Ints]:
    """Merge points within a street's width of each other into one node at their mean."""
    pairs = cKDTree(points).query_pairs(SNAP, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    count, label = connected_components(graph, directed=False)
    total = np.bincount(label, minlength=count)
    xy = np.column_stack([np.bincount(label, points[:, k], count) / total for k in (0, 1)])
    return xy, label[edges].astype(np.int64)


def _buildable(city: City, xy: Floats, edges: Ints, attributes: Ints) -> Bools:
    """Return (m,) whether an edge may exist: on dry land, in its own district, outside parks and outside gaps."""
    middle = (xy[edges[:, 0]] + xy[edges[:, 1]]) / 2
    street, klass, bridge, grid, gaps, along = attributes.T
    allowed = (edges[:, 0] != edges[:, 1]) & (~city.wet(middle) | (bridge == 1))
    by_hand = grid == NO_GRID
    for park in city.parks:
        allowed &= by_hand | ~inside(middle, park)
    owner = np.full(len(middle), NO_GRID)
    for number, ring in reversed(list(enumerate(city.grids))):
        owner[inside(middle, ring)] = number
    # A grid street extends a little into the neighbouring district; such a piece may stay where it is short.
    short = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T) < 30.0
    allowed &= by_hand | (owner == grid) | short
    allowed &= (klass != LOCAL) | ~on_river(city, middle)
    chance = _noise(street, (along // GAP_LENGTH).astype(np.int64))
    allowed &= by_hand | (chance * 1000 >= gaps)
    allowed &= by_hand | ~_doubled(city, middle, xy[edges[:, 1]] - xy[edges[:, 0]])
    # One edge between two nodes is enough; the duplicates are found among the allowed edges.
    candidates = np.flatnonzero(allowed)
    low, high = edges[candidates].min(axis=1), edges[candidates].max(axis=1)
    _, first = np.unique(low * len(xy) + high, return_index=True)
    result = np.zeros(len(edges), dtype=bool)
    result[candidates[first]] = True
    return result


def _doubled(city: City, middle: Floats, direction: Floats) -> Bools:
    """Return (m,) whether an edge is parallel to a hand-drawn street: the grid's copy of it, a few metres away."""
    drawn = [street.line for street in city.streets if street.grid == NO_GRID]
    if not drawn:
        return np.zeros(len(middle), dtype=bool)
    points, directions = [], []
    for line in drawn:
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        marks = np.arange(0.0, along[-1], DOUBLE)
        segment = np.clip(np.searchsorted(along, marks, side="right") - 1, 0, len(line) - 2)
        points.append(np.column_stack([np.interp(marks, along, line[:, 0]), np.interp(marks, along, line[:, 1])]))
        directions.append(np.diff(line, axis=0)[segment])
    drawn_direction = np.vstack(directions)
    distance, nearest = cKDTree(np.vstack(points)).query(middle, distance_upper_bound=DOUBLE)
    near = np.isfinite(distance)
    drawn_direction = drawn_direction[np.where(near, nearest, 0)]
    size = np.maximum(np.hypot(*drawn_direction.T) * np.hypot(*direction.T), 1e-9)
    parallel = np.abs((drawn_direction * direction).sum(axis=1)) / size > PARALLEL
    return near & parallel


def _noise(a: Ints, b: Ints) -> Floats:
    """Return a reproducible number in [0, 1) for each pair of integers (an integer hash)."""
    mixed = (a.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (
        b.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    )
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed >> np.uint64(40)).astype(np.float64)) / float(1 << 24)


def _subdivide(xy: Floats, edges: Ints, attributes: Ints, piece: float) -> tuple[Floats, Ints, Ints]:
    """Cut edges into equal parts of at most `piece` metres."""
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
    """Remove short dead ends, twice, because removing one can make another."""
    for _ in range(2):
        degree = np.bincount(edges.ravel(), minlength=len(xy))
        length = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T)
        stub = (degree[edges].min(axis=1) == 1) & (length < STUB)
        edges, attributes = edges[~stub], attributes[~stub]
    return edges, attributes


def _warped(xy: Floats) -> Floats:
    """Move all points by a few metres along slow waves: no real grid is perfectly straight."""
    x, y = xy[:, 0], xy[:, 1]
    dx = 5.0 * np.sin(y / 410.0 + 0.7) + 3.0 * np.sin(x / 290.0 + y / 530.0)
    dy = 5.0 * np.sin(x / 450.0 + 2.1) + 3.0 * np.sin(y / 310.0 - x / 610.0)
    fade = np.clip(np.hypot(x, y) / 300.0, 0.0, 1.0)  # the kitchen does not move
    return xy + np.column_stack([dx, dy]) * fade[:, None]


def _connected(city: City, xy: Floats, edges: Ints, attributes: Ints) -> StreetGraph:
    """Return the largest connected piece with the kitchen joined to its nearest node, and its nodes renumbered."""
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(xy),) * 2)
    _, label = connected_components(graph, directed=False)
    largest = np.bincount(label[edges[:, 0]]).argmax()
    keep = label[edges[:, 0]] == largest
    edges, attributes = edges[keep], attributes[keep]
    nodes, flat = np.unique(edges.ravel(), return_inverse=True)
    edges, xy = flat.reshape(-1, 2), xy[nodes]
    off_freeway = np.unique(edges[attributes[:, _CLASS] != FREEWAY])
    nearest = off_freeway[np.hypot(*xy[off_freeway].T).argmin()]
    edges = np.vstack([edges, [len(xy), nearest]]).astype(np.int64)
    xy = np.vstack([xy, [0.0, 0.0]])
    attributes = np.vstack([attributes, [attributes[:, _STREET].max() + 1, MAIN, 0, NO_GRID, 0, 0]])
    # Real routes have seven decimals. Rounding here makes the graph equal to what is written.
    latlon = np.round(city.projection.to_degrees(xy), 7)
    latlon[-1] = np.round([city.projection.lat, city.projection.lon], 7)
    length = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T)
    return StreetGraph(
        city=city, xy=xy, latlon=latlon, tail=edges[:, 0], head=edges[:, 1], length=np.maximum(length, 0.5),
        street=attributes[:, _STREET], klass=attributes[:, _CLASS], bridge=attributes[:, _BRIDGE] == 1, kitchen=len(xy) - 1,
    )  # fmt: skip
