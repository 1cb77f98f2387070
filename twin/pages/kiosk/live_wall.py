"""What a wall screen shows of kitchens while they happen: one after the other, those in trouble first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twin.analysis.kitchen_state import BUILDING, CALM, RECOVERING, TROUBLE
from twin.analysis.moments import TROUBLES
from twin.hub import Hub
from twin.replay.live import LiveKitchens, LiveState, grows
from twin.show.options import HOURS, Options

MOST = 12
"""Kitchens that a wall follows; each costs up to a twentieth of a core."""
LATELY_S = 600.0
"""A trouble that ended within so many data seconds is still told."""
_RANK = {TROUBLE: 2, BUILDING: 1, RECOVERING: 1, CALM: 0}


@dataclass(frozen=True, slots=True)
class LiveCaption:
    """What is said of a kitchen now."""

    headline: str
    detail: str
    trouble: bool


class LiveWall:
    """The kitchens that a wall follows, and which of them comes next."""

    def __init__(self, hub: Hub, kitchens: list[str]) -> None:
        self._kitchens = kitchens
        shared = hub.cached(LiveKitchens)
        self._followed = {one: shared.kitchen(one) for one in kitchens}
        self._ends: list[Callable[[], None]] = [one.follow(lambda: None) for one in self._followed.values()]
        self._shown: list[str] = []

    @classmethod
    def of(cls, hub: Hub, options: Options, scripted: bool) -> "LiveWall | None":
        """Return the wall for a screen's options; None where they name a range or a show, or where nothing grows."""
        if options.range is not None or options.hours != HOURS or scripted:
            return None
        known = {place.id for place in hub.locations}
        wanted = [one for one in options.locations if one in known] or [place.id for place in hub.locations]
        growing = [one for one in wanted if grows(hub, one)]
        return cls(hub, growing[:MOST]) if growing else None

    def next(self) -> str:
        """Return the kitchen that is shown next."""
        ranks = {one: rank_of(kitchen.state) for one, kitchen in self._followed.items()}
        chosen = next_stop(ranks, self._shown)
        self._shown = [*self._shown[-4 * len(self._kitchens) :], chosen]
        return chosen

    def end(self) -> None:
        """Follow nothing any more."""
        for end in self._ends:
            end()


def next_stop(ranks: Mapping[str, int], shown: list[str]) -> str:
    """Return the kitchen to show after those `shown`, the last last: one in trouble (rank 2) at every second stop at least.

    >>> ranks, shown = {"a": 0, "b": 2, "c": 0}, []
    >>> for _ in range(6): shown.append(next_stop(ranks, shown))
    >>> shown
    ['b', 'a', 'b', 'c', 'b', 'a']
    """
    worst = max(ranks.values())
    others = [one for one in ranks if not shown or one != shown[-1]] or list(ranks)
    just_worst = bool(shown) and ranks.get(shown[-1], 0) == worst
    turn = [one for one in others if (ranks[one] == worst) != just_worst] or others
    last = {one: place for place, one in enumerate(shown)}
    return min(turn, key=lambda one: (last.get(one, -1), -ranks[one]))


def rank_of(now: LiveState | None) -> int:
    """Return how urgently a kitchen is shown: 2 in trouble, 1 on the way into or out of it, else 0."""
    if now is None or now.insights is None or now.insights.states is None:
        return 0
    return _RANK[now.insights.states.at(now.edge)[0]]


def caption_of(now: LiveState) -> LiveCaption:
    """Return what is said of a kitchen: its trouble, what is over its limits, or how much is under way."""
    name, insights = now.timeline.location.display_name, now.insights
    troubles = [
        one for one in (() if insights is None else insights.moments)
        if one.kind in TROUBLES and one.start <= now.edge <= max(one.end, one.at) + LATELY_S
    ]  # fmt: skip
    states = None if insights is None else insights.states
    state = CALM if states is None else states.at(now.edge)[0]
    if troubles:
        worst = max(troubles, key=lambda one: one.severity)
        return LiveCaption(f"{name}: {worst.title}", worst.sentence, state == TROUBLE)
    counts = now.timeline.counts(now.edge)
    busy = sum(counts[key] for key in ("created", "cooking", "ready", "out_for_delivery"))
    detail = f"{busy} orders under way, {counts['out_for_delivery']} of them on the road"
    said = "" if states is None else states.head(now.edge)
    return LiveCaption(f"{name}: {said}" if said else name, detail, state == TROUBLE)
