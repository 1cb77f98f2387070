"""The interface of a view towards its session."""

import panel as pn

from twin.timeline.timeline import Snapshot


class ReplayView(pn.viewable.Viewer):
    """A view on a controller. The session calls these methods in its ticks; a view never creates a timer of its own."""

    def reset(self) -> None:
        """Use the controller's timeline, which may be another location or range."""

    def learn(self) -> None:
        """Use the controller's insights, which are computed some time after its timeline is loaded."""

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]  # Viewer.show starts a server
        """Show a snapshot. A view that the browser draws by its own clock need not do anything."""
