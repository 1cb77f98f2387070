"""What is usual at a timeline's kitchen, and what stands out in the timeline."""

from dataclasses import dataclass

from twin.analysis.baseline import Baseline
from twin.analysis.moments import DETECTORS, Moment
from twin.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Insights:
    """A timeline's baseline and its moments, the most notable first; `failed`: the detectors of moments that did not work.

    Computed once per timeline, and after it is first displayed, because the source must be queried for the days before.
    """

    timeline: Timeline
    baseline: Baseline
    moments: tuple[Moment, ...]
    failed: tuple[str, ...] = ()

    @property
    def unexamined(self) -> list[str]:
        """What the failed detectors examine, in words."""
        return [DETECTORS.get(name, "the days around it") for name in self.failed]
