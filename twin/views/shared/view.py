"""What a session asks of every view."""

import panel as pn

from twin.timeline.timeline import Snapshot


class ReplayView(pn.viewable.Viewer):
    """A view on a controller. The session calls these methods in its own tick; a view never makes a timer of its own."""

    def reset(self) -> None:
        """Take the controller's timeline, which may be another location or range."""

    def learn(self) -> None:
        """Take the controller's insights, which come some time after its timeline."""

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]  # a moment, not a server
        """Show a moment. Nothing is to be done where the browser draws it by its own clock, or where it says nothing new."""
