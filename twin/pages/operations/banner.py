"""A notice above the page: the source fails, or the range is empty; with one action. A lost server: connection.js."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from twin.foundation.zones import NAIVE, Zone
from twin.pages.operations.welcome import range_text
from twin.views.shared.component import Component, module_source, style_source

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

KINDS = ("problem", "empty")
"""`problem`: something failed, which screen readers announce at once; `empty`: there is nothing to show."""


class Banner(Component):
    """The notice in the browser; hidden while `message` is empty."""

    kind: str = param.Selector(default="problem", objects=list(KINDS), doc="Its severity: problem or empty.")  # type: ignore[assignment]
    message = param.String(default="", doc="The notice, a sentence; empty: there is none.")
    action = param.String(default="", doc="The button's label; empty: there is no button.")
    busy = param.Boolean(default=False, doc="Whether the action is in progress.")

    from_browser: ClassVar[tuple[str, ...]] = ("busy",)
    _esm = module_source(Path(__file__).with_name("banner.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("banner.css"))]


class BannerView(pn.viewable.Viewer):
    """Shows one notice at a time, the latest."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._act: Callable[[], Any] | None = None
        self._banner = Banner(sizing_mode="stretch_width", margin=0)
        self._banner.on_msg(self._on_message)

    def __panel__(self) -> Banner:
        return self._banner

    @property
    def message(self) -> str:
        """The text of the notice; empty while there is none."""
        return self._banner.message

    def fail(self, message: str, retry: Callable[[], Any] | None = None) -> None:
        """Show an error; with `retry`, offer to retry. The button shows progress until the next call."""
        self.notify("problem", message, "Retry", retry)

    def no_orders(self, start: float, end: float, show_latest: Callable[[], Any], tz: Zone = NAIVE) -> None:
        """Show that the range has no orders, that the data covers [start, end) (data seconds), and offer its last 24 hours.

        `tz` is the kitchen's clock, here and below.
        """
        message = f"No orders in this range: the data covers {range_text(start, end, tz)}."
        self.notify("empty", message, "Show the last 24 hours", show_latest)

    def later(self, orders: int, end: float, show: Callable[[], Any], tz: Zone = NAIVE) -> None:
        """Show that some orders begin after `end` (data seconds), behind a gap in the record, and offer them."""
        begin = f"{orders:,} orders begin" if orders != 1 else "1 order begins"
        self.notify("empty", f"{begin} after {tz.text(end)[:16]}, behind a gap in the data.", "Show", show)

    def newer(self, until: float, show: Callable[[], Any], tz: Zone = NAIVE) -> None:
        """Show that there are newer orders, up to `until` (data seconds), and offer them."""
        self.notify("empty", f"New orders have come in, until {tz.text(until)[:16]}.", "Show the latest", show)

    def notify(self, kind: str, message: str, action: str = "", on_action: Callable[[], Any] | None = None) -> None:
        """Show a notice of one of `KINDS`; `on_action()` is called when its button is pressed."""
        self._act = on_action
        self._banner.param.update(kind=kind, message=message, action=action if on_action else "", busy=False)

    def remark(self, message: str) -> None:
        """Show a remark on what was asked for; beside another notice it is added to that."""
        if message and self.message:
            self._banner.message = f"{self.message} {message}"
        elif message:
            self.notify("empty", message)

    def clear(self) -> None:
        """Remove the notice."""
        self._act = None
        self._banner.param.update(message="", action="", busy=False)

    def _on_message(self, event: "DataEvent") -> None:
        if isinstance(event.data, dict) and event.data.get("act") is True and self._act is not None:
            self._banner.busy = True
            self._act()
