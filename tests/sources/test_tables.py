"""One way to find a location, and one sentence where there is none, whoever is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.test_files import ROWS, write_csv
from twin.api import answers, parameters
from twin.foundation.errors import UnknownLocationError
from twin.hub import Hub
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline
from twin.views.session.address import unknown_kitchens

ASKED: dict[str, Callable[[Hub, str], object]] = {
    "hub": lambda hub, name: hub.location(name),
    "hub's timeline": lambda hub, name: hub.timeline(name),
    "hub's last hours": lambda hub, name: hub.last_hours(name),
    "timeline": lambda hub, name: Timeline.load(hub.source, name, 0, 1),
    "window": lambda hub, name: hub.source.window(name, 0, 1),
    "history": lambda hub, name: hub.source.history(name, 0, 1),
    "volume": lambda hub, name: hub.source.volume(name),
    "API": lambda hub, name: answers.brands(hub, name, parameters.Range()),
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    rows = [{**row, "location": place} for place in ("sanfrancisco", "chicago") for row in ROWS]
    return Hub(FileSource(write_csv(tmp_path_factory.mktemp("two") / "events.csv", rows)))


@pytest.mark.parametrize("who", ASKED)
def test_an_unknown_location_is_the_same_sentence_everywhere(hub: Hub, who: str) -> None:
    with pytest.raises(UnknownLocationError) as like:
        ASKED[who](hub, "San Fran")
    assert str(like.value) == "No location 'San Fran' in this source: did you mean sanfrancisco?"
    assert like.value.near == ["sanfrancisco"]
    with pytest.raises(UnknownLocationError) as unlike:
        ASKED[who](hub, "atlantis")
    assert str(unlike.value) == "No location 'atlantis' in this source: it has chicago, sanfrancisco."
    assert unlike.value.near == ["chicago", "sanfrancisco"]


@pytest.mark.parametrize("written", ["SanFrancisco", "san-francisco", "san_francisco", "San Francisco", "sanfrancsico"])
def test_case_dashes_and_slips_are_named_with_the_right_id_and_not_guessed(hub: Hub, written: str) -> None:
    with pytest.raises(UnknownLocationError) as slip:
        hub.location(written)
    assert str(slip.value) == f"No location {written!r} in this source: did you mean sanfrancisco?"
    assert unknown_kitchens(hub, ["chicago", written, "atlantis"]) == [
        f"There is no kitchen “{written}”. Did you mean “sanfrancisco”?",
        "There is no kitchen “atlantis”. There are “chicago”, “sanfrancisco”.",
    ]


def test_ids_that_differ_in_case_or_dashes_only_are_two_kitchens(tmp_path: Path) -> None:
    ids = ("AB-1", "ab-1", "ab1", "ab 1")
    hub = Hub(
        FileSource(write_csv(tmp_path / "events.csv", [{**row, "location": place} for place in ids for row in ROWS]))
    )
    assert {hub.timeline(place).location.id for place in ids} == set(ids)
    with pytest.raises(UnknownLocationError) as several:
        hub.location("Ab_1")
    assert sorted(several.value.near) == sorted(ids)
