"""A session without a browser: loading, ticking, the address."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import twin
from twin.foundation import progress
from twin.foundation.errors import SourceError
from twin.foundation.times import text
from twin.hub import Hub
from twin.notebook.door import Twin
from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView
from twin.views.session.address import missing_order
from twin.views.session.session import ReplaySession
from twin.views.shared.component import Component
from twin.views.shared.view import ReplayView


class Recorder(ReplayView):
    """A view that notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.resets = self.learnt = 0
        self.shown: list[Any] = []
        self._component = Component()

    def __panel__(self) -> Component:
        return self._component

    def reset(self) -> None:
        self.resets += 1

    def learn(self) -> None:
        self.learnt += 1

    def show(self, snapshot: Any) -> None:  # type: ignore[override]
        self.shown.append(snapshot)


@pytest.fixture(scope="module")
def opened(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture
def wall() -> list[float]:
    return [50.0]


@pytest.fixture
def session(opened: Twin, wall: list[float]) -> ReplaySession:
    made = ReplaySession(opened, ReplayController(wall=lambda: wall[0]))
    made.watch([Recorder()])
    return made


def view(session: ReplaySession) -> Recorder:
    (recorder,) = session._views
    assert isinstance(recorder, Recorder)
    return recorder


def test_what_nobody_foresaw_ends_the_waiting_with_a_sentence_and_can_be_tried_again(
    session: ReplaySession, opened: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(opened.source, "window", lambda *_: 1 // 0)
        asyncio.run(session.choose("chicago"))
        assert session.waiting == ""
        assert "nobody foresaw (ZeroDivisionError)" in session.problem
    asyncio.run(session.retry())
    assert (session.problem, session.place.id) == ("", "chicago")


def test_a_kitchen_opens_without_its_streets_if_the_source_does_not_give_them(opened: Twin, wall: list[float]) -> None:
    away = [True]

    def prepare(_: str) -> None:
        if away[0]:
            raise SourceError("The warehouse does not answer.")

    session = ReplaySession(opened, ReplayController(wall=lambda: wall[0]), prepare)
    session.watch([Recorder()])
    asyncio.run(session.choose("chicago"))
    assert (session.problem, session.place.id) == ("", "chicago")
    assert session.remarks == ["The map has no streets: The warehouse does not answer."]
    away[0] = False
    asyncio.run(session.range(session.place.start, session.place.start + 3600))
    assert session.remarks == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ZeroDivisionError("sudden"), "nobody foresaw (ZeroDivisionError)"),
        (SourceError("The warehouse is away."), "The warehouse is away."),
    ],
)
def test_insights_that_cannot_be_computed_end_the_waiting_with_a_reason(
    session: ReplaySession, opened: Twin, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    asyncio.run(session.choose("chicago"))
    timeline = session.controller.timeline
    panel, alert = MomentsView(session.controller), AlertView(session.controller)

    def fail(_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(opened, "insights", fail)
        asyncio.run(session.learn(timeline))
        assert session.controller.insights is None
        assert words in session.controller.insights_problem
        assert words in panel.__panel__().problem
        assert words in alert.__panel__().problem
    asyncio.run(session.choose("chicago"))  # another try, another chance
    assert session.controller.insights_problem == panel.__panel__().problem == alert.__panel__().problem == ""
    asyncio.run(session.learn(session.controller.timeline))
    assert session.controller.insights is not None
    assert view(session).learnt == 1


def test_a_view_that_cannot_show_the_insights_is_reported(session: ReplaySession, monkeypatch) -> None:
    asyncio.run(session.choose("chicago"))
    monkeypatch.setattr(Recorder, "learn", lambda _: 1 // 0)
    asyncio.run(session.learn(session.controller.timeline))
    assert "ZeroDivisionError" in view(session).__panel__().failure
    assert session.controller.insights_problem == ""  # the other views have them


def test_what_is_being_loaded_can_be_given_up(
    session: ReplaySession, opened: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(session.choose("chicago"))
    shown, requested = session.controller.timeline, session._requested
    going = threading.Event()

    def slow(*_: Any) -> Any:
        going.set()
        for _ in range(500):
            progress.current().step(0.4)
            time.sleep(0.01)

    monkeypatch.setattr(opened, "timeline", slow)

    async def change_the_mind() -> str:
        loading = asyncio.ensure_future(session.choose("sanfrancisco"))
        await asyncio.to_thread(going.wait)
        waiting = session.waiting
        session.cancel()
        assert session.waiting == ""
        await loading
        return waiting

    assert asyncio.run(change_the_mind()).startswith("Loading San Francisco …")
    assert (session.problem, session.waiting) == ("", "")
    assert session.controller.timeline is shown
    assert session._requested == requested
    assert not session.is_moving


def test_how_far_the_loading_is_is_said(session: ReplaySession, opened: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    session.param.watch(lambda event: texts.append(event.new), "waiting")
    load = opened.timeline

    def slow(*requested: Any) -> Any:
        progress.current().waiting("Starting the SQL warehouse, 3 s so far")
        time.sleep(0.4)
        progress.current().step(0.25)
        return load(*requested)

    monkeypatch.setattr(opened, "timeline", slow)
    asyncio.run(session.choose("chicago"))
    assert texts[0] == "Loading Chicago …"
    assert "Starting the SQL warehouse, 3 s so far …" in texts
    assert "Loading Chicago … 25 %" in texts
    assert texts[-1] == ""


def test_choosing_a_location_shows_its_last_day_at_its_busiest_moment(session: ReplaySession, opened: Twin) -> None:
    asyncio.run(session.choose("chicago"))
    assert session.place is not None
    assert session.place.display_name == "Chicago"
    timeline = session.controller.timeline
    assert timeline is not None
    assert timeline.window == opened.last_hours("chicago")
    assert session.controller.now() == timeline.busiest()
    assert view(session).resets == 1
    assert view(session).shown[-1].t == timeline.busiest()
    assert len(view(session).shown[-1].drivers) > 0


def test_an_unknown_location_is_said_and_nothing_changes(session: ReplaySession) -> None:
    asyncio.run(session.choose("atlantis"))
    assert "atlantis" in session.problem
    assert session.place is None
    assert view(session).resets == 0


def test_of_two_choices_the_later_one_wins(session: ReplaySession) -> None:
    async def both() -> None:
        await asyncio.gather(session.choose("sanfrancisco"), session.choose("chicago"))

    asyncio.run(both())
    assert session.place is not None
    assert session.place.id == "chicago"
    assert view(session).resets == 1


def test_a_range_without_data_is_refused_with_what_there_is(session: ReplaySession) -> None:
    asyncio.run(session.choose("chicago"))
    with pytest.raises(ValueError, match="the data covers 2025-10-16"):
        asyncio.run(session.range(0.0, 3600.0))


def test_paused_ticks_do_nothing_and_playing_ones_show_the_clock(session: ReplaySession, wall: list[float]) -> None:
    asyncio.run(session.choose("chicago"))
    before = len(view(session).shown)
    for _ in range(3):
        wall[0] += 0.25
        session.tick()
    assert len(view(session).shown) == before
    session.controller.play()
    start = session.controller.now()
    for _ in range(4):
        wall[0] += 0.25
        session.tick()
    assert view(session).shown[-1].t == pytest.approx(start + 60)
    assert len(view(session).shown) == before + 5  # the verb itself, and four ticks


def test_a_page_that_nobody_sees_does_no_work(session: ReplaySession, wall: list[float]) -> None:
    asyncio.run(session.choose("chicago"))
    session.controller.play()
    session.page.seen = False
    before = len(view(session).shown)
    wall[0] += 5
    session.tick()
    assert len(view(session).shown) == before
    session.page.seen = True
    session.tick()
    assert len(view(session).shown) == before + 1


def test_a_verb_shows_its_moment_at_once(session: ReplaySession) -> None:
    asyncio.run(session.choose("chicago"))
    target = session.controller.now() - 1800
    session.controller.seek(target)
    assert view(session).shown[-1].t == target


async def no_choice() -> None:
    pytest.fail("the address names a location that there is")


def test_the_address_restores_where_one_was(opened: Twin, session: ReplaySession, wall: list[float]) -> None:
    asyncio.run(session.choose("chicago"))
    session.controller.seek(session.controller.now() // 1 - 600)
    session.controller.set_speed(500)
    assert "hindsight" not in session.page.query
    session.controller.set_hindsight(True)
    session.viewport = [-87.63, 41.89, 13.25]
    session.tick()
    query = dict(part.split("=") for part in session.page.query[1:].split("&"))
    other = ReplaySession(opened, ReplayController())
    asyncio.run(other.follow_address(query, fallback=no_choice))
    assert other.place == session.place
    assert other.controller.now() == session.controller.now()
    assert other.controller.speed == 500
    assert other.controller.hindsight
    assert other.viewport == [-87.63, 41.89, 13.25]
    assert other.controller.timeline is session.controller.timeline  # shared, not loaded twice


@pytest.mark.parametrize("query", [{}, {"location": "atlantis"}, {"location": "<script>"}])
def test_an_address_without_a_known_location_offers_the_choice(session: ReplaySession, query: dict[str, str]) -> None:
    offered = []

    async def offer() -> None:
        offered.append(True)

    asyncio.run(session.follow_address(query, fallback=offer))
    assert offered == [True]
    assert session.place is None


def test_nonsense_in_an_address_is_left_out(session: ReplaySession) -> None:
    query = {
        "location": "chicago",
        "start": "soon",
        "end": "2025-10-01",
        "t": "noon",
        "speed": "1e9",
        "view": "nan,1,2",
    }
    asyncio.run(session.follow_address(query, fallback=no_choice))
    assert session.place is not None
    assert session.controller.speed == ReplayController.DEFAULT_SPEED
    assert session.viewport == []


def followed(opened: Hub, **query: str) -> ReplaySession:
    made = ReplaySession(opened, ReplayController())

    async def offer() -> None:
        """The page would show the choice of kitchens."""

    asyncio.run(made.follow_address({"location": "chicago", **query}, fallback=offer))
    return made


def test_an_address_of_two_centuries_loads_the_days_with_data_and_says_so(opened: Twin) -> None:
    session = followed(opened, start="1900-01-01", end="2100-01-01", speed="500")
    timeline, reach = session.controller.timeline, opened.reach("chicago")
    assert timeline is not None
    assert timeline.window == reach
    assert session.controller.speed == 500
    assert session.remarks == [f"The range was cut to the days with data, {text(reach.start)} to {text(reach.end)}."]


def test_a_range_without_data_in_an_address_is_said_and_the_last_day_shown(opened: Twin) -> None:
    session = followed(opened, start="1900-01-01", end="1950-01-01")
    timeline = session.controller.timeline
    assert timeline is not None
    assert timeline.window == opened.last_hours("chicago")
    (remark,) = session.remarks
    assert remark.startswith("No orders in this range: the data covers 2025-10-")
    assert remark.endswith("The last 24 hours are shown.")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"location": "chicgo"}, "There is no kitchen “chicgo”. Did you mean “chicago”?"),
        ({"location": "Chicago"}, "There is no kitchen “Chicago”. Did you mean “chicago”?"),
        ({"start": "soon", "end": "2025-10-16"}, "“soon” is no time for “start”: write it like 2025-10-16T18:30."),
        ({"start": "2025-10-16"}, "A range needs both a start and an end. The last 24 hours are shown."),
        ({"start": "2025-10-17", "end": "2025-10-16"},
         "The end of the range is not after its start. The last 24 hours are shown."),
        ({"t": "noon"}, "“noon” is no time for “t”: write it like 2025-10-16T18:30."),
        ({"t": "2031-01-01"}, "2031-01-01 00:00:00 is not in the range shown: the nearest time in it is."),
        ({"speed": "1e9"}, "“1e9” for “speed” is not a number from 0.001 to 1000: the usual one is used."),
        ({"stage": "reday"}, "There is no stage “reday”. Did you mean “ready”?"),
        ({"loop": "yes"}, "“yes” for “loop” is neither 0, 1 nor two times with a comma between them."),
        ({"loop": "2025-10-01,2025-10-02"}, "The loop is not a part of the range shown: all of it is played in a loop."),
        ({"view": "nan,1,2"}, "“nan,1,2” is no view of the map: give longitude,latitude,zoom."),
    ],
)  # fmt: skip
def test_what_an_address_asks_for_in_vain_is_said(opened: Twin, query: dict[str, str], said: str) -> None:
    hub = Hub(opened.source, opened.settings)  # as a server has it: a notebook's door also takes a kitchen's name
    assert said in followed(hub, **query).remarks


def test_a_loop_over_a_part_of_the_range_is_in_the_address_to_fractions_of_a_second(opened: Twin) -> None:
    session = followed(opened, start="2025-10-16T12:00:00", end="2025-10-16T20:00:00", t="2025-10-16T18:00:00.25")
    window = session.controller.timeline.window
    section = window.start + 21600.125, window.start + 23400.5
    session.controller.set_range(*section)
    session.controller.set_loop(True)
    session.tick()
    query = dict(part.split("=") for part in session.page.query[1:].split("&"))
    assert query["loop"] == "2025-10-16T18:00:00.125,2025-10-16T18:30:00.5"

    other = followed(opened, **query)
    anchor = other.controller.anchor
    assert (anchor.start, anchor.end, anchor.loop) == (*section, True)
    assert other.controller.now() == session.controller.now() == section[0] + 0.125
    assert other.remarks == []
    assert other.restore(query)
    assert (other.controller.anchor.start, other.controller.anchor.end) == section

    asyncio.run(other.choose("sanfrancisco"))  # the next kitchen has all of its range
    whole = other.controller.timeline.window
    assert (other.controller.anchor.start, other.controller.anchor.end) == (whole.start, whole.end)
    assert other.page.query.endswith("loop=1")


def test_an_address_that_the_page_wrote_itself_needs_no_remark(opened: Twin) -> None:
    session = followed(
        opened, start="2025-10-16T12:00:00", end="2025-10-16T20:00:00", t="2025-10-16T13:00:00", stage="ready"
    )
    session.viewport = [-87.63, 41.89, 13.25]
    session.controller.set_speed(1)
    session.tick()
    query = dict(part.split("=") for part in session.page.query[1:].split("&"))
    assert query["start"] == "2025-10-16T12:00:00"
    assert followed(opened, **query).remarks == []


def test_a_chosen_range_is_cut_to_the_days_with_data_and_that_is_said(session: ReplaySession, opened: Twin) -> None:
    asyncio.run(session.choose("chicago"))
    reach = opened.reach("chicago")
    asyncio.run(session.range(reach.start - 9e9, reach.start + 3600))
    timeline = session.controller.timeline
    assert timeline is not None
    assert timeline.window == Window(reach.start, reach.start + 3600)
    assert session.remarks == [
        f"The range was cut to the days with data, {text(reach.start)} to {text(reach.start + 3600)}."
    ]
    asyncio.run(session.range(reach.start, reach.start + 7200))
    assert session.remarks == []


def test_an_order_that_is_elsewhere_is_said_with_where_and_a_mistyped_one_with_what_is_similar(opened: Twin) -> None:
    order = opened.timeline("chicago").orders.ids[0].as_py()
    assert missing_order(opened, order).startswith(
        f"The order “{order}” is not in this range: it is of Chicago, 2025-10-"
    )
    mistyped = order[:-1] + ("x" if order[-1] != "x" else "y")
    assert missing_order(opened, mistyped) == f"There is no order “{mistyped}”. Did you mean “{order}”?"
    assert missing_order(opened, "?" * 20) == f"There is no order “{'?' * 20}”."
