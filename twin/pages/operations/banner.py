"""A notice above the page: the source fails, the range is empty, the server is gone; and one thing to do about it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from twin.foundation.times import text
from twin.pages.operations.welcome import range_words
from twin.views.shared.component import Component, module_source, style_source

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

KINDS = ("problem", "empty")
"""`problem`: something failed, read out at once; `empty`: there is nothing to show, said calmly."""


class Banner(Component):
    """The notice in the browser; hidden while `message` is empty."""

    kind: str = param.Selector(default="problem", objects=list(KINDS), doc="How grave it is: problem or empty.")  # type: ignore[assignment]
    message = param.String(default="", doc="What is the case, a sentence; empty: nothing is.")
    action = param.String(default="", doc="What the button says; empty: there is none.")
    busy = param.Boolean(default=False, doc="Whether the action is under way.")

    _esm = module_source(Path(__file__).with_name("banner.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("banner.css"))]


class BannerView(pn.viewable.Viewer):
    """One notice at a time, the latest. Without one it shows by itself that the connection to the server is lost."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._act: Callable[[], Any] | None = None
        self._banner = Banner(sizing_mode="stretch_width", margin=0)
        self._banner.on_msg(self._on_message)

    def __panel__(self) -> Banner:
        return self._banner

    @property
    def message(self) -> str:
        """What the notice says; empty while there is none."""
        return self._banner.message

    def fail(self, message: str, retry: Callable[[], Any] | None = None) -> None:
        """Say that something failed; with `retry`, offer to try again. The button shows progress until the next call."""
        self.say("problem", message, "Retry", retry)

    def no_orders(self, start: float, end: float, show_latest: Callable[[], Any]) -> None:
        """Say that the range has no orders although the data covers [start, end) (data seconds), and offer what there is."""
        message = f"No orders in this range: the data covers {range_words(start, end)}."
        self.say("empty", message, "Show the last 24 hours", show_latest)

    def newer(self, until: float, show: Callable[[], Any]) -> None:
        """Say that there are orders until `until` (data seconds) beyond what is shown, and offer them."""
        self.say("empty", f"New orders have come in, until {text(until)[:16]}.", "Show the latest", show)

    def say(self, kind: str, message: str, action: str = "", on_action: Callable[[], Any] | None = None) -> None:
        """Show a notice of one of `KINDS`; `on_action()` is called when its button is pressed."""
        self._act = on_action
        self._banner.param.update(kind=kind, message=message, action=action if on_action else "", busy=False)

    def clear(self) -> None:
        """Take the notice away."""
        self._act = None
        self._banner.param.update(message="", action="", busy=False)

    def _on_message(self, event: "DataEvent") -> None:
        if isinstance(event.data, dict) and event.data.get("act") is True and self._act is not None:
            self._banner.busy = True
            self._act()
