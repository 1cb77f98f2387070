"""The frame of a page that is one view, without the operations page's connection and layout: `plain_frame.html`."""

from pathlib import Path

import panel as pn
from panel.io.resources import get_dist_path

from twin import api
from twin.foundation.address import Address
from twin.pages.frames import begin_panel, frame
from twin.pages.opening import opening
from twin.server.headers import guard_page
from twin.views.shared import theme


def begin_page(title: str) -> Address:
    """Put the frame into the current document; return what the page's address asks for."""
    begin_panel()
    address = Address(
        {key: values[0].decode("utf-8", "replace") for key, values in pn.state.session_args.items() if values}
    )
    mounted = api.mount()
    document = pn.state.curdoc
    if document is not None:
        document.title = title
        document.template = frame(Path(__file__).with_name("plain_frame.html"))
        document.template_variables.update(
            nonce=guard_page(),
            tokens=theme.css(),
            asked_theme=address.one_of("theme", theme.TOKENS) or "",
            dist_url=get_dist_path(),
            **opening("page", mounted),
        )
    return address
