"""Computes the API's answers: functions from an open source and parameters to a model, independent of HTTP.

The source aggregates ranges (SQL push-down); only a kitchen's state at one time, and the moments, need a timeline.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.analysis import brands as branding
from twin.analysis.lifecycle import Lifecycle, lifecycle
from twin.analysis.long_ledger import is_long
from twin.analysis.wording import in_minutes
from twin.api import event_log, models, parameters
from twin.api import kitchen_status as kitchen
from twin.api import ledger as delays
from twin.api.instants import from_micros, instant, optional_instant, seconds
from twin.api.position import StreamPosition
from twin.foundation.errors import UnknownOrderError, UnknownTimeError
from twin.foundation.times import DAY, HOUR, UTC
from twin.hub import Hub
from twin.sources.base import Location, Window
from twin.sources.known_kitchens import METRES_PER_MILE
from twin.sources.similar_orders import similar_orders
from twin.timeline import events as ev
from twin.timeline import orders
from twin.timeline.event_log import EventLog
from twin.timeline.timeline import DataQuality, Timeline, kitchen_frame
from twin.timeline.trips import build as build_trips

MOST_BUCKETS = 20_000
"""Over two years of hours; a longer range needs a coarser granularity."""
MOST_DAYS = 31
"""Longest range for moments: they need a loaded timeline, and longer ones would fill the memory."""
NEAR = 5
"""Most similar ids suggested for an unknown order."""

STEPS = {"hour": HOUR, "day": DAY, "week": 7 * DAY}


def locations(hub: Hub, _: parameters.Parameters) -> models.Locations:
    """Return every kitchen."""
    return models.Locations(locations=[_config(place) for place in hub.locations])


def time_range(hub: Hub, location: str, query: parameters.BucketedRange) -> models.TimeRange:
    """Return a range's figures, in total and by bucket."""
    place = hub.location(location)
    window = _window(hub, place, query)
    bounds: dict[str, str | float] = {"location": location, "from_ts": window.start, "to_ts": window.end}
    buckets = _buckets(hub, place, window, query.granularity)
    (total,) = hub.source.query("totals", **bounds).to_pylist()
    return models.TimeRange(
        location=location,
        start=instant(window.start),
        end=instant(window.end),
        granularity=query.granularity,
        metrics=models.RangeMetrics(
            total_orders=total["orders"],
            delivered_orders=total["delivered"],
            cancelled_orders=total["cancelled"],
            avg_delivery_time_min=_mean_minutes(total["took_us"], total["timed"]),
            timed_orders=total["timed"],
            excluded_orders=total["excluded"],
            completion_rate_pct=_completion(place, total),
            total_revenue=_money(total["revenue"]) if total["orders"] else 0.0,
        ),
        hourly_breakdown=buckets,
    )


def brands(hub: Hub, location: str, query: parameters.Range) -> models.Brands:
    """Return the figures of a kitchen's brands in a range."""
    place = hub.location(location)
    window = _window(hub, place, query)
    rows = hub.source.query("brands", location=location, from_ts=window.start, to_ts=window.end).to_pylist()
    names = hub.source.names("brands")
    return models.Brands(
        location=location,
        start=instant(window.start),
        end=instant(window.end),
        brands=[
            models.BrandPerformance(
                brand_id=row["brand_id"],
                brand_name=names.get(row["brand_id"], f"brand {row['brand_id']}"),
                order_count=row["orders"],
                revenue=_money(row["revenue"]),
                avg_delivery_time_min=_mean_minutes(row["took_us"], row["timed"]),
                trend=branding.trend(row["earlier"], row["later"], row["kitchen"] // 2 * 2),
            )
            for row in rows
        ],
    )


def kitchen_status(hub: Hub, location: str, query: parameters.AtTime) -> models.KitchenStatus:
    """Return a kitchen's state at a time, by default now."""
    place = hub.location(location)
    t = kitchen.now_at(hub, location) if query.at_time is None else seconds(query.at_time)
    return kitchen.status(hub, place, t)


def moments(hub: Hub, location: str, query: parameters.MomentsQuery) -> models.Moments:
    """Return the moments of a range, or the troubles as they were known at a time of it."""
    place = hub.location(location)
    known_at = None if query.known_at is None else seconds(query.known_at)
    if known_at is not None and query.start is None and query.end is None:
        window = _within(hub, place, Window(*place.tz.whole_days(known_at, known_at)))
    else:
        window = _within(hub, place, _window(hub, place, query))
    if known_at is not None and not window.start <= known_at <= window.end:
        raise UnknownTimeError("known_at is not in the range: leave start and end out, or name a time between them.")
    if window.end - window.start > MOST_DAYS * DAY:
        raise UnknownTimeError(f"Moments are found in at most {MOST_DAYS} days at once: ask for a shorter range.")
    timeline = hub.timeline(location, window.start, window.end)
    found = hub.insights(timeline) if known_at is None else hub.troubles_at(timeline, known_at)
    return models.Moments(
        location=location,
        start=instant(window.start),
        end=instant(window.end),
        known_at=None if known_at is None else instant(known_at),
        moments=[
            models.MomentOfInterest(
                kind=moment.kind,
                label=moment.label,
                start=instant(moment.start),
                end=instant(moment.end),
                at=instant(moment.at),
                severity=moment.severity,
                title=moment.title,
                sentence=moment.sentence,
                why=moment.why,
                stage=moment.stage or None,
                figures=moment.figures,
            )
            for moment in found.moments
        ],
        failed=list(found.failed),
    )


def ledger(hub: Hub, location: str, query: parameters.LedgerQuery) -> models.Ledger:
    """Return what the lateness of a range's orders was made of."""
    place = hub.location(location)
    window = _within(hub, place, _window(hub, place, query))
    known_at = None if query.known_at is None else seconds(query.known_at)
    if query.by == "hour" and (window.end - window.start) / HOUR > MOST_BUCKETS:
        raise UnknownTimeError(f"That would be over {MOST_BUCKETS:,} hours: ask by day, or for a shorter range.")
    if is_long(window):
        return delays.long_answer(hub, place, window, query.by, known_at)
    return delays.answer(hub, hub.timeline(location, window.start, window.end), window, query.by, known_at)


def events(hub: Hub, location: str, query: parameters.EventFilter) -> models.Events:
    """Return a page of the event log."""
    place = hub.location(location)
    window = _window(hub, place, query)
    after = max(StreamPosition(round(window.start * 1e6)), query.cursor or StreamPosition(0))
    types = [kind.strip() for kind in (query.type or "").split(",") if kind.strip()]
    chosen = event_log.LogFilter(types, query.order_id or "")
    read, ended = event_log.read(hub.source, location, after, round(window.end * 1e6), query.limit, chosen)
    entries = list(read)
    return models.Events(
        location=location,
        events=[
            models.LoggedEvent(
                event_type=entry.kind,
                timestamp=from_micros(entry.at),
                order_id=entry.order_id,
                sequence=entry.sequence,
                event_id=str(entry.position),
                data=event_log.data_of(entry),
            )
            for entry in entries
        ],
        next_cursor=None if ended else str(entries[-1].position),
    )


def data_quality(hub: Hub, location: str, _: parameters.Parameters) -> models.DataQuality:
    """Return how many of a location's raw rows were used, flagged and rejected."""
    quality = hub.quality(hub.location(location).id)
    return models.DataQuality(
        location=location,
        rows_read=quality.read,
        rows_used=quality.used,
        rejected=dict(quality.rejected),
        flagged=dict(quality.flagged),
        files_left_out=len(quality.left_out),
        left_out=[f"{text}." for text in quality.left_out[: models.MOST_FILES]],
        assumed=[f"{text}." for text in quality.assumed[: models.MOST_FILES]],
    )


def order(hub: Hub, order_id: str, query: parameters.OneOrder) -> models.OrderLifecycle:
    """Return an order's lifecycle, found by its id alone. Raises `UnknownOrderError` with similar ids."""
    if query.location is not None:
        hub.location(query.location)
    rows = hub.source.query("find_order", order_id=order_id, location=query.location or "")
    if not len(rows):
        near = similar_orders(hub.source, order_id, NEAR, query.location or "")
        where = f" at {query.location}" if query.location else ""
        raise UnknownOrderError(f"No order {order_id!r}{where}.", near=[other for other in near if other != order_id])
    first = rows["location"][int(np.argmin(rows["ts"].to_numpy()))].as_py()
    rows = rows.filter(np.asarray(rows["location"]) == first)
    place = hub.location(first)
    return _order_model(place, lifecycle(_order_timeline(hub, place, rows), 0), event_log.of_rows(rows))


# -- parts --------------------------------------------------------------------------------------------------------------
def _window(hub: Hub, place: Location, query: parameters.Range) -> Window:
    """Return the requested range. A missing start or end is that of the data; without both, the last 24 hours."""
    if query.start is None and query.end is None:
        return hub.last_hours(place.id)
    start = place.start if query.start is None else seconds(query.start)
    end = np.nextafter(place.end, np.inf) + 1 if query.end is None else seconds(query.end)
    if end <= start:
        edge, at = ("start", place.end) if query.end is None else ("end", place.start)
        raise UnknownTimeError(
            f"The {edge} of the range lies beyond the data of {place.id}, which ends at {instant(at)}."
        )
    return Window(float(start), float(end))


def _within(hub: Hub, place: Location, window: Window) -> Window:
    """Return the part of a range on days that have data. Raises `UnknownTimeError` where there is none."""
    within = hub.within(place.id, window.start, window.end)
    if within is None:
        raise UnknownTimeError(
            f"No data of {place.id} in this range: it reaches from {instant(place.start)} to {instant(place.end)}."
        )
    return within


def _steps(place: Location, window: Window, granularity: str) -> NDArray[np.float64]:
    """Return the start of each bucket of the range that overlaps the data, on the kitchen's clock, ascending data seconds.

    The days on which that clock is put forward or back have 23 and 25 hours. Raises `UnknownTimeError` for too many buckets.
    """
    tz = place.tz
    first, last = max(window.start, place.start), min(window.end, place.end + 1)
    if last <= first:
        return np.empty(0)
    if (last - first) / STEPS[granularity] > MOST_BUCKETS:
        raise UnknownTimeError(
            f"That would be over {MOST_BUCKETS:,} buckets: ask for a coarser granularity or a shorter range."
        )
    if granularity == "hour":
        steps = tz.ticks(tz.midnight(first), last, HOUR)
        steps = steps[max(0, int(steps.searchsorted(first, "right")) - 1) :]
    else:
        days = np.arange(tz.day(first), tz.day(last) + 1)
        if granularity == "week":
            monday = days[0] - (days[0] + 3) % 7  # 1970 began on a Thursday
            days = np.arange(monday, days[-1] + 1, 7)
        steps = tz.start_of(days)
    return steps[np.round(steps * 1e6) < round(last * 1e6)]


def _buckets(hub: Hub, place: Location, window: Window, granularity: str) -> list[models.Bucket]:
    """Return the orders of each bucket of a range: counted by the source, by the hours of UTC or minutes where the kitchen's
    days and hours are others."""
    steps = _steps(place, window, granularity)
    if not len(steps):
        return []
    grain = granularity if place.tz.naive else "hour" if not (place.tz.local(steps) % HOUR).any() else "minute"
    rows = hub.source.query("buckets", granularity=grain, location=place.id, from_ts=window.start, to_ts=window.end)
    orders, timed, took = np.zeros((3, len(steps)), np.int64)
    for row in rows.to_pylist():
        step = max(0, int(steps.searchsorted(row["bucket"].replace(tzinfo=UTC).timestamp(), "right")) - 1)
        orders[step] += row["orders"]
        timed[step] += row["timed"]
        took[step] += int(row["took_us"] or 0)
    return [
        models.Bucket(timestamp=instant(at), order_count=n, avg_delivery_time=_mean_minutes(sum_us, number))
        for at, n, number, sum_us in zip(steps.tolist(), orders.tolist(), timed.tolist(), took.tolist(), strict=True)
    ]


def _config(place: Location) -> models.LocationConfig:
    return models.LocationConfig(
        location_name=place.id,
        display_name=place.display_name,
        gk_lat=place.lat,
        gk_lon=place.lon,
        radius_mi=None if place.radius_m is None else place.radius_m / METRES_PER_MILE,
        total_orders=place.orders,
        time_zone=place.zone,
        date_range=models.DateRange(start=instant(place.start), end=instant(place.end)),
    )


def _mean_minutes(total_us: object, number: int) -> float | None:
    return int(str(total_us)) / number / 60e6 if number else None  # the source returns sums of integers as decimals


def _completion(place: Location, total: Mapping[str, Any]) -> float | None:
    """Return the delivered share in percent; None without an order, and for a kitchen whose data never records a delivery."""
    known = total["orders"] and (total["delivered"] or place.last_delivered is not None)
    return 100 * total["delivered"] / total["orders"] if known else None


def _money(amount: Any) -> float | None:
    """Return a sum of prices to the cent; None where no item had a price, which sums to nothing."""
    return round(float(amount), 2) if amount else None


def _order_timeline(hub: Hub, place: Location, rows: pa.Table) -> Timeline:
    """Return a timeline of one order's rows, so that its stages come from the same code as a whole kitchen's."""
    decoded = ev.decode(rows)
    frame = kitchen_frame(place)
    built, routes = orders.build(decoded, rows, hub.source.names("brands"), frame)
    trips = build_trips(decoded, built, routes, frame)
    first, last = ev.extremes(decoded)
    account = DataQuality(len(rows), len(decoded.ts), {}, {})
    return Timeline(place, Window(float(first[0]), float(last[0]) + 1), EventLog.of(decoded), built, trips, account)


def _order_model(place: Location, life: Lifecycle, entries: Sequence[event_log.Entry]) -> models.OrderLifecycle:
    order = life.order
    firsts: dict[str, dt.datetime] = {}
    for entry in entries:
        firsts.setdefault(entry.kind, from_micros(entry.at))
    return models.OrderLifecycle(
        order_id=order.id,
        location=place.id,
        created_at=optional_instant(order.created),
        delivered_at=optional_instant(order.delivered),
        total_duration_min=in_minutes(life.total),
        status=order.status,
        customer_address=order.address or None,
        revenue=_money(order.revenue),
        items=[
            models.OrderedItem(
                item_name=item.name or None, quantity=item.qty, brand=item.brand or None, price=_money(item.price)
            )
            for item in order.items
        ],
        milestones=models.Milestones(**{name: firsts.get(name) for name in models.Milestones.model_fields}),
        stages=[
            models.StageSpan(
                stage=span.key,
                entered_at=instant(span.start),
                left_at=optional_instant(span.end),
                duration_min=in_minutes(None if span.end is None else span.end - span.start),
            )
            for span in life.stages
        ],
        food_waited_min=in_minutes(life.food_waited),
        driver_waited_min=in_minutes(life.driver_waited),
        promised_min=order.eta_mins,
        events=[
            models.Event(event_type=entry.kind, timestamp=from_micros(entry.at), data=event_log.data_of(entry))
            for entry in entries
        ],
    )
