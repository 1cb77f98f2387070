"""Serves the scripts that are assembled at run time: /assets/{name}.js, named after their content and cached for good."""

import hashlib

from bokeh.server.views.auth_request_handler import AuthRequestHandler
from tornado.web import HTTPError

from twin.server.process import process

YEAR_S = 31_536_000


def publish(script: str) -> str:
    """Serve a script (an ES module) from now on; return its address, relative to the server's prefix."""
    text = script.encode()
    name = hashlib.sha256(text).hexdigest()[:20]
    process.scripts[name] = text
    return f"assets/{name}.js"


class AssetHandler(AuthRequestHandler):
    """Serves one published script; 404 for any other, 403 without the login that the pages require."""

    def write_error(self, status_code: int, **_: object) -> None:
        """Answer without a page: a browser that wants a script complains of one."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish()

    async def get(self, name: str) -> None:
        """Send the script. Browsers may cache it for a year, because another script has another name."""
        if self.current_user is None:
            raise HTTPError(403)
        if name not in process.scripts:
            raise HTTPError(404, "unknown script")
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"private, max-age={YEAR_S}, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.write(process.scripts[name])
