"""Tables for analysts: a timeline's data as pandas frames. Durations become minutes, times timestamps: naive where the data's
are, else in the kitchen's zone.

Every figure comes from the same function as the page's (timeline, metrics, brands, moments), so that both agree.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.analysis.brands import BrandFigures
from twin.analysis.common_traits import CommonTrait
from twin.analysis.driver_supply import DriversNow, drivers_at
from twin.analysis.ledger import DRIVER_PARTS, PARTS, Account, Ledger
from twin.analysis.long_ledger import LongLedger
from twin.analysis.metrics import WHOLE_MINUTE, KpiSet, StageFigures, metrics_of
from twin.analysis.moments import Moment
from twin.analysis.promise import PromiseBook
from twin.analysis.shelf import Shelf, ShelfClock
from twin.foundation.geo import unproject
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import COMPLETED, STAGES
from twin.foundation.times import Time
from twin.foundation.zones import NAIVE, Zone
from twin.sources.base import Location
from twin.timeline import events as ev
from twin.timeline.orders import Orders
from twin.timeline.sampled import sampled
from twin.timeline.timeline import DataQuality, EventSlice, Snapshot, Timeline

if TYPE_CHECKING:
    import pandas as pd
else:  # which only tables need
    pd = at_first_use("pandas")

MINUTE = 60.0

STATUSES = ["in_progress", "completed", "cancelled"]
MONEY_DIGITS = 6
"""Decimals that sums of money are rounded to, which leaves none of what adding binary fractions makes."""

_MILESTONES = ("created", "started", "finished", "ready", "arrived", "picked_up", "delivered", "cancelled")


def stamps(times: Any, tz: Zone = NAIVE) -> "NDArray[np.datetime64] | pd.DatetimeIndex":
    """Return data seconds, (n,), as datetime64[us], in the kitchen's zone for instants; NaN and inf become NaT.

    >>> stamps([1760639400.0, float("nan")])
    array(['2025-10-16T18:30:00.000000',                        'NaT'],
          dtype='datetime64[us]')
    >>> stamps([1762074600.0], Zone("America/Los_Angeles"))
    DatetimeIndex(['2025-11-02 01:10:00-08:00'],
                  dtype='datetime64[us, America/Los_Angeles]', freq=None)
    """
    values = np.asarray(times, np.float64)
    finite = np.isfinite(values)
    stamped = np.full(values.shape, np.datetime64("NaT", "us"))
    stamped[finite] = np.round(values[finite] * 1e6).astype(np.int64).astype("datetime64[us]")
    return stamped if tz.naive else pd.DatetimeIndex(stamped).tz_localize("UTC").tz_convert(tz.name)


def stamp(time: Time, tz: Zone = NAIVE) -> "pd.Timestamp":
    """Return a time as a `pandas.Timestamp`: naive for naive times, else in the kitchen's zone.

    >>> stamp("2025-10-16T20:30+02:00")
    Timestamp('2025-10-16 18:30:00')
    >>> stamp(1762074600.0, Zone("America/Los_Angeles"))
    Timestamp('2025-11-02 01:10:00-0800', tz='America/Los_Angeles')
    """
    stamped = pd.Timestamp(tz.seconds(time), unit="s").as_unit("us")
    return stamped if tz.naive else stamped.tz_localize("UTC").tz_convert(tz.name)


def locations(places: Sequence[Location]) -> "pd.DataFrame":
    """Return one row per kitchen, by id: name, orders, first and last event, position (degrees), radius (metres)."""
    return pd.DataFrame(
        {
            "name": [place.display_name for place in places],
            "orders": [place.orders for place in places],
            "start": _own_stamps(places, [place.start for place in places]),
            "end": _own_stamps(places, [place.end for place in places]),
            "lat": pd.array([place.lat for place in places], "Float64"),
            "lon": pd.array([place.lon for place in places], "Float64"),
            "radius_m": pd.array([place.radius_m for place in places], "Float64"),
        },
        index=pd.Index([place.id for place in places], name="location"),
    )


def orders(timeline: Timeline, rows: NDArray[Any] | None = None) -> "pd.DataFrame":
    """Return one row per order, by id: its status and milestones, minutes to delivery, items, revenue and address.

    A milestone that the data does not have is NaT, the minutes between are then NaN, as is the revenue where no item has a price.
    `rows` are row numbers in `timeline.orders`; by default, the orders that began in the window.
    """
    return orders_of(timeline.orders, timeline.tz, begun(timeline) if rows is None else rows)


def orders_of(built: Orders, tz: Zone, rows: NDArray[Any]) -> "pd.DataFrame":
    """Return the same of some orders, wherever they are from."""
    times = {name: getattr(built, name)[rows] for name in _MILESTONES}
    delivered, cancelled = np.isfinite(times["delivered"]), np.isfinite(times["cancelled"])
    revenue = _revenue(built)[rows]
    addresses = pc.fill_null(built.addresses.take(pa.array(np.asarray(rows, np.int64))), "")
    return pd.DataFrame(
        {
            "status": pd.Categorical(np.select([delivered, cancelled], STATUSES[1:], STATUSES[0]), STATUSES),
            **{name: stamps(values, tz) for name, values in times.items()},
            "delivery_min": (times["delivered"] - times["created"]) / MINUTE,
            "items": built.quantity[rows].astype(np.int64),
            "revenue": np.where(revenue != 0, revenue, np.nan),
            "address": pd.array(addresses.to_pylist(), "str"),
        },
        index=_ids(built.ids, rows),
    )


def items(timeline: Timeline, rows: NDArray[Any] | None = None) -> "pd.DataFrame":
    """Return one row per item of an order: order, item, brand, qty, price (of one); `rows` as in `orders`.

    Texts are empty where the data has none, a price is 0 there.
    """
    return items_of(timeline.orders, begun(timeline) if rows is None else rows)


def items_of(built: Orders, rows: NDArray[Any]) -> "pd.DataFrame":
    """Return the same of some orders, wherever they are from."""
    line, of_order = _lines(built, rows)
    return pd.DataFrame(
        {
            "order": _ids(built.ids, of_order),
            "item": _texts(built.item_names, line),
            "brand": _texts(built.item_brands, line),
            "qty": exact(built.item_qty[line]),
            "price": exact(built.item_price[line]),
        }
    )


def order_brands(timeline: Timeline, rows: NDArray[Any] | None = None) -> "pd.DataFrame":
    """Return one row per order and brand in it: order, brand, items (their number), revenue (of them); `rows` as in `orders`.

    An order of two brands has two rows; what has no brand is left out.
    """
    lines = items(timeline, rows)
    lines = lines[lines["brand"] != ""]
    lines["revenue"] = lines["qty"] * lines["price"]
    of_brand = lines.groupby(["order", "brand"], sort=False, observed=True).agg(
        items=("qty", "sum"), revenue=("revenue", "sum")
    )
    made = of_brand.reset_index()
    made["items"] = made["items"].round().astype(np.int64)
    made["revenue"] = made["revenue"].round(MONEY_DIGITS).where(made["revenue"] != 0)
    return made


def exact(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return numbers that are stored in half the width as the decimals that they were written as.

    >>> exact(np.array([12.99, 7.1], np.float32)).tolist()
    [12.99, 7.1]
    """
    different, which = np.unique(values, return_inverse=True)
    written: NDArray[np.float64] = np.array([float(str(value)) for value in different], np.float64)
    return written[which]


def _revenue(built: Orders) -> NDArray[np.float64]:
    """Return what the items of each order cost together, (n,)."""
    of_order = np.repeat(np.arange(len(built)), np.diff(built.item_offsets))
    money = np.nan_to_num(exact(built.item_qty) * exact(built.item_price))
    return np.round(np.bincount(of_order, money, len(built)), MONEY_DIGITS)


def _lines(built: Orders, rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the items of some orders in the columns of items, and the rows of their orders."""
    rows = np.asarray(rows, np.int64)
    number = np.diff(built.item_offsets)[rows]
    of_order = np.repeat(rows, number)
    within = np.arange(len(of_order)) - np.repeat(np.cumsum(number) - number, number)
    return built.item_offsets[of_order] + within, of_order


def _texts(texts: pa.DictionaryArray, line: NDArray[np.int64]) -> "pd.Series":
    return pd.Series(pc.fill_null(texts.take(pa.array(line)).cast(pa.string()), "").to_pylist(), dtype="str")


def begun(timeline: Timeline) -> NDArray[np.intp]:
    """Return the rows of the orders that began in the window."""
    began, window = timeline.orders.began, timeline.window
    return np.flatnonzero((began >= window.start) & (began < window.end))


def stages(timeline: Timeline, row: int | None = None) -> "pd.DataFrame":
    """Return one row per order of the window and spell in a stage: order, stage, entered, left (NaT: not yet), minutes.

    An order that stalls leaves its stage; if it resumes, it has another row. Completed is never left. `row`: of one order only.
    """
    built = timeline.orders
    among = (built.first < timeline.window.end) & (built.last >= timeline.window.start)
    if row is not None:
        among = np.arange(len(built)) == row
    found = timeline.membership.between(-np.inf, np.inf)
    rows = np.flatnonzero(among[found.order] & (found.state <= COMPLETED))
    rows = rows[np.lexsort((found.begin[rows], found.order[rows]))]
    stage, entered = found.state[rows], found.begin[rows]
    left = np.where(stage == COMPLETED, np.inf, found.end[rows])
    return pd.DataFrame(
        {
            "order": _ids(timeline.orders.ids, found.order[rows]),
            "stage": _stages(stage),
            "entered": stamps(entered, timeline.tz),
            "left": stamps(left, timeline.tz),
            "minutes": np.where(np.isfinite(left), left - entered, np.nan) / MINUTE,
        }
    )


def events(timeline: Timeline, found: EventSlice) -> "pd.DataFrame":
    """Return one row per event: ts, type, order, progress (0..1 of the way), lat, lon (degrees).

    The last three are those of driver pings, NaN for all other events.
    """
    return events_of(timeline.orders.ids, timeline.tz, found)


def events_of(ids: pa.StringArray, tz: Zone, found: EventSlice) -> "pd.DataFrame":
    """Return the same of some events, wherever they are from; `ids` are those of the orders that they speak of."""
    nowhere = np.full(len(found), np.nan)
    return pd.DataFrame(
        {
            "ts": stamps(found.ts, tz),
            "type": pd.Categorical(found.type, [*ev.EVENT_TYPES, *sorted(set(found.type) - set(ev.EVENT_TYPES))]),
            "order": _ids(ids, found.order),
            "progress": exact(found.progress) / 100,
            "lat": nowhere if found.lat is None else found.lat,
            "lon": nowhere if found.lon is None else found.lon,
        }
    )


def of_kitchens(parts: "Sequence[tuple[Location, pd.DataFrame]]") -> "pd.DataFrame":
    """Return tables of kitchens as one, with a column `kitchen` (the id) before theirs; a kitchen may have several, in a row.

    Times are in the kitchens' zone if that is the same for all, else in UTC.
    """
    ids = list(dict.fromkeys(place.id for place, _ in parts))
    several = len({place.tz.name for place, _ in parts}) > 1
    made = []
    for place, table in parts:
        zoned = [str(name) for name in table if isinstance(table[name].dtype, pd.DatetimeTZDtype)] if several else []
        part = table.assign(**{name: table[name].dt.tz_convert("UTC") for name in zoned})
        part.insert(0, "kitchen", pd.Series(pd.Categorical([place.id] * len(part), ids), part.index))
        made.append(part)
    joined = pd.concat(made, ignore_index=made[0].index.name is None)
    for name, column in made[0].items():
        # types that one alone has
        if isinstance(column.dtype, pd.CategoricalDtype) and joined[name].dtype != column.dtype:
            joined[name] = pd.api.types.union_categoricals([part[name] for part in made])
    return joined


def trajectories(timeline: Timeline, every: float) -> "pd.DataFrame":
    """Return the positions of all drivers on the road in the window: order, t, lat, lon, speed, heading, measured.

    Each trip has a row at its start, at its end, and at the multiples of `every` seconds between; a trip that crosses an edge of
    the window is cut there. Speed is in metres per second on the ground, heading in degrees from north, NaN while standing;
    `measured`: whether the position lies between two observations that are near in time, as in `drivers`.
    """
    found = sampled(timeline.trips, timeline.window.start, timeline.window.end, every)
    kitchen = timeline.location
    lat, lon = unproject((kitchen.x or 0.0) + found.x, (kitchen.y or 0.0) + found.y)
    return pd.DataFrame(
        {
            "order": _ids(timeline.orders.ids, timeline.trips.order[found.trip]),
            "t": stamps(found.t, timeline.tz),
            "lat": lat,
            "lon": lon,
            "speed": found.speed,
            "heading": found.heading,
            "measured": found.measured,
        }
    )


def open_orders(timeline: Timeline, snapshot: Snapshot) -> "pd.DataFrame":
    """Return the open orders of a snapshot, by id, the longest in its stage first: stage, since, minutes in it."""
    table = pd.DataFrame(
        {
            "stage": _stages(snapshot.stage),
            "since": stamps(snapshot.since, timeline.tz),
            "minutes": (snapshot.t - snapshot.since) / MINUTE,
        },
        index=_ids(timeline.orders.ids, snapshot.order),
    )
    return table.sort_values("minutes", ascending=False)


def drivers(timeline: Timeline, snapshot: Snapshot) -> "pd.DataFrame":
    """Return the drivers on the road, by order: position (degrees), heading (degrees), progress 0..1, arrival."""
    found = snapshot.drivers
    return pd.DataFrame(
        {
            "lat": found.lat,
            "lon": found.lon,
            "heading": found.heading,
            "progress": found.progress,
            "eta": stamps(found.eta, timeline.tz),
            "measured": found.measured,
        },
        index=_ids(timeline.orders.ids, found.order),
    )


def stage_figures(figures: list[StageFigures]) -> "pd.DataFrame":
    """Return one row per stage: mean minutes in it (of orders that left it in the last hour), ages of orders in it, entries."""
    return pd.DataFrame(
        {
            "service_min": _minutes([one.service for one in figures]),
            "served": [one.served for one in figures],
            "age_min": _minutes([one.age for one in figures]),
            "oldest_min": _minutes([one.oldest for one in figures]),
            "entered": [one.entered for one in figures],
        },
        index=pd.Index([one.key for one in figures], name="stage"),
    )


def kpi_row(kpis: KpiSet, drivers: DriversNow | None = None) -> dict[str, float]:
    """Return the KPIs and the drivers at one time as numbers, NaN where undefined; times in minutes, shares 0..1."""
    values = {
        "orders_per_hour": kpis.orders_per_hour,
        "delivery_min": _minute(kpis.delivery_time),
        "delivery_p50_min": _minute(kpis.delivery_p50),
        "delivery_p95_min": _minute(kpis.delivery_p95),
        "deliveries": kpis.deliveries,
        "over_target": kpis.deliveries_over,
        "completion": kpis.completion,
        "active": kpis.active_total,
        "in_kitchen": kpis.in_kitchen,
        "on_road": kpis.on_road,
        "drivers_waiting": None if drivers is None else drivers.waiting,
        "pickups_short": None if drivers is None else drivers.gap,
        "revenue": kpis.revenue,
        "revenue_today": kpis.revenue_today,
    }
    return {name: np.nan if value is None else float(value) for name, value in values.items()}


KPIS = (
    "orders_per_hour", "delivery_min", "delivery_p50_min", "delivery_p95_min", "deliveries", "over_target", "completion",
    "active", "in_kitchen", "on_road", "drivers_waiting", "pickups_short", "revenue", "revenue_today",
)  # fmt: skip
"""The columns of `kpis`, for who offers them before there is a table."""


def kpis(timeline: Timeline, times: NDArray[np.float64], target: float) -> "pd.DataFrame":
    """Return the KPIs at many times, (n,) seconds: one row each, by time; `target` is the promised delivery time, seconds."""
    index = metrics_of(timeline)
    rows = [kpi_row(index.kpis(t, timeline.counts(t), target), drivers_at(timeline, t)) for t in times.tolist()]
    return pd.DataFrame(rows, index=pd.Index(stamps(times, timeline.tz), name="time"))


def brands(figures: list[BrandFigures], shelves: Mapping[str, Shelf]) -> "pd.DataFrame":
    """Return one row per brand, the one with most orders first; `shelves` say how long the brands' meals stood, by brand."""
    stood = [shelves[one.brand] for one in figures]
    return pd.DataFrame(
        {
            "orders": [one.orders for one in figures],
            "revenue": np.array([one.revenue for one in figures], np.float64),
            "delivery_min": _minutes([one.delivery_time for one in figures]),
            "deliveries": [one.deliveries for one in figures],
            "trend": [one.trend for one in figures],
            "meals": [one.meals for one in stood],
            "stood_p50_min": _minutes([one.median for one in stood]),
            "cold": [one.cold for one in stood],
            "cold_share": np.array([one.cold_share for one in stood], np.float64),
        },
        index=pd.Index([one.brand for one in figures], name="brand"),
    )


def moments(found: Sequence[Moment], tz: Zone = NAIVE) -> "pd.DataFrame":
    """Return one row per moment, the most severe first; `at` is when it is worst."""
    return pd.DataFrame(
        {
            "kind": [one.kind for one in found],
            "title": [one.title for one in found],
            "sentence": [one.sentence for one in found],
            "why": [one.why for one in found],
            "start": stamps([one.start for one in found], tz),
            "end": stamps([one.end for one in found], tz),
            "at": stamps([one.at for one in found], tz),
            "severity": [one.severity for one in found],
            "stage": [one.stage for one in found],
        }
    )


def ledger(timeline: Timeline, book: Ledger) -> "pd.DataFrame":
    """Return one row per delivery of the window, by order: its parts in minutes, their sum, and what made it late.

    `late_<part>_min` are the minutes beyond the target that a part made, `late_usual_min` those that are usual at that hour; all
    are 0 for an order that was in time. `driver_waits_min` lies on the order's cooking and packing, and is no part of the sum.
    """
    began = timeline.orders.began
    rows = np.flatnonzero(book.counted & (began >= timeline.window.start) & (began < timeline.window.end))
    waits = book.driver[rows, DRIVER_PARTS.index("driver_waits")]
    return _ledger(book, rows, timeline.orders.created[rows], waits, timeline.tz, _ids(timeline.orders.ids, rows))


def long_ledger(book: LongLedger, tz: Zone) -> "pd.DataFrame":
    """Return the same of a range that is too long to load."""
    found = book.orders()
    whole = Ledger.of_parts(found.parts, found.total, found.usual, book.target)
    ids = pd.Index(found.ids, name="order")
    return _ledger(whole, np.arange(len(found.ids)), found.created, found.driver_waits, tz, ids)


def _ledger(
    book: Ledger,
    rows: NDArray[np.intp],
    created: NDArray[np.float64],
    waits: NDArray[np.float64],
    tz: Zone,
    ids: "pd.Index",
) -> "pd.DataFrame":
    late = np.zeros((len(book.total), len(PARTS) + 1))
    late[book.blame.rows] = book.blame.seconds
    return pd.DataFrame(
        {
            "created": stamps(created, tz),
            **{f"{name}_min": book.parts[rows, k] / MINUTE for k, name in enumerate(PARTS)},
            "delivery_min": book.total[rows] / MINUTE,
            "usual_min": book.usual[rows].sum(axis=1) / MINUTE,
            "late": book.late[rows],
            **{f"late_{name}_min": late[rows, k] / MINUTE for k, name in enumerate((*PARTS, "usual"))},
            "driver_waits_min": waits / MINUTE,
        },
        index=ids,
    )


def shelf(timeline: Timeline, clock: ShelfClock) -> "pd.DataFrame":
    """Return one row per order of the window whose meal stood, by order: since, until (NaT: never picked up), minutes, cold."""
    began = timeline.orders.began
    stood = clock.stood()
    rows = np.flatnonzero(np.isfinite(stood) & (began >= timeline.window.start) & (began < timeline.window.end))
    return pd.DataFrame(
        {
            "since": stamps(clock.since[rows], timeline.tz),
            "until": stamps(clock.until[rows], timeline.tz),
            "minutes": stood[rows] / MINUTE,
            "cold": clock.is_cold()[rows],
        },
        index=_ids(timeline.orders.ids, rows),
    )


def promises(timeline: Timeline, book: PromiseBook) -> "pd.DataFrame":
    """Return one row per order of the window and promise that it was made: promised, took, fair minutes, keep, kept, doomed.

    `keep` is the share of earlier orders like it that would have kept it; that and `fair_min` are NaN where too few were known.
    """
    began = timeline.orders.began
    inside = (began >= timeline.window.start) & (began < timeline.window.end)
    parts = []
    for one in book.kinds:
        rows = np.flatnonzero(inside & np.isfinite(one.promised))
        took, promised = one.took[rows], one.promised[rows]
        kept = pd.array(took < promised + WHOLE_MINUTE, "boolean")
        kept[np.isnan(took)] = pd.NA
        part = {
            "kind": one.kind,
            "promised_min": promised / MINUTE,
            "took_min": took / MINUTE,
            "fair_min": one.fair[rows] / MINUTE,
            "keep": one.keep[rows],
            "kept": kept,
            "doomed": one.doomed[rows],
        }
        parts.append(pd.DataFrame(part, index=_ids(timeline.orders.ids, rows)))
    return pd.concat(parts)


def account(found: Account) -> "pd.DataFrame":
    """Return one row per part, and one for what is usual beyond the target: mean minutes, usual, and what it made late.

    `late_min` and `late_orders` add up to those of all deliveries. `alone` orders would have been late by this part alone,
    `needed` ones would not have been late without it.
    """
    n = max(1, found.orders)
    usual = [*(found.usual / n / MINUTE).tolist(), found.target / MINUTE]
    mean = [*(found.parts / n / MINUTE).tolist(), float(found.usual.sum()) / n / MINUTE]
    return pd.DataFrame(
        {
            "mean_min": mean,
            "usual_min": usual,
            "beyond_min": np.subtract(mean, usual),
            "late_min": found.causes / MINUTE,
            "late_share": found.causes / found.late_s if found.late else np.full(len(PARTS) + 1, np.nan),
            "late_orders": found.late_by,
            "alone": [*found.alone.tolist(), np.nan],
            "needed": [*found.needed.tolist(), np.nan],
        },
        index=pd.Index([*PARTS, "usual"], name="part"),
    )


def common_traits(found: Sequence[CommonTrait]) -> "pd.DataFrame":
    """Return one row per trait that some orders share, the largest difference first; shares are 0 to 1."""
    return pd.DataFrame(
        {
            "kind": [one.kind for one in found],
            "share": np.array([one.share for one in found], np.float64),
            "rest": np.array([one.rest for one in found], np.float64),
            "low": np.array([one.low for one in found], np.float64),
            "high": np.array([one.high for one in found], np.float64),
            "orders": [one.number for one in found],
            "chance": np.array([one.chance for one in found], np.float64),
        },
        index=pd.Index([one.label for one in found], name="trait"),
    )


def rejects(quality: DataQuality) -> "pd.DataFrame":
    """Return one row per reason: `set aside` (rejected) or `used, odd` (flagged), rows, and their share of all rows read."""
    rows = [("set aside", reason, count) for reason, count in quality.rejected.items()]
    rows += [("used, odd", reason, count) for reason, count in quality.flagged.items()]
    table = pd.DataFrame(rows, columns=["what", "reason", "rows"]).astype({"rows": np.int64})
    table["share"] = table["rows"] / max(1, quality.read)
    return table


def html(title: str, facts: Sequence[str], table: "pd.DataFrame") -> str:
    """Return the HTML of an object in a notebook: a title, facts, a table. All of them are escaped.

    >>> html("<b>", ["1 & 2"], pd.DataFrame())[:43]
    '<div><strong>&lt;b&gt;</strong> 1 &amp; 2</'
    """
    escaped = " · ".join(escape(fact) for fact in facts)
    return f"<div><strong>{escape(title)}</strong> {escaped}</div>{table.to_html(escape=True, max_rows=20, na_rep='–')}"


def _own_stamps(places: Sequence[Location], seconds: list[float]) -> Any:
    """Return a time of each kitchen, in its zone: one column where all are in the same, else a column of timestamps."""
    zones = {place.tz.name for place in places}
    if len(zones) <= 1:
        return stamps(seconds, places[0].tz if places else NAIVE)
    return pd.Series([stamp(t, place.tz) for place, t in zip(places, seconds, strict=True)], dtype=object).to_numpy()


def _ids(ids: pa.StringArray, rows: NDArray[Any]) -> "pd.Index":
    return pd.Index(ids.take(np.asarray(rows, np.int64)).to_pylist(), name="order", dtype="str")


def _stages(numbers: NDArray[Any]) -> "pd.Categorical":
    return pd.Categorical([STAGES[number] for number in numbers.tolist()], list(STAGES), ordered=True)


def _minute(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / MINUTE


def _minutes(values: list[float | None]) -> list[float]:
    return [np.nan if value is None else value / MINUTE for value in values]
