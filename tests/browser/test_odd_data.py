"""The whole page on data that nobody promised: holes, doubles, disorder, other years, no map, no orders, a broken source."""

import json
import random
from pathlib import Path
from typing import Any

from tests.raw_orders import CUSTOMER, WHOLE, rows_of

Rows = list[dict[str, Any]]

ORDERS = 60
SEED = 3
KITCHEN_EVENTS = {"gk_started", "gk_finished", "gk_ready"}


def day(location: str, *, places: bool = True, year: str = "2025", number: int = ORDERS) -> Rows:
    """A lunch of `number` orders, one every three minutes from 11:00; every fourth has to wait for its driver."""
    rows: Rows = []
    for k in range(number):
        slow = 16 if k % 4 == 0 else 0
        shift = {"arrived": slow, "picked_up": slow, "delivered": slow}
        minutes = {name: 3 * k - 60 + at - 16 * (at > 14) + shift.get(name, 0) for name, at in WHOLE.items()}
        pings = {minutes["picked_up"] + at: 100 * at / 11 for at in (2, 4, 6, 8, 10)}
        lat, lon = CUSTOMER
        east = (lat - 0.001 * (k % 9), lon - 0.001 * (k % 7))
        route = [(37.791, -122.393), (37.791, east[1]), east]
        items = [{"brand_id": str(1 + k % 5), "name": f"Bowl {k % 11}", "price": 9.5 + k % 4, "qty": 1 + k % 2}]
        address = f"{k} Main Street" if places else None
        order = f"{location[:4].upper():X<4}{k:04d}"
        told = rows_of(
            order, minutes, pings=pings if places else None, route=route, items=items, address=address, places=places
        )
        rows += [{**row, "location": location, "ts": year + row["ts"][4:]} for row in told]
    return rows


def without(rows: Rows, *kinds: str) -> Rows:
    return [row for row in rows if row["event_type"] not in kinds]


def shuffled(rows: Rows) -> Rows:
    mixed = list(rows)
    random.Random(SEED).shuffle(mixed)
    return mixed


ODD: dict[str, Rows] = {
    "plain": day("plain"),
    "nowhere": day("nowhere", places=False),
    "kitchenless": without(day("kitchenless"), *KITCHEN_EVENTS),
    "uncreated": without(day("uncreated"), "order_created"),
    "undelivered": without(day("undelivered"), "driver_picked_up", "driver_ping", "delivered"),
    "single": day("single", number=1),
    "shuffled": shuffled(day("shuffled")),
    "doubled": [row for row in day("doubled") for _ in range(2)],
    "future": day("future", year="2031"),
}


def written(folder: Path) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for rows in ODD.values() for row in rows))
    return path
