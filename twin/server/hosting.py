"""As a Databricks app: which address may open the page's WebSocket.

Bokeh compares the browser's Origin with a list that names the server's own port only; behind the platform's proxy the page
has another address, and it opens but never comes alive. A wildcard would let any site drive a signed-in user's session, so
the one right host is needed. The platform does not tell it to the process; the workspace does.
"""

import logging
from collections.abc import Callable, MutableMapping
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

ORIGINS = "BOKEH_ALLOW_WS_ORIGIN"
APP_NAME = "DATABRICKS_APP_NAME"

ASK_S = 20
"""Seconds for each of the SDK's two questions (host, app), retries included; its own 300 would use up an app's time to start."""


def own_address(name: str) -> str:
    """Return the address of the app `name`, as the workspace knows it; raises what the SDK raises (OSError, ValueError)."""
    from databricks.sdk import WorkspaceClient  # noqa: PLC0415  # an optional package
    from databricks.sdk.core import Config  # noqa: PLC0415

    client = WorkspaceClient(config=Config(http_timeout_seconds=ASK_S // 2, retry_timeout_seconds=ASK_S))
    return client.apps.get(name).url or ""


def allow_own_host(environment: MutableMapping[str, str], ask: Callable[[str], str] = own_address) -> None:
    """Let the app's own host open WebSockets, unless BOKEH_ALLOW_WS_ORIGIN names hosts already or this is no app.

    `environment` is the process's own, from which Bokeh reads it.

    A workspace that does not answer is logged with what to do about it and stops nothing: /healthz and the logs stay reachable.
    """
    name = environment.get(APP_NAME)
    if not name or environment.get(ORIGINS):
        return
    try:
        host = urlsplit(ask(name)).netloc
        reason = "the workspace names no address for it"
    except (OSError, ValueError, ImportError) as error:  # DatabricksError is an OSError, no credentials a ValueError
        host, reason = "", type(error).__name__  # its text may tell of credentials
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
