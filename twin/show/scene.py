"""Scenes, their sequence, and the anchor that maps it to epoch time. Pure values: no clock is read here."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from twin.analysis.board import Board
from twin.analysis.race import Race


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of one location's history, with a caption.

    start, end: the range that is loaded, data seconds. The scene begins at data time t and plays at `speed` (data seconds per
    second) for `duration` seconds. headline, detail: its caption; order: the id of an order to highlight, "" for none; zoom: the
    map's zoom level around the kitchen, None for a view of all drivers. since, until: when what the caption says is true, data
    seconds; None: always. trouble: whether it is one. race, board: what is shown in the place of the kitchen; None: the kitchen.
    """

    location: str
    name: str
    start: float
    end: float
    t: float
    speed: float
    duration: float
    headline: str
    detail: str = ""
    order: str = ""
    zoom: float | None = None
    since: float | None = None
    until: float | None = None
    trouble: bool = False
    race: Race | None = field(default=None, compare=False)
    board: Board | None = field(default=None, compare=False)

    def at(self, elapsed: float) -> float:
        """Return the data time `elapsed` seconds after the scene began; it stops at the end of the range."""
        return min(self.t + self.speed * max(0.0, elapsed), self.end)


@dataclass(frozen=True, slots=True)
class ShowPosition:
    """The position of a show. number: of the scene, counted over all rounds; index: of the scene in the show; elapsed: seconds
    since the scene began."""

    number: int
    index: int
    elapsed: float


@dataclass(frozen=True)
class Show:
    """A sequence of at least one scene. With `loop` the first follows the last; otherwise the show stops after the last."""

    scenes: tuple[Scene, ...]
    loop: bool = True

    @cached_property
    def starts(self) -> list[float]:
        """Seconds from the start of a round at which each scene begins."""
        return [0.0, *accumulate(scene.duration for scene in self.scenes)][:-1]

    @property
    def duration(self) -> float:
        """Seconds of one round."""
        return sum(scene.duration for scene in self.scenes)

    def position(self, seconds: float) -> ShowPosition:
        """Return the position `seconds` after the origin. A show that does not loop is at its start before the origin.

        >>> day = Scene("sf", "San Francisco", 0.0, 3600.0, 0.0, 60.0, 10.0, "Busiest hour")
        >>> Show((day, day)).position(35.0)
        ShowPosition(number=3, index=1, elapsed=5.0)
        """
        count = len(self.scenes)
        if not self.loop:
            within = min(max(seconds, 0.0), self.duration)
            index = bisect_right(self.starts, within) - 1
            return ShowPosition(index, index, within - self.starts[index])
        rounds, within = divmod(seconds, self.duration)
        index = bisect_right(self.starts, within) - 1
        return ShowPosition(int(rounds) * count + index, index, within - self.starts[index])

    def start_of(self, number: int) -> float:
        """Return the seconds after the origin at which scene `number`, counted over all rounds, begins."""
        rounds, index = divmod(number, len(self.scenes))
        if not self.loop:
            rounds, index = 0, min(max(number, 0), len(self.scenes) - 1)
        return rounds * self.duration + self.starts[index]


@dataclass(frozen=True, slots=True)
class ShowAnchor:
    """The mapping from epoch time to the time of a show.

    origin: the epoch second at which the show is at second 0. It is 0 by default, so that all servers agree on it. held: the
    second of the show at which a presenter paused it, None while it plays. stamp: the epoch second of the presenter's last
    command: of two anchors, the one with the later stamp is valid.
    """

    origin: float = 0.0
    held: float | None = None
    stamp: float = 0.0

    def seconds(self, epoch: float) -> float:
        """Return the show's second at an epoch second."""
        return epoch - self.origin if self.held is None else self.held

    def hold(self, epoch: float) -> "ShowAnchor":
        """Pause, or resume where it was paused."""
        if self.held is None:
            return replace(self, held=self.seconds(epoch), stamp=epoch)
        return replace(self, origin=epoch - self.held, held=None, stamp=epoch)

    def move(self, show: Show, scenes: int, epoch: float) -> "ShowAnchor":
        """Go to the beginning of another scene, `scenes` after this one (negative: before); paused or playing as before."""
        now = show.position(self.seconds(epoch)).number
        goal = show.start_of(now + scenes)
        if self.held is not None:
            return replace(self, held=goal, stamp=epoch)
        return replace(self, origin=epoch - goal, stamp=epoch)
