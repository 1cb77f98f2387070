"""What is usual at a timeline's kitchen, and what stands out in the timeline."""

from dataclasses import dataclass

from twin.analysis.baseline import Baseline
from twin.analysis.kitchen_state import StateLog
from twin.analysis.moments import DETECTORS, Moment
from twin.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Insights:
    """A timeline's baseline, its moments, the most notable first, and its states; `failed`: the detectors that did not work.

    Computed once per timeline, and after it is first displayed, because the source must be queried for the days before.
    """

    timeline: Timeline
    baseline: Baseline
    moments: tuple[Moment, ...]
    failed: tuple[str, ...] = ()
    states: StateLog | None = None

    @property
    def unexamined(self) -> list[str]:
        """What the failed detectors examine, in words."""
        return [DETECTORS.get(name, "the days around it") for name in self.failed]
