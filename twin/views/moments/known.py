"""What was known of troubles, for a browser that picks by its own clock what to show: known.js."""

from typing import Any

from twin.analysis.moments.unfolding import BLOCK_S, GRID_S, KnownFrom
from twin.replay.controller import ReplayController
from twin.views.moments.moments import span_of, to_browser


def known_to_browser(controller: ReplayController) -> list[dict[str, Any]]:
    """Return the blocks of hours that a controller has, in the order of time, as JSON.

    start, end: data seconds for which a block says what was known. changes: [[t, troubles, partly], …]: from t on these were
    known, worst first, as `to_browser` returns them, with `going_on`; `partly`: a detector failed, so one may be missing.
    """
    timeline = controller.timeline
    if timeline is None:
        return []
    window, span = timeline.window, span_of(controller)
    return [
        {
            "start": max(number * BLOCK_S, window.start),
            "end": min((number + 1) * BLOCK_S, window.end + GRID_S),
            "changes": [_change(known, span) for known in controller.unfolded[number]],
        }
        for number in sorted(controller.unfolded)
    ]


def _change(known: KnownFrom, span: float) -> list[Any]:
    moments = known.findings.moments
    troubles = zip(to_browser(moments, span), moments, strict=True)
    going_on = [{**one, "going_on": moment.end >= known.t} for one, moment in troubles]
    return [known.t, going_on, bool(known.findings.failed)]
