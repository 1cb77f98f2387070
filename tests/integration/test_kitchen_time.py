"""A kitchen of instants over the days on which its clock changes: days, hours and texts are the kitchen's, answers are UTC."""

import asyncio
import datetime as dt
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest

from tests.instants import FALL, PLACE, SPRING, ZONE, Order, hub_of, orders_of, write
from twin.analysis.baseline import History
from twin.analysis.metrics import kpis
from twin.api import answers, parameters
from twin.cli import _print_contents
from twin.foundation.address import Address
from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings
from twin.notebook.door import Twin
from twin.notebook.kitchen import Kitchen
from twin.pages.operations.welcome import range_text
from twin.replay.controller import ReplayController
from twin.show.deriving import caption, derive
from twin.show.options import Options
from twin.show.scenefile import load
from twin.sources.base import Location
from twin.sources.time_zones import in_zones, zone_at
from twin.views.session.address import read
from twin.views.session.session import ReplaySession
from twin.views.trends.data import time_ticks

BEFORE, DAYS = 25, 30


class World:
    """Five weeks around a day on which the clock changes."""

    def __init__(self, folder: Path, change: dt.date) -> None:
        self.change = change
        self.orders = orders_of(change - dt.timedelta(days=BEFORE), DAYS)
        self.path = write(folder, self.orders)
        self.hub = hub_of(self.path)
        self.place = self.hub.location("7")

    def at(self, *clock: int, days: int = 0, fold: int = 0) -> float:
        """When the kitchen's clock shows a time of the changing day, or so many days later."""
        day = self.change + dt.timedelta(days=days)
        return dt.datetime(day.year, day.month, day.day, *clock, tzinfo=ZONE, fold=fold).timestamp()

    def count(self, meets: Callable[[Order], bool]) -> int:
        return sum(map(meets, self.orders))


@pytest.fixture(scope="module", params=[SPRING, FALL], ids=["spring", "fall"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("instants"), request.param)


def test_the_zone_is_where_the_kitchen_lies(world: World) -> None:
    assert (world.place.zone, world.place.zone_origin) == ("America/Los_Angeles", "by the kitchen’s coordinates")


def test_a_day_is_the_kitchens_and_has_23_or_25_hours(world: World) -> None:
    reach = world.hub.reach("7")
    first, last = world.orders[0].created, world.orders[-1].delivered
    assert dt.datetime.fromtimestamp(reach.start, ZONE) == first.astimezone(ZONE).replace(hour=0, minute=0)
    assert dt.datetime.fromtimestamp(reach.end, ZONE).time() == dt.time()
    assert reach.end > last.timestamp()
    timeline = world.hub.timeline("7", str(world.change), str(world.change + dt.timedelta(days=1)))
    assert (timeline.window.end - timeline.window.start) / 3600 == (23 if world.change == SPRING else 25)
    edges, counts = timeline.volume(3600.0)
    assert len(counts) == (23 if world.change == SPRING else 25)
    shown = [dt.datetime.fromtimestamp(edge, ZONE) for edge in edges.tolist()]
    assert all(edge.minute == 0 for edge in shown)
    expected = Counter(order.created.astimezone(ZONE).replace(minute=0, second=0).isoformat() for order in world.orders)
    assert counts.tolist() == [expected[edge.isoformat()] for edge in shown[:-1]]


@pytest.mark.parametrize("clock", [(0, 10), (0, 26), (1, 59), (3, 0), (12, 40), (23, 59)])
@pytest.mark.parametrize("days", [-1, 0, 1])
def test_today_begins_at_the_kitchens_midnight(world: World, clock: tuple[int, int], days: int) -> None:
    t = world.at(*clock, days=days)
    day = (world.change + dt.timedelta(days=days)).isoformat()
    timeline = world.hub.timeline("7", day, (world.change + dt.timedelta(days=days + 1)).isoformat())
    now = kpis(timeline, t)

    def is_today(at: dt.datetime) -> bool:
        return at.astimezone(ZONE).date().isoformat() == day and at.timestamp() <= t

    assert timeline.at(t).counts["completed"] == world.count(lambda order: is_today(order.delivered))
    assert now.revenue_today == pytest.approx(10.0 * world.count(lambda order: is_today(order.created)))
    assert len(timeline.membership.at(t, "completed")) == timeline.at(t).counts["completed"]


@pytest.mark.parametrize("clock", [(10, 0), (13, 0), (19, 0)])
@pytest.mark.parametrize("days", [-1, 0, 1])
def test_usual_is_the_same_hour_of_the_kitchens_clock(world: World, clock: tuple[int, int], days: int) -> None:
    timeline = world.hub.timeline("7", world.at(0, days=days), world.at(0, days=days + 1))
    baseline = world.hub.insights(timeline).baseline
    t = world.at(*clock, days=days)
    others = []
    for week in range(-3, 0):
        end = world.at(*clock, days=days + 7 * week)
        others.append(world.count(lambda order, end=end: end - 3600 < order.created.timestamp() <= end))
    assert len(set(others)) == 1  # every day is the same on the kitchen's clock
    assert baseline.orders_per_hour(t) == statistics.median(others) > 0
    weekday = (world.change + dt.timedelta(days=days)).strftime("%A")
    assert baseline.basis(t) == f"{weekday}s at {clock[0]} h"


def test_orders_on_the_clock_keep_their_durations(world: World) -> None:
    timeline = world.hub.timeline("7", world.at(0, days=-1), world.at(0, days=2))
    orders = History.from_timeline(timeline)
    shown = orders.on_clock()
    assert shown.tz.naive
    np.testing.assert_allclose(shown.delivered - shown.created, orders.delivered - orders.created, atol=1e-6)
    expected = [dt.datetime.fromtimestamp(t, ZONE).replace(tzinfo=dt.UTC).timestamp() for t in orders.created.tolist()]
    assert shown.created.tolist() == expected


def test_a_change_of_the_clock_is_no_moment(world: World) -> None:
    timeline = world.hub.timeline("7", world.at(0, days=-1), world.at(0, days=2))
    moments = world.hub.insights(timeline).moments
    assert [moment.title for moment in moments if moment.kind != "peak"] == []
    peaks = sorted(moment.when for moment in moments)
    assert peaks
    assert all(when.split()[1][:2] in ("11", "12", "17", "18") for when in peaks), peaks


@pytest.mark.parametrize("granularity", ["hour", "day", "week"])
def test_buckets_of_the_api_are_the_kitchens_in_true_utc(world: World, granularity: str) -> None:
    def bucket(order: Order) -> dt.datetime:
        shown = order.created.astimezone(ZONE).replace(minute=0, second=0)
        if granularity != "hour":
            shown = shown.replace(hour=0, fold=0)
        if granularity == "week":
            shown -= dt.timedelta(days=shown.weekday())
        return shown.astimezone(dt.UTC)

    start, end = world.at(0, days=-3), world.at(0, days=3)
    asked = {name: dt.datetime.fromtimestamp(t, dt.UTC).isoformat() for name, t in (("start", start), ("end", end))}
    result = answers.time_range(world.hub, "7", parameters.BucketedRange(**asked, granularity=granularity))
    inside = [order for order in world.orders if start <= order.created.timestamp() < end]
    assert {one.timestamp: one.order_count for one in result.hourly_breakdown if one.order_count} == Counter(
        map(bucket, inside)
    )
    assert '"start":"' + asked["start"].replace("+00:00", "Z") in result.model_dump_json()
    if granularity == "day":
        steps = np.diff([one.timestamp.timestamp() for one in result.hourly_breakdown]) / 3600
        assert sorted(set(steps.tolist())) == sorted({24.0, 23.0 if world.change == SPRING else 25.0})


def test_status_of_the_api_counts_from_the_kitchens_midnight(world: World) -> None:
    t = world.at(0, 40)
    query = parameters.AtTime(at_time=dt.datetime.fromtimestamp(t, dt.UTC).isoformat())
    status = answers.kitchen_status(world.hub, "7", query)
    delivered = [order.delivered for order in world.orders if order.delivered.timestamp() <= t]
    today = [at for at in delivered if at.astimezone(ZONE).date() == world.change]
    assert status.orders_by_stage.completed == len(today) > 0
    assert status.timestamp == dt.datetime.fromtimestamp(t, dt.UTC)


def test_an_address_is_read_and_written_on_the_kitchens_clock(world: World) -> None:
    tz, day = world.place.tz, world.change
    query = {"location": "7", "start": f"{day}", "end": f"{day}T23:00", "t": f"{day}T18:30"}
    address = Address(query)
    wish = read(address, world.hub)
    assert address.remarks == []
    assert wish is not None
    assert wish.load[1:4] == (world.at(0), world.at(23), world.at(18, 30))
    for t in (world.at(1, 30), world.at(1, 30, fold=1), world.at(3)):
        written = tz.iso(t)
        assert dt.datetime.fromisoformat(written).timestamp() == t
        assert Address({"t": written}).time("t", tz) == t


def test_a_plus_that_was_not_encoded_is_an_offset_all_the_same() -> None:
    assert Address({"t": "2025-11-02T14:15 05:45"}).time("t") == Address({"t": "2025-11-02T14:15+05:45"}).time("t")
    assert Address({"t": "2025-11-02 14:15"}).time("t") == Address({"t": "2025-11-02T14:15"}).time("t")


def test_the_browser_gets_the_zone_with_the_clock(world: World) -> None:
    timeline = world.hub.timeline("7", world.at(0), world.at(0, days=1))
    controller = ReplayController(timeline)
    zone = controller.to_browser()["zone"]
    assert (zone["name"], zone["origin"]) == ("America/Los_Angeles", "by the kitchen’s coordinates")
    change = world.at(3) if world.change == SPRING else world.at(1, fold=1)
    assert [change, (-7 if world.change == SPRING else -8) * 3600, "PDT" if world.change == SPRING else "PST"] in zone[
        "changes"
    ]
    controller.seek(f"{world.change} 18:30")
    assert controller.now() == world.at(18, 30)


def test_a_show_is_of_what_each_kitchens_clock_shows(world: World, tmp_path: Path) -> None:
    day = world.change.isoformat()
    for text, start, end in (
        (f"{day}T00:00/{day}T23:00", world.at(0), world.at(23)),
        (f"{world.place.tz.iso(world.at(1))}/{world.place.tz.iso(world.at(23))}", world.at(1), world.at(23)),
    ):
        address = Address({"range": text})
        options = Options.of(address)
        assert address.remarks == []
        assert {(scene.start, scene.end) for scene in derive(world.hub, options).scenes} == {(start, end)}
    (tmp_path / "show.yaml").write_text(f"scenes: [{{place: '7', time: {day} 18:10}}]")
    (scene,) = load(tmp_path / "show.yaml", world.hub).scenes
    assert scene.t == world.at(18, 10)
    assert scene.headline == "Kitchen 7, Sunday 18:10: orders and drivers"


def test_a_session_writes_addresses_that_mean_the_same_for_everybody(world: World) -> None:
    session = ReplaySession(world.hub, ReplayController())
    asyncio.run(session.choose("7", world.at(0), world.at(0, days=1), at=world.at(1, 30, fold=1)))
    written = dict(parse_qsl(session.page.query.removeprefix("?")))
    for name, t in (("start", world.at(0)), ("end", world.at(0, days=1)), ("t", world.at(1, 30, fold=1))):
        assert dt.datetime.fromisoformat(written[name]).timestamp() == t
    assert read(Address(written), world.hub) is not None


def test_the_command_line_says_which_zone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _print_contents(Twin(world.hub.source))
    told = capsys.readouterr().out
    assert world.place.tz.text(world.place.start) in told
    assert "times in America/Los_Angeles, by the kitchen’s coordinates" in told


def test_texts_are_the_kitchens(world: World) -> None:
    t = world.at(18, 10)
    assert (
        caption("San Francisco", t, "Drivers are short", world.place.tz)
        == "San Francisco, Sunday 18:10: drivers are short"
    )
    first, last = (order.astimezone(ZONE) for order in (world.orders[0].created, world.orders[-1].delivered))
    assert range_text(world.place.start, world.place.end, world.place.tz) == (
        f"31 days · {first.day} {first:%B} – {last.day} {last:%B %Y}"
    )
    ticks = time_ticks(world.at(0), world.at(0, days=1), world.place.tz)
    assert ticks[0] == (world.at(0), "00:00")
    assert ticks[-1] == (world.at(0, days=1), "24:00")
    days = time_ticks(world.at(0, days=-1), world.at(0, days=2), world.place.tz)
    assert [label for t, label in days if t in (world.at(0), world.at(0, days=1))] == [
        f"{day:%a} {day.day}" for day in (world.change, world.change + dt.timedelta(days=1))
    ]


def test_tables_have_the_kitchens_zone(world: World) -> None:
    kitchen = Kitchen(world.hub, world.hub.timeline("7", world.at(0), world.at(0, days=1)))
    created = kitchen.orders["created"]
    assert str(created.dt.tz) == "America/Los_Angeles"
    assert (created.dt.date == world.change).all()
    assert len(kitchen.orders) == world.count(lambda order: order.created.astimezone(ZONE).date() == world.change)
    assert kitchen.start == pd.Timestamp(world.change.isoformat(), tz="America/Los_Angeles")
    assert kitchen.at("18:30").time == pd.Timestamp(f"{world.change} 18:30", tz="America/Los_Angeles")
    assert kitchen.at("18:30").snapshot.t == world.at(18, 30)
    assert str(kitchen.moments["start"].dt.tz) == "America/Los_Angeles"
    hours = kitchen.history(3600.0).index
    assert isinstance(hours, pd.DatetimeIndex)
    assert str(hours.tz) == "America/Los_Angeles"
    if world.change == FALL:
        with pytest.raises(ValueError, match="01:30 comes 2 times"):
            kitchen.at("01:30")


def test_naive_times_are_nobodys_to_shift(world: World) -> None:
    place = hub_of(world.path, Settings(times="naive")).location("7")
    assert (place.zone, place.zone_origin) == (None, "")
    assert place.tz.naive
    assert place.tz.text(place.start) == f"{world.orders[0].created.astimezone(ZONE).replace(tzinfo=None)}"


# -- which zone ---------------------------------------------------------------------------------------------------------
SF = Location("sf", "San Francisco", *PLACE, None, 1, 0.0, 1.0)
NOWHERE = Location("x", "Nowhere", None, None, None, 1, 0.0, 1.0)
LISTED = Location("y", "Listed", *PLACE, None, 1, 0.0, 1.0, zone="America/Chicago")


def test_a_zone_is_configured_or_listed_or_where_the_kitchen_lies_or_utc_and_says_which() -> None:
    sf, nowhere, listed = in_zones([SF, NOWHERE, LISTED], "instants", Settings())
    assert (sf.zone, sf.zone_origin) == ("America/Los_Angeles", "by the kitchen’s coordinates")
    assert (listed.zone, listed.zone_origin) == ("America/Chicago", "by the table of locations")
    assert nowhere.zone == "UTC"
    assert "nothing tells" in nowhere.zone_origin
    settings = Settings.from_environment({"TWIN_TIME_ZONE": "sf=America/Denver, Europe/Paris"})
    assert [place.zone for place in in_zones([SF, NOWHERE, LISTED], "instants", settings)] == [
        "America/Denver",
        "Europe/Paris",
        "Europe/Paris",
    ]
    assert [place.zone for place in in_zones([SF, NOWHERE, LISTED], "naive", settings)] == [None] * 3


def test_a_zone_that_is_none_is_refused_with_examples() -> None:
    with pytest.raises(
        ConfigError, match=r"TWIN_TIME_ZONE: 'Pacific' is no time zone\. .*sanfrancisco=America/Los_Angeles"
    ):
        Settings.from_environment({"TWIN_TIME_ZONE": "sf=Pacific"})


@pytest.mark.parametrize(("lat", "lon"), [(91.0, 0.0), (float("nan"), 0.0), (0.0, 181.0)])
def test_a_place_that_is_none_has_no_zone(lat: float, lon: float) -> None:
    assert zone_at(lat, lon) is None


def test_the_table_of_locations_may_name_the_zone(tmp_path: Path) -> None:
    write(tmp_path, orders_of(FALL, 1))
    (tmp_path / "locations.csv").write_text("location_id,name,time_zone\n7,Loop,America/Chicago\n")
    place = hub_of(tmp_path).location("7")
    assert (place.display_name, place.zone, place.zone_origin) == (
        "Loop",
        "America/Chicago",
        "by the table of locations",
    )
    (tmp_path / "locations.csv").write_text("location_id,name,time_zone\n7,Loop,Central\n")
    place = hub_of(tmp_path).location("7")
    assert place.zone == "America/Los_Angeles"
    assert place.zone_origin.endswith("coordinates. The table of locations says “Central”, which is no time zone.")
