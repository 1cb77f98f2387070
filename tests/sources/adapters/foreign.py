"""Files as strangers have them: the shapes of public records, made anew with values such as theirs, and what is true of them."""

import csv
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2024, 3, 1)  # noqa: DTZ001


@dataclass
class Record:
    """A file's rows, and what its columns or activities are."""

    rows: list[dict[str, Any]]
    shape: str
    roles: Mapping[str, str]
    """Role by column."""
    events: Mapping[str, str] = field(default_factory=dict)
    """Event by activity."""
    orders: int = 0
    moments: int = 0
    """Cells with a time (wide) or rows (long)."""
    delimiter: str = ","

    def write(self, folder: Path, name: str = "orders.csv") -> Path:
        path = folder / name
        if path.suffix == ".json":
            path.write_text(json.dumps(self.rows))
            return path
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]), delimiter=self.delimiter)
            writer.writeheader()
            writer.writerows(self.rows)
        return path


def life(random_: random.Random, number: int) -> dict[str, datetime]:
    """The times of one order; a driver arrives before or after the food is ready."""

    def later(at: datetime, mean: float, spread: float) -> datetime:
        return at + timedelta(minutes=max(0.1, random_.gauss(mean, spread)))

    created = START + timedelta(minutes=7.3 * number + random_.random() * 5)
    started = later(created, 2, 1)
    finished = later(started, 10, 3)
    ready = later(finished, 2, 1)
    picked = later(ready, 6, 2)
    arrived = created + (picked - created) * random_.betavariate(5, 3)
    return {
        "order_created": created, "gk_started": started, "gk_finished": finished, "gk_ready": ready, "driver_arrived": arrived,
        "driver_picked_up": picked, "delivered": later(picked, 12, 4),
    }  # fmt: skip


def wide_shop(n: int = 400, seed: int = 1) -> Record:
    """Four timestamps and one that was promised, no coordinates; 4 % of the orders never arrive."""
    random_, rows, moments = random.Random(seed), [], 0
    for number in range(n):
        at = life(random_, number)
        delivered = f"{at['delivered']:%Y-%m-%d %H:%M:%S}" if random_.random() > 0.04 else ""
        rows.append(
            {
                "order_id": f"{random_.getrandbits(128):032x}",
                "store_id": random_.choice(["112", "245", "871"]),
                "customer_state": random_.choice(["SP", "RJ"]),
                "order_purchase_timestamp": f"{at['order_created']:%Y-%m-%d %H:%M:%S}",
                "order_approved_at": f"{at['gk_started']:%Y-%m-%d %H:%M:%S}",
                "order_collected_date": f"{at['driver_picked_up']:%Y-%m-%d %H:%M:%S}",
                "order_delivered_customer_date": delivered,
                "order_estimated_delivery_date": f"{at['order_created'] + timedelta(minutes=45):%Y-%m-%d %H:%M:%S}",
                "subtotal": f"{random_.uniform(8, 60):.2f}",
            }
        )
        moments += 3 + bool(delivered)
    roles = {
        "order_id": "order_id", "store_id": "kitchen", "customer_state": "", "order_purchase_timestamp": "order_created",
        "order_approved_at": "gk_started", "order_collected_date": "driver_picked_up",
        "order_delivered_customer_date": "delivered", "order_estimated_delivery_date": "", "subtotal": "price",
    }  # fmt: skip
    return Record(rows, "wide", roles, orders=n, moments=moments)


def opaque_wide(n: int = 300, seed: int = 2) -> Record:
    """Times whose names say nothing: only the order of the process tells them apart."""
    random_ = random.Random(seed)
    rows = []
    for number in range(n):
        at = life(random_, number)
        rows.append(
            {
                "ref": f"R{number:05}", "t3": at["delivered"].isoformat("T", "seconds"),
                "t1": at["driver_picked_up"].isoformat("T", "seconds"), "t2": at["order_created"].isoformat("T", "seconds"),
            }
        )  # fmt: skip
    return Record(
        rows, "wide", {"t2": "order_created", "t1": "driver_picked_up", "t3": "delivered"}, orders=n, moments=3 * n
    )


def couriers_planar(n: int = 300, seed: int = 3) -> Record:
    """Orders of couriers' shifts: places in planar metres, times in minutes from the beginning of a day that nothing names."""
    random_ = random.Random(seed)
    rows = []
    for number in range(n):
        at = life(random_, number)
        minutes = {key: int((value - START).total_seconds() // 60) for key, value in at.items()}
        rows.append(
            {
                "order": f"o{number}", "restaurant": f"r{number % 12}", "x": random_.randint(-4000, 9000),
                "y": random_.randint(-4000, 9000), "placement_time": minutes["order_created"],
                "ready_time": minutes["gk_ready"], "pickup_time": minutes["driver_picked_up"],
                "dropoff_time": minutes["delivered"], "courier": f"c{number % 25}",
            }
        )  # fmt: skip
    roles = {
        "order": "order_id", "restaurant": "kitchen", "x": "", "y": "", "placement_time": "order_created",
        "ready_time": "gk_ready", "pickup_time": "driver_picked_up", "dropoff_time": "delivered", "courier": "",
    }  # fmt: skip
    return Record(rows, "wide", roles, orders=n, moments=4 * n)


def taxi(n: int = 200, seed: int = 4) -> Record:
    """Taxi trips: start, end, places of both, and the way as a list of points, longitude first."""
    random_ = random.Random(seed)
    rows = []
    for number in range(n):
        at = life(random_, number)
        lat, lon = 41.15 + random_.gauss(0, 0.01), -8.61 + random_.gauss(0, 0.01)
        to = lat + random_.gauss(0, 0.02), lon + random_.gauss(0, 0.02)
        way = [[round(lon + (to[1] - lon) * k / 8, 6), round(lat + (to[0] - lat) * k / 8, 6)] for k in range(9)]
        rows.append(
            {
                "TRIP_ID": 13726365896200 + number, "TAXI_ID": 20000000 + number % 40,
                "START_TIME": int((at["driver_picked_up"] - datetime(1970, 1, 1)).total_seconds()),  # noqa: DTZ001
                "END_TIME": int((at["delivered"] - datetime(1970, 1, 1)).total_seconds()),  # noqa: DTZ001
                "pickup_latitude": f"{lat:.6f}", "pickup_longitude": f"{lon:.6f}",
                "dropoff_latitude": f"{to[0]:.6f}", "dropoff_longitude": f"{to[1]:.6f}", "POLYLINE": json.dumps(way),
            }
        )  # fmt: skip
    roles = {
        "TRIP_ID": "order_id", "TAXI_ID": "", "START_TIME": "driver_picked_up", "END_TIME": "delivered",
        "pickup_latitude": "kitchen_place_lat", "pickup_longitude": "kitchen_place_lon", "dropoff_latitude": "handover_lat",
        "dropoff_longitude": "handover_lon", "POLYLINE": "route",
    }  # fmt: skip
    return Record(rows, "wide", roles, orders=n, moments=2 * n)


OWN_NAMES = {
    "order_created": "ORDER_PLACED", "gk_started": "ACCEPTED_BY_RESTAURANT", "gk_ready": "FOOD_READY",
    "driver_arrived": "COURIER_AT_VENUE", "driver_picked_up": "FOOD_COLLECTED", "delivered": "DROPPED_OFF",
}  # fmt: skip
OPAQUE_NAMES = {
    "order_created": "S10", "gk_started": "S20", "gk_ready": "S30", "driver_picked_up": "S50", "delivered": "S60",
}  # fmt: skip


def platform_ticks(n: int = 200, seed: int = 5, labels: Mapping[str, str] = OWN_NAMES) -> Record:
    """A row per event with activities of its own, times in milliseconds, positions of couriers between them."""
    random_ = random.Random(seed)
    rows: list[dict[str, Any]] = []
    pings = 0
    for number in range(n):
        at = life(random_, number)
        ticks = [(at[kind], label) for kind, label in labels.items()]
        span = (at["delivered"] - at["driver_picked_up"]) / 6
        ticks += [(at["driver_picked_up"] + span * k, "TICK") for k in range(1, 5)]
        pings += 4
        for when, label in sorted(ticks):
            rows.append(
                {
                    "tick": round((when - datetime(1970, 1, 1)).total_seconds() * 1000), "orderId": 90000 + number,  # noqa: DTZ001
                    "what": label, "venueId": f"v{number % 3}",
                    "lat": f"{60.17 + random_.gauss(0, 0.01):.5f}", "lng": f"{24.94 + random_.gauss(0, 0.02):.5f}",
                }
            )  # fmt: skip
    rows.sort(key=lambda row: row["tick"])
    roles = {
        "tick": "time",
        "orderId": "order_id",
        "what": "activity",
        "venueId": "kitchen",
        "lat": "position_lat",
        "lng": "position_lon",
    }
    events = {label: kind for kind, label in labels.items()} | {"TICK": "driver_ping"}
    return Record(rows, "long", roles, events, orders=n, moments=len(rows))


SHAPES: Mapping[str, Callable[[], Record]] = {
    "wide with four timestamps": wide_shop, "names that say nothing": opaque_wide, "planar metres": couriers_planar, "taxi": taxi,
    "ticks": platform_ticks, "ticks with codes": lambda: platform_ticks(labels=OPAQUE_NAMES),
}  # fmt: skip
