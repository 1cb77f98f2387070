"""What is shown when: scenes with their lengths, and the anchor that ties them to epoch time. Pure; no clock is read here."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of one location's history, and how it is told.

    `start`, `end` (data seconds) is the range that is loaded, `t` the data time at which the scene begins; from there it plays at
    `speed` (data seconds per second) for `duration` seconds. `headline` and `detail` are its caption; `order` is picked out on
    the map ("" for none); `zoom` is the map's level around the kitchen, None for a view of all that is on the road.
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

    def at(self, elapsed: float) -> float:
        """Return the data time `elapsed` seconds after the scene's begin; it stands still at the end of the range."""
        return min(self.t + self.speed * max(0.0, elapsed), self.end)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a show stands: the scene's number, counted over all rounds, its index, and the seconds since it began."""

    number: int
    index: int
    elapsed: float


@dataclass(frozen=True)
class Show:
    """Scenes in their order; at least one. With `loop` the first follows the last, without it the last one stays."""

    scenes: tuple[Scene, ...]
    loop: bool = True

    @cached_property
    def starts(self) -> list[float]:
        """Return the seconds into a round at which each scene begins."""
        return [0.0, *accumulate(scene.duration for scene in self.scenes)][:-1]

    @property
    def duration(self) -> float:
        """The seconds of one round."""
        return sum(scene.duration for scene in self.scenes)

    def position(self, seconds: float) -> Position:
        """Return where the show stands `seconds` after its origin (before it: at its begin, if it does not loop).

        >>> day = Scene("sf", "San Francisco", 0.0, 3600.0, 0.0, 60.0, 10.0, "Busiest hour")
        >>> Show((day, day)).position(35.0)
        Position(number=3, index=1, elapsed=5.0)
        """
        count = len(self.scenes)
        if not self.loop:
            within = min(max(seconds, 0.0), self.duration)
            index = bisect_right(self.starts, within) - 1
            return Position(index, index, within - self.starts[index])
        rounds, within = divmod(seconds, self.duration)
        index = bisect_right(self.starts, within) - 1
        return Position(int(rounds) * count + index, index, within - self.starts[index])

    def start_of(self, number: int) -> float:
        """Return the seconds after the origin at which scene `number`, counted over all rounds, begins."""
        rounds, index = divmod(number, len(self.scenes))
        if not self.loop:
            rounds, index = 0, min(max(number, 0), len(self.scenes) - 1)
        return rounds * self.duration + self.starts[index]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What ties a show to epoch time: its origin, and where it is held.

    `origin` is the epoch second of the show's second 0; the usual one is 0 itself, which every server knows without being told.
    `held` is the show's second at which a presenter has paused it, None while it runs. `stamp` is the epoch second of
    the presenter's last word: of two anchors the one with the later stamp is the truth.
    """

    origin: float = 0.0
    held: float | None = None
    stamp: float = 0.0

    def seconds(self, epoch: float) -> float:
        """Return the show's second at an epoch second."""
        return epoch - self.origin if self.held is None else self.held

    def hold(self, epoch: float) -> "Anchor":
        """Pause, or go on from where it was paused."""
        if self.held is None:
            return replace(self, held=self.seconds(epoch), stamp=epoch)
        return replace(self, origin=epoch - self.held, held=None, stamp=epoch)

    def move(self, show: Show, scenes: int, epoch: float) -> "Anchor":
        """Go to the begin of the scene that many scenes on (negative: back); held or running as before."""
        now = show.position(self.seconds(epoch)).number
        goal = show.start_of(now + scenes)
        if self.held is not None:
            return replace(self, held=goal, stamp=epoch)
        return replace(self, origin=epoch - goal, stamp=epoch)
