"""Every answer equals brute force over the raw rows, on the demo and on the real sample."""

import datetime as dt
import random
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from tests import brute
from tests.api.conftest import World
from twin.analysis import brands as branding
from twin.analysis import long_ledger
from twin.analysis.baseline import Baseline
from twin.analysis.kitchen_state import STATES
from twin.analysis.metrics import kpis, metrics_of
from twin.analysis.moments import drivers
from twin.api import answers, event_log, parameters
from twin.api.instants import instant, micros
from twin.api.position import StreamPosition, parse_position
from twin.foundation import event_types as ev
from twin.foundation.errors import UnknownLocationError, UnknownOrderError, UnknownTimeError
from twin.foundation.settings import Settings
from twin.hub import Hub
from twin.notebook.door import Twin

EMPTY = parameters.Parameters()


def whole(world: World, location: str) -> tuple[float, float]:
    times = [event[0] for event in world.events(location)]
    return min(times), max(times)


def ranges(world: World, location: str, number: int = 4) -> list[tuple[float, float]]:
    """All of a location's data, and a few random stretches of it, to the microsecond."""
    first, last = whole(world, location)
    chance = random.Random(location)
    cuts = [sorted(round(chance.uniform(first, last), 6) for _ in range(2)) for _ in range(number)]
    return [(first, last + 1), *((low, high) for low, high in cuts if low < high)]


def span(model: Any, window: tuple[float, float], **more: Any) -> Any:
    return model(start=instant(window[0]), end=instant(window[1]), **more)


def mean_minutes(orders: list[dict[str, Any]]) -> float | None:
    kept = [order["took"] for order in orders if order["counts"]]
    return sum(kept) / len(kept) / 60 if kept else None


def test_every_location_tells_its_orders_and_its_range(world: World) -> None:
    answer = answers.locations(world.twin, EMPTY)
    assert [place.location_name for place in answer.locations] == world.places
    for place in answer.locations:
        first, last = whole(world, place.location_name)
        assert place.total_orders == len(world.orders(place.location_name))
        assert (place.date_range.start, place.date_range.end) == (instant(first), instant(last))


def test_a_ranges_figures_are_those_of_the_orders_that_began_in_it(world: World) -> None:
    for location in world.places:
        orders = list(world.orders(location).values())
        for window in ranges(world, location):
            result = answers.time_range(world.twin, location, span(parameters.BucketedRange, window)).metrics
            mine = [order for order in orders if window[0] <= order["began"] < window[1]]
            delivered = sum("delivered" in order for order in mine)
            assert (result.total_orders, result.delivered_orders) == (len(mine), delivered)
            assert result.cancelled_orders == sum("order_cancelled" in o and "delivered" not in o for o in mine)
            assert result.timed_orders == sum(order["counts"] for order in mine)
            assert result.excluded_orders == sum(order["took"] is not None and not order["counts"] for order in mine)
            assert result.avg_delivery_time_min == pytest.approx(mean_minutes(mine))
            assert result.completion_rate_pct == (pytest.approx(100 * delivered / len(mine)) if mine else None)
            assert result.total_revenue == pytest.approx(sum(order["revenue"] for order in mine), abs=0.01)


@pytest.mark.parametrize("granularity", ["hour", "day", "week"])
def test_buckets_hold_each_order_once_without_gaps(world: World, granularity: str) -> None:
    def bucket(t: float) -> dt.datetime:
        moment = instant(t).replace(minute=0, second=0, microsecond=0)
        if granularity == "hour":
            return moment
        moment = moment.replace(hour=0)
        return moment - dt.timedelta(days=moment.weekday()) if granularity == "week" else moment

    for location in world.places:
        for window in ranges(world, location):
            result = answers.time_range(
                world.twin, location, span(parameters.BucketedRange, window, granularity=granularity)
            )
            mine: dict[dt.datetime, list[dict[str, Any]]] = defaultdict(list)
            for order in world.orders(location).values():
                if window[0] <= order["began"] < window[1]:
                    mine[bucket(order["began"])].append(order)
            assert {b.timestamp: b.order_count for b in result.hourly_breakdown if b.order_count} == {
                at: len(orders) for at, orders in mine.items()
            }
            for entry in result.hourly_breakdown:
                assert entry.avg_delivery_time == pytest.approx(mean_minutes(mine.get(entry.timestamp, [])))
            steps = np.diff([micros(entry.timestamp) for entry in result.hourly_breakdown])
            assert len(set(steps.tolist())) <= 1, "no hole in between"


def test_brands_count_orders_and_share_the_revenue(world: World) -> None:
    names = world.twin.source.names("brands")
    for location in world.places:
        for window in ranges(world, location):
            orders = sorted(
                ((o["began"], i, o) for i, o in world.orders(location).items() if window[0] <= o["began"] < window[1]),
                key=lambda order: order[:2],
            )
            half = len(orders) // 2
            expected: dict[str, dict[str, Any]] = {}
            for number, (_, _, order) in enumerate(orders):
                for brand in {str(item["brand_id"]) for item in order["items"] if item.get("brand_id") is not None}:
                    mine = expected.setdefault(brand, {"orders": [], "revenue": 0.0, "earlier": 0, "later": 0})
                    mine["orders"].append(order)
                    mine["earlier"] += number < half
                    mine["later"] += number >= len(orders) - half
                    mine["revenue"] += sum(
                        (item.get("qty") or 0) * (item.get("price") or 0)
                        for item in order["items"]
                        if str(item.get("brand_id")) == brand
                    )
            result = {
                brand.brand_id: brand
                for brand in answers.brands(world.twin, location, span(parameters.Range, window)).brands
            }
            assert result.keys() == expected.keys()
            for brand, mine in expected.items():
                assert result[brand].order_count == len(mine["orders"])
                assert result[brand].revenue == pytest.approx(mine["revenue"], abs=0.01)
                assert result[brand].avg_delivery_time_min == pytest.approx(mean_minutes(mine["orders"]))
                assert result[brand].trend == branding.trend(mine["earlier"], mine["later"], 2 * half)
                assert result[brand].brand_name == names.get(brand, f"brand {brand}")


def test_brands_agree_with_the_dashboards_table(demo_world: World) -> None:
    twin, location = demo_world.twin, demo_world.places[0]
    result = answers.brands(twin, location, parameters.Range()).brands
    shown = branding.performance(twin.timeline(location))
    assert {b.brand_name: (b.order_count, b.trend) for b in result} == {b.brand: (b.orders, b.trend) for b in shown}


def random_times(world: World, location: str, number: int) -> list[float]:
    first, last = whole(world, location)
    return [round(t, 3) for t in np.random.default_rng(3).uniform(first, last, number)]


@pytest.mark.slow
def test_the_kitchens_state_is_that_of_its_raw_events(world: World) -> None:
    for location in world.places:
        lives = brute.lifecycles(world.judged[0], location)
        for t in random_times(world, location, 8):
            result = answers.kitchen_status(world.twin, location, parameters.AtTime(at_time=instant(t)))
            states = {order: brute.state(events, t) for order, events in lives.items()}
            mine = {order: state for order, state in states.items() if state in brute.ORDER[:4]}
            assert {
                **dict(result.orders_by_stage),
                "cancelled": result.cancelled,
                "stalled": result.stalled,
            } == brute.counts(lives, t)
            assert {order.order_id: order.stage for order in result.active_orders} == mine
            assert {d.order_id for d in result.drivers} <= {
                o for o, state in mine.items() if state == "out_for_delivery"
            }
            created = [o["order_created"] for o in world.orders(location).values() if "order_created" in o]
            assert result.throughput_per_hour == sum(t - 3600 < at <= t for at in created)
            orders = world.orders(location).values()
            due = [o for o in orders if "order_created" in o and t - 86400 < o["order_created"] <= t - 5400]
            done = sum(o.get("delivered", np.inf) <= t for o in due)
            assert result.completion_rate_pct == (pytest.approx(100 * done / len(due)) if due else None)
            just = [o["took"] for o in orders if o["counts"] and t - 3600 < o["delivered"] <= t]
            assert result.avg_delivery_time_min == (pytest.approx(sum(just) / len(just) / 60) if just else None)


def test_kitchen_status_and_dashboard_agree_whatever_range_the_page_shows(demo_world: World) -> None:
    """The page may have loaded other hours; the moment is the same."""
    twin = demo_world.twin
    for location in demo_world.places:
        place = twin.location(location)
        pages = [twin.timeline(location), twin.timeline(location, place.start, place.end + 1)]
        for t in random_times(demo_world, location, 6):
            result = answers.kitchen_status(twin, location, parameters.AtTime(at_time=instant(t)))
            for timeline in pages:
                if not timeline.window.start <= t < timeline.window.end:
                    continue
                snapshot, figures, stages = (
                    timeline.at(t),
                    kpis(timeline, t),
                    metrics_of(timeline).stages(timeline.at(t)),
                )
                ids = timeline.orders.ids
                assert dict(result.orders_by_stage) == {name: snapshot.counts[name] for name in brute.ORDER}
                assert {o.order_id for o in result.active_orders} == {ids[int(row)].as_py() for row in snapshot.order}
                assert result.throughput_per_hour == figures.orders_per_hour
                assert result.avg_delivery_time_min == pytest.approx(minutes(figures.delivery_time))
                assert result.completion_rate_pct == pytest.approx(
                    None if figures.completion is None else 100 * figures.completion
                )
                assert result.avg_service_time_min == pytest.approx(minutes(stages[1].service))
                shown = {ids[int(row)].as_py(): i for i, row in enumerate(snapshot.drivers.order)}
                assert {driver.order_id for driver in result.drivers} == shown.keys()
                for driver in result.drivers:
                    assert driver.lat == pytest.approx(snapshot.drivers.lat[shown[driver.order_id]], abs=2e-5)
                    assert driver.progress_pct == pytest.approx(
                        100 * snapshot.drivers.progress[shown[driver.order_id]], abs=0.2
                    )


def minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


def test_capacity_is_the_most_that_was_ever_cooked_at_once(world: World) -> None:
    for location in world.places:
        steps = []
        for order in world.orders(location).values():
            later = [
                order[k]
                for k in ("gk_finished", "gk_ready", "driver_picked_up", "driver_ping", "delivered")
                if k in order
            ]
            start = min([order["gk_started"], *later] if "gk_started" in order else later or [np.inf])
            end = min([*later, *([order["order_cancelled"]] if "order_cancelled" in order else [])] or [np.inf])
            if 0 < end - start <= 4 * 3600:
                steps += [(start, 1), (end, -1)]
        load = most = 0
        for _, step in sorted(steps):
            load += step
            most = max(most, load)
        result = answers.kitchen_status(world.twin, location, parameters.AtTime())
        assert (result.capacity_orders, result.capacity_source) == ((most, "observed") if most else (None, None))
        if most:
            assert result.capacity_utilization_pct == pytest.approx(100 * result.orders_by_stage.cooking / most)


def test_an_order_tells_its_whole_life(world: World) -> None:
    for location in world.places:
        events = world.events(location)
        orders = world.orders(location)
        for order_id in random.Random(5).sample(sorted(orders), min(12, len(orders))):
            result = answers.order(world.twin, order_id, parameters.OneOrder(location=location))
            mine = [event for event in events if event[2] == order_id]
            order = orders[order_id]
            assert [(event.event_type, event.timestamp) for event in result.events] == [
                (e[3], instant(e[0])) for e in mine
            ]
            for event, (_, _, _, kind, body) in zip(result.events, mine, strict=True):
                if kind in ("order_created", "driver_picked_up"):
                    assert event.data == body
                elif kind == "driver_ping":
                    assert event.data["lat"] == body.get("loc_lat")
                    assert event.data["progress_pct"] == body.get("progress_pct")
            assert dict(result.milestones) == {
                kind: instant(order[kind]) if kind in order else None for kind in type(result.milestones).model_fields
            }
            assert result.total_duration_min == pytest.approx(minutes(order["took"]))
            assert result.revenue == pytest.approx(order["revenue"], abs=0.02)
            assert [(item.item_name, item.quantity) for item in result.items] == [
                (item.get("name"), item.get("qty") or 0) for item in order["items"]
            ]
            ended = (
                "completed" if "delivered" in order else "cancelled" if "order_cancelled" in order else "in_progress"
            )
            assert (result.status, result.location) == (ended, location)
            for stage in result.stages:
                reached = [e[0] for e in mine if brute.STAGE_OF.get(e[3], 0) >= brute.ORDER.index(stage.stage)]
                assert stage.entered_at == instant(min(reached))


@pytest.mark.slow
def test_pages_of_the_log_are_the_whole_log_whatever_their_size(world: World) -> None:
    location = world.places[-1]
    expected = [(e[2], e[3], instant(e[0])) for e in world.events(location)]
    window = whole(world, location)
    for limit in (1000, 37) if len(expected) > 500 else (1000, 7, 1):
        query = span(parameters.EventFilter, (window[0], window[1] + 1), limit=limit)
        found: list[Any] = []
        while True:
            page = answers.events(world.twin, location, query)
            assert len(page.events) <= limit
            found += [(event.order_id, event.event_type, event.timestamp) for event in page.events]
            if page.next_cursor is None or (limit == 37 and len(found) > 400):
                break
            query = query.model_copy(update={"cursor": parse_position(page.next_cursor)})
        assert found == expected[: len(found)]
        assert limit == 37 or len(found) == len(expected)


def test_filters_of_the_log_pick_types_orders_and_ranges(demo_world: World) -> None:
    location = demo_world.places[0]
    events = demo_world.events(location)
    for window in ranges(demo_world, location)[1:3]:
        some = events[len(events) // 2][2]
        for more in ({"type": "delivered,gk_ready"}, {"order_id": some}, {"order_id": some, "type": "delivered"}):
            page = answers.events(demo_world.twin, location, span(parameters.EventFilter, window, limit=1000, **more))
            mine = [
                (e[2], e[3])
                for e in events
                if window[0] <= e[0] < window[1]
                and ("type" not in more or e[3] in more["type"].split(","))
                and ("order_id" not in more or e[2] == some)
            ]
            assert [(event.order_id, event.event_type) for event in page.events] == mine[:1000]


def test_reading_on_after_any_event_loses_and_repeats_nothing(demo_world: World) -> None:
    location = demo_world.places[0]
    source = demo_world.twin.source
    end = round(whole(demo_world, location)[1] * 1e6) + 1
    first = list(event_log.read(source, location, StreamPosition(0), end, 300)[0])
    for cut in range(0, 299, 23):
        rest = list(event_log.read(source, location, first[cut].position, end, 299 - cut)[0])
        assert rest == first[cut + 1 :]


def test_every_raw_row_is_accounted_for(world: World) -> None:
    for location in world.places:
        result = answers.data_quality(world.twin, location, EMPTY)
        assert result.rows_read == result.rows_used + sum(result.rejected.values())
        assert result.rows_used == len(world.events(location))


def test_a_detector_or_a_history_that_fails_is_named_and_the_rest_answered(
    demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = demo_world.places[0]
    whole = answers.moments(demo_world.twin, location, parameters.MomentsQuery())
    assert whole.failed == []
    monkeypatch.setattr(drivers, "waits", lambda _: 1 // 0)
    monkeypatch.setattr(Baseline, "load", lambda *_: 1 // 0)
    answer = answers.moments(Hub(demo_world.twin.source), location, parameters.MomentsQuery())
    assert answer.failed == ["history", "waits"]
    assert {moment.kind for moment in answer.moments} >= {"peak"}


def test_moments_are_the_dashboards(demo_world: World) -> None:
    twin, location = demo_world.twin, demo_world.places[0]
    shown = twin.insights(twin.timeline(location)).moments
    assert shown
    result = answers.moments(twin, location, parameters.MomentsQuery()).moments
    assert [(m.title, m.sentence, m.at) for m in result] == [(m.title, m.sentence, instant(m.at)) for m in shown]


def test_troubles_as_known_at_a_time_are_those_that_the_hub_finds_without_what_came_later(demo_world: World) -> None:
    twin = demo_world.twin
    whole = {place.id: twin.timeline(place.id, place.start, place.end + 1) for place in twin.locations}
    location, worst = next(
        (place, one)
        for place, timeline in whole.items()
        for one in twin.insights(timeline).moments
        if one.kind != "peak"
    )
    timeline = whole[location]
    query = parameters.MomentsQuery(
        start=instant(timeline.window.start), end=instant(timeline.window.end), known_at=instant(worst.end)
    )
    answer = answers.moments(twin, location, query)
    found = twin.troubles_at(timeline, worst.end).moments
    assert [one.title for one in found] == [worst.title]
    assert [(m.title, m.sentence, m.start) for m in answer.moments] == [
        (m.title, m.sentence, instant(m.start)) for m in found
    ]
    assert answer.known_at == instant(worst.end)
    assert all(m.end <= instant(worst.end) for m in answer.moments)
    its_day = answers.moments(twin, location, parameters.MomentsQuery(known_at=instant(worst.end)))
    assert its_day.start <= instant(worst.end) <= its_day.end
    with pytest.raises(UnknownTimeError, match="known_at is not in the range"):
        answers.moments(twin, location, query.model_copy(update={"end": query.start + dt.timedelta(hours=1)}))


@pytest.mark.parametrize("by", ["hour", "day"])
def test_the_ledger_of_a_range_is_that_of_its_hours_and_days(demo_world: World, by: Any) -> None:
    hub, place = demo_world.twin, demo_world.twin.locations[0]
    end = place.tz.midnight(place.end)
    query = parameters.LedgerQuery(start=instant(end - 2 * 86_400), end=instant(end), by=by)
    answer = answers.ledger(hub, place.id, query)
    timeline = hub.timeline(place.id, end - 2 * 86_400, end)
    began, delivered = timeline.orders.began, timeline.orders.delivered
    inside = (began >= timeline.window.start) & (began < end)
    took = delivered - timeline.orders.created
    inside &= (took >= 0) & (took <= 4 * 3600)
    assert answer.total.orders == inside.sum() > 100
    assert sum(one.mean_min or 0 for one in answer.total.causes[:-1]) == pytest.approx(answer.total.delivery_min)
    assert sum(one.late_min for one in answer.total.causes) == pytest.approx(answer.total.late_min)
    assert sum(one.orders for one in answer.groups) == answer.total.orders
    assert sum(one.late for one in answer.groups) == answer.total.late > 0
    for k, cause in enumerate(answer.total.causes):
        assert sum(one.causes[k].late_min for one in answer.groups) == pytest.approx(cause.late_min)
        assert sum(one.causes[k].late_orders for one in answer.groups) == pytest.approx(cause.late_orders)
    starts = [one.start for one in answer.groups]
    assert starts == sorted(set(starts), key=starts.index)
    assert all(one.start is not None and one.start.minute == 0 for one in answer.groups)
    assert all(one.share > one.rest and one.chance <= 0.05 for one in answer.shared)
    then = end - 30 * 3600
    known = answers.ledger(hub, place.id, query.model_copy(update={"known_at": instant(then)}))
    assert known.total.orders == (inside & (delivered <= then)).sum()
    target = next(one for one in answer.promises if one.kind == "target")
    assert (target.orders, target.promised_min) == (answer.total.orders, 30)
    assert target.kept_pct == pytest.approx(100 * (took[inside] < 1830).mean())
    assert 0 < target.judged <= target.orders
    assert target.fair_min is not None
    assert np.quantile(took[inside], 0.5) < 60 * target.fair_min < np.quantile(took[inside], 0.99)
    assert known.promises[0].orders == known.total.orders
    shelf, before = answer.total.shelf, known.total.shelf
    assert shelf is not None
    assert before is not None
    ready, milestones = timeline.orders.enter[2], timeline.orders.milestones
    out = np.fmin(milestones[ev.DRIVER_PICKED_UP], milestones[ev.DRIVER_PING])  # one order was delivered without either
    stood = (out - ready)[(began >= timeline.window.start) & (began < end) & (ready < out) & (out - ready <= 4 * 3600)]
    assert (shelf.meals, shelf.cold, shelf.cold_after_min) == (len(stood), (stood > 900).sum(), 15)
    assert 0 < before.meals < shelf.meals == sum(one.shelf.meals for one in answer.groups if one.shelf)


def test_the_ledger_of_a_brand_has_the_deliveries_of_its_figures(demo_world: World) -> None:
    hub, place = demo_world.twin, demo_world.twin.locations[0]
    answer = answers.ledger(hub, place.id, parameters.LedgerQuery(by="brand"))
    figures = answers.brands(hub, place.id, parameters.Range()).brands
    means = {one.brand_name: one.avg_delivery_time_min for one in figures if one.avg_delivery_time_min is not None}
    assert {one.brand: one.delivery_min for one in answer.groups} == pytest.approx(means)


@pytest.mark.parametrize("by", ["cause", "hour", "day", "brand"])
def test_the_ledger_of_a_range_too_long_to_load_is_the_one_of_loaded_orders(
    demo_world: World, by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, place = demo_world.twin, demo_world.twin.locations[0]
    end = place.tz.midnight(place.end)
    query = parameters.LedgerQuery(start=instant(end - 2 * 86_400), end=instant(end), by=by)
    loaded = answers.ledger(hub, place.id, query)
    monkeypatch.setattr(long_ledger, "LOADED_DAYS", 1)
    monkeypatch.setattr(hub, "timeline", None)  # nothing is loaded
    added_up = answers.ledger(hub, place.id, query)
    assert added_up.shared is None
    assert len(added_up.groups) == len(loaded.groups)
    assert bool(loaded.groups) == (by != "cause")
    for ours, theirs in zip([added_up.total, *added_up.groups], [loaded.total, *loaded.groups], strict=True):
        assert ours.sentence == theirs.sentence
        assert ours.shelf is None
        for one, other in zip([ours, *ours.causes], [theirs, *theirs.causes], strict=True):
            first, second = (model.model_dump(exclude={"causes", "shelf"}) for model in (one, other))
            texts = {name for name, value in first.items() if not isinstance(value, float)}
            assert {name: first[name] for name in texts} == {name: second[name] for name in texts}
            for name in first.keys() - texts:
                assert first[name] == pytest.approx(second[name], abs=1e-4), name


def test_hours_of_the_ledger_are_counted_before_they_are_added_up(
    demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, place = demo_world.twin, demo_world.twin.locations[0]
    monkeypatch.setattr(answers, "MOST_BUCKETS", 20)
    with pytest.raises(UnknownTimeError, match="over 20 hours: ask by day"):
        answers.ledger(hub, place.id, parameters.LedgerQuery(by="hour"))


def test_what_does_not_exist_is_told_with_what_is_like_it(demo_world: World) -> None:
    twin = demo_world.twin
    with pytest.raises(UnknownLocationError) as nowhere:
        answers.brands(twin, "San Fran", parameters.Range())
    assert nowhere.value.near == ["sanfrancisco"]
    real = demo_world.events("chicago")[0][2]
    with pytest.raises(UnknownOrderError) as unknown:
        answers.order(twin, real[:-1] + "?", parameters.OneOrder())
    assert unknown.value.near == [real]


@pytest.mark.parametrize(
    ("answer", "query"),
    [
        (answers.kitchen_status, parameters.AtTime(at_time=instant(1e9))),
        (answers.moments, parameters.MomentsQuery(start=instant(1e9), end=instant(1e9 + 60))),
        (answers.time_range, parameters.BucketedRange(start=instant(2e9))),
        (answers.brands, parameters.Range(end=instant(1e9))),
        (answers.ledger, parameters.LedgerQuery(start=instant(1e9), end=instant(1e9 + 60))),
    ],
)
def test_what_the_data_cannot_tell_is_refused_in_a_sentence(demo_world: World, answer: Any, query: Any) -> None:
    with pytest.raises(UnknownTimeError, match="data of"):
        answer(demo_world.twin, demo_world.places[0], query)


def test_a_source_that_knows_an_order_at_two_places_tells_the_one_asked_for(tmp_path: Any) -> None:
    from tests.sources.test_files import ROWS, write_csv
    from twin.sources.files import FileSource

    later = [{**row, "location": "chi", "ts": row["ts"].replace("01:", "05:")} for row in ROWS]
    twin = Twin(FileSource(write_csv(tmp_path / "events.csv", ROWS + later)))
    assert answers.order(twin, "A", parameters.OneOrder()).location == "sf"
    assert answers.order(twin, "A", parameters.OneOrder(location="chi")).location == "chi"


def test_copies_of_rows_are_left_out_of_the_log_and_never_stop_it(tmp_path: Any) -> None:
    from tests.sources.test_files import ROWS, write_csv
    from twin.sources.files import FileSource

    same = [{**ROWS[1], "order_id": name, "ts": ROWS[0]["ts"]} for name in "BCDE"]
    twin = Twin(FileSource(write_csv(tmp_path / "events.csv", (ROWS + same) * 9)))
    found, query = [], parameters.EventFilter(start=instant(1e9), limit=2)
    while True:
        page = answers.events(twin, "sf", query)
        found += [event.order_id for event in page.events]
        if page.next_cursor is None:
            break
        query = query.model_copy(update={"cursor": parse_position(page.next_cursor)})
    assert sorted(found) == ["A", "A", "A", "B", "C", "D", "E"]


def test_a_configured_capacity_comes_before_the_observed_one(demo_world: World) -> None:
    configured = Hub(demo_world.twin.source, Settings(capacity={"chicago": 4}))
    result = answers.kitchen_status(configured, "chicago", parameters.AtTime(at_time=instant(1_760_727_000.0)))
    assert (result.capacity_orders, result.capacity_source) == (4, "configured")
    assert result.capacity_utilization_pct == 25 * result.orders_by_stage.cooking


def test_a_state_is_told_with_what_is_over_its_limit_and_the_drivers(world: World) -> None:
    for location in world.places:
        lives = brute.lifecycles(world.judged[0], location)
        for t in random_times(world, location, 6):
            result = answers.kitchen_status(world.twin, location, parameters.AtTime(at_time=instant(t)))
            assert result.state in STATES
            levels = [one.level for one in result.over_limits]
            assert levels == sorted(levels, reverse=True), "the worst first"
            on_road = sum(brute.state(events, t) == "out_for_delivery" for events in lives.values())
            assert result.driver_supply is not None
            assert result.driver_supply.on_road == on_road
            ready = [one for one in result.active_orders if one.stage == "ready"]
            assert result.cold_meals == sum(one.time_in_stage_min > 15 for one in ready)
            supply = result.driver_supply
            assert supply.gap_per_hour == supply.ready_per_hour - supply.picked_up_per_hour
            entered = {stage.stage: stage.entered for stage in result.stages}
            assert (supply.ready_per_hour, supply.picked_up_per_hour) == (entered["ready"], entered["out_for_delivery"])
            here = [
                o
                for o in world.orders(location).values()
                if o.get("driver_arrived", np.inf) <= t
                and t < o.get("driver_picked_up", np.inf)
                and t < o.get("order_cancelled", np.inf)
                and t < o["driver_arrived"] + 4 * 3600
                and t < o.get("delivered", np.inf)
            ]
            assert supply.waiting_at_kitchen is not None
            assert supply.waiting_at_kitchen == len(here)
