"""Addresses that sound like the city: a number and the name of the street that a node lies on."""

import json

import numpy as np

from twin.simulator.city import outline
from twin.simulator.geometry import Ints
from twin.simulator.streets import StreetGraph

_NAMES = {
    "sanfrancisco": "Folsom,Harrison,Bryant,Brannan,Howard,Pine,Bush,Sutter,Post,Hayes,Grove,Fillmore,Steiner,Pierce,Scott,Octavia,Laguna,Buchanan,Webster,Polk,Larkin,Hyde,Leavenworth,Jones,Taylor,Mason,Powell,Stockton,Green,Union,Vallejo,Chestnut,Guerrero,Valencia,Capp,Shotwell,Alabama,Florida,York,Hampshire,Kansas,Rhode Island,De Haro,Carolina,Minnesota,Tennessee,Cortland,Oakdale,Quesada,Shafter",
    "chicago": "Halsted,Racine,Ashland,Damen,Wood,Paulina,Wolcott,Hoyne,Leavitt,Oakley,Sheffield,Fremont,Bissell,Dayton,Burling,Orchard,Larrabee,Sedgwick,Cleveland,Hudson,Armitage,Dickens,Webster,Belden,Fullerton,Wrightwood,Schubert,Diversey,Division,Augusta,Walton,Chestnut,Superior,Huron,Erie,Ontario,Ohio,Grand,Hubbard,Kinzie,Taylor,Polk,Cermak,Wabash,Michigan,Prairie,Calumet,Throop,Loomis,Laflin",
    "houston": "Braeswood,Chimney Rock,Renwick,Rampart,Alder,Atwell,Mullins,Birdwood,Imogene,Jessamine,Dumfries,Rutherglenn,Cheena,Yarwell,Kuldell,Carew,Indigo,Willowbend,Grape,Valkeith,Sanford,Cedarhurst,Dryad,Queensloch,Wigton,Effingham,Loch Lomond,Lymbar,Darnell,Stillbrooke,Ludington,Burdine,Endicott,Benning,Warm Springs,Ariel,Sandpiper,Bob White,Carvel,Jackwood,Triola,Leader,Stroud,Corporate,Harwin,Clarewood,Dashwood,Evergreen,Maple,Holly",
    "generic": "Main,Oak,Maple,Cedar,Elm,Walnut,Lake,Hill,Park,Church,Mill,River,Spring,Center,Prospect,Washington",
}
_KINDS = ("Street", "Street", "Street", "Avenue", "Drive", "Place")


def addresses(graph: StreetGraph, city: str, nodes: Ints) -> list[str]:
    """The JSON text of an address for each node; the same node has the same address for ever."""
    names = _NAMES.get(city, _NAMES["generic"]).split(",")
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
