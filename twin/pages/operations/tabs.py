"""The tabs of the side column, which choose one of several panels."""

from pathlib import Path
from typing import Any, ClassVar

import param

from twin.views.shared.component import Component, module_source, style_source

ROOMS = {"phone": 0, "desk": 761, "wall": 1800}
"""Widths of a window, CSS pixels, at which the layout changes (layout.css has the same)."""


class TabBar(Component):
    """A row of tabs, without the panels: the page's layout follows `tab` and `room`."""

    tabs: list[list[Any]] = param.List(  # type: ignore[assignment]
        default=[], doc="Each tab as [key, label, number or None]; the number is shown small after the label."
    )
    tab: str = param.String(default="", doc="Key of the tab that is shown.")  # type: ignore[assignment]
    label = param.String(default="Side panel", doc="What is chosen by the tabs, for who does not see them.")
    swipes = param.Boolean(
        default=False, doc="Whether a finger that goes sideways over the page leads to the next tab."
    )
    room: str = param.Selector(  # type: ignore[assignment]
        default="desk", objects=["phone", "desk", "wall"], doc="How wide the window is, by `ROOMS`."
    )
    rooms: dict[str, int] = param.Dict(default=ROOMS, doc="Smallest width of each, CSS pixels.")  # type: ignore[assignment]

    from_browser: ClassVar[tuple[str, ...]] = ("tab", "room")
    _esm = module_source(Path(__file__).with_name("tabs.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("tabs.css"))]
