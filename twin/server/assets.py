"""Serves the scripts made at run time and the font: /assets/{name}.js, named after its content and cached for good."""

import hashlib

from bokeh.server.views.auth_request_handler import AuthRequestHandler
from tornado.web import HTTPError

from twin.server.process import process

YEAR_S = 31_536_000


TYPES = {"js": "text/javascript; charset=utf-8", "woff2": "font/woff2"}
"""What is served, by the end of its address."""


def publish(content: str | bytes, kind: str = "js", prefix: str = "") -> str:
    """Serve a script or a font from now on; return its address, relative to the server's prefix.

    `prefix`: a word that its name begins with, for whoever reads that it did not come.
    """
    body = content.encode() if isinstance(content, str) else content
    name = f"{prefix and prefix + '.'}{hashlib.sha256(body).hexdigest()[:20]}.{kind}"
    process.assets[name] = body
    return f"assets/{name}"


class AssetHandler(AuthRequestHandler):
    """Serves one published asset; 404 for any other, 403 without the login that the pages require."""

    def write_error(self, status_code: int, **_: object) -> None:
        """Answer without a page: a browser that wants a script complains of one."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish()

    async def get(self, name: str) -> None:
        """Send the asset. Browsers may cache it for a year, because another content has another name."""
        if self.current_user is None:
            raise HTTPError(403)
        if name not in process.assets:
            raise HTTPError(404, "unknown asset")
        self.set_header("Content-Type", TYPES[name.rpartition(".")[2]])
        self.set_header("Cache-Control", f"private, max-age={YEAR_S}, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.write(process.assets[name])
