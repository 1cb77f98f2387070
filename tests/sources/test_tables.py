"""One way to find a location, and one sentence where there is none, whoever is asked."""

from collections.abc import Callable

import pytest

from tests.sources.test_files import ROWS, write_csv
from twin.api import answers, parameters
from twin.foundation.errors import UnknownLocationError
from twin.hub import Hub
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

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
