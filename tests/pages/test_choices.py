"""The kitchens of the first page: prepared once for all sessions, anew when the source has changed."""

import json
from dataclasses import replace

from tests.fake_timeline import DAY0, HOUR
from twin.hub import Hub
from twin.pages.operations.choice import MANY_KITCHENS
from twin.pages.operations.choices import Choices
from twin.pages.operations.welcome import LISTED, WelcomeView
from twin.sources.base import Location, Quality


class Kitchens:
    """A source of many kitchens that counts how often its rows are asked for."""

    as_of = None
    metered = False

    def __init__(self) -> None:
        one = Location("k0", "Perth 0", None, None, None, 5, DAY0, DAY0 + HOUR)
        self.places = [replace(one, id=f"k{n}", orders=n) for n in range(MANY_KITCHENS + 1)]
        self.asked = 0

    def locations(self) -> list[Location]:
        return self.places

    def quality(self, location: str | None = None) -> Quality:
        self.asked += 1
        return Quality(7, 4, {"no order": 3})

    def refresh(self) -> bool:
        self.places = [*self.places[:-1], replace(self.places[-1], orders=99)]
        return True


def test_the_choice_is_made_once_for_all_sessions_and_again_when_the_source_has_changed() -> None:
    source = Kitchens()
    hub = Hub(source)  # type: ignore[arg-type]
    choices = hub.cached(Choices)
    assert choices.ready(hub) is None, "the rows may still be being counted: the event loop does not wait for them"
    made = choices.prepared(hub)
    assert choices.ready(hub) is made is hub.cached(Choices).prepared(hub)
    assert source.asked == len(source.places)
    rows = [dict(zip(LISTED, row, strict=True)) for row in json.loads(made.state["many"])]
    assert [(row["id"], row["orders"], row["rejected"]) for row in rows][:2] == [("k0", 0, 3), ("k1", 1, 3)]

    hub.refresh()
    assert choices.ready(hub) is None
    assert json.loads(choices.prepared(hub).state["many"])[-1][LISTED.index("orders")] == 99


def test_a_page_that_has_the_choice_is_sent_nothing_more() -> None:
    hub = Hub(Kitchens())  # type: ignore[arg-type]
    view, changes = WelcomeView(lambda _id: None), []
    view.__panel__().param.watch(changes.append, "state")
    for _ in range(2):
        view.show_choice(hub.cached(Choices).prepared(hub))
    assert len(changes) == 1
