"""What the map sends: windows that keep every driver's position, a calm first view, texts for hover, and nothing unasked."""

import asyncio
import base64
import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from tests.fake_roads import DAY0, KITCHEN, RoadTimeline
from tests.fake_timeline import send_message
from tests.memory_source import MemorySource, loaded, row, table
from tests.raw_orders import NOON, WHOLE, rows_of, timeline_of
from tests.timeline.test_growing import KITCHEN as PLACE
from tests.timeline.test_shown_live import BEGIN, END, drive, versions
from twin.foundation.errors import ConfigError
from twin.foundation.geo import project
from twin.foundation.settings import TILES, Settings
from twin.foundation.stages import STAGES
from twin.foundation.times import DAY, HOUR
from twin.replay.controller import ReplayController
from twin.sources.base import Location
from twin.views.map import answers, messages, wire
from twin.views.map.figure import ONLINE
from twin.views.map.layers import LAYERS, layers_of, layers_text
from twin.views.map.map import BaseMap, MapView, OwnMap


@pytest.fixture
def sent(monkeypatch):
    """A map of 20 drivers, and the messages that it sends to the browser."""
    timeline = RoadTimeline(20)
    view = MapView(ReplayController(timeline))
    sent_messages = []
    monkeypatch.setattr(view.__panel__(), "_send_msg", sent_messages.append)
    return view, timeline, sent_messages


def send_request(view, **question):
    send_message(view.__panel__(), {"version": view.__panel__().scene["version"], **question})


def test_a_window_puts_every_driver_where_the_roads_put_it(sent):
    view, timeline, sent_messages = sent
    send_request(view, ask="motion", number=1, **{"from": DAY0 + 600, "to": DAY0 + 900, "after": None})

    (answer,) = sent_messages
    window = wire.unpack(answer)
    t = DAY0 + 700.0
    found = {}
    for i, order in enumerate(window["order"].tolist()):
        if window["start"][i] <= t < window["end"][i]:
            knots = slice(window["offsets"][i], window["offsets"][i + 1])
            s = t - window["start"][i]
            found[order] = [np.interp(s, window["t"][knots], window[axis][knots]) for axis in "xy"]
    truth = timeline.truth(t)
    assert found.keys() == truth.keys()
    kx, ky = timeline.kitchen
    for order, (x, y) in truth.items():
        assert np.hypot(found[order][0] + kx - x, found[order][1] + ky - y) < messages.FINE_M + 0.1


def test_where_no_bytes_arrive_the_same_columns_are_sent_as_text(sent):
    view, _, sent_messages = sent
    ask = partial(send_request, view, ask="motion", number=1, **{"from": DAY0 + 600, "to": DAY0 + 900, "after": None})
    ask()
    view.as_text = True
    ask()
    plain, text = sent_messages
    assert json.loads(json.dumps(text)) == text
    assert base64.b64decode(text["packed"]) == plain["packed"].tobytes()
    assert {**text, "packed": 0} == {**plain, "packed": 0}


def test_a_window_that_goes_on_brings_only_what_the_browser_lacks(sent):
    view, timeline, sent_messages = sent
    send_request(view, ask="motion", number=2, **{"from": DAY0 + 900, "to": DAY0 + 1200, "after": DAY0 + 900})
    starts = wire.unpack(sent_messages[0])["start"]
    expected = [road.start for road in timeline.roads if DAY0 + 900 < road.start <= DAY0 + 1200]
    assert sorted(starts) == expected
    assert expected


@given(
    st.lists(st.lists(st.floats(-3000, 3000, width=32), min_size=1, max_size=60), min_size=1, max_size=4),
    st.sampled_from([0.5, 5.0, 50.0]),
)
def test_simplified_trips_stay_within_the_tolerance_at_every_time(trips, tolerance):
    lengths = [len(xs) for xs in trips]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    x = np.concatenate([np.array(xs, np.float32) for xs in trips])
    y = np.concatenate([np.array(xs[::-1], np.float32) for xs in trips])
    t = np.concatenate([np.arange(n, dtype=np.float32) * 3 for n in lengths])

    keep = messages.simplify(offsets, t, x, y, tolerance)

    for a, b in pairwise(offsets):
        at, kept = t[a:b], keep[a:b]
        assert kept[0]
        assert kept[-1]
        off = [np.interp(at, at[kept], axis[a:b][kept]) - axis[a:b] for axis in (x, y)]
        assert np.hypot(*off).max() <= tolerance * 1.001 + 0.01


def test_knots_on_a_straight_even_way_are_not_sent():
    n = 65
    line = np.arange(n, dtype=np.float32)
    keep = messages.simplify(np.array([0, n], np.int32), line, 8 * line, -3 * line, 1.0)
    assert keep.sum() < 6


def test_knots_that_were_never_reached_are_kept():
    t = np.array([0, 60, *[np.inf] * 5], np.float32)
    x = np.arange(7, dtype=np.float32) * 100
    assert messages.simplify(np.array([0, 7], np.int32), t, x, x, 50.0)[[0, 1, 3, 4, 5, 6]].all()


def test_the_first_view_holds_the_kitchen_and_nine_of_ten_customers(sent):
    _, timeline, _ = sent
    kx, ky = timeline.kitchen
    x0, y0, x1, y1 = messages.first_view(timeline, (kx, ky))
    assert x0 < kx < x1
    assert y0 < ky < y1
    x, y = kx + timeline.orders.customer_x, ky + timeline.orders.customer_y
    assert np.mean((x > x0) & (x < x1)) >= 0.9
    assert np.mean((y > y0) & (y < y1)) >= 0.9


def test_the_first_view_of_a_kitchen_without_known_customers_is_its_radius(sent):
    _, timeline, _ = sent
    timeline.orders.customer_x[:] = np.nan
    kx, ky = timeline.kitchen
    x0, y0, x1, y1 = messages.first_view(timeline, (kx, ky))
    # 5 km on the ground are longer on the map by 1/cos(latitude)
    assert x1 - x0 == pytest.approx(2 * 5000 / np.cos(np.radians(37.7910)))
    assert (y0 + y1) / 2 == pytest.approx(ky)


@given(st.floats(-179, 179), st.floats(-80, 80), st.floats(1, 20))
def test_a_viewport_survives_the_way_to_metres_and_back(lon, lat, zoom):
    x, y = project(lat, lon)
    metres_per_pixel = messages.TILE_M / 2.0**zoom
    assert messages.to_viewport(float(x), float(y), metres_per_pixel) == pytest.approx((lon, lat, zoom), abs=1e-6)


def test_hover_tells_what_live_showed_where_that_differs() -> None:
    begin, tick = BEGIN + HOUR, row("T", "order_created", BEGIN)
    way = drive("A", begin, [(120.0, 0.2), (240.0, 0.7)])
    others = [[row(f"B{after}", "order_created", begin + after)] for after in (200, 400)]
    grown = versions([[tick], way[:3], others[0], way[3:], others[1]])[-1]
    number = grown.orders.row_of["A"]
    told = answers.describe(grown, number, begin + 180)
    assert told["live"] == "Live showed the driver 0.3 km from here, by a guess"
    assert told["live_at"] == list(grown.shown_live(number, begin + 180).place)
    assert "live" not in answers.describe(grown, number, begin + 121), "it was as good as right"
    late = versions([[tick, way[0]], others[0], [way[1]]])[-1]
    told = answers.describe(late, late.orders.row_of["A"], begin + 100)
    assert told["live"] == "Live showed it as created: the pick-up came in 3 min late"
    assert told["stage"] == "Out for delivery"
    assert "live" not in answers.describe(late, late.orders.row_of["A"], begin - 1)
    assert "live" not in answers.describe(loaded(MemorySource(table(way), at=PLACE), BEGIN, END), 0, begin + 180)


def test_hover_tells_the_order_as_plain_text(sent):
    view, timeline, sent_messages = sent
    timeline.item = "<b>Pho</b>"
    send_request(view, ask="order", order=30, t=timeline.roads[30].start + 60)
    (result,) = sent_messages
    assert result["id"] == "R00030"
    assert result["items"] == "2 items from <b>Pho</b>"
    assert result["address"] == "30 Market Street"
    assert result["eta"] == pytest.approx(timeline.roads[30].end)
    assert result["measured"] is True


@pytest.mark.parametrize(
    "nonsense",
    [
        {"ask": "order", "order": 10**9, "t": DAY0},
        {"ask": "order", "order": -1, "t": DAY0},
        {"ask": "motion", "from": "yesterday", "to": DAY0},
        {"base": "somewhere"},
        {},
    ],
)
def test_a_message_that_makes_no_sense_is_left_unanswered(sent, nonsense):
    view, _, sent_messages = sent
    send_request(view, **nonsense)
    assert sent_messages == []


def test_a_question_about_the_timeline_before_is_left_unanswered(sent):
    view, _, sent_messages = sent
    send_message(view.__panel__(), {"version": 0, "ask": "motion", "number": 1, "from": DAY0, "to": DAY0 + 60})
    assert sent_messages == []


def test_a_location_without_position_says_so_instead_of_drawing():
    nowhere = Location("x", "Nowhere", None, None, None, 0, DAY0, DAY0 + 60)
    timeline = RoadTimeline(3)
    timeline.location = nowhere
    scene = MapView(ReplayController(timeline)).__panel__().scene
    assert "No coordinates" in scene["empty"]
    assert "kitchen" not in scene


def test_showing_moments_sends_nothing(sent):
    view, timeline, sent_messages = sent
    for k in range(20):
        view.show(timeline.at(DAY0 + k))
    assert sent_messages == []


def test_no_base_map_from_elsewhere_unless_it_is_asked_for():
    controller = ReplayController(RoadTimeline(3))
    assert MapView(controller).__panel__().base["chosen"] == "none"
    ours = MapView(controller, base_map=lambda _id: BaseMap("tiles/sf/{theme}/{Z}/{X}/{Y}.png", 6029)).__panel__().base
    assert ours["chosen"] == "streets"
    assert ours["maps"]["streets"]["credit"] == "Streets drawn from 6,029 delivery routes"
    settings = Settings.from_environment({"TWIN_TILES": "osm"})
    chosen = MapView(ReplayController(RoadTimeline(3), settings=settings)).__panel__().base
    assert "openstreetmap" in chosen["maps"][chosen["chosen"]]["link"]
    with pytest.raises(ConfigError, match="atlantis"):
        Settings.from_environment({"TWIN_TILES": "atlantis"})
    assert ("streets", *ONLINE) == TILES, "what can be configured is what there is"


def test_the_base_map_has_its_names_and_says_what_is_wrong_with_its_places():
    names = [{"text": "Bay", "kind": "water", "rank": 2, "at": [1, 2]}]
    ours = BaseMap("tiles/{Z}/{X}/{Y}.png", 6029, names=names, problem="places.geojson is no GeoJSON.")
    streets = MapView(ReplayController(RoadTimeline(3)), base_map=lambda _id: ours).__panel__().base["maps"]["streets"]
    assert streets["names"] == names
    assert streets["credit"] == "Streets drawn from 6,029 delivery routes. places.geojson is no GeoJSON."


def test_the_users_own_map_is_chosen_credited_and_given_up_where_it_cannot_be_used():
    settings = Settings.from_environment({"TWIN_TILES": "maps/City.PMTiles"})
    assert (settings.tiles, settings.tile_file) == ("file", Path("maps/City.PMTiles"))
    own = OwnMap("tiles/sf/file-{theme}/{Z}/{X}/{Y}{dense}.png", "City", "© <b>Example</b>", [])
    ours = BaseMap("tiles/{Z}/{X}/{Y}.png", 6029, file=own)
    base = MapView(ReplayController(RoadTimeline(3), settings=settings), base_map=lambda _id: ours).__panel__().base
    assert base["chosen"] == "file"
    assert list(base["maps"])[:2] == ["streets", "file"]
    assert (base["maps"]["file"]["label"], base["maps"]["file"]["credit"]) == ("City", "© <b>Example</b>")
    assert "link" not in base["maps"]["file"], "nothing is asked of another host"
    broken = BaseMap("tiles/{Z}/{X}/{Y}.png", 6029, problem="The map City.PMTiles is damaged.")
    base = MapView(ReplayController(RoadTimeline(3), settings=settings), base_map=lambda _id: broken).__panel__().base
    assert base["chosen"] == "streets"
    assert base["maps"]["streets"]["credit"].endswith("routes. The map City.PMTiles is damaged.")


def test_few_routes_are_helped_by_rings_at_round_distances():
    controller = ReplayController(RoadTimeline(3))
    view = MapView(controller, base_map=lambda _id: BaseMap("tiles/{Z}/{X}/{Y}.png", 12))
    rings = view._figure.rings.data_source.data["xs"]  # type: ignore[attr-defined]
    kx, _ = project(KITCHEN.lat, KITCHEN.lon)
    reach = [float(np.max(xs) - kx) * np.cos(np.radians(KITCHEN.lat)) for xs in rings]
    assert reach == pytest.approx([2000, 4000])
    many = MapView(controller, base_map=lambda _id: BaseMap("tiles/{Z}/{X}/{Y}.png", 5000))
    assert many._figure.rings.data_source.data["xs"] == []  # type: ignore[attr-defined]


def test_without_a_tile_server_the_streets_are_one_picture_in_the_figure():
    picture = BaseMap(None, 6029, "data:image/png;base64,AAAA", (0.0, 10.0, 200.0, 110.0))
    view = MapView(ReplayController(RoadTimeline(3)), base_map=lambda _id: picture)
    assert view._figure.image.data_source.data == {  # type: ignore[attr-defined]
        "url": ["data:image/png;base64,AAAA"], "x": [0.0], "y": [110.0], "w": [200.0], "h": [100.0]
    }  # fmt: skip
    assert view.__panel__().base["maps"]["streets"]["url"] is None


def test_a_window_tells_the_age_of_each_order_and_what_was_promised(sent):
    view, timeline, sent_messages = sent
    timeline.orders.created[30] = np.nan
    send_request(view, ask="motion", number=1, **{"from": DAY0 + 600, "to": DAY0 + 1200, "after": None})
    window = wire.unpack(sent_messages[0])
    for i, order in enumerate(window["order"].tolist()):
        road = timeline.roads[order]
        assert window["age"][i] == pytest.approx(road.start - timeline.orders.created[order], nan_ok=True)
        assert window["promise"][i] == pytest.approx(road.t[-1], rel=1e-5)
    assert np.isnan(window["age"]).sum() == np.count_nonzero(window["order"] == 30)


def test_a_window_tells_where_positions_are_inferred(sent):
    view, timeline, sent_messages = sent
    timeline.unseen = [(30, 61.0, 300.0), (34, 200.0, np.inf)]
    send_request(view, ask="motion", number=1, **{"from": DAY0, "to": DAY0 + 3600, "after": None})
    window = wire.unpack(sent_messages[0])
    spells = {
        (int(window["order"][trip]), float(begin), float(end))
        for trip, begin, end in zip(window["gap_trip"], window["gap_from"], window["gap_to"], strict=True)
    }
    assert spells == set(timeline.unseen)


def jump(view, timeline, t):
    """Seek, and show the moment as the session does."""
    view._controller.seek(t)
    view.show(timeline.at(t))


def test_a_seek_beyond_what_the_browser_has_brings_its_window_unasked(sent):
    view, timeline, sent_messages = sent
    jump(view, timeline, DAY0 + 600)
    assert sent_messages == []  # the browser has not asked for anything yet: it may not be there
    send_request(view, ask="motion", number=1, **{"from": DAY0 + 570, "to": DAY0 + 840, "after": None})
    sent_messages.clear()
    jump(view, timeline, DAY0 + 700)
    assert sent_messages == []  # it has that
    jump(view, timeline, DAY0 + 5000)
    (pushed,) = sent_messages
    assert pushed["pushed"]
    assert pushed["from"] <= DAY0 + 5000 < pushed["to"]
    on_the_road = {int(o) for o in wire.unpack(pushed)["order"]}
    assert timeline.truth(DAY0 + 5000).keys() <= on_the_road
    view.show(timeline.at(DAY0 + 5001))
    assert len(sent_messages) == 1  # no jump, no window


def test_what_was_pushed_is_not_sent_again_to_a_browser_that_asked_before_it_came(sent):
    view, timeline, sent_messages = sent
    send_request(view, ask="motion", number=1, **{"from": DAY0 + 570, "to": DAY0 + 840, "after": None})
    jump(view, timeline, DAY0 + 5000)
    sent_messages.clear()
    question = {"ask": "motion", "number": 2, "from": DAY0 + 4970, "to": DAY0 + 5240, "after": None, "at": DAY0 + 5000}
    send_request(view, **question, pushes=0)
    assert sent_messages == []
    send_request(view, **question, pushes=1)  # it came, and yet the browser asks: it needs it
    assert len(sent_messages) == 1
    send_request(view, **{**question, "at": DAY0 + 100}, pushes=0)  # another moment
    assert len(sent_messages) == 2


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ({}, ""),
        ({"routes": False}, "customers,trails,radius,clusters"),
        ({"clusters": False}, "routes,customers,trails,radius"),
        (dict.fromkeys(LAYERS, False), "none"),
    ],
)
def test_layers_survive_the_way_through_an_address(shown, text):
    layers = {**LAYERS, **shown}
    assert layers_text(layers) == text
    assert layers_of(text) == layers


def test_nonsense_in_an_address_shows_the_usual_layers():
    assert layers_of("<script>") == LAYERS
    assert layers_of("trails,<script>") == {**dict.fromkeys(LAYERS, False), "trails": True}


def test_a_layer_switched_in_the_browser_is_known_to_the_view(sent):
    view, _, _ = sent
    view.__panel__().layers = {**LAYERS, "trails": False}
    assert "trails" not in view.layers_text.split(",")
    view.layers_text = ""
    assert view.__panel__().layers == LAYERS


def test_a_layer_of_density_chosen_in_the_browser_is_known_to_the_view_if_it_makes_sense(sent):
    view, _, _ = sent
    frame = view.__panel__()
    frame.density = {"kind": "slow", "minutes": 60, "strength": 70}
    assert view.density_text == "slow,60,70"
    frame.density = {"kind": "<b>", "minutes": "x", "strength": None}
    assert view.density_text == ""
    view.density_text = "ways"
    assert frame.density == {"kind": "ways", "minutes": 30, "strength": 100}


def test_a_layout_is_told_whether_there_is_a_place_to_draw():
    controller = ReplayController(RoadTimeline(3))
    view = MapView(controller)
    assert view.has_place
    nowhere = RoadTimeline(3)
    nowhere.location = Location("x", "Nowhere", None, None, None, 0, DAY0, DAY0 + 60)
    controller.load(nowhere)
    view.reset()
    assert not view.has_place


@pytest.fixture
def kitchen(demo):
    """A real timeline of the small demo, with all its stages; a new one for each test."""
    source = twin.open(str(demo))
    place = source.locations[0]
    return source.timeline(place.id, place.start, place.end)


def pins(message):
    """(order, begin, until) of every pin, as they come."""
    found = wire.unpack(message)
    return [(int(o), b, u) for o, b, u in zip(found["order"], found["begin"], found["until"], strict=True)]


@pytest.mark.parametrize("stage", ["created", "cooking", "ready"])
def test_the_pins_of_a_stage_are_its_orders_at_every_moment_of_the_window(kitchen, stage):
    middle = kitchen.busiest()
    result = pins(answers.stage_message(kitchen, stage, middle, middle + 600))
    number = STAGES.index(stage)
    seen = 0
    for t in np.linspace(middle, middle + 600, 7):
        snapshot = kitchen.at(float(t))
        expected = sorted(int(o) for o in snapshot.order[snapshot.stage == number])
        assert sorted(order for order, begin, until in result if begin <= t < until) == expected
        seen += len(expected)
    assert seen


def test_completed_orders_are_pinned_until_midnight(kitchen):
    t = kitchen.busiest()
    result = pins(answers.stage_message(kitchen, "completed", t, t))
    delivered = kitchen.orders.delivered
    today = [row for row in range(len(delivered)) if (t - t % DAY) <= delivered[row] <= t]
    assert sorted(order for order, _, _ in result) == today
    assert {until for _, _, until in result} == {(t - t % DAY) + DAY}
    assert len(today) == kitchen.at(t).counts["completed"] > 20


def test_of_many_completed_orders_the_newest_are_pinned_and_the_others_counted(kitchen, monkeypatch):
    monkeypatch.setattr(answers, "MOST_PINS", 20)
    start = kitchen.busiest()
    message = answers.stage_message(kitchen, "completed", start, start + 600)
    result, delivered = pins(message), kitchen.orders.delivered

    assert message["most"] == 20
    for t in (start, start + 300, start + 600):
        today = sorted((d, row) for row, d in enumerate(delivered.tolist()) if (t - t % DAY) <= d <= t)
        here = [order for order, begin, until in result if begin <= t < until]
        assert here[-20:] == [row for _, row in today[-20:]]
        assert len(here) + sum(n for until, n in message["hidden"] if t < until) == len(today)
    assert answers.stage_message(kitchen, "cooking", start, start + 600)["most"] is None


def test_pins_of_yesterday_that_are_only_counted_are_not_counted_after_midnight(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "MOST_PINS", 1)
    before = 12 * 60 - WHOLE["delivered"] - 5  # delivered five minutes before the next midnight
    lives = [rows_of(name, {m: at + before + by for m, at in WHOLE.items()}) for name, by in {"A": 0, "B": 1}.items()]
    timeline = timeline_of(tmp_path, *lives, end=NOON + DAY)
    turn = NOON + 12 * 3600

    message = answers.stage_message(timeline, "completed", turn - 60, turn + 600)

    assert [(timeline.orders.ids[o].as_py(), until) for o, _, until in pins(message)] == [("B", turn)]
    assert message["hidden"] == [[turn, 1]]


@pytest.mark.slow
def test_positions_are_inferred_in_a_window_where_a_snapshot_says_so(kitchen):
    """The demo's pings come every minute; without every second one of some trips there are gaps."""
    trips = kitchen.trips
    trips.observed[np.arange(len(trips.observed)) % 3 != 0] = False
    trips.observed[trips.knots_from] = True
    middle = kitchen.busiest()
    motion = kitchen.motion(middle - 3600, middle + 3600)
    judged = {True: 0, False: 0}
    for t in np.linspace(middle - 3000, middle + 3000, 40):
        drivers = kitchen.at(float(t)).drivers
        for order, known in zip(drivers.order.tolist(), drivers.measured.tolist(), strict=True):
            (trip,) = np.flatnonzero(motion.order == order)
            s, spells = t - motion.start[trip], motion.gap_trip == trip
            inside = bool(((motion.gap_from[spells] <= s) & (s < motion.gap_to[spells])).any())
            assert inside is not known
            judged[known] += 1
    assert min(judged.values()) > 10


@pytest.mark.parametrize(
    ("question", "work"),
    [
        ({"ask": "density", "kind": "ways", "minutes": 30}, "_send_density"),
        ({"ask": "crowd", "box": [0, 0, 1, 1], "pixel": 1.0}, "_send_crowd"),
        ({"ask": "near", "x": 1.0, "y": 1.0, "reach": 5.0}, "_send_near"),
    ],
)
def test_of_600_questions_those_that_were_superseded_are_not_answered(sent, monkeypatch, question, work):
    """They would keep every thread busy for half a minute, for pictures that nobody sees any more."""
    view, _, _ = sent
    answered = []

    async def main():
        started, go_on = asyncio.Event(), asyncio.Event()

        async def answer(_timeline, *facts):
            started.set()
            await go_on.wait()
            answered.append(next(fact for fact in facts if isinstance(fact, float) and fact > DAY0))

        monkeypatch.setattr(view, work, answer)
        for number in range(600):
            send_request(view, **question, t=DAY0 + 600.0 + number)
        async with asyncio.timeout(20):
            await started.wait()
            await asyncio.sleep(0.1)  # so that all have been asked
            go_on.set()
            while answered[-1:] != [DAY0 + 1199]:
                await asyncio.sleep(0.01)

    asyncio.run(main())
    assert answered == [DAY0 + 600, DAY0 + 1199]
