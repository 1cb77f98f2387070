"""The page of two sides, without a browser: what is offered, what an address asks for, what a hostile browser sends."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twin
from twin.analysis.comparison import Side as Compared
from twin.analysis.comparison import compare
from twin.foundation.address import Address
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.notebook.door import Twin
from twin.pages.compare import address as addresses
from twin.pages.compare.side import Side
from twin.pages.ranges import beside, first_choice, moved, offered, second_choice, whole_days
from twin.replay.controller import ReplayController
from twin.replay.paired import PairedController
from twin.simulator.demo import write_demo
from twin.views.differences.differences import DifferencesView, rows_of


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    folder = tmp_path_factory.mktemp("fortnight")
    write_demo(folder, days=14, scale=0.02, seed=7)
    return twin.open(folder)


def test_a_day_is_held_against_the_one_a_week_before(hub: Hub) -> None:
    window = first_choice(hub, "chicago")
    assert second_choice(hub, "chicago", window) == (
        "chicago", type(window)(window.start - 7 * DAY, window.end - 7 * DAY),
    )  # fmt: skip


def test_where_there_is_no_week_before_another_kitchen_stands_beside(demo: Path) -> None:
    short = twin.open(demo)
    window = first_choice(short, "chicago")
    place, beside = second_choice(short, "chicago", window)
    assert place != "chicago"
    assert beside == window


def test_the_days_offered_have_names_and_enough_data(hub: Hub) -> None:
    tz = hub.location("chicago").tz
    days = whole_days(hub, "chicago")
    assert len(days) == 14
    offers = offered(hub, "chicago", (first_choice(hub, "chicago"), tz))
    labels = [one.label for one in offers]
    assert any(label.startswith("The week before, 10 Oct") for label in labels)
    assert [label for label in labels if "Friday" in label] == ["Last Friday, 17 Oct", "Friday before, 10 Oct"]
    assert {"Last 7 days", "The 7 days before"} <= set(labels)
    assert all(hub.within("chicago", one.window.start, one.window.end) == one.window for one in offers)
    assert moved(days, tz, first_choice(hub, "chicago"), tz, 1) is None


def test_what_a_range_can_be_put_beside_opens_as_it_says(hub: Hub) -> None:
    tz = hub.location("chicago").tz
    window = first_choice(hub, "chicago")
    offers = beside(hub, "chicago", window)
    groups = list(dict.fromkeys(group for group, _, _ in offers))
    assert groups == [
        "Another day of this kitchen", "Another kitchen, the same days", "A day and the one a week before",
    ]  # fmt: skip
    labels = [label for _, label, _ in offers]
    assert labels[:2] == ["The week before, 10 Oct", "The day before, 16 Oct"]
    assert "San Francisco" in labels
    of_weeks = [label for group, label, _ in offers if group == groups[2]]
    assert of_weeks == [f"{day} Oct" for day in ("Fri 17", "Thu 16", "Wed 15", "Tue 14", "Mon 13", "Sun 12", "Sat 11")]
    here = {"location": "chicago", "start": tz.iso(window.start), "end": tz.iso(window.end)}
    for group, label, fields in offers:
        address = Address(here | fields)
        (place, first), (other, second) = addresses.read(address, hub).sides
        assert (place, address.remarks) == ("chicago", [])
        if group == groups[1]:
            assert hub.location(other).label == label
            assert (first, second) == (window, window)
        else:
            assert other == "chicago"
            days = 1 if label.startswith("The day") else 7
            assert first.start - second.start == first.end - second.end == days * DAY
            assert first == window or group == groups[2]


@pytest.mark.parametrize("name", ["t", "speed", "start", "with_end", "location", "with", "tab"])
def test_an_address_that_makes_no_sense_is_completed_and_remarked(hub: Hub, name: str) -> None:
    address = Address({"location": "chicago", name: "nonsense"})
    chosen = addresses.read(address, hub)
    assert len(chosen.sides) == 2
    assert name == "tab" or address.remarks


def test_an_address_comes_back_as_it_was_written(hub: Hub) -> None:
    sides = [(hub.location(place), first_choice(hub, place)) for place in ("chicago", "sanfrancisco")]
    t = sides[0][1].start + 12_345.5
    query = addresses.write((sides[0], sides[1]), t, 100, {"tab": "why", "side": ""})
    address = Address(dict(part.split("=") for part in query[1:].split("&")))
    chosen = addresses.read(address, hub)
    assert [(place.id, window) for place, window in sides] == list(chosen.sides)
    assert (chosen.t, chosen.speed, address.remarks) == (t, 100.0, [])


def sides(hub: Hub) -> tuple[Side, Side]:
    lead = ReplayController(settings=hub.settings)
    window = first_choice(hub, "chicago")
    controllers = lead, PairedController(lead)
    one, other = (
        Side(letter, hub, controller, ("chicago", window), lambda: None, mounted=False)
        for letter, controller in zip("AB", controllers, strict=True)
    )
    return one, other


def test_a_side_that_cannot_be_loaded_leaves_the_other(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = sides(hub)
    asyncio.run(other.load())

    def fail(*_: Any) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(one.session, "_load", fail)
    asyncio.run(one.load())
    assert one.days.problem
    assert not one.is_shown
    assert other.is_shown
    assert not other.days.problem
    other.controller.play()  # alone, it plays by itself
    assert other.controller.playing
    monkeypatch.undo()
    asyncio.run(one.session.retry())
    assert one.is_shown
    assert one.days.problem == ""
    one.controller.seek(one.window.start + 3600)
    assert other.controller.now() == one.controller.now()


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["2025-10-16", "9999-12-31"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["choose", "days"]), inside),
    max_leaves=5,
)  # fmt: skip


@given(st.sampled_from(["choose", "days", "retry_load"]), HOSTILE, HOSTILE)
@settings(suppress_health_check=list(HealthCheck))
def test_no_message_of_a_head_does_more_than_choose_what_there_is(hub: Hub, name: str, one: Any, other: Any) -> None:
    asked: list[Any] = []
    side = sides(hub)[0]
    side._ask = lambda *given: asked.append(given)  # type: ignore[method-assign]
    side.session.retry = lambda: None  # type: ignore[assignment, method-assign, return-value]
    for value in (one, [one, other]):
        try:
            side._on_message(SimpleNamespace(data={name: value}))
        except ValueError:  # refused
            continue
    reach = hub.reach("chicago")
    for place, window in asked:
        assert place == "chicago"
        assert reach.start <= window.start < window.end <= reach.end


def test_the_table_of_a_range_beside_itself_says_no_difference_in_every_row(hub: Hub) -> None:
    side = Compared.read(hub.source, hub.location("chicago"), first_choice(hub, "chicago"))
    comparison = compare(side, side, 1800.0)
    rows = rows_of(comparison)
    assert {row[4] for row in rows} <= {0.0, None}
    assert {row[7] for row in rows} == {""}
    view = DifferencesView(ReplayController())
    view.show_comparison(comparison, ("A", "B"))
    assert view.__panel__().rows == rows
    view.fail("planted")
    assert (view.__panel__().rows, view.__panel__().problem) == ([], "planted")
