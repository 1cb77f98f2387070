"""Customers and the routes to them: shortest-path trees over perturbed travel times.

The real generator queries a road network for the shortest way to each customer. A single tree of shortest paths would use
few streets; a dozen, each with other travel times, cover a city as real routes do. Travel times decide only the route; the
drive time is road distance over the kitchen's speed, as in the real generator.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from twin.simulator.city import FREEWAY
from twin.simulator.geometry import Floats, Ints
from twin.simulator.streets import StreetGraph

TREES = 12
POINTS_LEAST, POINTS_MEDIAN, POINTS_MOST = 14, 42, 81
"""Points per route in the real data."""

POOL = 4_000
"""Number of customers. It limits the distinct routes to POOL x TREES however long the demo is, so their text is made once."""

SPEED = np.array([1.0, 1.45, 1.9])
"""Relative speed of a local street, a main street and a freeway."""

SPEED_SPREAD = 0.30
"""Standard deviation (log) of a street's speed between trees; per street, because per block routes would zigzag."""

CORNER = 6.0
"""Metres from the line between its neighbours beyond which a vertex counts as a corner, which thinning keeps."""

_STREAM = 271
"""Number of the random stream of the trees."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Shortest-path trees from the kitchen. (TREES, n) each: previous: int32 node before each node; metres and hops from the
    kitchen to each node."""

    previous: Ints
    metres: Floats
    hops: Ints


@dataclass(frozen=True, slots=True)
class Routes:
    """Distinct routes as ragged columns: route r has nodes[offsets[r]:offsets[r + 1]], from the kitchen to the customer.

    metres: (r,) road distance of the full path, before thinning.
    """

    offsets: Ints
    nodes: Ints
    metres: Floats


def grow_trees(graph: StreetGraph, seed: int = 0) -> Trees:
    """Return trees of quickest paths from the kitchen; `seed` changes the travel times, never the streets."""
    rng = np.random.default_rng([seed, _STREAM])
    n, streets = graph.size, int(graph.street.max()) + 1
    previous, metres, hops = [], [], []
    for _ in range(TREES):
        slowness = np.exp(rng.normal(0.0, SPEED_SPREAD, streets))[graph.street]
        # Freeways vary less: no driver finds a freeway slow.
        slowness = np.where(graph.klass == FREEWAY, np.sqrt(slowness), slowness)
        seconds = graph.length / SPEED[graph.klass] * slowness * rng.uniform(0.97, 1.03, len(graph.tail))
        weights = coo_matrix((seconds, (graph.tail, graph.head)), shape=(n, n)).tocsr()
        _, before = dijkstra(weights, directed=False, indices=graph.kitchen, return_predecessors=True)
        distance, count = _distances(graph, before)
        previous.append(before)
        metres.append(distance)
        hops.append(count)
    return Trees(np.array(previous, dtype=np.int32), np.array(metres), np.array(hops, dtype=np.int32))


def _distances(graph: StreetGraph, before: Ints) -> tuple[Floats, Ints]:
    """Return metres and hops from the kitchen to every node, by pointer doubling: each pass reaches twice as far up the tree."""
    n = graph.size
    parent = np.where(before < 0, np.arange(n), before)
    total = np.hypot(*(graph.xy - graph.xy[parent]).T)
    count = (before >= 0).astype(np.int64)
    while (parent[parent] != parent).any():
        total, count, parent = total + total[parent], count + count[parent], parent[parent]
    return total, count


def customers(graph: StreetGraph, trees: Trees, half_side: float, rng: np.random.Generator) -> Ints:
    """Return (≤ POOL,) nodes of customers: in the square around the kitchen, on a street that is no freeway or bridge, and far
    enough for a route of POINTS_LEAST points in every tree."""
    inhabited = np.zeros(graph.size, dtype=bool)
    inhabited[graph.tail[(graph.klass != FREEWAY) & ~graph.bridge]] = True
    inhabited[graph.head[(graph.klass != FREEWAY) & ~graph.bridge]] = True
    inhabited[graph.tail[graph.klass == FREEWAY]] = inhabited[graph.head[graph.klass == FREEWAY]] = False
    inhabited &= (np.abs(graph.xy) <= half_side).all(axis=1)
    inhabited &= (trees.hops >= POINTS_LEAST - 1).all(axis=0)
    nodes = np.flatnonzero(inhabited)
    return np.sort(rng.permutation(nodes)[:POOL])


def routes(graph: StreetGraph, trees: Trees, tree: Ints, customer: Ints) -> Routes:
    """Return the routes of (tree, customer) pairs, thinned to 14–81 points (median about 42); corners are kept."""
    owner, nodes, place, size = _paths(trees, tree, customer)
    metres = trees.metres[tree, customer]
    typical = max(float(np.median(metres)), 1.0) if len(metres) else 1.0
    # The number of points of a real route follows its length, within about a quarter.
    spread = np.exp(0.22 * np.sin(customer * 12.9898 + tree * 78.233))
    wanted = np.clip(np.round(POINTS_MEDIAN * (metres / typical) ** 0.8 * spread), POINTS_LEAST, POINTS_MOST).astype(
        np.int64
    )
    rank = _rank(_importance(graph, nodes, place, size[owner]), owner)
    keep = rank < np.minimum(wanted, size)[owner]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[keep], minlength=len(size)))])
    return Routes(offsets, nodes[keep], metres)


def _paths(trees: Trees, tree: Ints, customer: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Walk all routes up their trees at once.

    Return (route, node, place counted from the kitchen) of every point, and the number of points of each route.
    """
    size = (trees.hops[tree, customer] + 1).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(size)])
    nodes = np.empty(starts[-1], dtype=np.int64)
    here, unfinished = customer.astype(np.int64), np.arange(len(customer))
    step = 0
    while len(unfinished):
        nodes[starts[unfinished] + size[unfinished] - 1 - step] = here[unfinished]
        step += 1
        unfinished = unfinished[size[unfinished] > step]
        here[unfinished] = trees.previous[tree[unfinished], here[unfinished]]
    owner = np.repeat(np.arange(len(size)), size)
    return owner, nodes, np.arange(len(nodes)) - starts[:-1][owner], size


def _importance(graph: StreetGraph, nodes: Ints, place: Ints, size: Ints) -> Floats:
    """Return the order in which thinning keeps points: ends, then the sharpest corners, then evenly spread others."""
    xy = graph.xy[nodes]
    before, after = np.roll(xy, 1, axis=0), np.roll(xy, -1, axis=0)
    chord = after - before
    length = np.maximum(np.hypot(*chord.T), 1.0)
    offset = np.abs(chord[:, 0] * (xy - before)[:, 1] - chord[:, 1] * (xy - before)[:, 0]) / length
    # The first k numbers of a golden-ratio sequence are evenly distributed for any k: straight parts are thinned evenly.
    even = 1.0 - np.abs((place * 0.6180339887) % 1.0)
    importance = np.where(offset > CORNER, 10.0 + offset, even)
    importance[(place == 0) | (place == size - 1)] = np.inf
    return importance


def _rank(importance: Floats, owner: Ints) -> Ints:
    """Return the place of each vertex within its route, the most important first."""
    order = np.lexsort((-importance, owner))
    first = np.searchsorted(owner, owner)
    rank = np.empty(len(owner), dtype=np.int64)
    rank[order] = np.arange(len(owner)) - first[order]
    return rank
