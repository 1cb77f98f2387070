"""The signed-in user's name, which a Databricks app's proxy forwards, sent only to the browser that it was forwarded for.

The page requests it here because Bokeh writes what it reads of a page's request into the session token inside the page. The
name is only displayed: queries run as the app, for every user.
"""

from twin.api.handler import ApiHandler
from twin.server.process import process

NAME, EMAIL = "X-Forwarded-Preferred-Username", "X-Forwarded-Email"
LONGEST = 100


def user_url() -> str:
    """Return the address of the user's name, relative to the page; "" where no proxy forwards one."""
    return "user" if process.settings.app_name else ""


class UserHandler(ApiHandler):
    """GET /user: {"name": …}, null where the proxy forwards none."""

    route = "user"

    async def get(self) -> None:
        """Send the name in the proxy's headers; the proxy sets them itself and drops those of a client."""
        headers = self.request.headers if user_url() else {}
        name = (headers.get(NAME) or headers.get(EMAIL) or "").strip()[:LONGEST]
        self.write({"name": name or None})

    head = get
