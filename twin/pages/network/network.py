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

import numpy as np
import panel as pn
import param
import pyarrow as pa

from twin.analysis.moments.unfolding import GRID_S
from twin.analysis.network import NetworkHours
from twin.api.network import MOST_LIVE, Network, minute_of, network_of
from twin.foundation import errand
from twin.foundation.address import Address
from twin.foundation.errors import TwinError
from twin.foundation.times import HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.pages.network import shown
from twin.pages.plain_page import begin_page
from twin.replay.controller import ReplayController
from twin.replay.followed import EVERY_S, SLOWEST_S
from twin.replay.live import LEARN_EVERY_S, place_grows
from twin.replay.live_source import LiveSource, SourceState
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
NAMES = ("t", "speed", "q", "region", "brand", "kitchen", "hindsight", "live", "theme")
"""The parameters of the page's address; the browser writes them by itself."""
MOST_IN_VIEW = 60
"""Most kitchens that a browser may ask for at once: a high screen shows half as many."""
TICK_MS = 1000
BUDGET_S = 0.1
"""Seconds after which the rows computed so far are sent: the first ones are not to wait for the last."""
SORT_EVERY_S = 5.0
"""Wall seconds between two orders of the rows while it plays: they are to be read, and clicked."""
PROGRESS_S = 0.5
LEAST_HARM = [9, 0, 0]
"""Of a kitchen that has no row: it does not cook for the brand that is chosen."""
RESTS = 5.0
"""While a source grows, the rows rest for so many times the seconds that they took."""


def serve_network() -> None:
    """Put the page into the current document."""
    address = begin_page(f"{TITLE} – Casper’s Kitchens")
    if pn.state.curdoc is not None:
        pn.state.curdoc.config.notify_connection_status = False  # the page says it itself
    view = NetworkView(address)
    pn.state.onload(view.begin)
    pn.Column(view, sizing_mode="stretch_width", margin=0).servable()


class _NoOrders:
    """A selection of orders, which this page has none of, asks for these."""

    row_of: ClassVar[dict[str, int]] = {}
    ids = pa.array([], pa.string())


@dataclass(frozen=True, slots=True)
class Common:
    """What a clock plays: the range of all kitchens, as a timeline has it."""

    window: Window
    tz: Zone
    location: Window
    """Stands for the place, whose first and last event a clock's zone reaches to."""
    orders: ClassVar[_NoOrders] = _NoOrders()


class NetworkPage(Component):
    """The page in the browser; `state["status"]` is one of loading, ready, error."""

    apart = True

    state = param.Dict(default={"status": "loading"}, doc="The kitchens and their range: see `shown.state`.")
    speeds = param.List(default=list(ReplayController.SPEEDS), constant=True, doc="Data seconds per second.")
    seen = param.Boolean(default=True, doc="Whether the page is in a visible tab.")
    now = param.Dict(default={}, doc="Of a source that grows, as `LiveBadge.now` has it; else empty.")

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
        self._brand = ""
        self._carry: frozenset[str] | None = None
        self._more: dict[str, float] = {}
        self._edge: float | None = None
        self._looked = self._learned = 0.0
        self._told_live = False
        self._advance_at = 0.0
        self._listens = True
        self._standing: dict[str, dict[str, Any]] = {}
        self._ticker: Any = None
        self._request = answering_request()

    def __panel__(self) -> NetworkPage:
        return self._page

    async def begin(self) -> None:
        """Open the source and show the kitchens; then their hours, for which the source may have to count."""
        self._listens = not self._is_served
        try:
            hub = self._hub or await self._open()
            with errand.on(page="network"):
                network = await threads.to_source(network_of, hub)
                window = await threads.to_source(network.window)
                now = await threads.to_source(_now, hub)
            self._take(hub, network, window, now)
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
        if (
            self._edge is None and self._address.time("t", network.tz) is None
        ):  # nobody asked for a time: where most went wrong
            self.controller.seek(hours.worst(window.end))
        self._tell({"tell": "hours", **shown.hours(hours)})
        if not self._address.text("brand"):
            self._ask()
        await self._name_brands()
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

    def _take(self, hub: Hub, network: Network, window: Window, now: SourceState | None) -> None:
        self._hub, self._network = hub, network
        self._places = {place.id: place for place in hub.locations}
        controller = self.controller = ReplayController(settings=hub.settings)
        whole = Window(*network.reach())
        at = self._address.time("t", network.tz)
        if at is not None and not window.start <= at <= window.end:
            self._address.remark(f"{network.tz.text(at)} is not in the range shown: the nearest time in it is.")
        live = self._address.one_of("live", ("0", "1"))
        if live is not None and now is None:
            self._address.remark("Nothing newer comes from this source, so nothing can be followed live.")
        self._edge = None if now is None else now.edge
        start = window.end if at is None else at
        controller.load(Common(window, network.tz, whole), start, self._edge)  # type: ignore[arg-type]
        if now is not None and (at is None or live == "1"):
            controller.follow()
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
        self._follow(hub, now)
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            self._ticker = pn.io.PeriodicCallback(callback=self._tick, period=TICK_MS, background=True, log=False)
            if self._page.seen:
                self._ticker.start()
            pn.state.on_session_destroyed(lambda _context: self._ticker.stop())

    def _on_seen(self, event: Any) -> None:
        if self._ticker is not None:
            (self._ticker.start if event.new else self._ticker.stop)()
        if event.new:
            self._tell_later()
            self._ask()

    def _tick(self) -> None:
        self.controller.settle()
        if self.controller.playing and self.controller.state != "live":
            self._ask()

    def _on_message(self, event: "DataEvent") -> None:
        match event.data:
            case {"brand": str() as name}:
                self._run(partial(self._choose_brand, name))
            case {"view": list() as seen}:
                known = [one for one in seen if isinstance(one, str) and one in self._places]
                self._view = known[:MOST_IN_VIEW]
                self._ask()
            case {"listens": True}:
                self._begin_telling()
            case {"ask": True}:  # whether anybody is there
                self._tell({"tell": "here"})

    def _begin_telling(self) -> None:
        """Tell a browser that listens from now on what it has missed: of an open source much is said before a page is drawn."""
        self._listens, self._sent = True, []
        self._more.clear()
        if self._hours is not None:
            self._tell({"tell": "hours", **shown.hours(self._hours)})
        for message in list(self._standing.values()):
            self._tell(message)
        self._ask()

    # -- live --------------------------------------------------------------------------------------------------------------
    def _follow(self, hub: Hub, now: SourceState | None) -> None:
        """Follow a source that grows, as long as the session lasts."""
        document = pn.state.curdoc
        if now is None or document is None or document.session_context is None:
            return
        self._tell_now(now)

        def tell() -> None:  # in the source's thread
            document.add_next_tick_callback(self._tell_later)

        end = hub.cached(LiveSource).follow(tell)
        pn.state.on_session_destroyed(lambda _context: end())

    def _tell_now(self, now: SourceState) -> None:
        age = round(max(0.0, time.monotonic() - now.came), 2)
        unknown = {"gap": None, "after": None, "until": None, "final": now.edge}
        self._page.now = {"age": age, "pace": now.pace, "problem": now.problem, **unknown}

    def _tell_later(self) -> None:
        """Take what has come in, once the rows have rested; many callbacks are one."""
        if self._edge is None or self._told_live or not self._page.seen:
            return
        self._told_live = True
        self._run(self._take_newest)

    async def _take_newest(self) -> None:
        """Let the range grow up to the edge, and compute what follows from it."""
        hub = self._hub
        assert hub is not None
        try:
            await asyncio.sleep(max(0.0, self._advance_at - time.monotonic()))
            self._told_live = False
            now, begun = hub.cached(LiveSource).state, time.monotonic()
            if now is None or self._edge is None:
                return
            if now.edge > self._edge or self._page.now.get("problem", "") != now.problem:
                with errand.on(page="network"):
                    window = await threads.to_source(self._network.window)
                await self._grow(window, now)
            if self.controller.state == "live":
                await self._newest.ask(self._update)
            self._advance_at = time.monotonic() + min(max(EVERY_S, RESTS * (time.monotonic() - begun)), SLOWEST_S)
        except TwinError as error:
            log.warning("the kitchens cannot be followed: %s", error)
        finally:
            self._told_live = False

    async def _grow(self, window: Window, now: SourceState) -> None:
        before, self._edge = self._edge, now.edge
        fresh = {place.id: place for place in self._network.places}
        self._places = {one: fresh.get(one, place) for one, place in self._places.items()}
        with pn.io.hold():
            whole = Window(*self._network.reach())
            self.controller.extend(Common(window, self._network.tz, whole), now.edge)  # type: ignore[arg-type]
            self._tell_now(now)
        if before is None or before // HOUR != now.edge // HOUR or self._all_live:
            with errand.on(page="network"):
                self._hours = await threads.to_source(self._network.hours)
            self._tell({"tell": "hours", **shown.hours(self._hours)})

    # -- brands ------------------------------------------------------------------------------------------------------------
    async def _name_brands(self) -> None:
        """Tell the brands that can be chosen; and which kitchens carry the one that the address names."""
        hub, asked = self._hub, self._address.text("brand")
        if hub is None:
            return
        try:
            with errand.on(page="network"):
                if hub.source.metered:  # counting costs money: nobody has asked yet
                    names = sorted(
                        set((await threads.to_source(hub.source.names, "brands")).values()), key=str.casefold
                    )
                else:
                    names = list(await threads.to_source(self._network.brands))
        except TwinError as error:
            log.warning("the brands are not known: %s", error)
            return
        self._tell({"tell": "brands", "names": names})
        if asked:
            await self._choose_brand(asked)

    async def _choose_brand(self, asked: str) -> None:
        """Show the kitchens of a brand, by its name, with the figures of its orders; all with an empty one."""
        hub, problem, carry, brand = self._hub, "", None, ""
        if hub is None:
            return
        if asked:
            try:
                with errand.on(page="network"):
                    brand = await threads.to_source(self._network.brand, asked)
                    carry = (await threads.to_source(self._network.brands))[brand]
            except TwinError as error:
                problem = str(error)
        self._brand, self._carry, self._rows, self._sent = brand, carry, {}, []
        ids = None if carry is None else [number for number, one in enumerate(self._places) if one in carry]
        self._tell({"tell": "brand", "name": brand, "kitchens": ids, "problem": problem})
        self._ask()

    # -- rows --------------------------------------------------------------------------------------------------------------
    def _ask(self) -> None:
        if self._places and self._page.seen and self._listens:
            self._run(partial(self._newest.ask, self._update))

    def _run(self, work: Any) -> None:
        if self._is_served:
            pn.state.execute(work)

    @property
    def _is_served(self) -> bool:
        return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None

    @property
    def _all_live(self) -> bool:
        """Whether all kitchens are loaded: not many, nor those of a source where each question costs money."""
        return len(self._places) <= MOST_LIVE and self._hub is not None and not self._hub.source.metered

    @property
    def _asked(self) -> list[Location]:
        """The kitchens whose rows are computed: all where they are few, because their states rank them."""
        ids = list(self._places) if self._all_live else self._view
        return [self._places[one] for one in ids if self._carry is None or one in self._carry]

    def _changed(self, hub: Hub, places: list[Location], t: float) -> list[Location]:
        """Return those whose row is of another minute than the one sent last."""
        return [one for one in places if self._rows.get(one.id, {}).get("at") != minute_of(hub, one, t)]

    async def _update(self) -> None:
        """Compute and send the rows at the playhead, then what went wrong at each kitchen, unless it has moved on meanwhile."""
        hub, epoch = self._hub, self.controller.anchor.epoch
        if hub is None or (self._hours is None and not self._all_live):
            return  # which rows are in view is not known before they are sorted
        live, t = self.controller.state == "live", self.controller.now()
        asked = self._asked
        if live and self._edge is not None:
            t = self._edge
            asked = await threads.to_source(self._changed, hub, asked, t)
        else:
            self._looked = self._learned = 0.0
        self._order(t)
        for worst in (False, True):
            if worst and live and not self._is_due(t):
                break
            if not await self._send(hub, self._asked if worst and live else asked, t, worst, epoch):
                return  # the newest question has another time
            self._order(t, done=True)
        await self._send_more(hub, epoch)

    async def _send(self, hub: Hub, asked: list[Location], t: float, worst: bool, epoch: int) -> bool:
        """Compute and send the rows of some kitchens, or their troubles; return whether they are still wanted."""
        left, brand = asked, self._brand
        while left:
            if self.controller.anchor.epoch != epoch or self._brand != brand:
                return False
            with errand.on(page="network"):
                rows = await threads.to_source(_some, hub, left, t, worst, brand)
            if self._brand != brand:
                return False
            left = left[len(rows) :]
            self._rows |= {row["location"]: self._rows.get(row["location"], {}) | row for row in rows}
            self._tell({"tell": "rows", "t": t, "rows": rows})
        return True

    def _is_due(self, t: float) -> bool:
        """Whether troubles are looked for again while a source grows: they are told every fifth minute, and take long to find."""
        wall, look = time.monotonic(), t // GRID_S
        if look == self._looked or wall < self._learned:
            return False
        self._looked, self._learned = look, wall + LEARN_EVERY_S
        return True

    async def _send_more(self, hub: Hub, epoch: int) -> None:
        """Send what stays while the playhead moves: the states of all hours, and the streets around."""
        begin = float(np.floor(self.controller.start / HOUR))
        for place in self._asked:
            if self._more.get(place.id) == begin:
                continue
            if self.controller.anchor.epoch != epoch or not self._page.seen:
                return
            with errand.on(page="network"):
                more = [await threads.to_source(shown.past, hub, place)]
                if place.id not in self._more and not hub.source.metered:
                    more.append(await threads.to_source(shown.streets, hub, place))
            self._more[place.id] = begin
            self._tell({"tell": "more", "rows": more})

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
            harms = [self._rows.get(one, {}).get("harm", LEAST_HARM) for one in ids]
            order = sorted(range(len(ids)), key=harms.__getitem__)
        else:
            return
        self._sorted_at = wall
        if order == self._sent:
            return
        self._sent = order
        self._tell({"tell": "order", "order": order})

    def _tell(self, message: dict[str, Any]) -> None:
        """Send a message; before the browser listens only note those that stay true, which it is told when it does."""
        if message["tell"] in ("brands", "brand"):
            self._standing[message["tell"]] = message
        if self._listens:
            self._page._send_msg(message)


def _now(hub: Hub) -> SourceState | None:
    """Return where the edge of a source that grows is; None of one that does not."""
    return hub.cached(LiveSource).advance() if any(place_grows(hub, place) for place in hub.locations) else None


def _some(hub: Hub, places: list[Location], t: float, worst: bool, brand: str) -> list[dict[str, Any]]:
    """Return the rows of the first of these kitchens, as many as are there within `BUDGET_S`, at least one."""
    until = time.monotonic() + BUDGET_S
    rows: list[dict[str, Any]] = []
    for place in places:
        rows.append(shown.trouble(hub, place, t) if worst else shown.row(hub, place, t, brand))
        if time.monotonic() > until:
            break
    return rows
