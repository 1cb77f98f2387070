"""The signed-in user's name, which a login or a Databricks app's proxy tells, sent only to the browser that it is of.

The page requests it here because Bokeh writes what it reads of a page's request into the session token inside the page. The
name is only displayed. Where users read with their own rights, the same request brings a fresh access token: the page repeats it
before the last one ends, because its WebSocket brings none after its first request.
"""

import math
from typing import Any

from bokeh.server.tornado import BokehTornado

from twin.api.handler import ApiHandler
from twin.foundation.errors import SignInError
from twin.server.hosts import has_login
from twin.server.process import process

NAME, EMAIL = "X-Forwarded-Preferred-Username", "X-Forwarded-Email"
LONGEST = 100


def user_url() -> str:
    """Return the address of the user's name, relative to the page; "" where no proxy forwards one."""
    return "user" if process.settings.app_name else ""


def who(handler: ApiHandler) -> str:
    """Return who sends a request: by the app's proxy, else by the login; "" where nobody logs in."""
    headers = handler.request.headers if user_url() else {}
    logs_in = isinstance(handler.application, BokehTornado) and has_login(handler.application.auth_provider)
    user = handler.current_user if logs_in else ""  # without a login, everybody is Bokeh's "default_user"
    name = user.decode(errors="replace") if isinstance(user, bytes) else str(user or "")
    return (headers.get(NAME) or headers.get(EMAIL) or name).strip()[:LONGEST]


class UserHandler(ApiHandler):
    """GET /user: {"name": …}, null where neither a proxy nor a login tells one.

    Where users read with their own rights also {"again_s": …}, the seconds after which a page is to ask again, or
    {"expired": true}.
    """

    route = "user"

    async def get(self) -> None:
        """Send the name; the proxy sets its headers itself and drops those of a client."""
        answer: dict[str, Any] = {"name": who(self) or None}
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
