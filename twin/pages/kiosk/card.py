"""What a wall screen says: caption, clock, the place in the tour; and its ear on the server's clock."""

import time
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.views.shared.component import Component, module_source, style_source


class KioskCard(Component):
    """The caption and the title card in the browser; it also keeps the page's clock in step with epoch time.

    It answers nothing itself: the show hears its messages {show: "next" | "back" | "pause"}; {ask: "time", sent} is answered
    here with the server's epoch second, from which the browser knows its own lead, and that the server still lives.
    """

    scene: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The scene: number, index, count, headline, detail, name, t, end, speed, duration, and `began` (epoch second) or, "
        "while held, `held` (seconds into the scene).",
    )
    arrived: int = param.Integer(default=-1, doc="Number of the scene whose data the views have; -1: none yet.")  # type: ignore[assignment]
    remember: list[Any] = param.List(  # type: ignore[assignment]
        default=[], doc="What a screen hands to the next server: origin, held or None, stamp of the show's anchor."
    )
    problem: str = param.String(default="", doc="What keeps the next scene from being shown, a sentence; else empty.")  # type: ignore[assignment]
    heading: str = param.String(default="", doc="The title of the screen.")  # type: ignore[assignment]
    logo: str = param.String(default="", doc="Address of a picture beside the title; empty: none.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("card.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("card.css"))]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_msg(self._tell_time)

    def _tell_time(self, event: Any) -> None:
        match event.data:
            case {"ask": "time", "sent": float() | int() as sent}:
                self._send_msg({"tell": "time", "sent": sent, "epoch": time.time()})
