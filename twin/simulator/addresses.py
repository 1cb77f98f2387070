"""Plausible addresses: a house number and the name of a street of that city."""

import json

import numpy as np

from twin.simulator.city import outline
from twin.simulator.geometry import Ints
from twin.simulator.streets import StreetGraph

_KINDS = ("Street", "Street", "Street", "Avenue", "Drive", "Place")


def addresses(graph: StreetGraph, city: str, nodes: Ints) -> list[str]:
    """Return the JSON text of each node's address. It depends on the node alone, so a customer never moves house."""
    names = outline(city)["names"]
    drawn = [line["name"] for line in outline(city).get("lines", [])]
    of_node = np.zeros(graph.size, dtype=np.int64)
    of_node[graph.head] = graph.street
    of_node[graph.tail] = graph.street
    first_drawn = len(graph.city.streets) - len(graph.city.drawn)
    result = []
    for node in nodes.tolist():
        street = int(of_node[node])
        if first_drawn <= street < len(graph.city.streets):
            name = drawn[graph.city.drawn[street - first_drawn]]
        else:
            name = f"{names[street * 7 % len(names)]} {_KINDS[street * 5 % len(_KINDS)]}"
        result.append(json.dumps(f"{100 + (node * 2654435761 >> 7) % 3900} {name}"))
    return result
