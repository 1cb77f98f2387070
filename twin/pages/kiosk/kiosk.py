"""The kiosk page: a wall screen that shows the kitchens by itself, for weeks, and is never blank.

It consists of two pages. The address opens a small static page without a connection to a server. That shows the live page in
a frame, and loads a new one behind it when the old one has lost its server, so that the screen always shows a picture. The
live page (`frame=1`) has the usual views, on a show that is tied to epoch time.
"""

import functools
from collections.abc import Mapping
from pathlib import Path

import jinja2
import panel as pn
from panel.io.resources import get_dist_path

from twin import api
from twin.foundation.address import Address
from twin.pages.frames import begin_panel, frame
from twin.pages.kiosk.show import KioskShow
from twin.pages.opening import opening
from twin.server.assets import publish
from twin.server.headers import guard_page
from twin.show.options import NAMES, Options
from twin.views.map.figure import ONLINE_ORIGINS
from twin.views.shared import theme
from twin.views.shared.modules import script_source

TITLE = "Casper’s Kitchens"
LONGEST_TITLE = 80
FRAME_NAMES = ("frame", "dense")
"""The parameters that the outer page adds for the live one."""


def serve_kiosk() -> None:
    """Put the outer or the live page, as the address requests, into the current document."""
    query = {key: values[0].decode("utf-8", "replace") for key, values in pn.state.session_args.items() if values}
    if query.get("frame") == "1":
        _serve_live(query)
    else:
        _serve_outer(query)


def _serve_live(query: Mapping[str, str]) -> None:
    begin_panel()
    document = pn.state.curdoc
    if document is not None:
        document.config.notify_connection_status = False
        document.title = title_of(query)
        document.template = frame(Path(__file__).with_name("frame.html"))
        document.template_variables["html_attrs"] = f'data-theme="{theme_of(query)}"'
        document.template_variables["theme_bg"] = theme.TOKENS[theme_of(query)]["bg"]
        # Panel sets it when it answers a request for the page. A session that a WebSocket makes, because the server was
        # restarted since, would have its style sheets from Panel's own host
        document.template_variables["dist_url"] = get_dist_path()
    mounted = api.mount()
    if document is not None:
        document.template_variables.update(nonce=guard_page(ONLINE_ORIGINS), **opening("page", mounted))
    address = Address(query)
    address.only(*NAMES, *FRAME_NAMES)
    address.one_of("theme", theme.TOKENS, lower=True)
    KioskShow(Options.of(address), address, mounted).servable()


def _serve_outer(query: Mapping[str, str]) -> None:
    document = pn.state.curdoc
    if document is None:
        return
    tokens = theme.TOKENS[theme_of(query)]
    mounted = api.mount()
    document.template = _outer_template()
    script = script_source(Path(__file__).with_name("outer.js"))
    document.template_variables.update(
        name=title_of(query), theme=theme_of(query), bg=tokens["bg"], ink=tokens["ink"], mute=tokens["mute"],
        panel=tokens["panel"], line=tokens["line"], warn=tokens["warn"], font=theme.FONT,
        style=_text("outer.css"), script=script, nonce=guard_page(), **opening("wall", mounted),
        script_address=f"{pn.state.rel_path or '.'}/{publish(script)}" if mounted else "",
    )  # fmt: skip


def title_of(query: Mapping[str, str]) -> str:
    """Return the screen's title from the address, else the default."""
    return query.get("title", "").strip()[:LONGEST_TITLE] or TITLE


def theme_of(query: Mapping[str, str]) -> str:
    """Return dark, which suits a wall screen, unless the address requests light."""
    return "light" if query.get("theme", "").strip().lower() == "light" else "dark"


@functools.cache
def _outer_template() -> jinja2.Template:
    return jinja2.Environment(autoescape=True).from_string(_text("outer.html"))


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")
