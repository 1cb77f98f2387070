"""Where the server is reached: what it prints when it starts, and the address of a Databricks app.

Bokeh compares the browser's Origin with a list that by default has only the server's own port. Behind the platform's proxy
the page has another address: it opens, but never connects. A wildcard would let any site control a signed-in user's session,
so the list needs the app's exact host, which only the workspace's API returns.
"""

import logging
import os
from collections.abc import Callable, MutableMapping
from urllib.parse import urlsplit

from twin.foundation.settings import Settings

log = logging.getLogger(__name__)

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # compared with, never bound to
ORIGINS = "BOKEH_ALLOW_WS_ORIGIN"
APP_NAME = "DATABRICKS_APP_NAME"

TIMEOUT_S = 20
"""Seconds for each of the SDK's two requests (host, app) with retries; its default of 300 would exceed an app's start-up time."""


def opening_words(address: str, port: int, settings: Settings) -> str:
    """Return what to open, and under which names other machines can, where the server listens to them."""
    host = "localhost" if address in (*EVERYWHERE, "127.0.0.1") else f"[{address}]" if ":" in address else address
    words = f"Open http://{host}:{port}/ (Ctrl+C stops)"
    if address in EVERYWHERE and not settings.app_name:
        named = (*settings.hosts, *filter(None, os.environ.get(ORIGINS, "").split(",")))  # noqa: TID251  # Bokeh's own
        words += f"\nIt answers to {', '.join(('localhost', *named))} and this machine’s addresses."
        if not named:
            words += " If it has a name, and no login: TWIN_HOSTS=twin.example (docs/hosting.md)."
    return words


def own_address(name: str) -> str:
    """Return the address of the app `name` from the workspace. Raises the SDK's errors (OSError, ValueError)."""
    from databricks.sdk import WorkspaceClient  # noqa: PLC0415  # an optional package
    from databricks.sdk.core import Config  # noqa: PLC0415

    client = WorkspaceClient(config=Config(http_timeout_seconds=TIMEOUT_S // 2, retry_timeout_seconds=TIMEOUT_S))
    return client.apps.get(name).url or ""


def allow_own_host(environment: MutableMapping[str, str], look_up: Callable[[str], str] = own_address) -> None:
    """Let the app's own host open WebSockets, unless BOKEH_ALLOW_WS_ORIGIN already names hosts or this is not an app.

    `environment` is the process's own, because Bokeh reads the variable from there. If the workspace does not answer, that is
    logged with the remedy, and the server still starts: /healthz and the logs stay reachable.
    """
    name = environment.get(APP_NAME)
    if not name or environment.get(ORIGINS):
        return
    try:
        host = urlsplit(look_up(name)).netloc
        reason = "the workspace names no address for it"
    except (OSError, ValueError, ImportError) as error:  # DatabricksError is an OSError, no credentials a ValueError
        host, reason = "", type(error).__name__  # the message may contain credentials
    if host:
        environment[ORIGINS] = host
        log.info("pages may be opened from %s", host)
        return
    log.error(
        "The address of the app %s is not known (%s): its pages will not come alive. Set %s to the app's host, "
        "or deploy with stages/digital_twin.ipynb, which does.",
        name,
        reason,
        ORIGINS,
    )
