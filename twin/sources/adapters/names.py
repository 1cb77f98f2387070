"""What the names of columns and activities say: how well each fits a role, by RapidFuzz against words that such data uses."""

import re
from functools import cache

from rapidfuzz import fuzz

from twin.sources.adapters.mapping import PING

CLOSE = 0.8
"""Least likeness of two words that counts: below it, words that merely share letters are taken for each other."""
HALF = 0.5
"""Least share of a name that a phrase within it must be: "store and forward flag" is no store."""
EXACT = 0.95
"""Least likeness for a name with a word of something else: "dropped off" is a delivery, "shift off" is none."""

_WIDER_THAN_KITCHENS = {
    "location": 0.88, "location id": 0.88, "vendor": 0.85, "vendor id": 0.85, "vendor name": 0.85, "hub": 0.85, "hub id": 0.85,
    "site": 0.85, "depot": 0.85, "station id": 0.82, "market id": 0.82, "city": 0.82, "region id": 0.81,
}  # fmt: skip
"""Words of places that hold several kitchens, or that mean something else in other trades, with how much they say."""

WORDS: dict[str, tuple[str, ...]] = {
    "order_created": (
        "created", "order created", "order placed", "placed", "ordered", "order", "purchase", "placement",
        "submitted", "requested",
        "request", "checkout", "booked", "new order", "order received", "platform order",
    ),
    "gk_started": (
        "started", "kitchen started", "cooking started", "prep started", "preparation started", "accepted",
        "confirmed", "approved",
        "restaurant accepted", "in preparation", "cooking", "preparing", "begin cooking", "accepted by restaurant",
    ),
    "gk_finished": (
        "finished", "kitchen finished", "cooking finished", "cooked", "prep finished", "preparation finished",
        "cooking done",
    ),
    "gk_ready": (
        "ready", "food ready", "meal ready", "ready for pickup", "packed", "prepared", "order ready",
        "ready for collection",
    ),
    "driver_arrived": (
        "driver arrived", "courier arrived", "rider arrived", "arrived at restaurant", "arrived at store",
        "arrived at merchant",
        "arrived at pickup", "courier at venue", "courier at restaurant", "at restaurant", "arrive shop",
        "arrival at restaurant",
        "arrived kitchen", "at vendor", "courier waiting", "arrived at vendor", "arrive",
    ),
    "driver_picked_up": (
        "picked up", "pickup", "picked", "driver picked up", "courier picked up", "collected", "food collected",
        "fetched", "fetch",
        "out for delivery", "left restaurant", "departed", "on the way", "in transit", "handed to carrier",
        "delivered carrier",
        "trip start", "shipped", "order picked", "dispatched", "start", "departure",
    ),
    "delivered": (
        "delivered", "order delivered", "delivery", "dropped off", "dropoff", "drop off", "arrived at customer",
        "completed",
        "delivered customer", "handed over", "handed to customer", "trip end", "end", "at customer",
        "actual delivery", "complete", "arrived", "arrive", "arrival",
    ),
    "order_cancelled": ("cancelled", "canceled", "order cancelled", "rejected", "aborted", "refunded", "declined"),
    PING: ("ping", "gps", "position", "gps fix", "location update", "driver location", "courier location", "en route"),
    "order_id": (
        "order id", "order", "order number", "order no", "order key", "order uuid", "case id", "case", "case concept name",
        "delivery id", "trip id",
        "waybill id", "ticket", "ticket id", "booking id", "ride id", "job id", "parcel id", "shipment id",
        "invoice id", "id",
        "order ref", "order code", "id pedido",
    ),
    "kitchen": (
        "kitchen", "kitchen id", "restaurant", "restaurant id", "store", "store id", "merchant", "merchant id", "poi id",
        "shop", "shop id", "venue", "venue id", "branch", "outlet", "restaurant name", "store name", "local", "restaurante",
        "tienda", "filiale", "magasin", *_WIDER_THAN_KITCHENS,
    ),
    "activity": (
        "activity", "event", "event type", "event name", "status", "state", "action", "type", "step", "milestone",
        "concept name",
        "order status", "transition", "activity name", "what", "phase", "stage",
    ),
    "sequence": ("sequence", "seq", "seq no", "sequence number", "event index", "event number", "step number"),
    "brand": ("brand", "brand id", "brand name", "menu brand"),
    "item": ("item", "item name", "dish", "product", "product name", "dish name", "menu item", "food"),
    "price": ("price", "total", "total price", "subtotal", "amount", "order value", "revenue", "fare",
    "bill total",
              "total amount", "order total", "basket value"),
    "quantity": ("quantity", "qty", "item count", "total items", "number of items", "items count", "num items"),
    "route": ("route", "polyline", "path", "trajectory", "route points", "geometry", "gps points", "trace",
    "points", "track"),
}  # fmt: skip

NOT_HAPPENED = frozenset(
    [
        "estimated",
        "estimate",
        "estimation",
        "eta",
        "promised",
        "promise",
        "expected",
        "planned",
        "plan",
        "scheduled",
        "schedule",
        "target",
        "deadline",
        "due",
        "sla",
        "predicted",
        "prediction",
        "forecast",
        "quoted",
        "requested_for",
        "limit",
        "latest",
        "earliest",
        "window",
        "slot",
    ]
)
"""Words of times that did not happen but were meant to."""
NOT_OURS = frozenset(
    [
        "gps",
        "updated",
        "update",
        "modified",
        "loaded",
        "ingested",
        "inserted",
        "synced",
        "review",
        "reviewed",
        "survey",
        "birth",
        "signup",
        "registered",
        "shift",
        "on",
        "off",
        "login",
        "logout",
        "assigned",
        "assignment",
        "assign",
        "grab",
        "grabbed",
        "push",
        "pushed",
        "dispatch",
        "notified",
        "offered",
        "paid",
        "payment",
        "refund",
    ]
)
"""Words of things that happen beside an order's way, or that no milestone of ours stands for."""
_FILLERS = frozenset(
    [
        "time",
        "timestamp",
        "ts",
        "datetime",
        "date",
        "utc",
        "local",
        "at",
        "dt",
        "actual",
        "the",
        "a",
        "of",
        "is",
        "was",
        "and",
        "millis",
        "ms",
        "epoch",
        "unix",
        "sec",
        "s",
    ]
)
_BOUND = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case.

    >>> words("orderPlacedAt"), words("Time_Order_picked"), words("GPSLat")
    (['order', 'placed', 'at'], ['time', 'order', 'picked'], ['gps', 'lat'])
    """
    return [word.lower() for word in _BOUND.split(name) if word]


def plain(name: str) -> str:
    """Return the words that matter for a milestone.

    >>> plain("courier_arrived_at_ts"), plain("order_time")
    ('courier arrived', 'order')
    """
    kept = [word for word in words(name) if word not in _FILLERS]
    return " ".join(kept or words(name))


@cache
def likeness(name: str, role: str) -> float:
    """Return how well a name fits a role, 0 to 1.

    The whole name against whole phrases, so that "order delivered" is a delivery more than an order.

    >>> likeness("delivered_at", "delivered"), likeness("Picked-Up Time", "driver_picked_up") > 0.9, likeness("eta", "delivered")
    (1.0, True, 0.0)
    """
    text = plain(name)
    if is_time_role(role) and says_not_happened(name):
        return 0.0
    best = max(_alike(text, phrase) * _WIDER_THAN_KITCHENS.get(phrase, 1.0) for phrase in WORDS[role])
    least = EXACT if is_time_role(role) and says_beside(name) else CLOSE
    return best if best >= least else 0.0


def _alike(text: str, phrase: str) -> float:
    exact = fuzz.ratio(text, phrase) / 100
    sorted_words = fuzz.token_sort_ratio(text, phrase) / 100
    held = set(phrase.split()) <= set(text.split())
    share = len(phrase.split()) / max(1, len(text.split()))
    return float(max(exact, sorted_words * 0.98, (0.88 + 0.1 * share) if held and share >= HALF else 0.0))


def is_time_role(role: str) -> bool:
    """Return whether a role is a milestone or a ping."""
    return role.startswith(("order_c", "gk_", "driver_", "delivered"))


def says_not_happened(name: str) -> bool:
    """Return whether a name speaks of a time that was meant rather than one that was measured."""
    return bool(NOT_HAPPENED & set(words(name)))


def says_beside(name: str) -> bool:
    """Return whether a name speaks of what happens beside an order's way."""
    return bool(NOT_OURS & set(words(name)))


def says_shift(name: str) -> bool:
    """Return whether a name speaks of a courier's shift.

    >>> says_shift("on_time"), says_shift("created_on")
    (True, False)
    """
    of = words(name)
    return bool({"shift", "login", "logout"} & set(of)) or of[:1] in (["on"], ["off"])


_LAT = frozenset(["lat", "latitude"])
_LON = frozenset(["lon", "lng", "long", "longitude"])
_EAST = frozenset(["x", "easting", "east"])
_NORTH = frozenset(["y", "northing", "north"])
_PLACES = {
    "customer": "customer client user recipient receiver home eater consumer",
    "handover": "dropoff drop off delivery delivered dest destination end deliver",
    "kitchen_place": "kitchen restaurant store merchant vendor shop pickup pick sender origin start venue "
    "warehouse from hub source",
    "position": "driver courier rider gps loc location position current vehicle agent cab taxi",
}


def axis(name: str) -> str:
    """Return lat, lon, x or y for what a name says that it holds, else "".

    >>> [axis(name) for name in ("dropoff_latitude", "Restaurant Lng", "x", "pickup_y", "late")]
    ['lat', 'lon', 'x', 'y', '']
    """
    of = set(words(name))
    for which, marks in (("lat", _LAT), ("lon", _LON), ("x", _EAST), ("y", _NORTH)):
        if of & marks:
            return which
    return ""


def place(name: str) -> str:
    """Return whose place a coordinate's name says that it is; "" if it does not say.

    >>> place("Restaurant_latitude"), place("dropoff_lon"), place("courier_lat"), place("lat")
    ('kitchen_place', 'handover', 'position', '')
    """
    of = set(words(name)) - {"lat", "latitude", "lon", "lng", "long", "longitude"}
    return next((role for role, marks in _PLACES.items() if of & set(marks.split())), "")


def stem(name: str) -> str:
    """Return a coordinate's name without its axis, by which two columns are a pair."""
    return " ".join(word for word in words(name) if word not in _LAT | _LON | _EAST | _NORTH)
