"""The operations page: the layout of the views and the connections between them; each view has its own folder."""

import asyncio
import functools
import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import bokeh
import panel as pn
from panel.io.resources import get_dist_path

from twin import api
from twin.api.endpoints import BASE
from twin.api.openapi_alerts import ALERTS
from twin.foundation import errand
from twin.foundation.address import Address, notice, quoted, suggestion
from twin.foundation.errors import ForeignColumnsError, SignInError, TwinError
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.pages.basemap import base_map
from twin.pages.frames import begin_panel, frame
from twin.pages.opening import opening
from twin.pages.operations.banner import BannerView
from twin.pages.operations.card_state import card_state
from twin.pages.operations.choice import MANY_KITCHENS, KitchenChoice, kitchen_rows
from twin.pages.operations.choices import Choices
from twin.pages.operations.chrome import ChromeView
from twin.pages.operations.tabs import TabBar
from twin.pages.operations.welcome import WelcomeView
from twin.pages.ranges import beside
from twin.replay.controller import ReplayController
from twin.replay.live import grows
from twin.server import threads
from twin.server.answering import answering_request
from twin.server.headers import guard_page
from twin.server.process import process
from twin.views.bell.bell import AlertBarView, BellView
from twin.views.bell.rules import AlertRulesView
from twin.views.data_quality.data_quality import DataQualityView
from twin.views.feed.feed import FeedView
from twin.views.incident_card.incident_card import IncidentCardView
from twin.views.kpis.kpis import KpiView
from twin.views.live.live import LiveView
from twin.views.map.density import KINDS, Density
from twin.views.map.figure import ONLINE_ORIGINS
from twin.views.map.layers import LAYERS, NO_LAYERS
from twin.views.map.map import MapView
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView
from twin.views.order.order import OrderView
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.session.address import NAMES, missing_order
from twin.views.session.ghosts import KINDS as GHOSTS
from twin.views.session.ghosts import is_choice
from twin.views.session.session import ReplaySession
from twin.views.shared import theme
from twin.views.shared.component import bundle_url, style_text
from twin.views.shared.modules import script_source
from twin.views.shared.stand_in import built
from twin.views.shared.view import ReplayView
from twin.views.transport.transport import TransportView
from twin.views.trends.trends import TrendsView
from twin.views.why.why import WhyView

log = logging.getLogger(__name__)

TITLE = "Casper’s Kitchens"
OWN_COLUMNS = (
    "Rows of events have event_type, ts and order_id. The next page shows what these columns probably mean, lets you correct it, "
    "and opens the kitchens."
)
OTHER_SOURCE = "Start the app with another source, for example: twin serve --source demo"
PROGRESS_S = 0.5
"""Seconds between two progress texts while the source opens."""
LONGEST_LATER = 31 * DAY
"""Longest range that the notice about later orders offers, seconds: stragglers may come years apart."""
SAVED = ("events", "layers", "density", "tab", "below", "ghost")
"""The parameters of the address in which views save a choice."""


BONES = (("pipeline", 5), ("map", 0), ("kpis", 4), ("panel", 5), ("transport", 2))
"""The skeleton that is shown before any script has run: by panel, its grid area and number of bars."""


def operations_page() -> pn.Column:
    """Return the page of a new session, on the process's hub."""
    begin_panel()
    query = {key: values[0].decode("utf-8", "replace") for key, values in pn.state.session_args.items() if values}
    mounted = api.mount()
    page_frame(query, mounted, bones=BONES if "location" in query else ())
    body = pn.Column(sizing_mode="stretch_both", margin=0)
    title = pn.pane.HTML(_text("title.html").replace("{title}", TITLE), margin=0, stylesheets=[_text("title.css")])
    header = pn.Row(
        title, sizing_mode="stretch_width", margin=0, stylesheets=[style_text(Path(__file__).with_name("header.css"))]
    )
    page = pn.Column(
        header, body, sizing_mode="stretch_both", margin=0, stylesheets=[":host { background: var(--tw-bg); }"]
    )

    try:
        visitor, refusal = process.visitor_of(answering_request()), ""
    except SignInError as error:
        visitor, refusal = None, str(error)

    def build() -> None:
        if refusal:
            body[:] = [welcome]
            welcome.fail(refusal)
        elif (hub := process.open_hub(visitor)) is not None:
            show(hub)
        else:
            body[:] = [welcome]
            pn.state.onload(wait)

    async def wait() -> None:
        """Wait until the source is open: a warehouse may take minutes to start, and other sessions must be served meanwhile."""
        opening = asyncio.wrap_future(process.begin_opening(visitor))
        while not (await asyncio.wait({opening}, timeout=PROGRESS_S))[0]:
            welcome.show_loading(process.opening_step if visitor is None else visitor.step)
        try:
            show(opening.result())
        except ForeignColumnsError as error:
            name = Path(process.settings.source).name
            if mounted:
                welcome.fail(f"{name} has columns of its own", OWN_COLUMNS, adapt="./adapt")
            else:
                welcome.fail(str(error))
        except TwinError as error:
            welcome.fail(str(error), OTHER_SOURCE if visitor is None else "")

    def show(hub: Hub) -> None:
        tiles = partial(process.tileset, hub), partial(process.has_tileset, hub)
        session = ReplaySession(hub, ReplayController(settings=hub.settings), *tiles)
        parts = _Operations(session, body, query, mounted)
        header[:] = [title, parts.choice, pn.Spacer(css_classes=["between"], margin=0), *parts.bar]

    welcome = WelcomeView(on_choose=lambda _id: None, on_retry=build)
    build()
    return page


class _Operations:
    """The parts of one session's page and the connections between them."""

    def __init__(self, session: ReplaySession, body: pn.Column, query: dict[str, str], mounted: bool) -> None:
        """`mounted`: whether the page's server serves our routes."""
        controller = session.controller
        self.session = session
        self.body = body
        self._begun: bool | None = None
        self._beside_of: tuple[str, float, int] | None = None
        self.welcome = WelcomeView(
            on_choose=lambda place: pn.state.execute(partial(session.choose, place)),
            on_retry=partial(pn.state.execute, self._show_welcome),
            on_states=lambda seen: pn.state.execute(partial(self._show_states, seen)),
        )
        self.map = built(MapView, controller, base_map=partial(base_map, session.hub) if mounted else None)
        self.pipeline = built(PipelineView, controller)
        self.kpis = built(KpiView, controller, on_why=self._explain)
        self.alert = built(AlertView, controller)
        self.feed = built(FeedView, controller)
        self.moments = built(MomentsView, controller)
        self.orders = built(OrderListView, controller)
        self.trends = built(TrendsView, controller, active=False)
        self.why = built(WhyView, controller, active=False)
        self.order = built(OrderView, controller)
        self.transport = built(
            TransportView, controller, on_range=session.range, on_cancel=self._cancel, dock=True, on_why=self._explain,
            on_ghost=session.ghosts.choose,
        )  # fmt: skip
        self.data_quality = built(DataQualityView, controller, on_refresh=session.check_for_newer)
        watched = "" if session.hub.settings.on_behalf_of_user or not mounted else "on" if process.alerts else "off"
        user = api.user_url() if mounted else ""
        self.chrome = built(ChromeView, controller, on_cancel=self._cancel, user=user, alerts=watched)
        tiles = partial(process.built_tileset, session.hub)
        self.card = built(IncidentCardView, controller, hub=session.hub, tiles=tiles)
        self.live = built(LiveView, controller, on_live=session.go_live)
        self.bells = self._bells() if mounted else []
        self.banner = BannerView()
        self.tabs = TabBar(sizing_mode="stretch_width", margin=0, tab="events")
        session.watch(
            [self.map, self.pipeline, self.kpis, self.alert, self.feed, self.moments, self.orders, self.trends, self.why,
             self.order, self.transport, self.data_quality, self.chrome, self.card, self.live, *self.bells]
        )  # fmt: skip
        saved = ((self.feed, "query"), (self.map, "layers_text"), (self.map, "density_text"), (self.tabs, "tab"),
                 (self.transport, "below"), (session.ghosts, "choice"))  # fmt: skip
        session.save_in_address(**dict(zip(SAVED, saved, strict=True)))
        self._panels: dict[str, ReplayView] = {
            "events": self.feed, "moments": self.moments, "orders": self.orders, "trends": self.trends, "why": self.why,
        }  # fmt: skip
        self.replay = self._arrange()
        # its kitchens come with the first place: thousands would make the first page wait for what it does not show
        self.choice = KitchenChoice(margin=0, visible=False, css_classes=["kitchen"])
        self.choice.param.watch(self._on_choice, "value")
        self.bar = (self.live, *self.bells[:2], self.data_quality, self.chrome, session.page, self.card)
        controller.lead = session.page
        self._follow()
        self._restored = session.restore(query)
        if self._restored:
            pass  # `_on_place` has shown the replay
        elif query.get("location") in {place.id for place in session.hub.locations}:
            self.chrome.waiting = "Loading …"
            body[:] = [self.banner, *self.bells[2:], self.replay]
        else:
            if (choice := session.hub.cached(Choices).ready(session.hub)) is not None:
                self.welcome.show_choice(choice)
            body[:] = [self.banner, self.welcome]
        pn.state.onload(partial(self._begin, query))  # not before: Panel loses what changes while a page is being drawn

    def _bells(self) -> list[ReplayView]:
        """Return the bell of alerts, their rules and their bar; nothing where there are none."""
        if process.alerts is None:
            return []
        controller = self.session.controller
        store, address = process.alerts, f".{BASE}{ALERTS}"
        bell = built(BellView, controller, store=store, on_go=self._go, api=address, user="./user")
        rules = built(AlertRulesView, controller, store=store, hub=self.session.hub, on_go=self._go, api=address)
        return [bell, rules, built(AlertBarView, controller)]

    def _go(self, t: float, location: str = "") -> None:
        """Show the day of a time that is not in the range, at that time; of another kitchen if it is named."""
        places = self.session.hub.locations
        place = next((one for one in places if one.id == location), self.session.place)
        if place is None or not math.isfinite(t):
            return
        day = int(place.tz.day(t))
        window = self.session.hub.within(place.id, float(place.tz.start_of(day)), float(place.tz.start_of(day + 1)))
        if window is not None:
            pn.state.execute(partial(self.session.choose, place.id, window.start, window.end, t))

    def _follow(self) -> None:
        """Connect the parts: each follows the Params of others."""
        session, controller = self.session, self.session.controller
        self.chrome.param.watch(self._set_dark, "dark")
        session.page.param.watch(self._apply_theme, "was_dark")
        self.map.param.watch(lambda event: session.param.update(viewport=event.new), "viewport")
        session.param.watch(lambda event: self.map.param.update(viewport=event.new), "viewport")
        session.ghosts.param.watch(lambda event: self.transport.param.update(ghost=event.new), "choice")
        session.param.watch(self._on_place, "place")
        session.param.watch(self._on_waiting, "waiting")
        session.param.watch(self._on_problem, "problem")
        session.param.watch(self._update_age, ["as_of", "stale"])
        session.param.watch(self._offer_newer, "newer")
        session.following.param.watch(self._show_live, "now")
        session.param.watch(self._show_live, "place")
        self.tabs.param.watch(self._choose_panel, ["tab", "room"])
        self.map.param.watch(self._choose_panel, "has_place")
        self.order.param.watch(self._choose_panel, "visible_order")
        self.moments.param.watch(self._name_tabs, "count")
        session.param.watch(self._check_range, "place")
        controller.param.watch(self._offer_beside, "timeline")
        controller.param.watch(self._check_range, "timeline")
        self._choose_panel()
        self._begun = False

    async def _begin(self, query: dict[str, str]) -> None:
        self._begun = True
        self._choose_panel()
        self._apply_theme()
        timeline = self.session.controller.timeline
        if not self._restored or timeline is None:
            await self.session.follow_address(query, self._show_welcome)
        self.banner.remark(notice([*self.session.remarks, *self._remarks(query)]))
        self.session.param.watch(lambda event: self.banner.remark(notice(event.new)), "remarks")
        followed = self.session.following.now is not None
        if self._restored and timeline is not None and self.session.controller.insights is None and not followed:
            await self.session.learn(timeline)
        self.session.start()
        chosen = self.session.controller.selection
        if chosen.away:
            try:
                location = self.session.place.id if self.session.place is not None else ""
                with errand.on(page="operations"):
                    found = await threads.to_source(missing_order, self.session.hub, chosen.order, location)
                self.banner.remark(found)
            except TwinError as error:  # the panel says that it is not here, which is enough
                log.warning("an order of the address was not looked up: %s", error)

    def _remarks(self, query: dict[str, str]) -> list[str]:
        """Return a sentence for each choice of an address that no view of the page offers."""
        address = Address(query)
        address.only(*NAMES, *SAVED)
        address.one_of("tab", self._panels)
        address.one_of("theme", theme.TOKENS)
        address.some_of("layers", [*LAYERS, NO_LAYERS], "layer")
        ghost = address.text("ghost")
        if ghost and not is_choice(ghost):
            self.session.ghosts.choice = ""
            address.remark(f"{quoted(ghost)} is no ghost: {', '.join(GHOSTS)}, or a day as 2025-10-16.")
        density = address.text("density")
        if density and not Density.of(density).kind:
            kind = density.partition(",")[0]
            address.remark(f"There is no density {quoted(kind)}. {suggestion(kind, KINDS)}")
        return address.remarks

    def _arrange(self) -> pn.Column:
        def placed(view: Any, area: str, *classes: str) -> Any:
            shown = view if isinstance(view, TabBar) else view.__panel__()
            shown.styles = {**shown.styles, "min-width": "0", "min-height": "0"} | ({"grid-area": area} if area else {})
            shown.css_classes = [*shown.css_classes, *classes]
            shown.margin = 0
            return shown

        return pn.Column(
            placed(self.pipeline, "pipeline"), placed(self.map, "map"), placed(self.kpis, "kpis", "covered", "figures"),
            placed(self.alert, "", "alert"), placed(self.tabs, "tabs", "covered"),
            placed(self.feed, "panel", "covered"), placed(self.moments, "panel", "covered"),
            placed(self.orders, "panel", "covered"), placed(self.trends, "panel", "covered", "trends", "figures"),
            placed(self.why, "panel", "covered"),
            placed(self.order, "", "order-panel"), placed(self.transport, "transport"),
            stylesheets=[style_text(Path(__file__).with_name("layout.css"))], sizing_mode="stretch_both", margin=0,
        )  # fmt: skip

    def _choose_panel(self, *_: Any) -> None:
        """Show the chosen tab's panel, and the trends next to it if the window has room for them."""
        # the browser reports the window's size while the page is being drawn; Panel would lose a change made then
        if self._begun is False:
            return
        trends_apart = self._has_room()
        if self.tabs.tab not in self._panels or (
            trends_apart and self.tabs.tab == "trends"
        ):  # an address may name anything
            self.tabs.tab = "events"
            return
        open_order = self.order.visible_order
        with pn.io.hold():
            for key, view in self._panels.items():
                seen = key == self.tabs.tab or (key == "trends" and trends_apart)
                _switch_class(view.__panel__(), "off", not seen)
                if "active" in view.param:  # the moments cost nothing while hidden
                    view.param.update(active=seen and not (open_order and not (key == "trends" and trends_apart)))
            trends = self.trends.__panel__()
            trends.styles = {**trends.styles, "grid-area": "trends" if trends_apart else "panel"}
            self.trends.wide = trends_apart
            _switch_class(self.replay, "no-map", not self.map.has_place)
            _switch_class(self.replay, "with-order", open_order)
            self._name_tabs()
            self.session.tick(force=True)

    def _explain(self, cause: str = "") -> None:
        """Show why the deliveries of the last 60 minutes were late, and list the orders of a cause."""
        with pn.io.hold():
            self.tabs.tab = "why"
            if isinstance(self.why, WhyView):  # not what stands for one that could not be built
                self.why.explain(cause)

    def _has_room(self) -> bool:
        """Return whether the trends have a place of their own: on a wall screen, or on a desktop without a map."""
        return self.tabs.room == "wall" or (self.tabs.room == "desk" and not self.map.has_place)

    def _name_tabs(self, *_: Any) -> None:
        tabs: list[list[Any]] = [
            ["events", "Events", None],
            ["moments", "Moments", self.moments.count],
            ["orders", "Orders", None],
            ["why", "Why late?", None],
        ]
        if not self._has_room():
            tabs.append(["trends", "Trends", None])
        if tabs != self.tabs.tabs:
            self.tabs.tabs = tabs

    def _apply_theme(self, *_: Any) -> None:
        """Apply the theme that the document chose before it was painted (frame.html); the browser may report it late."""
        if self._begun and self.session.page.was_dark is not None:
            self.chrome.dark = self.session.page.was_dark

    def _set_dark(self, event: Any) -> None:
        self.map.dark = self.trends.dark = self.session.page.dark = event.new

    async def _show_welcome(self) -> None:
        """Show the choice of kitchens; their rows may still be being counted."""
        try:
            choice = await threads.to_source(self.session.hub.cached(Choices).prepared, self.session.hub)
        except TwinError as error:
            self.welcome.fail(str(error))
        else:
            self.welcome.show_choice(choice)

    async def _show_states(self, seen: list[str]) -> None:
        """Show the states of the kitchens whose cards are in sight, one after the other, until one is chosen.

        Of many kitchens, or of a metered source, only those that are in memory: loading the last day of each is for a page that
        opens it.
        """
        hub = self.session.hub
        load = len(hub.locations) <= MANY_KITCHENS and not hub.source.metered
        for location in seen:
            if self.session.waiting or self.session.place is not None:
                return
            try:
                with errand.on(page="operations"):
                    told = await threads.insights.run(partial(card_state, hub, location, load=load))
            except TwinError as error:  # the card is there without it
                log.warning("the state of %s cannot be told: %s", location, error)
            else:
                if told is not None:
                    self.welcome.show_state(location, told)

    def _offer_beside(self, event: Any) -> None:
        """Offer what the range can be put beside; a live one grows, and is offered anew with each day."""
        timeline = event.new
        if timeline is None:
            return
        place, window = timeline.location, timeline.window
        shown = place.id, window.start, place.tz.day(window.end)
        if shown != self._beside_of:
            self._beside_of = shown
            self.chrome.beside = beside(self.session.hub, place.id, window)

    def _on_choice(self, event: Any) -> None:
        if self.session.place is None or event.new == self.session.place.id:
            return
        if event.new in {place.id for place in self.session.hub.locations}:
            pn.state.execute(partial(self.session.choose, event.new))
        else:  # the browser's ids are not trusted
            self.choice.value = self.session.place.id

    def _on_place(self, event: Any) -> None:
        place = event.new
        self.choice.param.update(kitchens=kitchen_rows(self.session.hub.locations), value=place.id, visible=True)
        self.chrome.param.update(place=place.label, place_id=place.id)
        reach = self.session.hub.reach(place.id)
        self.transport.param.update(
            source_range=(place.start, place.end),
            latest=self.session.hub.last_day(place.id).end,
            reach=(reach.start, reach.end),
            days=self.session.hub.days(place.id),
        )
        if event.old is None or event.old.id != place.id:  # not with every event of a live kitchen
            self._choose_panel()
        if self.replay not in list(self.body):
            self.body[:] = [self.banner, *self.bells[2:], self.replay]

    def _on_waiting(self, event: Any) -> None:
        self.transport.busy = event.new
        self.chrome.waiting = event.new if self.session.is_moving else ""

    def _cancel(self) -> None:
        """Cancel loading; show what was shown before, or the choice of kitchens if there was nothing."""
        session = self.session
        session.cancel()
        if session.place is None:
            self.body[:] = [self.banner, self.welcome]
            pn.state.execute(self._show_welcome)
        else:
            self.choice.value = session.place.id

    def _update_age(self, *_: Any) -> None:
        self.data_quality.param.update(as_of=self.session.as_of, stale=self.session.stale)

    def _show_live(self, *_: Any) -> None:
        """Say how live the page is; how many events came after their time was final goes with the data's health."""
        session = self.session
        now = session.following.now
        offered = session.place is not None and grows(session.hub, session.place.id)
        self.live.param.update(now=now, offered=offered)
        self.data_quality.late = 0 if now is None else now.late

    def _offer_newer(self, event: Any) -> None:
        """Offer the orders that are newer than what is shown; nothing changes until the user accepts."""
        place = self.session.place
        if event.new is not None and place is not None:
            latest = partial(pn.state.execute, partial(self.session.choose, place.id))
            self.banner.newer(event.new, latest, place.tz)

    def _check_range(self, *events: Any) -> None:
        """Show a notice if the chosen range has no orders, or if stragglers follow the day that the page opens on."""
        timeline, place = self.session.controller.timeline, self.session.place
        grew = [one for one in events if one.name == "place" and one.old is not None and one.old.id == one.new.id]
        if self.session.extending or (grew and self.session.following.now is not None):
            return  # a notice stays while the range grows
        if timeline is None or place is None:
            self.banner.clear()
        elif not timeline.has_orders:
            latest = partial(pn.state.execute, partial(self.session.choose, place.id))
            self.banner.no_orders(place.start, place.end, latest, place.tz)
        elif (last := self.session.hub.last_day(place.id)).later_orders and timeline.window.end == last.end:
            start = max(last.end, last.later_end - LONGEST_LATER)
            later = partial(pn.state.execute, partial(self.session.choose, place.id, start, last.later_end))
            self.banner.later(last.later_orders, last.end, later, place.tz)
        else:
            self.banner.clear()

    def _on_problem(self, event: Any) -> None:
        if not event.new:  # loading has begun; its outcome updates the page
            return
        self.chrome.waiting = ""
        if self.session.place is None:
            self.body[:] = [self.banner, self.welcome]
            self.welcome.fail(event.new)
        else:
            as_of = f" What is shown is as of {self.data_quality.age}." if self.data_quality.age else ""
            self.banner.fail(event.new + as_of, partial(pn.state.execute, self.session.retry))


def _switch_class(shown: Any, name: str, on: bool) -> None:
    """Add a CSS class to an object that is shown, or remove it."""
    classes = [other for other in shown.css_classes if other != name] + [name] * on
    if classes != shown.css_classes:
        shown.css_classes = classes


def page_frame(
    query: Mapping[str, str],
    mounted: bool,
    title: str = TITLE,
    bones: Sequence[tuple[str, int]] = (),
    skeleton: str = "",
) -> None:
    """Set the document's template: colours, title bar, the skeleton of the panels, and the script that opens the session.

    `bones` are the panels of the skeleton, by grid area and number of bars; `skeleton` is its style sheet, else this page's. It
    all is in the HTML itself, because it is needed before any script has run, and when none can be had.
    """
    document = pn.state.curdoc
    if document is None:
        return
    document.config.notify_connection_status = False  # connection.js shows it instead
    document.title = title
    document.template = frame(Path(__file__).with_name("frame.html"))
    requested_theme = query.get("theme", "")
    bundle = f"{pn.state.rel_path or '.'}/{bundle_url()}" if mounted else ""
    begins = opening("page", mounted)
    document.template_variables.update(
        bundle=bundle,
        deferred=True,
        nonce=guard_page(ONLINE_ORIGINS),
        **begins,
        tokens=theme.css(),
        skeleton=skeleton or _text("skeleton.css"),
        connection_style=_text("connection.css"),
        modules_script=script_source(Path(__file__).with_name("load_modules.js")),
        connection_script=script_source(Path(__file__).with_name("connection.js")),
        bones=bones,
        asked_theme=requested_theme if requested_theme in theme.TOKENS else "",
        opening={"instance": process.instance, "build": _build(bundle, begins["models"]), "bundle": bundle},
        # Panel sets it when it answers a request for the page. A session that a WebSocket makes, because the server was
        # restarted since, would have its style sheets from Panel's own host
        dist_url=get_dist_path(),
    )


def _text(name: str) -> str:
    return style_text(Path(__file__).with_name(name))


@functools.cache
def _build(bundle: str, models: str) -> str:
    """Return what names the scripts of a page: a page that is open can take a session of another server only if it is equal."""
    connection = script_source(Path(__file__).with_name("connection.js"))
    parts = [bokeh.__version__, pn.__version__, bundle, models, _text("frame.html"), connection]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
