"""The signed-in user's name, which a Databricks app's proxy forwards, sent only to the browser that it was forwarded for.

The page requests it here because Bokeh writes what it reads of a page's request into the session token inside the page. The
name is only displayed. Where users read with their own rights, the same request brings a fresh access token: the page repeats it
before the last one ends, because its WebSocket brings none after its first request.
"""

import math
from typing import Any

from twin.api.handler import ApiHandler
from twin.foundation.errors import SignInError
from twin.server.process import process

NAME, EMAIL = "X-Forwarded-Preferred-Username", "X-Forwarded-Email"
LONGEST = 100


def user_url() -> str:
    """Return the address of the user's name, relative to the page; "" where no proxy forwards one."""
    return "user" if process.settings.app_name else ""


class UserHandler(ApiHandler):
    """GET /user: {"name": …}, null where the proxy forwards none.

    Where users read with their own rights also {"again_s": …}, the seconds after which a page is to ask again, or
    {"expired": true}.
    """

    route = "user"

    async def get(self) -> None:
        """Send the name in the proxy's headers; the proxy sets them itself and drops those of a client."""
        headers = self.request.headers if user_url() else {}
        name = (headers.get(NAME) or headers.get(EMAIL) or "").strip()[:LONGEST]
        answer: dict[str, Any] = {"name": name or None}
        if process.settings_or_default.on_behalf_of_user:
            answer |= self._sign_in()
        self.write(answer)

    head = get

    def _sign_in(self) -> dict[str, Any]:
        """Take the request's token, and return what the page is to do about the next one."""
        try:
            visitor = process.visitor_of(self.request)
            assert visitor is not None
            visitor.token()
        except SignInError:
            return {"expired": True}
        return {"again_s": math.ceil(visitor.again_s)}
