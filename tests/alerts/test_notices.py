"""Alerts by e-mail and in a chat: what is said, that each address gets it once, and what is missing is said. Over apprise."""

import json
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.alerts.conftest import Clock
from tests.alerts.test_alerts import LATE, fire, receiving
from twin.alerts.notices import MISSING, Notices
from twin.alerts.sender import FIRST_WAIT_S
from twin.alerts.store import WEBHOOK, Store
from twin.foundation.errors import ConfigError
from twin.foundation.zones import Zone
from twin.hub import Hub

T = datetime.fromisoformat("2025-10-17T18:00:00+00:00").timestamp()
HUB = cast(Hub, SimpleNamespace(location=lambda _: SimpleNamespace(label="Chicago", tz=Zone("America/Chicago"))))


def said(body: bytes) -> dict[str, Any]:
    """What apprise's own JSON service was sent."""
    return dict(json.loads(body))


def test_what_fires_and_recovers_is_said_in_words_on_the_kitchens_clock(store: Store, clock: Clock) -> None:
    rule = store.add(LATE, "ada")
    with receiving([200, 200]) as (url, receiver):
        notices = Notices(store, url.replace("http://", "json://"), 1, HUB, clock)
        fire(store, rule, T, T + 1500.0, channels=[notices.channel])
        assert notices.send_due() == 2
        assert notices.send_due() == 0
    firing, recovered = (said(body) for _, body in receiver.got)
    assert (firing["title"], firing["type"]) == ("Alert: Late at Chicago", "failure")
    assert firing["message"].splitlines() == [
        "Delivery time 50 min",
        "Since 2025-10-17 13:00.",
        f"The rule: {LATE.sentence}.",
    ]
    assert (recovered["title"], recovered["type"]) == ("Over: Late at Chicago", "success")
    assert recovered["message"] == "It fired for 25 min, until 2025-10-17 13:25."


def test_each_address_gets_it_once_and_one_that_fails_is_tried_again(store: Store, clock: Clock) -> None:
    rule = store.add(LATE, "ada")
    with receiving([200]) as (good, got), receiving([500, 200]) as (bad, tried):
        senders = [
            Notices(store, url.replace("http://", "json://"), number, HUB, clock)
            for number, url in enumerate((good, bad), 1)
        ]
        fire(store, rule, T, channels=[WEBHOOK, *(one.channel for one in senders)])
        assert [one.send_due() for one in senders] == [1, 0]
        clock.now += FIRST_WAIT_S
        assert [one.send_due() for one in senders] == [0, 1]
        assert (len(got.got), len(tried.got)) == (1, 2)
    assert [message.key.count(":") for message in store.due(WEBHOOK)] == [1], "the webhook's own waits for it"


def test_what_comes_together_is_one_message(store: Store, clock: Clock) -> None:
    notices = Notices(store, "json://127.0.0.1:9", 1, HUB, clock)
    alerts = [{"location": "x", "title": f"Rule {k}", "text": "", "began": T + 60.0 * k, "since": T} for k in range(23)]
    title, words = notices.said({"event": "group", "alerts": alerts})
    assert title == "23 more alerts at Chicago"
    assert words.splitlines()[0] == "2025-10-17 13:00: Rule 0."
    assert words.splitlines()[-1] == "and 3 more"


def test_what_is_missing_is_said_without_the_address(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="address 2") as raised:
        Notices(store, "nothing://user:geheim@host", 2, HUB)
    assert "geheim" not in str(raised.value)
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError) as raised:
        Notices(store, "json://host", 1, HUB)
    assert str(raised.value) == MISSING
