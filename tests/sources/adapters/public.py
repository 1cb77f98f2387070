"""More shapes of public records, whose columns are only in part ours: what each column is, or may be taken for.

Columns, forms of times and traps are as such records have them; all values are made here.
"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from tests.sources.adapters.foreign import START, Record, life

# fmt: off
N = 150
EITHER = "|"
"""Between roles that are both right."""


def written(at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return at.strftime(form)


def epoch(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001


def near(random_: random.Random, lat: float, lon: float) -> tuple[float, float]:
    return round(lat + random_.gauss(0, 0.02), 6), round(lon + random_.gauss(0, 0.02), 6)


def riders(random_: random.Random) -> Record:
    """A column with the date, others with times of day, some `NaN `; a rating and an age; day first, not ISO."""
    rows = []
    for k in range(N):
        at, kitchen, home = life(random_, 3 * k), near(random_, 22.74, 75.89), near(random_, 22.76, 75.91)
        rows.append({
            "ID": f"0x{k:04x}", "Person_ID": f"INDORES{k % 13:02}DEL{k % 3:02}", "Person_Age": random_.randint(20, 40),
            "Restaurant_latitude": kitchen[0], "Restaurant_longitude": kitchen[1], "Delivery_location_latitude": home[0],
            "Delivery_location_longitude": home[1], "Order_Date": written(at["order_created"], "%d-%m-%Y"),
            "Time_Orderd": "NaN " if k % 25 == 7 else written(at["order_created"], "%H:%M:%S"),
            "Time_Order_picked": written(at["driver_picked_up"], "%H:%M:%S"), "Road_traffic_density": "High ",
            "Time_taken(min)": f"(min) {random_.randint(10, 50)}",
        })
    return Record(rows, "wide", {
        "ID": "order_id", "Restaurant_latitude": "kitchen_place_lat", "Restaurant_longitude": "kitchen_place_lon",
        "Delivery_location_latitude": "handover_lat", "Delivery_location_longitude": "handover_lon", "Order_Date": "date",
        "Time_Orderd": "order_created", "Time_Order_picked": "driver_picked_up",
    })


def marketplace(random_: random.Random) -> Record:
    """Created and delivered only; a market that holds many stores, prices in cents, estimates in seconds."""
    rows = []
    for k in range(N):
        at = life(random_, k)
        rows.append({
            "market_id": float(k % 6 + 1), "created_at": written(at["order_created"]),
            "actual_delivery_time": written(at["delivered"]),
            "store_id": k % 40, "store_primary_category": random_.choice(["thai", "pizza"]), "order_protocol": float(k % 5),
            "total_items": random_.randint(1, 6), "subtotal": random_.randint(500, 6000), "min_item_price": 300,
            "total_onshift_dashers": 33.0, "total_outstanding_orders": 21.0, "estimated_order_place_duration": 446,
        })
    return Record(rows, "wide", {
        "created_at": "order_created", "actual_delivery_time": "delivered", "store_id": "kitchen", "subtotal": "price",
    })


def dispatching(random_: random.Random) -> Record:
    """Epoch seconds with 0 for never, degrees times a million, times of pushing, grabbing and estimates between ours."""
    rows = []
    for k in range(N):
        at, never = life(random_, k), k % 20 == 3
        kitchen, home, courier = (near(random_, 45.9, 174.5) for _ in range(3))
        rows.append({
            "order_id": 3 * k + 5, "waybill_id": k + 100_000, "courier_id": k % 50, "is_courier_grabbed": int(not never),
            "poi_id": k % 30, "estimate_arrived_time": epoch(at["delivered"]) + 600,
            **{f"{who}_{axis}": int(place[axis == "lng"] * 1e6)
               for who, place in (("sender", kitchen), ("recipient", home), ("grab", courier)) for axis in ("lng", "lat")},
            "dispatch_time": epoch(at["order_created"]) + 30, "grab_time": 0 if never else epoch(at["order_created"]) + 60,
            "fetch_time": 0 if never else epoch(at["driver_picked_up"]), "arrive_time": 0 if never else epoch(at["delivered"]),
            "estimate_meal_prepare_time": epoch(at["gk_ready"]), "order_push_time": epoch(at["order_created"]) + 20,
            "platform_order_time": epoch(at["order_created"]),
        })
    return Record(rows, "wide", {
        "order_id": "order_id", "poi_id": "kitchen", "sender_lng": "kitchen_place_lon", "sender_lat": "kitchen_place_lat",
        "recipient_lng": "customer_lon", "recipient_lat": "customer_lat", "fetch_time": "driver_picked_up",
        "arrive_time": "delivered", "platform_order_time": "order_created",
    })


def parcels(random_: random.Random) -> Record:
    """Durations of days instead of minutes, and a date that was promised."""
    rows = []
    for k in range(N):
        created = START + timedelta(minutes=37 * k)
        approved = created + timedelta(minutes=random_.expovariate(1 / 40))
        carrier = approved + timedelta(days=random_.uniform(0.5, 5))
        rows.append({
            "order_id": f"{random_.getrandbits(128):032x}", "customer_id": f"{random_.getrandbits(128):032x}",
            "order_status": "shipped" if k % 20 == 1 else "delivered", "order_purchase_timestamp": written(created),
            "order_approved_at": written(approved), "order_delivered_carrier_date": written(carrier),
            "order_delivered_customer_date": written(carrier + timedelta(days=random_.uniform(2, 14))),
            "order_estimated_delivery_date": written(created + timedelta(days=25), "%Y-%m-%d 00:00:00"),
        })
    return Record(rows, "wide", {
        "order_id": "order_id", "order_purchase_timestamp": "order_created", "order_approved_at": "gk_started",
        "order_delivered_carrier_date": "driver_picked_up", "order_delivered_customer_date": "delivered",
    })


def meters(random_: random.Random) -> Record:
    """Taxi trips without an id, in a half day's clock; whoever sold the meter is no kitchen for sure."""
    rows = []
    for k in range(N):
        at, form = life(random_, k), "%m/%d/%Y %I:%M:%S %p"
        rows.append({
            "VendorID": k % 2 + 1, "tpep_pickup_datetime": written(at["driver_picked_up"], form),
            "tpep_dropoff_datetime": written(at["delivered"], form), "passenger_count": 1, "trip_distance": 2.1,
            "store_and_fwd_flag": "N", "PULocationID": random_.randint(1, 30), "DOLocationID": random_.randint(1, 200),
            "tip_amount": 2.5, "total_amount": round(random_.uniform(5, 60), 2),
        })
    return Record(rows, "wide", {
        "VendorID": f"{EITHER}kitchen", "tpep_pickup_datetime": "driver_picked_up", "tpep_dropoff_datetime": "delivered",
        "total_amount": "price",
    })


def traces(random_: random.Random) -> Record:
    """Taxi trips with a start and a way, and no end: none is made up."""
    rows = []
    for k in range(N):
        lat, lon = near(random_, 41.15, -8.61)
        way = [[round(lon + i * 0.0003, 6), round(lat + i * 0.0002, 6)] for i in range(random_.randint(2, 30))]
        rows.append({
            "TRIP_ID": 1372636858620000589 + k, "CALL_TYPE": "ABC"[k % 3], "ORIGIN_STAND": k % 60, "TAXI_ID": 20000000 + k % 50,
            "TIMESTAMP": 1372636858 + 97 * k, "MISSING_DATA": "False", "POLYLINE": json.dumps(way),
        })
    return Record(rows, "wide", {
        "TRIP_ID": "order_id", "TIMESTAMP": f"order_created{EITHER}driver_picked_up", "POLYLINE": "route",
    })


def process_log(random_: random.Random) -> Record:
    """The columns of the process-mining standard, with offsets."""
    labels = {
        "Create order": "order_created", "Start preparation": "gk_started", "Finish preparation": "gk_finished",
        "Pick up by rider": "driver_picked_up", "Deliver to customer": "delivered",
    }
    rows = []
    for k in range(N):
        at = life(random_, k)
        rows += [
            {"case:concept:name": f"case_{k}", "concept:name": label,
             "time:timestamp": written(at[kind], "%Y-%m-%dT%H:%M:%S+02:00"),
             "org:resource": f"res{k % 9}"}
            for label, kind in labels.items()
        ]
    return Record(rows, "long", {
        "case:concept:name": "order_id", "concept:name": "activity", "time:timestamp": "time",
    }, labels)


def positions(random_: random.Random) -> Record:
    """Positions of trips, and no event at all."""
    rows = []
    for k in range(N // 5):
        begin = START + timedelta(minutes=9 * k)
        rows += [
            {"trip_id": f"t{k}", "timestamp": written(begin + timedelta(seconds=20 * i)), "latitude": round(40.7 + i * 0.001, 5),
             "longitude": round(-74 + i * 0.001, 5), "speed": random_.randint(0, 60)}
            for i in range(30)
        ]
    return Record(rows, "long", {
        "trip_id": "order_id", "timestamp": "time", "latitude": "position_lat", "longitude": "position_lon",
    })


def another_language(random_: random.Random) -> Record:
    """Semicolons, day first, and names of which hardly one is known: the order of the process tells the times."""
    rows = []
    for k in range(N):
        at, form = life(random_, 40 * k), "%d/%m/%Y %H:%M"
        rows.append({
            "Pedido id": f"P-{k:05}", "Local": random_.choice(["Centro", "Norte"]),
            "Hora entrega": written(at["delivered"], form),
            "Hora pedido": written(at["order_created"], form), "Hora recogida": written(at["driver_picked_up"], form),
            "Total": f"{random_.uniform(5, 60):.2f}",
        })
    return Record(rows, "wide", {
        "Pedido id": "order_id", "Local": "kitchen", "Hora entrega": "delivered", "Hora pedido": "order_created",
        "Hora recogida": "driver_picked_up", "Total": "price",
    }, delimiter=";")


def shifts(random_: random.Random) -> Record:
    """Shifts of couriers, planar: no orders at all."""
    rows = [
        {"courier": f"c{k}", "x": random_.randint(-3000, 9000), "y": random_.randint(-3000, 9000),
         "on_time": random_.randint(0, 500), "off_time": random_.randint(600, 1400)}
        for k in range(N)
    ]
    return Record(rows, "wide", {})


RECORDS: Mapping[str, Callable[[random.Random], Record]] = {
    one.__name__: one
    for one in (riders, marketplace, dispatching, parcels, meters, traces, process_log, positions, another_language)
}
# fmt: on
