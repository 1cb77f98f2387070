"""Who is delivered to, and along which streets: shortest-path trees over perturbed travel times.

The real generator asks a road network for the shortest way to each customer. One tree of shortest paths would use few
streets; a dozen, each with its own idea of which street is quick, cover a city as real routes do. Travel times decide
which way a driver takes; the drive time itself is road distance over the kitchen's speed, as in the real generator.
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
"""Points per route in the real data (DATA.md)."""

POOL = 4_000
"""Addresses that order at all: at most POOL x TREES different routes however long the demo, so their text is made once."""

SPEED = np.array([1.0, 1.45, 1.9])
"""How quick a local street, a main street and a freeway are, relative to each other."""

TASTE = 0.30
"""Spread (log) of a street's quickness between trees; per street, not per block, or routes would turn like stairs."""

CORNER = 6.0
"""Metres a vertex may stray from the straight line of its neighbours before it counts as a corner worth keeping."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Shortest-path trees from the kitchen. previous: (TREES, n) int32 node before each node; metres: (TREES, n) along it."""

    previous: Ints
    metres: Floats
    hops: Ints


@dataclass(frozen=True, slots=True)
class Routes:
    """Distinct routes as ragged columns: route r has nodes[offsets[r]:offsets[r + 1]], from the kitchen to the customer.

    metres: (r,) road distance of the full path, before it was thinned to its written points.
    """

    offsets: Ints
    nodes: Ints
    metres: Floats


def grow_trees(graph: StreetGraph, seed: int = 0) -> Trees:
    """A dozen trees of quickest paths from the kitchen; `seed` only changes the drivers' taste, never the streets."""
    rng = np.random.default_rng([seed, 271])
    n, streets = graph.size, int(graph.street.max()) + 1
    previous, metres, hops = [], [], []
    for _ in range(TREES):
        taste = np.exp(rng.normal(0.0, TASTE, streets))[graph.street]
        # Freeways keep most of their rank: nobody's taste makes a freeway slow.
        taste = np.where(graph.klass == FREEWAY, np.sqrt(taste), taste)
        seconds = graph.length / SPEED[graph.klass] * taste * rng.uniform(0.97, 1.03, len(graph.tail))
        weights = coo_matrix((seconds, (graph.tail, graph.head)), shape=(n, n)).tocsr()
        cost, before = dijkstra(weights, directed=False, indices=graph.kitchen, return_predecessors=True)
        steps, count = _along(graph, before, np.argsort(cost, kind="stable"))
        previous.append(before)
        metres.append(steps)
        hops.append(count)
    return Trees(np.array(previous, dtype=np.int32), np.array(metres), np.array(hops, dtype=np.int32))


def _along(graph: StreetGraph, before: Ints, order: Ints) -> tuple[Floats, Ints]:
    """Metres and hops from the kitchen to every node, by doubling: each pass looks twice as far up the tree."""
    n = graph.size
    parent = np.where(before < 0, np.arange(n), before)
    total = np.hypot(*(graph.xy - graph.xy[parent]).T)
    count = (before >= 0).astype(np.int64)
    while (parent[parent] != parent).any():
        total, count, parent = total + total[parent], count + count[parent], parent[parent]
    return total, count


def customers(graph: StreetGraph, trees: Trees, half_side: float, rng: np.random.Generator) -> Ints:
    """(≤ POOL,) nodes where people live: in the square around the kitchen, on a street and not a freeway or a bridge,
    far enough for a route of 14 points whichever way the driver takes."""
    lives = np.zeros(graph.size, dtype=bool)
    lives[graph.tail[(graph.klass != FREEWAY) & ~graph.bridge]] = True
    lives[graph.head[(graph.klass != FREEWAY) & ~graph.bridge]] = True
    lives[graph.tail[graph.klass == FREEWAY]] = lives[graph.head[graph.klass == FREEWAY]] = False
    lives &= (np.abs(graph.xy) <= half_side).all(axis=1)
    lives &= (trees.hops >= POINTS_LEAST - 1).all(axis=0)
    nodes = np.flatnonzero(lives)
    return np.sort(rng.permutation(nodes)[:POOL])


def routes(graph: StreetGraph, trees: Trees, tree: Ints, customer: Ints) -> Routes:
    """The routes of (tree, customer) pairs, thinned to 14–81 points (median about 42) that keep the corners."""
    owner, nodes, place, size = _paths(trees, tree, customer)
    metres = trees.metres[tree, customer]
    typical = max(float(np.median(metres)), 1.0) if len(metres) else 1.0
    # Real routes have about as many points as their length says, give or take a quarter.
    spread = np.exp(0.22 * np.sin(customer * 12.9898 + tree * 78.233))
    wanted = np.clip(np.round(POINTS_MEDIAN * (metres / typical) ** 0.8 * spread), POINTS_LEAST, POINTS_MOST).astype(
        np.int64
    )
    rank = _rank(_worth(graph, nodes, place, size[owner]), owner)
    keep = rank < np.minimum(wanted, size)[owner]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[keep], minlength=len(size)))])
    return Routes(offsets, nodes[keep], metres)


def _paths(trees: Trees, tree: Ints, customer: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Walk all routes up their trees at once: (route, node, place from the kitchen) of every step, and each route's size."""
    size = (trees.hops[tree, customer] + 1).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(size)])
    nodes = np.empty(starts[-1], dtype=np.int64)
    here, going = customer.astype(np.int64), np.arange(len(customer))
    step = 0
    while len(going):
        nodes[starts[going] + size[going] - 1 - step] = here[going]
        step += 1
        going = going[size[going] > step]
        here[going] = trees.previous[tree[going], here[going]]
    owner = np.repeat(np.arange(len(size)), size)
    return owner, nodes, np.arange(len(nodes)) - starts[:-1][owner], size


def _worth(graph: StreetGraph, nodes: Ints, place: Ints, size: Ints) -> Floats:
    """How much a vertex matters: ends most, then corners by how far they stray, then an even spread of the rest."""
    xy = graph.xy[nodes]
    before, after = np.roll(xy, 1, axis=0), np.roll(xy, -1, axis=0)
    chord = after - before
    length = np.maximum(np.hypot(*chord.T), 1.0)
    stray = np.abs(chord[:, 0] * (xy - before)[:, 1] - chord[:, 1] * (xy - before)[:, 0]) / length
    # The first k of a golden-ratio sequence lie evenly for any k, so the straight parts are thinned evenly.
    even = 1.0 - np.abs((place * 0.6180339887) % 1.0)
    worth = np.where(stray > CORNER, 10.0 + stray, even)
    worth[(place == 0) | (place == size - 1)] = np.inf
    return worth


def _rank(worth: Floats, owner: Ints) -> Ints:
    """Place of each vertex within its route, most worthy first."""
    order = np.lexsort((-worth, owner))
    first = np.searchsorted(owner, owner)
    rank = np.empty(len(owner), dtype=np.int64)
    rank[order] = np.arange(len(owner)) - first[order]
    return rank
