"""Orders written as raw event rows by hand, minute by minute, so that a test can count on its fingers."""

import json
import math
from pathlib import Path
from typing import Any

from twin.foundation.times import text
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

DAY = 1_760_572_800.0
"""2025-10-16 00:00 UTC."""
NOON = DAY + 12 * 3600
MINUTE = 60.0

EVIL = "<img src=x onerror=\"document.title='owned'\">"
KITCHEN = (37.791, -122.393)
CORNER = (37.791, -122.405)
CUSTOMER = (37.800, -122.405)
ROUTE = [KITCHEN, CORNER, CUSTOMER]

EVENTS = {
    "created": "order_created",
    "started": "gk_started",
    "finished": "gk_finished",
    "ready": "gk_ready",
    "arrived": "driver_arrived",
    "picked_up": "driver_picked_up",
    "delivered": "delivered",
    "cancelled": "order_cancelled",
}
WHOLE = {
    "created": 0, "started": 2, "finished": 12, "ready": 14, "arrived": 30, "picked_up": 32, "delivered": 43,
}  # fmt: skip
"""Minutes after noon of an order whose driver came 16 minutes after the food was ready; 43 minutes in all."""
ITEMS = [
    {"brand_id": "7", "name": "Pho", "price": 12.5, "qty": 2},
    {"brand_id": "8", "name": EVIL, "price": 4.0, "qty": 1},
]


def ground_metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance of two (lat, lon) on a sphere, by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(lat), math.radians(lon)) for lat, lon in (a, b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_378_137.0 * math.asin(math.sqrt(h))


def rows_of(
    order: str,
    minutes: dict[str, float],
    *,
    pings: dict[float, float] | None = None,
    route: list[tuple[float, float]] | None = ROUTE,
    eta: float | None = 10.0,
    items: list[dict[str, Any]] | None = None,
    address: str | None = "1 Main Street",
    places: bool = True,
) -> list[dict[str, Any]]:
    """The raw rows of one order; `minutes` after noon, `pings` minute → percent of the way, `places`: with coordinates."""
    items = ITEMS if items is None else items
    lat, lon = CUSTOMER if places else (None, None)
    bodies: dict[str, dict[str, Any]] = {
        "created": {"customer_lat": lat, "customer_lon": lon, "customer_addr": address, "items": items},
        "picked_up": {"route_points": route if places else None, "eta_mins": eta},
        "delivered": {"delivered_lat": lat, "delivered_lon": lon},
    }
    told = [(at, EVENTS[name], bodies.get(name, {})) for name, at in minutes.items()]
    told += [(at, "driver_ping", {"progress_pct": progress}) for at, progress in (pings or {}).items()]
    return [
        {
            "event_type": kind,
            "ts": text(NOON + at * MINUTE),
            "location": "sf",
            "order_id": order,
            "sequence": str(number),
            "body": json.dumps(body),
        }
        for number, (at, kind, body) in enumerate(told)
    ]


def timeline_of(folder: Path, *orders: list[dict[str, Any]], start: float = DAY, end: float = DAY + 86_400) -> Timeline:
    """The timeline of these orders' rows, read from a file as any source's are."""
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for rows in orders for row in rows))
    return Timeline.load(FileSource(path), "sf", start, end)
