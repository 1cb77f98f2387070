"""The text of a wall screen: caption, clock, progress in the show; and its synchronisation with the server's clock."""

import time
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.views.shared.component import Component, module_source, style_source


class KioskCard(Component):
    """The caption and the title card in the browser; it also synchronises the page's clock with epoch time.

    `KioskShow` handles its messages {show: "next" | "back" | "pause"} and {show: "restore", anchor}. This class answers
    {ask: "time", sent} with the server's epoch second, from which the browser computes its clock's offset and sees that the
    server still runs.
    """

    scene: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The scene: number, index, count, headline, detail, name, t, end, speed, duration, since and until (when what the "
        "caption says is true), trouble, and `began` (epoch second) or, while held, `held` (seconds into the scene). captions: "
        "by time, see captions.js; None: not known yet.",
    )
    states: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The kitchen's states over the scene's range (`states_to_browser`); empty while they are not known.",
    )
    arrived: int = param.Integer(default=-1, doc="Number of the scene whose data the views have; -1: none yet.")  # type: ignore[assignment]
    remember: list[Any] = param.List(  # type: ignore[assignment]
        default=[], doc="What a screen stores for the next server: origin, held or None, stamp of the show's anchor."
    )
    problem: str = param.String(default="", doc="Why the next scene cannot be shown, a sentence; empty if it can.")  # type: ignore[assignment]
    remark: str = param.String(default="", doc="What the screen's address asks for in vain; empty: nothing.")  # type: ignore[assignment]
    heading: str = param.String(default="", doc="The title of the screen.")  # type: ignore[assignment]
    logo: str = param.String(default="", doc="Address of a picture next to the title; empty: none.")  # type: ignore[assignment]
    user: str = param.String(  # type: ignore[assignment]
        default="", doc="Address that takes a fresh sign-in, relative to the page; empty where none is needed."
    )
    logo_origins: list[str] = param.List(  # type: ignore[assignment]
        default=[], doc="Web origins from which it may come, beside the page's own."
    )

    _esm = module_source(Path(__file__).with_name("card.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("card.css"))]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_msg(self._answer_time)

    def _answer_time(self, event: Any) -> None:
        match event.data:
            case {"ask": "time", "sent": float() | int() as sent}:
                self._send_msg({"tell": "time", "sent": sent, "epoch": time.time()})
