"""Serves the icon of a browser's tab under the server's path prefix, where Bokeh serves it at the top of the host only."""

from bokeh.server.tornado import BokehTornado
from tornado.web import HTTPError, RequestHandler

DAY_S = 86_400


class IconHandler(RequestHandler):
    """The server's own icon; 404 if it was started without one. Needs no login, because browsers ask before it."""

    def get(self) -> None:
        """Send the icon."""
        icon = self.application.icon if isinstance(self.application, BokehTornado) else None
        if icon is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "image/x-icon")
        self.set_header("Cache-Control", f"max-age={DAY_S}")
        self.write(icon)

    head = get
