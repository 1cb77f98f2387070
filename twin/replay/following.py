"""Whether a replay is live: a live kitchen is a replay whose end moves, and history and now are one timeline.

A range that grows has an edge (`Anchor.edge`), the time of its latest event; never the clock on the wall. The playhead follows
the edge (LIVE) until a command takes it elsewhere (BEHIND), and comes back by `Anchor.follow`, or when playing it has caught up.
Where nothing grows it is a REPLAY. `Anchor._moved` alone leaves LIVE, `Anchor.follow` alone enters it.
"""

from typing import Literal

from twin.replay.clock import Anchor

State = Literal["live", "behind", "replay"]


def state_of(anchor: Anchor) -> State:
    """Return which of the three states a replay is in.

    >>> paused = Anchor(end=100.0, edge=100.0)
    >>> state_of(Anchor(end=100.0)), state_of(paused), state_of(paused.follow(wall=0.0))
    ('replay', 'behind', 'live')
    """
    if anchor.edge is None:
        return "replay"
    return "live" if anchor.live else "behind"
