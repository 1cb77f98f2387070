"""The JSON bodies of events: an order's items, its address and its route. DuckDB parses them column by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.lazily import at_first_use
from twin.timeline import events as ev
from twin.timeline.events import Events

if TYPE_CHECKING:
    import duckdb
else:  # which only who opens a source needs
    duckdb = at_first_use("duckdb")

_ITEMS = (
    '{"items": [{"brand_id": "VARCHAR", "name": "VARCHAR", "price": "DOUBLE", "qty": "DOUBLE"}], '
    '"customer_addr": "VARCHAR"}'
)
_UNWRAPPED = """
    CASE WHEN json_type(body, '$.items') = 'VARCHAR' AND json_valid(body ->> '$.items')
      THEN json_merge_patch(body, '{"items":' || (body ->> '$.items') || '}') END
"""
"""A body whose items are a text that holds them as JSON, with these; sources/queries/lines.sql reads such a text, too."""
_NUMBERED = r"""
    CASE WHEN contains(body, 'true') OR contains(body, 'false')
      THEN regexp_replace(body, '"(price|qty)"\s*:\s*(true|false)', '"\1":null', 'g') ELSE body END
"""
"""A body without prices and quantities that are true or false, which are no numbers to lines.sql, and 1 or 0 to DuckDB."""
_ROUTE = '{"route_points": [["DOUBLE"]], "eta_mins": "DOUBLE"}'

Limits = tuple[float, float]

QTY: Limits = (0.0, 10_000.0)
PRICE: Limits = (-100_000.0, 100_000.0)
"""Plausible quantities and prices of an item (negative: a discount), both ends included, as in `sources/queries/lines.sql`: what
is beyond them counts as not recorded."""
ETA_MINS: Limits = (0.0, 24 * 60.0)
"""Plausible minutes that a driver is promised to take."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Planned routes of drivers: order (r,) int32, offsets (r+1,) int64 into lat, lon (p,) float64 degrees."""

    order: NDArray[np.int32]
    offsets: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]


def _bodies(events: Events, rows: pa.Table, kind: int) -> tuple[NDArray[np.int32], pa.Table]:
    """Return the orders that have an event of type `kind`, and all bodies with a column that selects each order's first.

    Both are in the order of `rows`. The bodies are selected rather than copied, because they take most of the memory.
    """
    positions = np.flatnonzero(events.type == kind)
    _, firsts = np.unique(events.order[positions], return_index=True)
    positions = positions[firsts]
    positions = positions[np.argsort(events.row[positions])]
    wanted = np.zeros(len(rows), dtype=bool)
    wanted[events.row[positions]] = True
    return events.order[positions], pa.table({"body": rows["body"], "wanted": wanted})


@cache
def _engine() -> "duckdb.DuckDBPyConnection":
    """Return an empty database to parse with; it is reused, because opening one takes longer than parsing an order's bodies."""
    return duckdb.connect()


def _parse(bodies: pa.Table, structure: str) -> pa.StructArray:
    """Return JSON bodies, all or those `wanted`, as typed structs; what does not fit the structure is NULL, never an error.

    That the bodies are JSON is the source's business (`sources/queries/__init__.py`).
    """
    some = " WHERE wanted" if "wanted" in bodies.column_names else ""
    with _engine().cursor() as connection:
        connection.register("bodies", bodies)
        value = f"json_transform(body, '{structure}')"
        query = f"SELECT {value} AS value FROM bodies{some}"
        if structure == _ITEMS:
            typed = f"SELECT body, {value} AS value FROM (SELECT {_NUMBERED} AS body FROM bodies{some})"
            again = f"coalesce(json_transform({_UNWRAPPED}, '{structure}'), value)"
            query = f"SELECT CASE WHEN value.items IS NULL THEN {again} ELSE value END AS value FROM ({typed})"
        return connection.sql(query).to_arrow_table()["value"].combine_chunks()


def items(
    events: Events, rows: pa.Table, brand_names: Mapping[str, str], n: int
) -> tuple[dict[str, Any], pa.StringArray]:
    """Return the item columns of `Orders` and the addresses (n,), from the bodies of order_created.

    Among the columns is `odd`, (n,) bool: whether an item has a number beyond `QTY` or `PRICE`.
    """
    order, bodies = _bodies(events, rows, ev.ORDER_CREATED)
    by_order = np.argsort(order)
    order, parsed = order[by_order], _parse(bodies, _ITEMS).take(pa.array(by_order))
    lines = pc.fill_null(pc.list_value_length(pc.struct_field(parsed, "items")), 0).to_numpy().astype(np.int64)
    counts = np.zeros(n, dtype=np.int64)
    counts[order] = lines
    item_offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    flat = pc.list_flatten(pc.struct_field(parsed, "items"))
    of_order = np.repeat(order, lines)
    qty, odd_qty = _plausible(pc.struct_field(flat, "qty"), QTY, missing=1)
    price, odd_price = _plausible(pc.struct_field(flat, "price"), PRICE, missing=0)
    odd = np.zeros(n, dtype=bool)
    odd[of_order[odd_qty | odd_price]] = True
    revenue = np.bincount(of_order, weights=qty * price, minlength=n)
    brand_ids = pc.struct_field(flat, "brand_id").cast(pa.string())
    brands = pc.dictionary_encode(pc.if_else(pc.equal(brand_ids, ""), pa.scalar(None, pa.string()), brand_ids))
    named = [brand_names.get(brand, f"brand {brand}") for brand in brands.dictionary.to_pylist()]
    addresses = np.full(n, None, dtype=object)
    addresses[order] = pc.struct_field(parsed, "customer_addr").to_numpy(zero_copy_only=False)
    columns = {
        "item_offsets": item_offsets,
        "item_names": small(pc.dictionary_encode(pc.struct_field(flat, "name").cast(pa.string()))),
        "item_brands": small(pa.DictionaryArray.from_arrays(brands.indices, pa.array(named, pa.string()))),
        "item_qty": qty,
        "item_price": price,
        "revenue": revenue.astype(np.float32),
        "odd": odd,
    }
    return columns, pa.array(addresses, pa.string())


def _plausible(
    numbers: pa.DoubleArray, limits: Limits, missing: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return numbers (k,), `missing` where there is none within the limits; and whether each was there and beyond them."""
    values = numbers.to_numpy(zero_copy_only=False)  # NULL is NaN here, and NaN is never within
    within = (values >= limits[0]) & (values <= limits[1])
    odd = ~within & pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    return np.where(within, values, missing).astype(np.float32), odd


def small(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return the same texts with 16-bit codes where they suffice: a menu has a few hundred names."""
    if len(texts.dictionary) > np.iinfo(np.int16).max:
        return texts
    return pa.DictionaryArray.from_arrays(texts.indices.cast(pa.int16()), texts.dictionary)


def routes(events: Events, rows: pa.Table, n: int) -> tuple[Routes, NDArray[np.float32], NDArray[np.bool_]]:
    """Return the planned routes and the promised minutes (n,), NaN where unknown, from the bodies of driver_picked_up.

    The last, (n,) bool, is whether the minutes are unknown because they are beyond `ETA_MINS`.
    """
    order, bodies = _bodies(events, rows, ev.DRIVER_PICKED_UP)
    route, lat, lon, minutes = route_points(bodies)
    eta_mins, odd = np.full(n, np.nan, np.float32), np.zeros(n, dtype=bool)
    eta_mins[order], odd[order] = _plausible(minutes, ETA_MINS, missing=np.nan)
    counts = np.bincount(route, minlength=len(order))
    is_route = counts >= 2  # a single point is not a route
    if not is_route.all():
        lat, lon = lat[is_route[route]], lon[is_route[route]]
    offsets = np.concatenate(([0], np.cumsum(counts[is_route]))).astype(np.int64)
    return Routes(order[is_route].astype(np.int32), offsets, lat, lon), eta_mins, odd


def route_points(
    bodies: pa.Table,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], pa.DoubleArray]:
    """Return the route points in bodies of driver_picked_up: each point's body number, lat and lon; and each body's eta_mins.

    `bodies` has the column `body` and may have a boolean column `wanted` that selects some of them.
    """
    parsed = _parse(bodies, _ROUTE)
    minutes = pc.struct_field(parsed, "eta_mins")
    points = pc.struct_field(parsed, "route_points")
    lengths = pc.fill_null(pc.list_value_length(points), 0).to_numpy().astype(np.int64)
    lat, lon = _pairs(pc.list_flatten(points))
    body = np.repeat(np.arange(len(lengths)), lengths)
    good = (np.abs(lat) <= 85.05) & (np.abs(lon) <= 180) & ~((lat == 0) & (lon == 0))
    if not good.all():
        body, lat, lon = body[good], lat[good], lon[good]
    return body, lat, lon, minutes


def _pairs(points: pa.ListArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first two numbers of each list, NaN where there are fewer."""
    if not len(points):
        return np.empty(0), np.empty(0)
    lengths = pc.fill_null(pc.list_value_length(points), 0).to_numpy().astype(np.int64)
    values = np.asarray(pc.list_flatten(points).to_numpy(zero_copy_only=False), dtype=np.float64)
    if (lengths == 2).all():
        return values[::2], values[1::2]
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    whole = lengths >= 2
    lat, lon = np.full(len(lengths), np.nan), np.full(len(lengths), np.nan)
    lat[whole], lon[whole] = values[starts[whole]], values[starts[whole] + 1]
    return lat, lon
