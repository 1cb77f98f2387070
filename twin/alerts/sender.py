"""Sends messages about alerts over one channel until they have arrived."""

import logging
import threading
import time
from collections.abc import Callable

from twin.alerts.store import Message, Store
from twin.foundation.errors import TwinError

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3600.0
GIVEN_UP_S = 24 * 3600.0
"""Seconds after which a message is given up: nobody wants yesterday's alert."""


class Sender:
    """Sends what is due on a channel, in a thread of its own."""

    def __init__(self, store: Store, channel: str, clock: Callable[[], float] = time.time) -> None:
        """`channel`: the name under which the store keeps what this one sends."""
        self.channel = channel
        self._store, self._clock = store, clock
        self._wake, self._ended = threading.Event(), False

    def post(self, message: Message) -> str:
        """Send a message; return why it did not arrive, "" if it did: neither address nor secret are in it."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to send."""
        threading.Thread(target=self._run, name="alert-sender", daemon=True).start()

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
                due = self._store.next_due(self.channel)
                wait = LONGEST_WAIT_S if due is None else max(0.5, due - self._clock())
            except TwinError as error:
                log.warning("alerts: nothing can be sent: %s", error)
                wait = FIRST_WAIT_S
            self._wake.wait(wait)

    def send_due(self) -> int:
        """Send what is due, each once; return how many arrived."""
        arrived = 0
        for message in self._store.due(self.channel):
            if self._ended:
                break
            problem = self.post(message)
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
