"""The choice of the kitchen in the page's bar, by id: two kitchens may have one name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.sources.base import Location
from twin.views.shared.component import Component, module_source, style_source

MANY_KITCHENS = 24
"""With more kitchens than this, the page's bar and the first page have a field to search them."""


class KitchenChoice(Component):
    """A list of the source's kitchens, one of which is shown. The browser changes `value`."""

    kitchens: list[list[str]] = param.List(  # type: ignore[assignment]
        default=[], doc="Each kitchen as [id, display name, what tells it from others of this name, city]."
    )
    label = param.String(default="Kitchen", doc="What the list is called, for who does not see where it stands.")
    value: str = param.String(default="", doc="Id of the kitchen that is shown or being loaded.")  # type: ignore[assignment]

    from_browser: ClassVar[tuple[str, ...]] = ("value",)
    _esm = module_source(Path(__file__).with_name("choice.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("choice.css"))]


def kitchen_rows(places: Sequence[Location]) -> list[list[str]]:
    """Return `KitchenChoice.kitchens` of these places, in their order."""
    return [[place.id, place.display_name, place.qualifier, place.city] for place in places]
