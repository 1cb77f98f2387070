"""The card's dialog: what it is asked for is answered with the card of that moment as the page has it, whatever is sent."""

import base64
import logging
from pathlib import Path
from typing import Any

import pytest

import twin
from tests.fake_timeline import send_message
from twin.notebook.door import Twin
from twin.replay.controller import ReplayController
from twin.reports.card_text import card_html, card_markdown
from twin.views.incident_card.incident_card import IncidentCardView

MINUTE = 60.0


@pytest.fixture(scope="module")
def hub(demo: Path) -> Twin:
    return twin.open(demo)


class Asked:
    """A dialog whose answers are collected."""

    def __init__(self, hub: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kitchen = hub.kitchen("sanfrancisco", day="2025-10-16")
        self.controller = ReplayController(self.kitchen.data)
        self.controller.learn(self.kitchen.insights)
        self.view = IncidentCardView(self.controller, hub)
        self.answers: list[dict[str, Any]] = []
        monkeypatch.setattr(self.view.__panel__(), "_send_msg", self.answers.append)
        monkeypatch.setattr("twin.reports.card.frames", lambda *_: [])  # streets take seconds to compile

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        send_message(self.view.__panel__(), {"ask": 1, **message})
        return self.answers.pop()


@pytest.fixture
def asked(hub: Twin, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(hub, monkeypatch)


def test_a_moment_s_button_gets_its_card_and_notes_go_into_what_is_saved(asked: Asked) -> None:
    moment = asked.kitchen.insights.moments[0]
    answer = asked.ask(
        {"card": {"kind": moment.kind, "start": moment.start, "end": moment.end, "t": None, "page": "https://x/o"}}
    )
    expected = asked.kitchen.moments[0].card(link="https://x/o")
    assert answer["html"] == expected.html
    assert answer["markdown"] == expected.markdown
    noted = asked.ask({"notes": "<b>ill</b>"})
    assert noted["html"] == card_html(expected.content.with_notes("<b>ill</b>"))
    assert "&lt;b&gt;ill" in noted["html"]
    assert (
        base64.b64decode(asked.ask({"notes": "<b>ill</b>", "png": True})["png"])
        == expected.with_notes("<b>ill</b>").png
    )


def test_as_it_was_known_it_is_as_of_the_last_look_at_what_goes_on(asked: Asked) -> None:
    moment = asked.kitchen.insights.moments[0]
    t = moment.start + 0.7 * (moment.end - moment.start)
    look = t // 300 * 300
    (known,) = [
        one for one in asked.kitchen._hub.troubles_at(asked.kitchen.data, look).moments if one.kind == moment.kind
    ]
    for start, end in ((moment.start, moment.end), (known.start, known.end)):  # from the list, from the alert
        answer = asked.ask({"card": {"kind": moment.kind, "start": start, "end": end, "t": t, "page": ""}})
        assert known.sentence in answer["html"]
        assert f"As it was known Thu 16 Oct {asked.kitchen.data.tz.clock(look)}" in answer["html"]
    after = asked.ask(
        {"card": {"kind": moment.kind, "start": moment.start, "end": moment.end, "t": moment.end + 120, "page": ""}}
    )
    assert moment.sentence in after["html"]
    assert "As it was known" in after["html"]


def test_a_loop_has_a_card_without_a_moment(asked: Asked) -> None:
    start = asked.kitchen.data.tz.seconds("2025-10-16 12:00")
    answer = asked.ask({"card": {"kind": "", "start": start, "end": start + 3600, "t": None, "page": ""}})
    assert answer["markdown"] == card_markdown(asked.kitchen.card("12:00", "13:00").content)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"start": "x", "end": 1},
        {"start": 1e12, "end": 1e13},
        {"start": True, "end": False},
        {"start": 5.0, "end": 4.0, "kind": "peak", "t": 3.0},
    ],
)
def test_what_makes_no_sense_is_a_sentence_in_the_dialog(asked: Asked, wanted: dict[str, Any]) -> None:
    assert asked.ask({"card": wanted})["problem"].endswith(".")
    assert asked.view.__panel__().failure == ""


def test_notes_without_a_card_and_foreign_messages_are_left_alone(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    for message in ({"notes": "x", "ask": 1}, {"card": 3, "ask": 1}, {"card": {}, "ask": "x"}, {"png": True}):
        send_message(asked.view.__panel__(), message)
    assert asked.answers == []
    assert caplog.text == ""
