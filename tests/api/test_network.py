"""All kitchens at one moment: each row says what the kitchen's own page says, and the hours are counted event by event."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twin
from tests.api.conftest import World
from tests.sources.test_files import write_csv
from twin.analysis.limits import LEAST_ORDERS, LEVELS, WHOLE_MINUTE, late_level
from twin.analysis.moments.unfolding import block_of
from twin.api import answers, models, network, parameters
from twin.api.instants import instant, seconds
from twin.foundation.errors import SourceError, UnknownNameError, UnknownTimeError
from twin.foundation.times import HOUR
from twin.hub import Hub
from twin.pages.network import shown
from twin.replay.controller import ReplayController
from twin.views.kpis.kpis import KpiView
from twin.views.moments.known import known_to_browser
from twin.views.shared.kitchen_state import states_to_browser


def moments(world: World, number: int) -> list[float]:
    window = network.network_of(world.twin).window()
    rng = np.random.default_rng(23)
    return [float(round(t, 3)) for t in rng.uniform(window.start, window.end, number)]


def minute(t: float) -> float:
    """The last whole minute up to t, which a row is of."""
    return t // 60 * 60


def at(hub: Hub, t: float, **more: Any) -> models.Network:
    return network.network(hub, parameters.NetworkQuery(at_time=instant(t), **more))


def page_of(hub: Hub, location: str, t: float) -> dict[str, Any]:
    """What the views of a kitchen's operations page show at t, over the range that the network page leads to."""
    place = hub.location(location)
    latest = hub.last_hours(location)
    span = (latest.start, latest.end) if latest.start <= t <= latest.end else place.tz.whole_days(t, t)
    timeline = hub.timeline(location, *span)
    controller = ReplayController(timeline, settings=hub.settings)
    controller.learn(hub.insights(timeline))
    controller.unfold(timeline, {block_of(t): hub.unfolding(timeline, block_of(t))})
    controller.seek(t)
    view = KpiView(controller)
    snapshot = timeline.at(t)
    view.show(snapshot)
    states = states_to_browser(controller.insights)
    place_of = max((i for i, begin in enumerate(states["t"]) if begin <= t), default=0)
    changes = [change for block in known_to_browser(controller) for change in block["changes"] if change[0] <= t]
    return {
        **json.loads(view.__panel__().state),
        "counts": snapshot.counts,
        "state": states["state"][place_of],
        "head": states["heads"][states["head"][place_of]],
        "troubles": changes[-1][1] if changes else [],
    }


def test_every_figure_is_that_of_the_kitchens_own_page_and_of_the_api(demo_world: World) -> None:
    hub = demo_world.twin
    seen = set()
    for t in moments(demo_world, 8):
        answer = at(hub, t)
        assert answer.timestamp == instant(t)
        assert sorted(row.location for row in answer.kitchens) == sorted(demo_world.places)
        for row in answer.kitchens:
            asked = parameters.AtTime(at_time=instant(minute(t)))
            assert row.timestamp == instant(minute(t))
            if row.problem is not None:
                with pytest.raises(UnknownTimeError) as refused:
                    answers.kitchen_status(hub, row.location, asked)
                assert (row.problem, row.state, row.throughput_per_hour) == (str(refused.value), None, None)
                continue
            status = answers.kitchen_status(hub, row.location, asked)
            page = page_of(hub, row.location, minute(t))
            assert row.state == status.state == page["state"]
            assert row.over_limits == status.over_limits
            assert all(one.words in page["head"] for one in row.over_limits)
            assert row.throughput_per_hour == status.throughput_per_hour == page["orders"]["now"]
            assert row.usual_per_hour == page["orders"]["usual"]
            assert row.avg_delivery_time_min == status.avg_delivery_time_min
            assert row.avg_delivery_time_min == pytest.approx(
                None if page["delivery"]["mean"] is None else page["delivery"]["mean"] / 60, abs=1e-4
            )
            assert row.deliveries == page["delivery"]["count"]
            assert row.late_deliveries == page["delivery"]["over"]
            if row.deliveries:
                assert row.late_pct == 100 * page["delivery"]["over"] / page["delivery"]["count"]
                assert row.late_level == LEVELS[page["delivery"]["level"]]
            else:
                assert row.late_pct is row.late_level is None
            assert row.meals_waiting == status.orders_by_stage.ready == page["active"]["ready"]
            assert status.driver_supply is not None
            assert row.drivers_on_road == status.driver_supply.on_road == page["active"]["out_for_delivery"]
            assert (
                row.active_orders
                == sum(page["counts"][stage] for stage in ("created", "cooking", "ready"))
                + (page["counts"]["out_for_delivery"])
            )
            shown = page["troubles"]
            assert (row.worst is None) == (not shown)
            if row.worst is not None:
                assert (row.worst.title, row.worst.sentence) == (shown[0]["title"], shown[0]["sentence"])
                assert seconds(row.worst.start) == pytest.approx(shown[0]["start"], abs=1e-3)
                assert seconds(row.worst.start) <= t
            seen |= {row.state, row.worst and row.worst.kind}
    assert {"calm", "trouble"} <= seen, "the moments are too dull to show anything"


@pytest.mark.slow
def test_no_two_figures_of_a_row_contradict_each_other(demo_world: World) -> None:
    """State, late share and words, at moments of all kitchens that are no whole minutes."""
    hub, seen = demo_world.twin, set()
    window = network.network_of(hub).window()
    times = [
        *moments(demo_world, 60),
        *np.random.default_rng(4).uniform(window.end - 8 * HOUR, window.end, 40).tolist(),
    ]
    for t in times:
        for place in hub.locations:
            row = shown.row(hub, place, t)
            if row["problem"] is not None:
                continue
            made = network.kitchen_at(hub, place, t, worst=False)
            words, late, number = row["head"], row["late_deliveries"], row["deliveries"]
            told = {one.signal: one.level for one in made.over_limits}
            # the words of late deliveries are those of the share beside them
            assert told.get("delivery", "fine") == (row["late_level"] or "fine")
            assert ("half or more of deliveries late" in words) == (number >= LEAST_ORDERS and late >= 0.5 * number)
            assert ("a quarter or more of deliveries late" in words) == (
                number >= LEAST_ORDERS and 0.25 * number <= late < 0.5 * number
            )
            # a calm kitchen is one whose share is not far from what stands beside it as usual
            if row["state"] == "calm" and number:
                usual = None if row["usual_late_pct"] is None else row["usual_late_pct"] / 100
                assert late_level(late, number, usual) == 0
                assert words == "" or words.startswith("Near the usual: ")
            if row["state"] in ("building", "trouble") and not told:
                assert words in ("Calming down: back within the limits", "Trouble is easing: back within the limits")
            # what calls for the state comes first, and what is so on other days is told apart
            _, _, near = words.partition("near the usual: ")
            if row["state"] != "calm" and number and row["usual_late_pct"] is not None:
                ordinary = late_level(late, number, row["usual_late_pct"] / 100) == 0
                assert ("deliveries late" in near) == (ordinary and "deliveries late" in words)
            if "meals wait" in words.split(", ") or "meals wait long" in words:
                assert row["meals_waiting"] > 0 or row["throughput_per_hour"] > 0
            if row["deliveries"] and row["deliveries"] >= LEAST_ORDERS:
                seen.add((row["state"], row["late_level"]))
    assert {("calm", "amber"), ("calm", "fine"), ("trouble", "red")} <= seen, "too dull to show anything"


def test_a_brand_has_the_figures_of_its_orders_alone(demo_world: World) -> None:
    hub = demo_world.twin
    names = hub.source.names("brands")
    carried = network.network_of(hub).brands()
    assert list(carried) == sorted(carried, key=str.casefold)
    late_from = hub.settings.delivery_target_s + WHOLE_MINUTE
    for brand in [*carried][:3]:
        total = 0
        for t in moments(demo_world, 3):
            answer = at(hub, t, brand=brand.upper())
            assert answer.brand == brand
            assert {row.location for row in answer.kitchens} == carried[brand]
            for row in answer.kitchens:
                if row.problem is not None:
                    continue
                own = [
                    order
                    for order in demo_world.orders(row.location).values()
                    if brand in {names.get(str(item.get("brand_id")), "") for item in order["items"]}
                ]
                m = minute(t)
                made = [one for one in own if m - HOUR < one.get("order_created", -1.0) <= m]
                done = [one for one in own if one["counts"] and m - HOUR < one["delivered"] <= m]
                assert row.throughput_per_hour == len(made)
                assert (row.deliveries, row.late_deliveries) == (
                    len(done),
                    sum(one["took"] >= late_from for one in done),
                )
                assert row.usual_per_hour is row.usual_late_pct is None
                whole = network.kitchen_at(hub, hub.location(row.location), t)
                assert (row.state, row.worst, row.over_limits) == (whole.state, whole.worst, whole.over_limits)
                assert (row.active_orders or 0) <= (whole.active_orders or 0)
                total += len(made)
        assert total > 0


def test_which_kitchens_carry_a_brand_is_what_their_orders_say(demo_world: World) -> None:
    hub = demo_world.twin
    window, names = network.network_of(hub).window(), hub.source.names("brands")
    found: dict[str, set[str]] = {}
    for location in demo_world.places:
        for order in demo_world.orders(location).values():
            if window.start <= order["began"] < np.ceil(window.end / HOUR) * HOUR:
                for item in order["items"]:
                    found.setdefault(names[str(item["brand_id"])], set()).add(location)
    assert {name: set(ids) for name, ids in network.network_of(hub).brands().items()} == found


def test_a_brand_that_nobody_cooks_for_is_a_sentence(demo_world: World) -> None:
    with pytest.raises(UnknownNameError, match="No kitchen has cooked for a brand “Atlantis Grill” in these days"):
        at(demo_world.twin, 0.0, brand="Atlantis Grill")


def test_a_state_began_when_it_says(demo_world: World) -> None:
    hub = demo_world.twin
    for t in moments(demo_world, 6):
        for row in at(hub, t).kitchens:
            if row.state is None or row.state_since is None:
                continue
            since = seconds(row.state_since)
            t = seconds(row.timestamp)
            timeline = hub.timeline(row.location, *hub.location(row.location).tz.whole_days(t, t))
            inside = [one for one in np.arange(since, t, 60.0) if one >= timeline.window.start]
            if timeline.window != hub.last_hours(row.location) and not hub.last_hours(row.location).start <= t:
                log = hub.states(timeline)
                assert {log.at(one)[0] for one in inside} <= {log.at(t)[0]}


def test_those_with_most_harm_come_first_and_pages_leave_nobody_out(demo_world: World) -> None:
    hub = demo_world.twin
    for t in moments(demo_world, 6):
        whole = at(hub, t)
        keys = [network.harm(row) for row in whole.kitchens]
        assert keys == sorted(keys)
        assert (whole.total_kitchens, whole.next_offset) == (len(demo_world.places), None)
        found, offset = [], 0
        while offset is not None:
            part = at(hub, t, limit=3, offset=offset)
            found += part.kitchens
            offset = part.next_offset
        assert found == whole.kitchens
    assert at(hub, t, offset=99).kitchens == []


def test_hours_are_what_is_counted_event_by_event(world: World) -> None:
    made = network.network_of(world.twin).hours()
    late_from = world.twin.settings.delivery_target_s + WHOLE_MINUTE
    assert made.orders.sum() > 0
    for number, location in enumerate(world.places):
        expected = np.zeros((3, len(made.ends)), int)
        took = np.zeros(len(made.ends))
        for order in world.orders(location).values():
            created, delivered = order.get("order_created"), order.get("delivered")
            if created is not None and 0 <= (place := int(np.ceil(created / HOUR) - made.ends[0] // HOUR)) < len(took):
                expected[0, place] += 1
            if order["counts"] and 0 <= (place := int(np.ceil(delivered / HOUR) - made.ends[0] // HOUR)) < len(took):
                expected[1:, place] += (1, order["took"] >= late_from)
                took[place] += order["took"]
        assert (made.orders[number] == expected[0]).all()
        assert (made.deliveries[number] == expected[1]).all()
        assert (made.late[number] == expected[2]).all()
        assert made.took_s[number] == pytest.approx(took)


def test_an_hour_is_the_trailing_hour_of_a_kitchens_page_at_its_end(demo_world: World) -> None:
    hub = demo_world.twin
    made = network.network_of(hub).hours()
    for column in range(3, len(made.ends), 7):
        rows = {row.location: row for row in at(hub, float(made.ends[column])).kitchens}
        for number, location in enumerate(demo_world.places):
            row = rows[location]
            if row.problem is None:
                assert row.throughput_per_hour == made.orders[number, column]
                assert (row.deliveries, row.late_deliveries) == (
                    made.deliveries[number, column],
                    made.late[number, column],
                )


class Failing:
    """A source of which one kitchen cannot be read."""

    def __init__(self, real: Any, broken: str, error: Exception) -> None:
        self._real, self._broken, self._error = real, broken, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def window(self, location: str, start: float, end: float) -> Any:
        if location == self._broken:
            raise self._error
        return self._real.window(location, start, end)


@pytest.mark.parametrize("error", [SourceError("The warehouse is asleep."), KeyError("nobody foresaw this")])
def test_a_kitchen_that_fails_says_so_in_its_row_and_the_others_stand(demo_world: World, error: Exception) -> None:
    hub = demo_world.twin
    broken = demo_world.places[0]
    failing = Hub(Failing(hub.source, broken, error), hub.settings)  # type: ignore[arg-type]
    t = hub.last_hours(broken).end - 3 * HOUR
    rows = {row.location: row for row in at(failing, t).kitchens}
    assert rows[broken].problem
    assert ("asleep" in rows[broken].problem) == isinstance(error, SourceError)
    assert rows[broken].throughput_per_hour is rows[broken].state is None
    whole = {row.location: row for row in at(hub, t).kitchens}
    assert [rows[one] for one in demo_world.places[1:]] == [whole[one] for one in demo_world.places[1:]]
    assert at(failing, t).kitchens[-1].location == broken


class Counting:
    """A source that counts the days that are loaded of it."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.loaded: list[tuple[str, float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def window(self, location: str, start: float, end: float) -> Any:
        self.loaded.append((location, start))
        return self._real.window(location, start, end)


def test_of_a_day_that_is_long_over_no_other_is_loaded(demo_world: World) -> None:
    source = Counting(demo_world.twin.source)
    hub = Hub(source, demo_world.twin.settings)  # type: ignore[arg-type]
    assert hub.as_of is not None, "else there would be no newest one to load in vain"
    t = min(hub.edge(location) for location in demo_world.places) - 26 * HOUR
    rows = at(hub, t).kitchens
    told = sorted(row.location for row in rows if row.problem is None)
    assert sorted(location for location, _ in source.loaded) == told != []


@pytest.fixture
def bare(tmp_path: Path) -> Hub:
    """One kitchen of one afternoon: no coordinates, no other day, no driver."""
    rows = []
    for n in range(6):
        for kind, minute in (("order_created", 0), ("gk_started", 4), ("gk_finished", 15), ("delivered", 61 + n)):
            clock = 12 * 60 + 5 * n + minute
            body = '{"items": []}' if kind == "order_created" else "{}"
            when = f"2025-10-10 {clock // 60:02}:{clock % 60:02}:00"
            row = {
                "event_type": kind,
                "ts": when,
                "location": "alone",
                "order_id": f"o{n}",
                "sequence": "",
                "body": body,
            }
            rows.append(row)
    return twin.open(write_csv(tmp_path / "events.csv", rows))


def test_what_the_data_does_not_tell_is_unknown_rather_than_nothing(bare: Hub) -> None:
    (row,) = at(bare, bare.location("alone").end).kitchens
    assert row.problem is None
    assert (row.throughput_per_hour, row.usual_per_hour) == (0, None)
    assert (row.deliveries, row.late_deliveries) == (6, 6)
    assert row.drivers_on_road is None
    made = network.network_of(bare).hours()
    assert made.late.sum() == 6
