"""Who looks: the name that a Databricks app's proxy forwards, told to the browser that it was forwarded for, and to nobody else.

The page itself is told nothing, as Bokeh would write what it knows of a request into the session token inside the page. The
name is shown and decides nothing: queries run as the app, whoever looks.
"""

from twin.api.handler import ApiHandler
from twin.server.process import process

NAME, EMAIL = "X-Forwarded-Preferred-Username", "X-Forwarded-Email"
LONGEST = 100


def user_url() -> str:
    """Return where the page asks for the user's name, relative to it; "" where no proxy says who that is."""
    return "user" if process.settings.app_name else ""


class UserHandler(ApiHandler):
    """GET /user: {"name": …}, null where nobody is named."""

    route = "user"

    async def get(self) -> None:
        """Tell the caller the name in the proxy's headers, which it sets itself and takes from nobody else."""
        headers = self.request.headers if user_url() else {}
        name = (headers.get(NAME) or headers.get(EMAIL) or "").strip()[:LONGEST]
        self.write({"name": name or None})

    head = get
