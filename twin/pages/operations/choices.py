"""The kitchens of the first page, prepared once for all sessions: of thousands, it takes longer than the rest of the page."""

from twin.hub import Hub
from twin.pages.operations.choice import MANY_KITCHENS
from twin.pages.operations.welcome import Choice


class Choices:
    """The choice of a hub's kitchens as of the source's last change: `hub.cached(Choices)`. Thread-safe."""

    def __init__(self, hub: Hub) -> None:
        self._made: tuple[int, Choice] | None = None

    def ready(self, hub: Hub) -> Choice | None:
        """Return the choice if it is in memory, else None. Returns at once."""
        made = self._made
        return made[1] if made is not None and made[0] == hub.version else None

    def prepared(self, hub: Hub) -> Choice:
        """Return the choice; waits until the rows of the source are counted. Raises `SourceError`."""
        choice = self.ready(hub)
        if choice is None:
            version = hub.version
            choice = _choice(hub)
            self._made = version, choice
        return choice


def _choice(hub: Hub) -> Choice:
    places = hub.locations
    charted = places if len(places) <= MANY_KITCHENS else []  # a list of many has no charts: they would be megabytes
    volumes = {place.id: hub.source.volume(place.id) for place in charted}
    return Choice.of(places, volumes, {place.id: hub.quality(place.id) for place in places})
