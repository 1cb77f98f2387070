"""What is known about a timeline beside its own events: what is usual at its kitchen, and what stands out."""

from dataclasses import dataclass

from twin.analysis.baseline import Baseline
from twin.analysis.moments import Moment
from twin.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Insights:
    """Made once per timeline, after it is shown: both parts ask the source about the days before.

    `moments` are ranked, the most remarkable first.
    """

    timeline: Timeline
    baseline: Baseline
    moments: tuple[Moment, ...]
