"""Sends messages about alerts as people read them, by e-mail or into a chat: over apprise, which the `alerts` extra brings."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from twin.alerts.sender import Sender
from twin.alerts.store import Message, Store
from twin.foundation.errors import ConfigError, TwinError
from twin.foundation.times import text
from twin.hub import Hub

MISSING = "TWIN_ALERTS_NOTIFY needs a package that is not installed: pip install 'caspers-twin[alerts]'."
MOST_LINES = 20
MINUTE = 60.0


class Notices(Sender):
    """Sends what is due to one of apprise's addresses."""

    def __init__(self, store: Store, url: str, number: int, hub: Hub, clock: Callable[[], float] = time.time) -> None:
        """`number` names the address among those of the setting, in place of itself. Raises `ConfigError`."""
        super().__init__(store, f"{hashlib.sha256(url.encode()).hexdigest()[:12]}:", clock)
        try:
            import apprise  # noqa: PLC0415  # an optional package
        except ImportError as error:
            raise ConfigError(MISSING) from error
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it logs addresses; what fails is said by `post`
        self._hub, self._kinds = hub, apprise.NotifyType
        self._to = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Casper's Kitchens", async_mode=False))
        if not self._to.add(url):
            raise ConfigError(
                f"TWIN_ALERTS_NOTIFY: address {number} is none that apprise knows. An example: mailto://user:password@example.org"
            )

    def post(self, message: Message) -> str:
        """Send a message in words."""
        body = json.loads(message.body)
        kind = {"firing": self._kinds.FAILURE, "recovered": self._kinds.SUCCESS}.get(body["event"], self._kinds.WARNING)
        title, words = self.said(body)
        arrived = self._to.notify(body=words, title=title, notify_type=kind)
        return "" if arrived else "apprise could not send it"

    def said(self, body: dict[str, Any]) -> tuple[str, str]:
        """Return the title and the words of a message."""
        alerts = body["alerts"]
        first = alerts[0]
        place = self._place(first["location"])
        if body["event"] == "group":
            lines = [
                f"{self._when(one, 'began')}: {one['title']}. {one['text']}".strip() for one in alerts[:MOST_LINES]
            ]
            more = len(alerts) - len(lines)
            number = f"{len(alerts)} more alert{'s' * (len(alerts) != 1)}"
            return f"{number} at {place}", "\n".join([*lines, *([f"and {more} more"] if more else [])])
        if body["event"] == "recovered":
            lasted = (first["ended"] - first["began"]) / MINUTE
            return (
                f"Over: {first['title']} at {place}",
                f"It fired for {lasted:.0f} min, until {self._when(first, 'ended')}.",
            )
        words = [first["text"], f"Since {self._when(first, 'since')}.", f"The rule: {first['sentence']}."]
        return f"Alert: {first['title']} at {place}", "\n".join(line for line in words if line)

    def _place(self, location: str) -> str:
        try:
            return self._hub.location(location).label
        except TwinError:  # it has left the source meanwhile
            return location

    def _when(self, alert: dict[str, Any], name: str) -> str:
        """Return a time of an alert on its kitchen's clock."""
        try:
            return self._hub.location(alert["location"]).tz.text(alert[name])[:16]
        except TwinError:
            return text(alert[name])[:16]
