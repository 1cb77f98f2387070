"""Shows: sequences of scenes for wall screens. All screens of the same show are in step.

The position of a show is a pure function of epoch time, as the state of a kitchen is one of data time. No state accumulates
while it plays, so that a screen that reconnects is at the right place and screens agree without exchanging messages.
"""

from twin.show.scene import Scene, Show, ShowAnchor, ShowPosition

__all__ = ["Scene", "Show", "ShowAnchor", "ShowPosition"]
