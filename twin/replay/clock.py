"""The replay clock: one affine anchor, changed only by named commands.

Data time = t0 + speed * (wall - wall0) while playing, t0 while paused. Nothing ticks it: server and browser evaluate
the same formula (`ReplayClock` in twin/views/shared/clock.js) whenever they want to know, so 1x and 1000x cost the same and
nothing can drift. `wall` is any monotonic clock in seconds; it is always handed in, never read here.
"""

from dataclasses import dataclass, replace

MAX_SPEED = 1000.0
"""Data seconds per wall second: a day takes 86 seconds. At higher speeds a frame would skip whole trips."""

SPEEDS = (1, 10, 60, 100, 500, 1000)
"""The speeds that the page offers, on the keys 1 to 6; any other in (0, MAX_SPEED] is valid too."""

STEPS = (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 6 * 3600.0)
"""Step lengths in seconds: round numbers, so that steps are easy to add up."""

LAG_S = 1.5
"""Wall seconds after which a playhead that follows a growing range is where the range ended when it last grew: events come in
batches, and so much delay makes even motion of them."""

STEPS_PER_RANGE = 1500
"""A step is at least this fraction of the range, so that a day is stepped through by the minute: one of 25 hours, too."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The position of the playhead at one time, and how it moves from there.

    t0, start, end: data seconds since 1970; wall0: the wall time in seconds at which the playhead was at t0; speed: data
    seconds per wall second, above 0 (checked by ReplayController); hindsight: whether what lies after the playhead may be shown;
    epoch: number of commands so far, so that of two anchors the one with the higher epoch is newer. edge: the time up to which
    events are there, data seconds, where more will come (twin/replay/following.py), which the range then does not exceed; None:
    nothing comes. live: whether the playhead follows the edge, at `pace` data seconds per wall second in place of `speed`.

    >>> paused = Anchor(start=0.0, end=100.0)
    >>> playing = paused.set_speed(10.0, wall=0.0).play(wall=0.0)
    >>> playing.at(wall=3.0), playing.at(wall=60.0)
    (30.0, 100.0)
    """

    t0: float = 0.0
    wall0: float = 0.0
    speed: float = 1.0
    playing: bool = False
    start: float = 0.0
    end: float = 0.0
    loop: bool = False
    hindsight: bool = False
    epoch: int = 0
    edge: float | None = None
    live: bool = False
    pace: float = 1.0

    @property
    def rate(self) -> float:
        """Data seconds per wall second while it plays."""
        return self.pace if self.live else self.speed

    def at(self, wall: float) -> float:
        """Return the playhead in data seconds, always in [start, end]. In a loop the end is the start."""
        if not self.playing:
            return self.t0
        t = self.t0 + self.rate * max(0.0, wall - self.wall0)
        if t < self.end:
            return t
        span = self.end - self.start
        return self.start + (t - self.start) % span if self.loop and span > 0 else self.end

    def ended(self, wall: float) -> bool:
        """Return whether playback has reached the end of the range and stopped there; one that follows the edge waits there."""
        return self.playing and not self.loop and not self.live and self.at(wall) >= self.end

    def play(self, wall: float, at: float | None = None) -> "Anchor":
        """Play from the playhead, or from the start if it is at the end; at the edge, follow it. An empty range stays paused."""
        t = self._position(wall, at)
        if t >= self.end and self.at_edge:
            return self.follow(wall)
        if t >= self.end:
            t = self.start
        return self._moved(wall, t, playing=self.end > self.start)

    def pause(self, wall: float, at: float | None = None) -> "Anchor":
        """Stop the playhead where it is."""
        return self._moved(wall, self._position(wall, at), playing=False)

    def stop(self, wall: float) -> "Anchor":
        """Return to the start of the range, paused."""
        return self._moved(wall, self.start, playing=False)

    def seek(self, wall: float, t: float) -> "Anchor":
        """Move the playhead to `t`, or to the nearest time in the range; playing or paused as before."""
        return self._moved(wall, self._clamp(t))

    def step(self, wall: float, seconds: float, at: float | None = None) -> "Anchor":
        """Move the playhead by data seconds (negative: back) and pause, because a step is for looking closely."""
        return self._moved(wall, self._clamp(self._position(wall, at) + seconds), playing=False)

    def set_speed(self, speed: float, wall: float, at: float | None = None) -> "Anchor":
        """Change the speed without moving the playhead."""
        return self._moved(wall, self._position(wall, at), speed=speed)

    def set_loop(self, loop: bool, wall: float, at: float | None = None) -> "Anchor":
        """Choose whether playback continues from the start when it reaches the end."""
        return self._moved(wall, self._position(wall, at), loop=loop)

    def set_hindsight(self, hindsight: bool, wall: float, at: float | None = None) -> "Anchor":
        """Choose whether what lies after the playhead may be shown."""
        return self._moved(wall, self._position(wall, at), hindsight=hindsight, live=self.live)

    def set_range(self, start: float, end: float, wall: float) -> "Anchor":
        """Play only [start, end]; a playhead outside moves to the nearest end."""
        return self._moved(wall, min(max(self.at(wall), start), end), start=start, end=end)

    @property
    def at_edge(self) -> bool:
        """Whether the range ends where events end for now."""
        return self.edge is not None and self.end >= self.edge

    def follow(self, wall: float, start: float | None = None) -> "Anchor":
        """Go to the edge and follow it; out of a part of the range that begins at `start`. Without an edge nothing changes."""
        if self.edge is None:
            return self
        first = self.start if start is None else start
        t = min(max(self.at(wall), self.edge - LAG_S, first), self.edge)
        return self._moved(wall, t, live=True, playing=True, loop=False, start=first, end=self.edge, pace=1.0)

    def grow(self, wall: float, edge: float) -> "Anchor":
        """Let the range end at a later edge, if it ended at the one before. It is no command: the epoch stays.

        A playhead that follows goes on from where it is, so fast that it is at the new edge in `LAG_S`; only what would be too
        fast to see (a morning's first event after a night) is a jump. Any other playhead stays where it is, or goes on.
        """
        if self.edge is None or edge < self.edge:
            return self
        grown = replace(self, edge=edge, end=max(edge, self.end) if self.at_edge else self.end)
        t = self.at(wall)
        if self.live:
            pace = (edge - t) / LAG_S
            t, pace = (edge - LAG_S, 1.0) if pace > MAX_SPEED else (t, pace)
            return replace(grown, t0=t, wall0=wall, pace=pace)
        return replace(grown, t0=t, wall0=wall) if self.loop or self.ended(wall) else grown

    def step_length(self) -> float:
        """Return the seconds of one step: a minute for a day, ten minutes for a week."""
        least = (self.end - self.start) / STEPS_PER_RANGE
        return next((step for step in STEPS if step >= least), STEPS[-1])

    def _clamp(self, t: float) -> float:
        return min(max(t, self.start), self.end)

    def _position(self, wall: float, at: float | None) -> float:
        """Return the playhead that a command applies to: `at`, which the user saw when giving it, or the current one."""
        return self.at(wall) if at is None else self._clamp(at)

    def _moved(self, wall: float, t: float, **changes: float | bool) -> "Anchor":
        """Return the anchor after a command. The one place where an anchor stops to follow the edge, as every command but
        `follow` and `set_hindsight` makes it: the browser's is `ReplayClock.predict`."""
        return replace(self, t0=t, wall0=wall, epoch=self.epoch + 1, **{"live": False, **changes})  # type: ignore[arg-type]
