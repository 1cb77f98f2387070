"""The network page: what it shows of all kitchens, where it begins, and where its rows lead to."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

import twin
from tests.api.test_network import Failing
from tests.fake_timeline import send_message
from twin.api import network
from twin.api.kitchen_status import timeline_at
from twin.foundation.address import Address
from twin.foundation.errors import SourceError
from twin.foundation.times import HOUR
from twin.hub import Hub
from twin.notebook.door import Twin
from twin.pages.network import shown
from twin.pages.network.network import NetworkView


@pytest.fixture(scope="module")
def hub(demo: Path) -> Twin:
    return twin.open(demo)


class Opened:
    """A page and what it has told its browser."""

    def __init__(self, hub: Hub, **query: str) -> None:
        self.view = NetworkView(Address(query), hub)
        self.page = self.view.__panel__()
        self.told: list[dict[str, Any]] = []
        self.page._send_msg = self.told.append  # type: ignore[method-assign]
        self.run(self.view.begin())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(work)

    def update(self) -> dict[str, dict[str, Any]]:
        """What the browser has of each kitchen after an update."""
        self.told.clear()
        self.run(self.view._update())
        rows: dict[str, dict[str, Any]] = {}
        for message in self.told:
            for row in message.get("rows", ()):
                rows.setdefault(row["location"], {}).update(row)
        return rows

    def last(self, tell: str) -> dict[str, Any]:
        return [message for message in self.told if message["tell"] == tell][-1]


def test_it_lists_every_kitchen_and_begins_where_most_went_wrong(hub: Twin) -> None:
    page = Opened(hub)
    state = page.page.state
    assert state["status"] == "ready"
    assert [row[0] for row in json.loads(state["kitchens"])] == [place.id for place in hub.locations]
    hours = page.last("hours")
    made = network.network_of(hub).hours()
    assert [len(levels) for levels in hours["levels"]] == [len(made.ends)] * len(hub.locations)
    t = page.view.controller.now()
    day = [n for n, end in enumerate(made.ends) if state["end"] - 86_400 < end <= state["end"]]
    assert made.late[:, made.last(t)].sum() == max(made.late[:, n].sum() for n in day) > 0


def test_its_address_names_the_moment(hub: Twin) -> None:
    page = Opened(hub, t="2025-10-17T12:34:56", speed="10", hindsight="1", tt="2")
    controller = page.view.controller
    assert hub.locations[0].tz.text(controller.now()) == "2025-10-17 12:34:56"
    assert (controller.speed, controller.hindsight, controller.playing) == (10, True, False)
    assert page.page.state["remarks"] == ["There is no parameter “tt”. Did you mean “t”?"]


def test_rows_are_what_the_api_answers_and_sorted_by_harm(hub: Twin) -> None:
    page = Opened(hub, t="2025-10-16T18:40:00")
    t = page.view.controller.now()
    rows = page.update()
    answer = network.network(hub, network.parameters.NetworkQuery(at_time=network.instant(t)))
    ids = [place.id for place in hub.locations]
    assert [ids[at] for at in page.last("order")["order"]] == [row.location for row in answer.kitchens]
    for row in answer.kitchens:
        shown_row = rows[row.location]
        for name, value in row.model_dump(
            mode="json", exclude={"worst", "timestamp", "over_limits", "display_name"}
        ).items():
            assert shown_row[name] == value, name
        assert all(one.words in shown_row["head"] for one in row.over_limits)
        assert (shown_row["worst"] is None) == (row.worst is None)
        if row.worst is not None:
            assert shown_row["worst"]["sentence"] == row.worst.sentence
        for moment in shown_row["moments"]:
            assert moment["now"] or moment["known"] >= moment["end"], "a moment is told before its figures are known"


def test_a_row_leads_to_the_range_that_its_figures_are_of(hub: Twin) -> None:
    for t in ("2025-10-16T18:40:00", "2025-10-17T18:40:00"):
        page = Opened(hub, t=t)
        at = page.view.controller.now()
        for location, row in page.update().items():
            place = hub.location(location)
            timeline = timeline_at(hub, place, at // 60 * 60)
            given = [] if row["range"] is None else [place.tz.seconds(one) for one in row["range"]]
            assert hub.timeline(location, *given).window == timeline.window


def test_every_hour_has_its_worst_state_whether_its_day_is_loaded_or_not(hub: Twin) -> None:
    page = Opened(hub, t="2025-10-17T18:40:00")
    rows = page.update()
    state = page.page.state
    hours = int((state["end"] - state["start"]) // HOUR)
    for place in hub.locations:
        past, day = rows[place.id]["past"], rows[place.id]["states"]
        assert sum(digit != "9" for digit in past["digits"]) >= 0.9 * min(hours, (place.end - place.start) / HOUR)
        found = {past["first"] + HOUR * n: digit for n, digit in enumerate(past["digits"])}
        begin = timeline_at(hub, place, page.view.controller.now()).window.start
        for number, digit in enumerate(day["digits"]):
            if day["first"] + number * HOUR > begin and digit != "9":
                assert found[day["first"] + number * HOUR] == digit, (place.id, number)


def test_streets_around_a_kitchen_are_sent_once(hub: Twin) -> None:
    page = Opened(hub, t="2025-10-17T18:40:00")
    rows = page.update()
    for place in hub.locations:
        lines = rows[place.id]["streets"]
        assert len(lines) > 10
        assert all(len(line) % 2 == 0 and len(line) > 2 for line in lines)
        assert all(abs(one) <= shown.FAR for line in lines for one in line)
        assert any(max(map(abs, line[:2])) <= 20 for line in lines), "routes begin at the kitchen"
    assert not any("streets" in row for row in page.update().values())


def test_a_brand_narrows_the_rows_to_its_kitchens_and_orders(hub: Twin) -> None:
    brands = network.network_of(hub).brands()
    name = next(iter(brands))
    page = Opened(hub, t="2025-10-17T18:40:00", brand=name.lower())
    assert page.last("brands")["names"] == list(brands)
    told = page.last("brand")
    ids = [place.id for place in hub.locations]
    assert (told["name"], {ids[at] for at in told["kitchens"]}) == (name, set(brands[name]))
    t = page.view.controller.now()
    rows = page.update()
    assert set(rows) == set(brands[name])
    for row in network.network(hub, network.parameters.NetworkQuery(at_time=network.instant(t), brand=name)).kitchens:
        assert rows[row.location]["throughput_per_hour"] == row.throughput_per_hour
    page.told.clear()
    page.run(page.view._choose_brand("Atlantis Grill"))
    told = page.last("brand")
    assert (told["name"], told["kitchens"]) == ("", None)
    assert "Atlantis Grill" in told["problem"]
    assert set(page.update()) == set(ids)


def test_a_kitchen_that_fails_leaves_the_others_on_the_page(hub: Twin) -> None:
    broken = hub.locations[0].id
    error = SourceError("The warehouse is asleep.")
    page = Opened(Hub(Failing(hub.source, broken, error), hub.settings), t="2025-10-17T18:40:00")  # type: ignore[arg-type]
    rows = page.update()
    assert rows[broken]["problem"] == "The warehouse is asleep."
    assert all(row["problem"] is None for location, row in rows.items() if location != broken)
    assert page.last("order")["order"][-1] == 0


def test_of_many_kitchens_only_those_in_view_are_loaded(hub: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.pages.network.network.MOST_LIVE", 2)
    page = Opened(hub, t="2025-10-17T18:40:00")
    assert page.update() == {}
    ids = [place.id for place in hub.locations]
    assert page.last("order")["order"] == network.network_of(hub).hours().by_harm(page.view.controller.now())
    send_message(page.page, {"view": [ids[2], "nowhere", 7, ids[1]]})
    assert list(page.update()) == [ids[2], ids[1]]


def test_a_source_that_cannot_be_opened_is_a_sentence(hub: Twin) -> None:
    class Closed(Hub):
        @property
        def locations(self) -> Any:
            raise SourceError("The table is gone.")

    page = Opened(Closed(hub.source, hub.settings))
    assert page.page.state == {"status": "error", "message": "The table is gone."}
