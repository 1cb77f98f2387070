"""The page at /network: all kitchens of the source on one clock.

Hours of all kitchens come from one question to the engine; figures that need a loaded timeline are computed for the kitchens in
view only, in a thread, for the newest moment only. What a row says is what `twin.api.network` says.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from twin.analysis.network import NetworkHours
from twin.api.network import MOST_LIVE, Network, network_of
from twin.foundation import errand
from twin.foundation.address import Address
from twin.foundation.errors import TwinError
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.pages.network import shown
from twin.pages.plain_page import begin_page
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.server.answering import answering_request
from twin.server.newest import Newest
from twin.server.process import process
from twin.sources.base import Location, Window
from twin.views.shared.component import Component, module_source, style_source

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

log = logging.getLogger(__name__)

TITLE = "All kitchens"
NAMES = ("t", "speed", "q", "region", "kitchen", "hindsight", "theme")
"""The parameters of the page's address; the browser reads and writes all but the first two by itself."""
MOST_IN_VIEW = 60
"""Most kitchens that a browser may ask for at once: a high screen shows half as many."""
TICK_MS = 1000
BUDGET_S = 0.1
"""Seconds after which the rows computed so far are sent: the first ones are not to wait for the last."""
SORT_EVERY_S = 5.0
"""Wall seconds between two orders of the rows while it plays: they are to be read, and clicked."""
PROGRESS_S = 0.5


def serve_network() -> None:
    """Put the page into the current document."""
    address = begin_page(f"{TITLE} – Casper’s Kitchens")
    if pn.state.curdoc is not None:
        pn.state.curdoc.config.notify_connection_status = False  # the page says it itself
    view = NetworkView(address)
    pn.state.onload(view.begin)
    pn.Column(view, sizing_mode="stretch_width", margin=0).servable()


@dataclass(frozen=True, slots=True)
class Common:
    """What a clock plays: the range of all kitchens, as a timeline has it."""

    window: Window
    tz: Zone
    location: Window
    """Stands for the place, whose first and last event a clock's zone reaches to."""


class NetworkPage(Component):
    """The page in the browser; `state["status"]` is one of loading, ready, error."""

    apart = True

    state = param.Dict(default={"status": "loading"}, doc="The kitchens and their range: see `shown.state`.")
    speeds = param.List(default=list(ReplayController.SPEEDS), constant=True, doc="Data seconds per second.")
    seen = param.Boolean(default=True, doc="Whether the page is in a visible tab.")

    from_browser: ClassVar[tuple[str, ...]] = ("seen",)
    _esm = module_source(Path(__file__).with_name("network.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("network.css"))]


class NetworkView(pn.viewable.Viewer):
    """A session's page: its clock, what is in view, and the rows that are sent for it."""

    def __init__(self, address: Address, hub: Hub | None = None, **params: Any) -> None:
        """`hub`: the open source; None: that of the process, as far as who asks may read it."""
        super().__init__(**params)
        self._address = address
        self._hub = hub
        self.controller = ReplayController()
        self._page = NetworkPage(sizing_mode="stretch_width", margin=0)
        self._newest = Newest()
        self._places: dict[str, Location] = {}
        self._view: list[str] = []
        self._rows: dict[str, dict[str, Any]] = {}
        self._hours: NetworkHours | None = None
        self._sorted_at = 0.0
        self._sent: list[int] = []
        self._ticker: Any = None
        self._request = answering_request()

    def __panel__(self) -> NetworkPage:
        return self._page

    async def begin(self) -> None:
        """Open the source and show the kitchens; then their hours, for which the source may have to count."""
        try:
            hub = self._hub or await self._open()
            with errand.on(page="network"):
                network = await threads.to_source(network_of, hub)
                window = await threads.to_source(network.window)
            self._take(hub, network, window)
            with errand.on(page="network"):
                hours = await threads.to_source(network.hours)
        except TwinError as error:
            self._page.state = {"status": "error", "message": str(error)}
            return
        except Exception as error:  # whatever it is, nobody may wait for ever
            log.exception("the kitchens cannot be shown")
            words = f"The kitchens cannot be shown ({type(error).__name__}): the server’s log has the reason."
            self._page.state = {"status": "error", "message": words}
            return
        self._hours = hours
        if self._address.time("t", network.tz) is None:  # nobody has asked for a time: begin where most went wrong
            self.controller.seek(hours.worst(window.end))
        self._tell({"tell": "hours", **shown.hours(hours)})
        self._ask()

    async def _open(self) -> Hub:
        visitor = process.visitor_of(self._request)
        hub = process.open_hub(visitor)
        if hub is not None:
            return hub
        opened = asyncio.wrap_future(process.begin_opening(visitor))
        while not (await asyncio.wait({opened}, timeout=PROGRESS_S))[0]:
            step = process.opening_step if visitor is None else visitor.step
            self._page.state = {"status": "loading", "step": step}
        return opened.result()

    def _take(self, hub: Hub, network: Network, window: Window) -> None:
        self._hub, self._network = hub, network
        self._places = {place.id: place for place in hub.locations}
        controller = self.controller = ReplayController(settings=hub.settings)
        whole = Window(*network.reach())
        at = self._address.time("t", network.tz)
        if at is not None and not window.start <= at <= window.end:
            self._address.remark(f"{network.tz.text(at)} is not in the range shown: the nearest time in it is.")
        controller.load(Common(window, network.tz, whole), window.end if at is None else at)  # type: ignore[arg-type]
        speed = self._address.number("speed", 0.001, max(ReplayController.SPEEDS))
        if speed is not None:
            controller.set_speed(speed)
        if self._address.one_of("hindsight", ("0", "1")) == "1":
            controller.set_hindsight(True)
        self._address.only(*NAMES)
        self._page.join(controller)
        self._page.on_msg(self._on_message)
        self._page.retry_with(self._ask)
        self._page.param.watch(self._on_seen, "seen")
        controller.param.watch(lambda *_: self._ask(), "anchor")
        remarks = self._address.remarks
        self._page.state = shown.state(hub.locations, network.tz, window, remarks, not self._all_live)
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            self._ticker = pn.io.PeriodicCallback(callback=self._tick, period=TICK_MS, background=True, log=False)
            if self._page.seen:
                self._ticker.start()
            pn.state.on_session_destroyed(lambda _context: self._ticker.stop())

    def _on_seen(self, event: Any) -> None:
        if self._ticker is not None:
            (self._ticker.start if event.new else self._ticker.stop)()
        if event.new:
            self._ask()

    def _tick(self) -> None:
        self.controller.settle()
        if self.controller.playing:
            self._ask()

    def _on_message(self, event: "DataEvent") -> None:
        match event.data:
            case {"view": list() as seen}:
                known = [one for one in seen if isinstance(one, str) and one in self._places]
                self._view = known[:MOST_IN_VIEW]
                self._ask()
            case {"ask": True}:  # whether anybody is there
                self._tell({"tell": "here"})

    # -- rows --------------------------------------------------------------------------------------------------------------
    def _ask(self) -> None:
        if self._places and self._page.seen:
            self._run(partial(self._newest.ask, self._update))

    def _run(self, work: Any) -> None:
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.execute(work)

    @property
    def _all_live(self) -> bool:
        """Whether all kitchens are loaded: not many, nor those of a source where each question costs money."""
        return len(self._places) <= MOST_LIVE and self._hub is not None and not self._hub.source.metered

    @property
    def _asked(self) -> list[Location]:
        """The kitchens whose rows are computed: all where they are few, because their states rank them."""
        if self._all_live:
            return list(self._places.values())
        return [self._places[one] for one in self._view]

    async def _update(self) -> None:
        """Compute and send the rows at the playhead, then what went wrong at each kitchen, unless it has moved on meanwhile."""
        hub, epoch, t = self._hub, self.controller.anchor.epoch, self.controller.now()
        if hub is None or (self._hours is None and not self._all_live):
            return  # which rows are in view is not known before they are sorted
        asked = self._asked
        self._order(t)
        for worst in (False, True):
            left = asked
            while left:
                if self.controller.anchor.epoch != epoch:
                    return  # the newest question has another time
                with errand.on(page="network"):
                    rows = await threads.to_source(_some, hub, left, t, worst)
                left = left[len(rows) :]
                self._rows |= {row["location"]: self._rows.get(row["location"], {}) | row for row in rows}
                self._tell({"tell": "rows", "t": t, "rows": rows})
            self._order(t, done=True)

    def _order(self, t: float, done: bool = False) -> None:
        """Send the order of the kitchens by harm; while it plays only now and then."""
        wall = time.monotonic()
        if self.controller.playing and wall - self._sorted_at < SORT_EVERY_S:
            return
        ids = list(self._places)
        if not self._all_live:
            if done or self._hours is None:
                return
            order = self._hours.by_harm(t)
        elif done:
            order = sorted(range(len(ids)), key=lambda number: self._rows[ids[number]]["harm"])
        else:
            return
        self._sorted_at = wall
        if order == self._sent:
            return
        self._sent = order
        self._tell({"tell": "order", "order": order})

    def _tell(self, message: dict[str, Any]) -> None:
        self._page._send_msg(message)


def _some(hub: Hub, places: list[Location], t: float, worst: bool) -> list[dict[str, Any]]:
    """Return the rows of the first of these kitchens, as many as are there within `BUDGET_S`, at least one."""
    until = time.monotonic() + BUDGET_S
    rows: list[dict[str, Any]] = []
    for place in places:
        rows.append(shown.trouble(hub, place, t) if worst else shown.row(hub, place, t))
        if time.monotonic() > until:
            break
    return rows
