"""Which alert a wall screen shows in place of its tour, and for how long. No clock is read here."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.alerts.store import Alert

LONGEST_S = 180.0
"""Seconds for which an alert that goes on interrupts; a wall has other kitchens, too."""
RECENT_S = 600.0
"""Data seconds before the live edge within which an alert must have begun: a screen that is switched on is not filled with those
that have long been firing."""


class Interruptions:
    """The alerts that interrupt one screen: those that fire and that nobody has acknowledged, each once, the newest first."""

    def __init__(self, locations: Sequence[str]) -> None:
        """`locations`: ids of the kitchens that the screen shows, none for all."""
        self._locations = frozenset(locations)
        self._waiting: list[Alert] = []
        self._seen: set[str] = set()
        self._shown: Alert | None = None
        self._until = 0.0

    def take(self, firing: "Sequence[Alert]", edge: Callable[[str], float]) -> None:
        """Take what fires now; `edge(location)` is the kitchen's live edge, data seconds."""
        self._waiting = [
            alert
            for alert in sorted(firing, key=lambda one: -one.began)
            if alert.acknowledged_at is None and (not self._locations or alert.location in self._locations)
        ]
        known = {alert.id for alert in self._waiting}
        self._seen &= known  # what has recovered does not come back under its id
        shown = "" if self._shown is None else self._shown.id
        old = [one.id for one in self._waiting if one.began < edge(one.location) - RECENT_S and one.id != shown]
        self._seen.update(old)

    def at(self, now: float) -> "Alert | None":
        """Return the alert that is shown at `now`, wall seconds; None: the tour goes on."""
        shown = self._shown
        if shown is not None and (now >= self._until or shown.id not in {one.id for one in self._waiting}):
            self.leave()
        if self._shown is None and (fresh := [one for one in self._waiting if one.id not in self._seen]):
            self._shown, self._until = fresh[0], now + LONGEST_S
        return self._shown

    def leave(self) -> None:
        """Go back to the tour, as a presenter wants: what interrupts now does not do so again."""
        if self._shown is not None:
            self._seen.add(self._shown.id)
        self._shown = None
