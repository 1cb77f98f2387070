"""A show: scenes that a wall screen plays one after the other, in step with every other screen of the same show.

Where a show stands is a pure function of epoch time, as a kitchen's state is one of data time: nothing is counted while it
plays, so that a screen that was away comes back to the right place, and several screens agree without speaking to each other.
"""

from twin.show.scene import Anchor, Position, Scene, Show

__all__ = ["Anchor", "Position", "Scene", "Show"]
