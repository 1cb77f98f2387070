"""What the caption of a tour's scene may say at a time: a moment is found with hindsight, passers-by shall see it come."""

from twin.analysis.moments import TROUBLES
from twin.analysis.moments.moment import WEEK
from twin.analysis.moments.unfolding import block_of
from twin.hub import Hub
from twin.show.deriving import caption
from twin.show.scene import Scene
from twin.timeline.timeline import Timeline

Captions = list[tuple[float, str, str]]
"""From a time on (data seconds), headline and detail."""


def captions_as_known(hub: Hub, timeline: Timeline, scene: Scene) -> Captions:
    """Return the captions of a scene that was derived from a moment, by time; [] for one whose author wrote its caption.

    A trouble is told once it was known, with the figures of then, and stays; a peak when it is over. Before that the caption has
    the place and the day.
    """
    shown = next((moment for moment in hub.insights(timeline).moments if moment.sentence == scene.detail), None)
    if shown is None:
        return []
    tz = timeline.tz
    dated = timeline.window.end - timeline.window.start > WEEK
    quiet = (caption(scene.name, scene.t, "", tz, dated).rsplit(" ", 2)[0], "")
    last = min(scene.at(scene.duration), timeline.window.end)
    found: Captions = []
    words = quiet
    for block in range(block_of(scene.t), block_of(last) + 1):
        for known in hub.unfolding(timeline, block):
            told = next(iter(known.findings.moments), None)
            if told is not None:
                words = caption(scene.name, told.start, told.title, tz, dated), told.sentence
            found.append((known.t, *words))
    if shown.kind not in TROUBLES:
        found = [*(one for one in found if one[0] < shown.end), (shown.end, scene.headline, scene.detail)]
    before = [one for one in found if one[0] <= scene.t]
    return [(scene.t, *(before[-1][1:] if before else quiet)), *(one for one in found if scene.t < one[0] <= last)]
