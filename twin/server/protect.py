"""Gives every server of this process its headers and the check of the Host header, from its first request on.

`panel serve --plugins twin.api` imports the plugin and makes the server itself, without handing it to anybody: so the class of
the servers that Bokeh makes is replaced by one that protects itself, as Panel replaces other classes of Bokeh. Under a plain
`panel serve dashboards/*.py` nothing of ours is imported before the first page, whose code protects the running server.
"""

from typing import Any

import bokeh.server.server
from bokeh.server.tornado import BokehTornado
from tornado.routing import Rule

from twin.server.headers import Headers
from twin.server.hosts import RefusedHost, StrangeHost, allow_origins


def protect(server: BokehTornado) -> None:
    """Protect a server, once."""
    if Headers in server.transforms:
        return
    server.transforms.insert(0, Headers)
    server.add_handlers(r".*", [Rule(StrangeHost(server), RefusedHost)])
    allow_origins(server)


def protect_new_servers() -> None:
    """Protect every server that is made from now on. Call it once."""

    class Protected(bokeh.server.server.BokehTornado):
        """A Bokeh server that protects itself."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            protect(self)

    bokeh.server.server.BokehTornado = Protected  # type: ignore[misc]
