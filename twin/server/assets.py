"""Serves scripts that pages are made of at run time: /assets/{name}.js, named after their content and therefore kept for good."""

import hashlib

from bokeh.server.views.auth_request_handler import AuthRequestHandler
from tornado.web import HTTPError

from twin.server.process import process

YEAR_S = 31_536_000


def publish(script: str) -> str:
    """Let a script (an ES module) be asked for; return its address, relative to the server's prefix."""
    text = script.encode()
    name = hashlib.sha256(text).hexdigest()[:20]
    process.scripts[name] = text
    return f"assets/{name}.js"


class AssetHandler(AuthRequestHandler):
    """Answers with one published script; 404 for any other, 403 without the login that the page needs."""

    async def get(self, name: str) -> None:
        """Send the script, to be kept for a year: another script has another name."""
        if self.current_user is None:
            raise HTTPError(403)
        if name not in process.scripts:
            raise HTTPError(404, "unknown script")
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"private, max-age={YEAR_S}, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.write(process.scripts[name])
