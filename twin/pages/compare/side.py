"""One side of the page: a kitchen over a range, with its own session and views; what fails here leaves the other side alone."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn

from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.pages.basemap import base_map
from twin.pages.compare.days import DayChoice
from twin.pages.operations.choice import KitchenChoice, kitchen_rows
from twin.pages.ranges import dates, first_choice, moved, offered, whole_days
from twin.replay.controller import ReplayController
from twin.server.process import process
from twin.sources.base import Location, Window
from twin.views.kpis.kpis import KpiView
from twin.views.map.map import MapView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.session.session import ReplaySession
from twin.views.shared.stand_in import built
from twin.views.shared.view import ReplayView
from twin.views.why.why import WhyView

log = logging.getLogger(__name__)

SECONDS = (int, float)


class Side:
    """The pickers, the session and the views of one side. `on_change()` is called when it shows, or asks for, something else."""

    def __init__(
        self,
        letter: str,
        hub: Hub,
        controller: ReplayController,
        asked: tuple[str, Window],
        on_change: Callable[[], None],
        mounted: bool,
    ) -> None:
        """`asked`: what it is to show; `mounted`: whether the page's server serves our routes."""
        self.letter, self.hub, self.controller = letter, hub, controller
        self.asked = asked
        self._on_change = on_change
        self.session = ReplaySession(
            hub, controller, partial(process.tileset, hub), partial(process.has_tileset, hub), "compare", on_change
        )
        self.kitchen = KitchenChoice(
            margin=0,
            css_classes=["kitchen"],
            kitchens=kitchen_rows(hub.locations),
            value=asked[0],
            label=f"Kitchen of side {letter}",
        )
        self.days = DayChoice(margin=0, letter=letter, sizing_mode="stretch_width")
        self.days.join(controller)
        self.map = built(MapView, controller, base_map=partial(base_map, hub) if mounted else None)
        self.pipeline = built(PipelineView, controller)
        self.kpis = built(KpiView, controller, shares=True)  # a count of few beside a share of many says nothing
        self.why = built(WhyView, controller, active=False)
        self.views: list[ReplayView] = [self.map, self.pipeline, self.kpis, self.why]
        self.session.watch(self.views)
        self.kitchen.param.watch(self._on_kitchen, "value")
        self.days.on_msg(self._on_message)
        self.session.param.watch(self._show_state, ["waiting", "problem", "place"])

    @property
    def place(self) -> Location:
        """The location that is shown, or asked for while nothing is."""
        return self.session.place or self.hub.location(self.asked[0])

    @property
    def window(self) -> Window:
        """The range that is shown, or asked for while nothing is."""
        timeline = self.controller.timeline
        return self.asked[1] if timeline is None else timeline.window

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to see."""
        return self.controller.timeline is not None

    async def load(self, at: float | None = None, speed: float | None = None) -> None:
        """Load what is asked for, and show it at a playhead, data seconds, with a speed; None: as it is, or the usual."""
        location, window = self.asked
        self._on_change()
        await self.session.choose(location, window.start, window.end, at, speed)
        if not self.session.problem:
            self.kitchen.value = self.place.id
        self._on_change()

    def offer(self, other: "Side") -> None:
        """Offer the ranges of the kitchen, and those beside the other side's."""
        place, window = self.place, self.window
        tz = place.tz
        offers = offered(self.hub, place.id, (other.window, other.place.tz))
        reach = self.hub.reach(place.id)
        self.days.param.update(
            offers=[[one.group, one.label, one.window.start, one.window.end] for one in offers],
            range=[window.start, window.end],
            words=dates(window, tz) if (window.start, window.end) == _whole(tz, window) else _words(tz, window),
            reach=[f"{tz.datetime(t):%Y-%m-%d}" for t in (reach.start, reach.end - 1)],
            alone=self._alone() if self.is_shown else "",
        )

    def _alone(self) -> str:
        tz, window = self.place.tz, self.window
        return f"./operations?location={self.place.id}&start={tz.iso(window.start)}&end={tz.iso(window.end)}"

    def _on_kitchen(self, event: Any) -> None:
        if event.new == self.place.id:
            return
        if event.new not in {place.id for place in self.hub.locations}:  # the browser's ids are not trusted
            self.kitchen.value = self.place.id
            return
        before, tz = self.place, self.hub.location(event.new).tz
        days = whole_days(self.hub, event.new)
        same = moved(days, tz, self.window, before.tz, 0)
        self._ask(event.new, same or first_choice(self.hub, event.new))

    def _on_message(self, event: Any) -> None:
        """Take a range. Raises ValueError for a message that no head sends."""
        match event.data:
            case {"choose": [float() | int() as start, float() | int() as end]}:
                self._choose(start, end)
            case {"days": [str() as first, str() as last]}:
                tz = self.place.tz
                self._choose(tz.seconds(first), tz.next_midnight(tz.seconds(last)))
            case {"retry_load": True}:
                pn.state.execute(self.session.retry)

    def _choose(self, start: float, end: float) -> None:
        place = self.place
        window = self.hub.within(place.id, start, end)
        if window is None:
            tz = place.tz
            self.days.problem = (
                f"No orders in this range: the data covers {tz.text(place.start)} to {tz.text(place.end)}."
            )
            self.days.param.trigger("range")  # the list goes back to what is shown
            return
        self._ask(place.id, window)

    def _ask(self, location: str, window: Window) -> None:
        self.asked = location, window
        pn.state.execute(self.load)

    def _show_state(self, *_: Any) -> None:
        session = self.session
        self.days.param.update(busy=session.waiting, problem=session.problem)
        if session.problem:
            log.warning("side %s of a comparison: %s", self.letter, session.problem)
            self.kitchen.value = self.place.id

    def quality(self) -> str:
        """Return why nothing is shown, a sentence; empty if something is."""
        return "" if self.is_shown else self.session.problem


def _whole(tz: Zone, window: Window) -> tuple[float, float]:
    return tz.whole_days(window.start, window.end - 1e-3)


def _words(tz: Zone, window: Window) -> str:
    return f"{tz.text(window.start)[:16]} to {tz.text(window.end)[:16]}"
