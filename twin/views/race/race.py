"""The race: a lane for each kitchen or day, as long as what has been delivered by then, and who took the lead when."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import param

from twin.analysis.race import FIGURES, HOLD_S, LATE, Race
from twin.replay.controller import ReplayController
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

EVERY_S = 60.0
"""Data seconds between two values of a lane: at 600x that is ten a second."""


class RaceLanes(Component):
    """The lanes in the browser, which moves them with its own clock: nothing is sent while they run."""

    race: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="`figure`, a heading; `percent`, whether values are shares; `start`, data seconds of the clock; `every`, seconds "
        "between values; `hold`, seconds that a lead must last; `lanes`: `name` and `values` (null: none); `leads`: [seconds, "
        "lane, lane before or null, value]; `least`, whether the least leads. Empty: no race.",
    )

    _esm = module_source(Path(__file__).with_name("race.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("race.css"))]


class RaceView(ReplayView):
    """A race that begins at a moment of the controller's clock; without one it is not seen."""

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._lanes = RaceLanes(visible=False, sizing_mode="stretch_both")
        self._lanes.join(controller)
        self._lanes.retry_with(lambda: self.retry(controller))

    def __panel__(self) -> RaceLanes:
        return self._lanes

    def begin(self, race: Race | None, start: float = 0.0) -> None:
        """Show a race whose first moment is `start`, data seconds of the clock; None shows none."""
        self._lanes.param.update(race={} if race is None else race_message(race, start), visible=race is not None)


def race_message(race: Race, start: float) -> dict[str, Any]:
    """Return a race for the browser; `start` as in `RaceView.begin`."""
    at = np.arange(0.0, race.length_s + EVERY_S, EVERY_S)
    digits = 4 if race.relative or race.figure == LATE else 0
    lanes = [
        {
            "name": lane.name,
            "values": [None if np.isnan(one) else round(one, digits) for one in lane.values(at).tolist()],
        }
        for lane in race.lanes
    ]
    figure = FIGURES[race.figure]
    return {
        "figure": f"{figure}, against a usual day" if race.relative else figure,
        "percent": bool(digits),
        "least": race.figure == LATE,
        "start": start,
        "every": EVERY_S,
        "hold": HOLD_S,
        "lanes": lanes,
        "leads": [[one.at, one.leader, one.before, round(one.value, 4)] for one in race.leads],
    }
