"""What the caption of a tour's scene may say at a time: a moment is found with hindsight, passers-by shall see it come."""

from dataclasses import dataclass

from twin.analysis.moments import TROUBLES, Moment
from twin.analysis.moments.moment import WEEK
from twin.analysis.moments.unfolding import block_of
from twin.hub import Hub
from twin.show.deriving import caption
from twin.show.scene import Scene
from twin.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Caption:
    """What a caption says, and since and until when (data seconds) that is true; None where it was not known."""

    headline: str
    detail: str = ""
    since: float | None = None
    until: float | None = None
    trouble: bool = False


Captions = list[tuple[float, Caption]]
"""Captions with the times from which they are shown, data seconds."""


def captions_as_known(hub: Hub, timeline: Timeline, scene: Scene) -> Captions:
    """Return the captions of a scene that was derived from a moment, by time; [] for one whose author wrote its caption.

    A trouble is told once it was known, with the figures of then, and stays: what made orders late as soon as one was; a peak
    when it is over. Before that the caption has
    the place and the day.
    """
    shown = next((moment for moment in hub.insights(timeline).moments if moment.sentence == scene.detail), None)
    if shown is None:
        return []
    tz = timeline.tz
    dated = timeline.window.end - timeline.window.start > WEEK
    told = quiet = Caption(caption(scene.name, scene.t, "", tz, dated).rsplit(" ", 2)[0])
    last = min(scene.at(scene.duration), timeline.window.end)
    found: Captions = []
    for block in range(block_of(scene.t), block_of(last) + 1):
        for known in hub.unfolding(timeline, block):
            if known.findings.moments:
                one = known.findings.moments[0]
                headline = caption(scene.name, one.start, one.title, tz, dated)
                told = Caption(
                    headline, _detail(one, known.t), one.start, None if one.end >= known.t else one.end, trouble=True
                )
            found.append((known.t, told))
    if shown.kind not in TROUBLES:
        over = Caption(scene.headline, scene.detail, shown.start, shown.end)
        found = [*(one for one in found if one[0] < shown.end), (shown.end, over)]
    before = [one for t, one in found if t <= scene.t]
    return [(scene.t, before[-1] if before else quiet), *(one for one in found if scene.t < one[0] <= last)]


def _detail(moment: Moment, known_at: float) -> str:
    """Return the ledger's sentence of a trouble, where orders were late in it; else its own."""
    if not moment.why:
        return moment.sentence
    return f"So far {moment.why}" if moment.end >= known_at else moment.why
