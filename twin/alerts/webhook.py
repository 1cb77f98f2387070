"""Sends messages about alerts to one address, signed, until they have arrived.

The address is a setting, so that nobody who sees the page can have the server ask another one. Redirects are not followed.
"""

import hashlib
import hmac
import http.client
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from twin.alerts.sender import Sender
from twin.alerts.store import WEBHOOK, Message, Store

TIMEOUT_S = 10.0
SIGNATURE, KEY = "X-Twin-Signature", "Idempotency-Key"


def signature(secret: str, t: int, body: bytes) -> str:
    """Return what the receiver checks: the time, and the HMAC of time and body."""
    digest = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={t},v1={digest}"


class Webhook(Sender):
    """Sends what is due to one address."""

    def __init__(
        self, store: Store, url: str, secret: str, clock: Callable[[], float] = time.time, timeout: float = TIMEOUT_S
    ) -> None:
        """`secret` signs; `timeout` is in seconds."""
        super().__init__(store, WEBHOOK, clock)
        self._secret, self._timeout = secret, timeout
        self._to = urlsplit(url)

    def post(self, message: Message) -> str:
        """Send a message, signed."""
        body, t = message.body.encode(), int(self._clock())
        kind = http.client.HTTPSConnection if self._to.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._to.hostname or "", self._to.port, timeout=self._timeout)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(self._secret, t, body),
            KEY: message.key,
            "User-Agent": "caspers-twin",
        }
        path = (self._to.path or "/") + (f"?{self._to.query}" if self._to.query else "")
        try:
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "" if 200 <= status < 300 else f"status {status}"
