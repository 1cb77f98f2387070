"""The streets: on dry land, connected, and no route crosses water but on a bridge."""

from itertools import pairwise

import numpy as np
import pytest

from twin.simulator.config import CHICAGO, KITCHENS, SAN_FRANCISCO, KitchenConfig
from twin.simulator.geometry import METRES_PER_MILE, Projection, distance_to_line, inside, spans
from twin.simulator.routing import TREES, customers, grow_trees, routes
from twin.simulator.streets import StreetGraph, street_graph


def graph_of(kitchen: KitchenConfig) -> StreetGraph:
    return street_graph(kitchen.city, kitchen.lat, kitchen.lon, kitchen.radius_mi * METRES_PER_MILE)


@pytest.mark.parametrize("kitchen", KITCHENS, ids=lambda kitchen: kitchen.display_name)
def test_every_place_can_be_reached_from_the_kitchen(kitchen: KitchenConfig) -> None:
    graph = graph_of(kitchen)
    trees = grow_trees(graph)
    reached = trees.previous >= 0
    reached[:, graph.kitchen] = True
    assert reached.all()
    assert graph.size > 5_000


@pytest.mark.parametrize("kitchen", [SAN_FRANCISCO, CHICAGO], ids=lambda kitchen: kitchen.display_name)
def test_only_bridges_cross_the_water(kitchen: KitchenConfig) -> None:
    graph = graph_of(kitchen)
    middle = (graph.xy[graph.tail] + graph.xy[graph.head]) / 2
    # The streets were moved by up to 8 m after the water was cut out.
    wet = graph.city.wet(middle)
    for ring in [*graph.city.land, *graph.city.water]:
        shore = np.vstack([ring, ring[:1]])
        wet &= distance_to_line(middle, shore) > 12.0
    assert not (wet & ~graph.bridge).any()


def test_the_bay_is_empty_but_for_the_bridge_and_treasure_island_is_reached_by_it() -> None:
    graph = graph_of(SAN_FRANCISCO)
    bay = Projection(SAN_FRANCISCO.lat, SAN_FRANCISCO.lon).to_plane(
        np.array([[37.806, -122.390], [37.806, -122.372], [37.795, -122.372], [37.793, -122.385]])
    )
    middle = (graph.xy[graph.tail] + graph.xy[graph.head]) / 2
    within = inside(middle, bay)
    assert within.any()
    assert graph.bridge[within].all()
    island = (graph.latlon[:, 0] > 37.817) & (graph.latlon[:, 1] > -122.380)
    assert island.sum() > 50


@pytest.mark.parametrize("kitchen", [SAN_FRANCISCO, CHICAGO], ids=lambda kitchen: kitchen.display_name)
def test_written_routes_cross_water_only_at_a_bridge(kitchen: KitchenConfig) -> None:
    """Thinning must not cut a corner through the bay: points along the written lines, not along the streets."""
    graph = graph_of(kitchen)
    trees = grow_trees(graph)
    rng = np.random.default_rng(5)
    people = rng.choice(customers(graph, trees, kitchen.radius_mi * METRES_PER_MILE, rng), 500)
    found = routes(graph, trees, rng.integers(0, TREES, 500), people)
    crossed = np.column_stack([graph.xy[graph.tail], graph.xy[graph.head]])[graph.bridge].reshape(-1, 2, 2)
    for first, last in pairwise(found.offsets.tolist()):
        line = graph.xy[found.nodes[first:last]]
        points = (line[:-1, None] + np.diff(line, axis=0)[:, None] * np.linspace(0, 1, 12)[None, :, None]).reshape(
            -1, 2
        )
        points = points[graph.city.wet(points)]
        for ring in [*graph.city.land, *graph.city.water]:
            points = points[distance_to_line(points, np.vstack([ring, ring[:1]])) > 30.0]
        for point in points:
            nearest = np.hypot(*(crossed.mean(axis=1) - point).T).argmin()
            assert distance_to_line(point[None], crossed[nearest])[0] < 60.0


def test_lake_michigan_has_no_customers_and_the_loop_has_streets() -> None:
    graph = graph_of(CHICAGO)
    lat, lon = graph.latlon.T
    assert not (lon > -87.59).any()
    assert ((lat > 41.875) & (lat < 41.888) & (lon > -87.637) & (lon < -87.624)).sum() > 100


def test_customers_fill_the_square_where_there_is_land() -> None:
    graph = graph_of(SAN_FRANCISCO)
    half = SAN_FRANCISCO.radius_mi * METRES_PER_MILE
    people = graph.xy[customers(graph, grow_trees(graph), half, np.random.default_rng(1))]
    assert np.abs(people).max() <= half
    assert (np.hypot(*people.T) > half).any()  # corners of the square lie outside the circle
    assert people[:, 0].min() < -0.95 * half
    assert people[:, 1].min() < -0.95 * half


def test_consecutive_points_of_a_route_follow_the_tree() -> None:
    graph = graph_of(SAN_FRANCISCO)
    trees = grow_trees(graph)
    half = SAN_FRANCISCO.radius_mi * METRES_PER_MILE
    people = customers(graph, trees, half, np.random.default_rng(2))[:60]
    tree = np.arange(60) % TREES
    found = routes(graph, trees, tree, people)
    for r in range(60):
        path = [int(people[r])]
        while path[-1] != graph.kitchen:
            path.append(int(trees.previous[tree[r], path[-1]]))
        path.reverse()
        metres = sum(float(np.hypot(*(graph.xy[a] - graph.xy[b]))) for a, b in pairwise(path))
        assert found.metres[r] == pytest.approx(metres, abs=0.01)
        thinned = found.nodes[found.offsets[r] : found.offsets[r + 1]].tolist()
        places = [path.index(node) for node in thinned]
        assert places == sorted(places)
        # Thinning preserves the shape: no removed vertex is far from the written line.
        assert distance_to_line(graph.xy[path], graph.xy[thinned]).max() < 45.0


def test_different_trees_take_different_streets() -> None:
    trees = grow_trees(graph_of(SAN_FRANCISCO))
    shared = (trees.previous[0] == trees.previous[1:]).mean(axis=1)
    assert (shared < 0.95).all()


def test_scanline_spans_agree_with_point_in_ring() -> None:
    ring = np.array([[0.0, 0.0], [10.0, 2.0], [8.0, 9.0], [5.0, 4.0], [1.0, 8.0]])
    rng = np.random.default_rng(3)
    points = rng.uniform(-1, 11, (400, 2))
    by_span = [any(a <= x <= b for a, b in spans(ring, y)) for x, y in points.tolist()]
    assert inside(points, ring).tolist() == by_span
