"""A kitchen whose times are instants, over a day on which its clock changes, and the same orders counted the slow way."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from twin.foundation.settings import Settings
from twin.hub import Hub
from twin.sources.files import FileSource

ZONE = ZoneInfo("America/Los_Angeles")
PLACE = (37.791, -122.393)
CUSTOMER = (37.80, -122.405)

SPRING, FALL = dt.date(2025, 3, 9), dt.date(2025, 11, 2)
"""Sundays of 23 and 25 hours in Los Angeles."""

HOURLY = {0: 2, 1: 3, 2: 1, 9: 4, 12: 12, 13: 5, 18: 16, 23: 3}
"""Orders that come in each hour of the kitchen's clock, every day; in an hour that is shown twice, twice."""

TOOK_S = 1500.0


@dataclass(frozen=True)
class Order:
    """created: an instant; delivered 25 minutes later."""

    id: str
    created: dt.datetime

    @property
    def delivered(self) -> dt.datetime:
        return self.created + dt.timedelta(seconds=TOOK_S)


def orders_of(first: dt.date, days: int) -> list[Order]:
    """The orders of `days` days: minute by minute, each instant asked what the clock shows then."""
    start = dt.datetime(first.year, first.month, first.day, tzinfo=ZONE).astimezone(dt.UTC)
    last = first + dt.timedelta(days=days)
    found = []
    while (shown := start.astimezone(ZONE)).date() < last:
        number = HOURLY.get(shown.hour, 0)
        found += [Order(f"{len(found) + i:06X}", start + i * dt.timedelta(minutes=60 / number)) for i in range(number)]
        start += dt.timedelta(hours=1)
    return found


def write(folder: Path, orders: list[Order], location: str = "7") -> Path:
    """Write orders as a source has them: with the offset of the kitchen's zone, which changes among them."""
    bodies = {
        "order_created": {
            "customer_lat": CUSTOMER[0],
            "customer_lon": CUSTOMER[1],
            "items": [{"price": 10.0, "qty": 1}],
        },
        "driver_picked_up": {"route_points": [PLACE, CUSTOMER]},
        "delivered": {},
    }
    with (folder / "events.jsonl").open("w") as file:
        for order in orders:
            at = (order.created, order.created + dt.timedelta(minutes=15), order.delivered)
            for number, (kind, ts) in enumerate(zip(bodies, at, strict=True)):
                row = {
                    "event_type": kind, "ts": f"{ts.astimezone(ZONE)}", "location_id": location, "order_id": order.id,
                    "sequence": number, "body": json.dumps(bodies[kind]),
                }  # fmt: skip
                file.write(json.dumps(row) + "\n")
    return folder / "events.jsonl"


def hub_of(path: Path, settings: Settings | None = None) -> Hub:
    """Open files."""
    chosen = settings or Settings()
    return Hub(FileSource(path, settings=chosen), chosen)
