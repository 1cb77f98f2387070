"""The dialog of the incident card: a preview, notes of one's own, and the card to print or save as HTML, PNG or Markdown."""

import base64
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import panel as pn

from twin.analysis.moments import Moment
from twin.analysis.moments.unfolding import GRID_S
from twin.foundation.errors import TwinError
from twin.hub import Hub
from twin.render.tiles import TileSet
from twin.replay.controller import ReplayController
from twin.reports.card import Card, card_of, known_moment
from twin.reports.card_picture import card_png
from twin.reports.card_text import card_html, card_markdown
from twin.server import threads
from twin.timeline.timeline import Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

LONGEST_NOTES = 5000
"""Characters that are read of a browser's notes; the card cuts them to what it has room for."""
LONGEST_ADDRESS = 2000

Tiles = Callable[[str], TileSet | None]
"""The base map of a location, None: none has been drawn yet."""


class IncidentCardDialog(Component):
    """The dialog in the browser. Buttons of other views open it, see cards.js."""

    _esm = module_source(Path(__file__).with_name("incident_card.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("incident_card.css"))]


class IncidentCardView(ReplayView):
    """Makes cards of the controller's timeline, in threads, and answers the dialog."""

    def __init__(
        self, controller: ReplayController, hub: Hub | None = None, tiles: Tiles = lambda _: None, **params: Any
    ) -> None:
        """`hub` is the source of the controller's timelines; without it there is no card to be had."""
        super().__init__(**params)
        self._controller, self._hub, self._tiles = controller, hub, tiles
        self._card: Card | None = None
        self._dialog = IncidentCardDialog(margin=0, width=0, height=0, styles={"position": "absolute"})
        self._dialog.join(controller)
        self._dialog.on_msg(self._on_message)
        self._dialog.retry_with(partial(self.retry, controller))

    def __panel__(self) -> IncidentCardDialog:
        return self._dialog

    def reset(self) -> None:
        """Drop the card of the previous timeline."""
        self._card = None

    def extend(self, inserted: Inserted) -> None:
        """Keep the card that is being looked at."""

    def _on_message(self, event: Any) -> None:
        match event.data:
            case {"card": dict() as wanted, "ask": int() as ask}:
                self._answer(ask, partial(self._made, wanted))
            case {"notes": str() as notes, "ask": int() as ask, **rest} if self._card is not None:
                kind = "png" if rest.get("png") else "texts"
                self._answer(ask, partial(_written, self._card.with_notes(notes[:LONGEST_NOTES]), kind))

    def _answer(self, ask: int, make: Callable[[], dict[str, Any]]) -> None:
        """Send what `make()` returns, which runs in a thread; a TwinError or ValueError becomes a sentence in the dialog."""

        def attempt() -> dict[str, Any]:
            try:
                return make()
            except (TwinError, ValueError) as error:
                return {"problem": str(error)}

        async def compute() -> None:
            self._dialog._send_msg({"ask": ask, **await threads.to_source(attempt)})

        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(partial(self.attempt_answer, compute))
        else:
            self._dialog._send_msg({"ask": ask, **attempt()})

    def _made(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return the texts of a card. wanted: start, end, kind ("": a range, else a moment's), t (None: with hindsight), page."""
        timeline, hub = self._controller.timeline, self._hub
        if timeline is None or hub is None or not timeline.has_orders:
            raise ValueError("There are no orders in this range.")
        start, end = _number(wanted, "start"), _number(wanted, "end")
        known_at = None if wanted.get("t") is None else _number(wanted, "t")
        moment = None
        if found := self._moment(hub, timeline, str(wanted.get("kind", "")), start, end, known_at):
            moment, known_at = found
            start, end = moment.start, moment.end
        card = card_of(
            hub,
            timeline,
            start,
            end,
            moment=moment,
            known_at=known_at,
            link=str(wanted.get("page", ""))[:LONGEST_ADDRESS],
            tiles=self._tiles(timeline.location.id),
        )
        self._card = card
        return _written(card, "texts")

    def _moment(
        self, hub: Hub, timeline: Timeline, kind: str, start: float, end: float, t: float | None
    ) -> tuple[Moment, float | None] | None:
        """Return the moment that a button stands beside, as it was known at t, and as of when; None for a range.

        What goes on at t is as of the last look at it, as everywhere on the page (unfolding.py).
        """
        if not kind:
            return None
        found = hub.insights(timeline).moments
        overlapping = [one for one in found if one.kind == kind and one.start < end and start < one.end]
        if t is None:
            return (overlapping[0], None) if overlapping else None
        look = max(timeline.window.start, math.floor(t / GRID_S) * GRID_S)
        if overlapping:
            moment = overlapping[0]
            return known_moment(hub, timeline, moment, t if max(moment.end, moment.settled) <= t else look)
        known = [one for one in hub.troubles_at(timeline, look).moments if one.kind == kind and one.start < look]
        return (known[0], look) if known else None


def _number(wanted: dict[str, Any], name: str) -> float:
    value = wanted.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"A card needs a time for “{name}”.")
    return float(value)


def _written(card: Card, kind: str) -> dict[str, Any]:
    if kind == "png":
        return {"png": base64.b64encode(card_png(card)).decode()}
    return {
        "html": card_html(card),
        "markdown": card_markdown(card),
        "title": f"{card.title}, {card.when}",
        "name": card.name,
    }
