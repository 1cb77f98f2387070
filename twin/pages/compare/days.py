"""The head of one side: its days, its clock, and what keeps it from being shown."""

from pathlib import Path
from typing import Any, ClassVar

import param

from twin.views.shared.component import Component, module_source, style_source


class DayChoice(Component):
    """The head in the browser. It sends {"choose": [start, end]} (data seconds), {"days": [first, last]} (dates as ISO text) or
    {"retry_load": true}."""

    letter = param.String(default="A", doc="What the side is called on the page: A or B.")
    offers: list[list[Any]] = param.List(  # type: ignore[assignment]
        default=[], doc="Ranges to choose from as [group, label, start, end], data seconds."
    )
    range: list[float] = param.List(default=[], item_type=float, doc="The range shown, [start, end]; empty: none yet.")  # type: ignore[assignment]
    words = param.String(default="", doc="That range in words.")
    reach: list[str] = param.List(default=[], item_type=str, doc="First and last date that can be chosen, ISO.")  # type: ignore[assignment]
    busy = param.String(default="", doc="What is being loaded; empty when nothing is.")
    problem = param.String(default="", doc="Why the side could not be loaded, a sentence; empty if it could.")
    alone = param.String(default="", doc="Address of this side's own page, relative; empty: nothing is shown yet.")

    _esm = module_source(Path(__file__).with_name("days.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("days.css"))]
