"""The operations page: the views, arranged; what each does is its own file."""

from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from twin import api, serve
from twin.errors import TwinError
from twin.replay.controller import ReplayController
from twin.views import theme
from twin.views.component import style_text
from twin.views.feed import FeedView
from twin.views.health import HealthView
from twin.views.kpis import KpiView
from twin.views.map import BaseMap, MapView
from twin.views.pipeline import PipelineView
from twin.views.session import ReplaySession
from twin.views.transport import TransportView
from twin.views.view import ReplayView
from twin.views.welcome import WelcomeView

TITLE = "Casper’s Kitchens"


def operations_page() -> pmui.Page:
    """Return the page of a new session; the source is the process's own."""
    pn.extension(notifications=True, reconnect=True)
    api.mount()
    body = pn.Column(sizing_mode="stretch_both", margin=0)
    header = pn.Row(sizing_mode="stretch_width", margin=(0, 0, 0, 18), align="center")
    page = pmui.Page(
        title=TITLE,
        main=[body],
        header=[header],
        sizing_mode="stretch_both",
        busy_indicator=None,
        sx=_chrome(),
        raw_css=[theme.css(), "html, body { background: var(--tw-bg); }"],
        theme_config=_material(),
    )
    try:
        twin = serve.current()
    except TwinError as error:
        welcome = WelcomeView(on_choose=lambda _id: None)
        welcome.fail(str(error), "Start the app with another source, for example: twin serve --source demo")
        body[:] = [welcome]
        return page
    _Operations(ReplaySession(twin, ReplayController(), prepare=serve.tileset), page, body, header)
    return page


class _Operations:
    """The parts of one session's page and how they hang together."""

    def __init__(self, session: ReplaySession, page: pmui.Page, body: pn.Column, header: pn.Row) -> None:
        controller = session.controller
        self.session = session
        self.page = page
        self.body = body
        self.welcome = WelcomeView(on_choose=lambda place: pn.state.execute(partial(session.choose, place)))
        self.map = MapView(controller, base_map=_base_map, dark=page.dark_theme)
        self.transport = TransportView(controller, on_range=session.range)
        self.health = HealthView(controller)
        views: list[ReplayView] = [
            self.map,
            PipelineView(controller),
            KpiView(controller),
            FeedView(controller),
            self.transport,
            self.health,
        ]
        session.watch(views)
        self.replay = self._arrange(*views[:5])
        self.choice = pmui.Select(
            label="Kitchen", options={place.display_name: place.id for place in session.twin.locations},
            variant="outlined", size="small", width=220, margin=0, visible=False,
        )  # fmt: skip
        self.choice.param.watch(self._switch, "value")
        header[:] = [self.choice, pn.HSpacer(), self.health, session.page]
        page.param.watch(self._darken, "dark_theme")
        self.map.param.watch(lambda event: session.param.update(viewport=event.new), "viewport")
        session.param.watch(lambda event: self.map.param.update(viewport=event.new), "viewport")
        session.param.watch(self._arrived, "place")
        session.param.watch(lambda event: self.transport.param.update(busy=event.new), "waiting")
        session.param.watch(self._failed, "problem")
        query = {key: values[0].decode() for key, values in pn.state.session_args.items() if values}
        if query.get("location") in {place.id for place in session.twin.locations}:
            body[:] = [self.replay]
        else:
            body[:] = [self.welcome]
        pn.state.onload(partial(self._begin, query))  # not before: Panel loses what changes while a page is being drawn

    async def _begin(self, query: dict[str, str]) -> None:
        if "theme" not in query:  # an address that asks for a theme gets it; else the user's system is followed
            self.page.dark_theme = self.session.page.prefers_dark
        await self.session.follow_address(query, self._offer)
        self.session.start()

    def _arrange(self, map_view: Any, pipeline: Any, kpis: Any, feed: Any, transport: Any) -> pn.Column:
        def placed(view: Any, area: str) -> Any:
            shown = view.__panel__()
            shown.styles = {**shown.styles, "grid-area": area, "min-width": "0", "min-height": "0"}
            shown.margin = 0
            return shown

        side = pn.Column(
            placed(kpis, "kpis"),
            placed(feed, "feed"),
            stylesheets=[style_text("side.css")],
            styles={"grid-area": "side"},
            margin=0,
        )
        return pn.Column(
            placed(pipeline, "pipeline"), placed(map_view, "map"), side, placed(transport, "transport"),
            stylesheets=[style_text("layout.css")], sizing_mode="stretch_both", margin=0,
        )  # fmt: skip

    def _darken(self, event: Any) -> None:
        self.map.dark = self.session.page.dark = event.new

    def _offer(self) -> None:
        twin = self.session.twin
        places = twin.locations
        volumes = {place.id: twin.source.volume(place.id) for place in places}
        self.welcome.show_locations(places, volumes, {place.id: twin.quality(place.id) for place in places})

    def _switch(self, event: Any) -> None:
        if self.session.place is not None and event.new != self.session.place.id:
            pn.state.execute(partial(self.session.choose, event.new))

    def _arrived(self, event: Any) -> None:
        place = event.new
        self.choice.param.update(value=place.id, visible=True)
        self.transport.param.update(source_range=(place.start, place.end), latest=place.last_delivered)
        if self.body[0] is not self.replay:
            self.body[:] = [self.replay]

    def _failed(self, event: Any) -> None:
        if event.new and self.session.place is None:
            self.body[:] = [self.welcome]
            self.welcome.fail(event.new)
        elif event.new and pn.state.notifications:
            pn.state.notifications.error(event.new)


def _base_map(location: str) -> BaseMap | None:
    """Return where a location's tiles are; None where no server of ours answers for them."""
    if not api.is_serving():
        return None
    tiles = serve.tileset(location)
    return BaseMap(api.tile_url(location, "{theme}", tiles.version).replace(".png", "{dense}.png"), tiles.routes)


def _chrome() -> dict[str, Any]:
    """Return the page bar in our own look: 48 pixels, the page's colours, no shadow."""
    return {
        # this pair tells the header's widgets that the bar has the page's colours, not white on primary
        ".MuiAppBar-root": {"bgcolor": "primary.contrastText", "color": "primary.main"},
        "&& .MuiAppBar-root": {
            "backgroundColor": "var(--tw-bg)",
            "color": "var(--tw-ink)",
            "boxShadow": "none",
            "backgroundImage": "none",
        },
        "& .MuiAppBar-root .MuiToolbar-root, & .main .MuiToolbar-root": {
            "minHeight": "52px",
            "height": "52px",
            "padding": "0 12px",
        },
        "& .MuiAppBar-root .title": {
            "color": "var(--tw-ink)",
            "fontSize": "15px",
            "fontWeight": 700,
            "@media (max-width: 600px)": {"display": "none"},  # a phone has room for the controls alone
            "fontFamily": theme.FONT,
        },
        "& .main": {"padding": 0, "backgroundColor": "var(--tw-bg)"},
    }


def _material() -> dict[str, Any]:
    """Return the palette of the Material widgets, from the same tokens."""

    def palette(name: str) -> dict[str, Any]:
        tokens = theme.TOKENS[name]
        return {
            "palette": {
                "primary": {"main": tokens["accent"], "contrastText": tokens["on-accent"]},
                "background": {"default": tokens["bg"], "paper": tokens["panel"]},
                "text": {"primary": tokens["ink"], "secondary": tokens["mute"]},
            },
            "typography": {"fontFamily": theme.FONT, "fontSize": 13},
        }

    return {"light": palette("light"), "dark": palette("dark")}
