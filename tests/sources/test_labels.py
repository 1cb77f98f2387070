"""Kitchens of one name are told apart by what differs, wherever a person reads which is which."""

import json
from dataclasses import replace

import panel as pn
import pytest

import twin
from tests.sources.test_files import ROWS, write_csv
from twin.notebook.door import Twin
from twin.pages.operations.choice import kitchen_rows
from twin.pages.operations.operations import _Operations
from twin.replay.controller import ReplayController
from twin.show.deriving import derive
from twin.show.options import Options
from twin.sources.base import Location
from twin.sources.labels import qualified
from twin.views.session.address import missing_order
from twin.views.session.session import ReplaySession

OCTOBER, YEAR = 1_760_313_600.0, 366 * 86_400.0
ONE = Location("1", "San Francisco", None, None, None, 9, OCTOBER - YEAR, OCTOBER - YEAR + 3600)
TWO = replace(ONE, id="sanfrancisco", start=OCTOBER, end=OCTOBER + 3600)
OTHER = replace(ONE, id="chicago", display_name="Chicago")


def test_only_names_that_collide_are_qualified_by_what_differs() -> None:
    cities = [replace(ONE, city="Oakland"), replace(TWO, city="Berkeley", start=ONE.start, end=ONE.end)]
    assert [place.label for place in qualified([ONE, OTHER, TWO])] == [
        "San Francisco (Oct 2024, id 1)", "Chicago", "San Francisco (Oct 2025, id sanfrancisco)",
    ]  # fmt: skip
    assert [place.qualifier for place in qualified(cities)] == ["Oakland, id 1", "Berkeley, id sanfrancisco"]
    alike = [ONE, replace(ONE, id="2", display_name="san  francisco")]
    assert [place.qualifier for place in qualified(alike)] == ["id 1", "id 2"]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """One kitchen in both generations of the feed, each in a file of its own, and the table of locations of the second."""
    folder = tmp_path_factory.mktemp("generations")
    write_csv(folder / "first.csv", [{**row, "location": "sanfrancisco"} for row in ROWS])
    second = [
        {**row, "order_id": "B", "ts": row["ts"].replace("2025-10", "2024-01"), "location_id": "1"} for row in ROWS
    ]
    write_csv(folder / "second.csv", [{name: row[name] for name in row if name != "location"} for row in second])
    (folder / "locations.json").write_text(json.dumps([{"location_id": 1, "name": "San Francisco"}]))
    return twin.open(folder)


def test_both_generations_of_a_kitchen_can_be_chosen_and_read(twins: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[str] = []
    monkeypatch.setattr(pn.state, "onload", lambda begin: None)  # it would begin to tick in a loop that nobody closes
    monkeypatch.setattr(pn.state, "execute", lambda load: chosen.append(load.args[0]))
    session = ReplaySession(twins, ReplayController())
    parts = _Operations(session, pn.Column(), {}, mounted=False)
    session.place = twins.location("sanfrancisco")  # with the first place the bar gets its kitchens
    assert kitchen_rows(twins.locations) == parts.choice.kitchens
    assert sorted(parts.choice.kitchens) == [
        ["1", "San Francisco", "Jan 2024, id 1", ""], ["sanfrancisco", "San Francisco", "Oct 2025, id sanfrancisco", ""],
    ]  # fmt: skip
    assert parts.choice.value == "sanfrancisco"
    for place in ("1", "atlantis"):
        parts.choice.value = place
    assert (chosen, parts.choice.value) == (["1"], "sanfrancisco"), "what was not offered cannot be chosen"


def test_what_is_said_about_one_of_them_says_which(twins: Twin) -> None:
    assert "San Francisco (Jan 2024, id 1)" in repr(twins["1"])
    assert "it is of San Francisco (Jan 2024, id 1), 2024-01-13 01:00." in missing_order(twins, "B")
    assert any(
        scene.headline.startswith("San Francisco (Jan 2024, id 1), ") for scene in derive(twins, Options()).scenes
    )
    assert {scene.name for scene in derive(twins, Options()).scenes} == {
        "San Francisco (Jan 2024, id 1)", "San Francisco (Oct 2025, id sanfrancisco)",
    }  # fmt: skip
