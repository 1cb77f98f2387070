"""The page at /adapt: what it shows of the configured source, what a visitor may correct, and the one file that it writes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.sources.adapters import foreign
from twin.foundation.errors import ForeignColumnsError
from twin.foundation.settings import Settings
from twin.pages.adapt.adapt import AdaptView
from twin.server.process import Process


class Page:
    """The page of one visitor without a browser: messages are carried out at once."""

    def __init__(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.process = Process()
        self.process.configure(Settings(source=str(source)))
        self.view = AdaptView(self.process)
        monkeypatch.setattr(self.view, "_run", lambda work: asyncio.run(work()))
        asyncio.run(self.view.begin())

    @property
    def state(self) -> dict[str, Any]:
        return self.view.state

    def send(self, **message: Any) -> dict[str, Any]:
        self.view._on_message(SimpleNamespace(data=message))
        return self.state

    def role(self, column: str) -> str:
        (guess,) = [one for one in self.state["columns"] + self.state["activities"] if one["name"] == column]
        return guess["role"]

    def close(self) -> None:
        self.process.use(None)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened = Page(foreign.wide_shop(60).write(tmp_path), monkeypatch)
    yield opened
    if opened.process.is_open:
        opened.process.hub().source.close()
    opened.close()


def test_it_shows_what_the_columns_probably_are_and_what_that_makes_of_all_rows(page: Page) -> None:
    assert page.state["status"] == "ready"
    assert page.role("order_collected_date") == "driver_picked_up"
    check = page.state["check"]
    assert check["read"] == check["used"] + check["aside"] > 180
    assert [step["name"] for step in check["process"]] == ["created", "started", "picked up", "delivered"]
    assert len(check["preview"]) == 20
    assert all(order["times"][0][2] == 0 for order in check["preview"])


def test_it_says_nothing_of_the_folder(page: Page, tmp_path: Path) -> None:
    assert str(tmp_path) not in str(page.state)


def test_a_correction_replaces_the_guess_and_can_be_undone(page: Page) -> None:
    page.send(column="order_approved_at", role="gk_ready")
    assert page.role("order_approved_at") == "gk_ready"
    assert page.state["corrected"]
    page.send(column="order_approved_at", role="")
    assert page.role("order_approved_at") == ""
    assert "order_approved_at" not in page.state["yaml"]
    page.send(reset=True)
    assert page.role("order_approved_at") == "gk_started"
    assert not page.state["corrected"]


@pytest.mark.parametrize(
    "message",
    [
        {"column": "order_id", "role": "owner"},
        {"column": "/etc/passwd", "role": "kitchen"},
        {"column": "order_id"},
        {"label": "PLACED", "event": "delivered"},
        {"shape": "tall"},
        {"save": "yes"},
        {"source": "/etc/passwd"},
        [],
    ],
)
def test_a_message_that_no_form_sends_is_refused(page: Page, message: Any) -> None:
    before = page.state
    with pytest.raises(ValueError, match=r"\.$"):
        page.view._on_message(SimpleNamespace(data=message))
    assert page.state == before


def test_use_writes_the_adapter_beside_the_data_and_opens_the_source(page: Page, tmp_path: Path) -> None:
    with pytest.raises(ForeignColumnsError):
        page.process.hub()
    assert page.process.needs_adapter
    state = page.send(save=True)
    assert state == {"status": "saved", "file": "orders.csv.adapter.yml", "source": "orders.csv"}
    assert yaml.safe_load((tmp_path / "orders.csv.adapter.yml").read_text())["order_id"] == "order_id"
    assert page.process.is_open
    assert sum(place.orders for place in page.process.hub().locations) == 60
    asyncio.run(page.view.begin())
    assert page.state["status"] == "open"  # nobody can change it from here any more


def test_a_file_that_is_there_is_never_replaced(page: Page, tmp_path: Path) -> None:
    (tmp_path / "orders.csv.adapter.yml").write_text("mine")
    state = page.send(save=True)
    assert "is there already" in state["problem"]
    assert str(tmp_path) not in state["problem"]
    assert (tmp_path / "orders.csv.adapter.yml").read_text() == "mine"
    assert not page.process.is_open


@pytest.mark.slow
def test_only_what_is_complete_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(foreign.couriers_planar(60).write(tmp_path), monkeypatch)
    (question,) = page.state["questions"]
    page.send(save=True)
    assert not list(tmp_path.glob("*.yml"))
    state = page.send(question="day", column=question["column"], answer="tomorrow")
    assert "is not a date" in state["problem"]
    state = page.send(question="day", column=question["column"], answer="2024-03-01")
    assert state["questions"] == []
    assert state["check"]["orders"] == 60
    page.close()


@pytest.mark.slow
def test_activities_are_corrected_like_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(foreign.platform_ticks(40).write(tmp_path), monkeypatch)
    page.send(label="FOOD_READY", event="gk_finished")
    assert page.role("FOOD_READY") == "gk_finished"
    page.send(label="TICK", event="")
    assert page.state["check"]["flags"][0] == ("unknown type", 160)
    page.close()


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orders.csv").touch()
    page = Page(tmp_path / "orders.csv", monkeypatch)
    assert page.state["status"] == "error"
    assert "is empty" in page.state["message"]
    assert str(tmp_path) not in page.state["message"]
    page.close()
