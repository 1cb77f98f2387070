"""Sends messages about alerts to one address, signed, until they have arrived.

The address is a setting, so that nobody who sees the page can have the server ask another one. Redirects are not followed.
"""

import hashlib
import hmac
import http.client
import logging
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from twin.alerts.store import Message, Store
from twin.foundation.errors import TwinError

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3600.0
GIVEN_UP_S = 24 * 3600.0
"""Seconds after which a message is given up: nobody wants yesterday's alert."""
SIGNATURE, KEY = "X-Twin-Signature", "Idempotency-Key"


def signature(secret: str, t: int, body: bytes) -> str:
    """Return what the receiver checks: the time, and the HMAC of time and body."""
    digest = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={t},v1={digest}"


class Webhook:
    """Sends what is due in a thread of its own."""

    def __init__(
        self, store: Store, url: str, secret: str, clock: Callable[[], float] = time.time, timeout: float = TIMEOUT_S
    ) -> None:
        """`secret` signs; `timeout` is in seconds."""
        self._store, self._secret, self._clock, self._timeout = store, secret, clock, timeout
        self._to = urlsplit(url)
        self._wake, self._ended = threading.Event(), False

    def start(self) -> None:
        """Begin to send."""
        threading.Thread(target=self._run, name="alert-webhook", daemon=True).start()

    def stop(self) -> None:
        """Send nothing more after the message under way."""
        self._ended = True
        self._wake.set()

    def wake(self) -> None:
        """Look for messages now."""
        self._wake.set()

    def _run(self) -> None:
        while not self._ended:
            self._wake.clear()
            wait = LONGEST_WAIT_S
            try:
                self.send_due()
                due = self._store.next_due()
                wait = LONGEST_WAIT_S if due is None else max(0.5, due - self._clock())
            except TwinError as error:
                log.warning("alerts: nothing can be sent: %s", error)
                wait = FIRST_WAIT_S
            self._wake.wait(wait)

    def send_due(self) -> int:
        """Send what is due, each once; return how many arrived."""
        arrived = 0
        for message in self._store.due():
            if self._ended:
                break
            problem = self._post(message)
            if not problem:
                self._store.sent(message.key)
                arrived += 1
            elif self._clock() - message.made > GIVEN_UP_S:
                log.error("alerts: a message was given up after a day: %s", problem)
                self._store.sent(message.key)
            else:
                log.warning("alerts: a message did not arrive, it is tried again: %s", problem)
                self._store.failed(message, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(message.tries, 20)))
        return arrived

    def _post(self, message: Message) -> str:
        """Send a message; return why it did not arrive, "" if it did: neither address nor secret are in it."""
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
