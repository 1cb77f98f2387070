"""Bodies of events as nobody should write them, and what a strict reader makes of them."""

import json
import re
from pathlib import Path
from typing import Any

from tests.raw_orders import NOON
from twin.foundation.times import text

MOST_DEPTH, MOST_DIGITS = 32, 100
"""As docs/figures.md says; written down again, so that a change of the product's limit is seen."""

HUGE = "9" * 5_000
LONG = "x" * 20_000

NUMBERS = (
    "0", "-0", "-1", "1.5", "1e308", "-1e308", "1.7e308", "9007199254740993", "-9223372036854775809", "1" + "0" * 99, "1e-300",
    "5e-324", "1E+2",
)  # fmt: skip
"""Legal, however odd for a price."""
BAD_NUMBERS = (
    "NaN", "nan", "-NaN", "Infinity", "-Infinity", "inf", "+1", "01", ".5", "5.", "0x10", "1e400", "-1e999999", "12e308",
    "1.8e308", HUGE, "-" + HUGE, "0." + HUGE, "1e" + HUGE, "1_000", "--1", "1e", "٣",
)  # fmt: skip
"""Numbers that some parsers read, or that become infinite in one."""
TEXTS = (
    '""', '"NaN"', '"inf"', '"-1e400"', '"12"', '",]"', '",}"', '"[{"', r'"\u0000"', r'"\ud83c\udf5c"', '"🍜"', r'"\\"', r'"\""',
    r'"\\\""', '"\x7f"', r'"</script><img src=x onerror=alert(1)>"', '"\u2028"', r'"\\ud800"', f'"{LONG}"',
    f'"{HUGE}"', '"it\'s"',
)  # fmt: skip
BAD_TEXTS = (
    r'"\ud800"', r'"\udc00"', r'"\ud800\u0041"', r'"\ud83c\ud83c"', r'"\x41"', r'"\u00g0"', '"\n"', '"\t"', '"\x01"', "'single'",
    '"open', r'"\"',
)  # fmt: skip
SHAPES = (
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    '[{"a":[]}]',
    "[[1,2],[3]]",
    '{"a":1,"a":2}',
    "[1,[2,[3]]]",
    " [ 1 ] ",
)
BAD_SHAPES = (
    "[1,]",
    "[,]",
    '{"a":1,}',
    "{,}",
    "[1 2]",
    '{"a" 1}',
    "{a:1}",
    "{1:1}",
    "/**/1",
    "[1]]",
    "True",
    "None",
    "undefined",
    "",
    "[1, ]",
)


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


HIDDEN_DEPTH = "[[]," * 40 + "1" + "]" * 40
"""Deep, although no more than two brackets ever open one after the other."""
DEEP = (
    nested(MOST_DEPTH - 1),
    '{"a":' * (MOST_DEPTH - 2) + "1" + "}" * (MOST_DEPTH - 2),
    "[" + ",".join([nested(MOST_DEPTH - 2)] * 3) + "]",
)
TOO_DEEP = (
    nested(MOST_DEPTH), nested(200), nested(1_100), nested(100_000), '{"a":' * 20_000 + "1" + "}" * 20_000,
    HIDDEN_DEPTH,
    "[" * 100_000,
)  # fmt: skip
"""Values that are too deep as the field of a body."""

GOOD = (*NUMBERS, *TEXTS, *SHAPES, *DEEP)
BAD = (*BAD_NUMBERS, *BAD_TEXTS, *BAD_SHAPES, *TOO_DEEP)
AROUND = (
    '{"a":1} x',
    '{"a":1}{"b":2}',
    '{"a":1},',
    '{"a":1}],[{"b":2}',
    '{"a":1},{"b":2}',
    "{'a':1}",
    '{"a":1',
    '"a"',
    "[1]",
    "1",
    "{",
    "}",
    '{"a":1}}',
)
"""Whole bodies that are no object, or not only one."""


def read_strictly(body: str, most_depth: int = MOST_DEPTH) -> Any:
    """Parse JSON as strictly as the standard has it and no deeper than programs do. Raises ValueError."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    def number(digits: str) -> float:
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            raise ValueError(digits)
        return value

    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", body, flags=re.DOTALL)
    if re.search(f"[0-9]{{{MOST_DIGITS + 1}}}", bare):
        raise ValueError("a long number")
    depth = deepest = 0
    for bracket in bare:
        depth += (bracket in "[{") - (bracket in "]}")
        deepest = max(deepest, depth)
    if deepest > most_depth:
        raise ValueError("too deep")
    read = json.loads(body, parse_constant=refuse, parse_float=number)
    json.dumps(
        read, ensure_ascii=False, allow_nan=False
    ).encode()  # a UnicodeEncodeError, a ValueError, for half a pair
    return read


FIELDS: dict[str, tuple[str, ...]] = {
    "order_created": ("customer_lat", "customer_lon", "customer_addr", "items"),
    "driver_picked_up": ("route_points", "eta_mins"),
    "driver_ping": ("progress_pct", "loc_lat", "loc_lon"),
    "delivered": ("delivered_lat", "delivered_lon"),
    "gk_ready": ("note",),
}
"""What the bodies of the feed hold, by type of event."""

INSIDE: dict[str, str] = {
    "name": '{"customer_addr":"1 Main","items":[{"brand_id":"7","name":%s,"price":12.5,"qty":2}]}',
    "brand_id": '{"customer_addr":"1 Main","items":[{"brand_id":%s,"name":"Pho","price":12.5,"qty":2}]}',
    "price": '{"customer_addr":"1 Main","items":[{"brand_id":"7","name":"Pho","price":%s,"qty":2}]}',
    "qty": '{"customer_addr":"1 Main","items":[{"brand_id":"7","name":"Pho","price":12.5,"qty":%s}]}',
    "item": '{"customer_addr":"1 Main","items":[%s,{"brand_id":"7","name":"Pho","price":12.5,"qty":2}]}',
}
"""Bodies of order_created with one field of an item left open."""
POINT = '{"route_points":[[37.791,-122.393],%s,[37.800,-122.405]],"eta_mins":10}'

WHOLE = {
    "order_created": '{"customer_lat":37.8,"customer_lon":-122.405,"customer_addr":"1 Main",'
    '"items":[{"brand_id":"7","name":"Pho","price":12.5,"qty":2}]}',
    "gk_started": "{}",
    "gk_ready": "{}",
    "driver_arrived": "{}",
    "driver_picked_up": POINT % "[37.791,-122.405]",
    "driver_ping": '{"progress_pct":50,"loc_lat":37.795,"loc_lon":-122.405}',
    "delivered": '{"delivered_lat":37.8,"delivered_lon":-122.405}',
}
"""The bodies of an order as the feed has them, in the order of its events; its revenue is 25."""


def with_value(kind: str, field: str, value: str) -> str:
    """Return a whole body of a type of event with one field's value replaced by a text that need not be JSON."""
    return json.dumps({**json.loads(WHOLE[kind]), field: "@"}).replace('"@"', value)


def order(name: str, minute: float, **bodies: str) -> list[dict[str, Any]]:
    """Return the raw rows of an order that began `minute` minutes after noon, some of its bodies replaced."""
    return [
        {
            "event_type": kind, "ts": text(NOON + 60 * (minute + 4 * number)), "location": "sf", "order_id": name,
            "sequence": str(number), "body": bodies.get(kind, body),
        }
        for number, (kind, body) in enumerate(WHOLE.items())
    ]  # fmt: skip


def record() -> list[dict[str, Any]]:
    """Return raw rows: for every field of every body an order with each hostile value, and good orders between them."""
    small = [value for value in (*GOOD, *BAD) if len(value) < 10_000]
    large = [value for value in (*GOOD, *BAD) if len(value) >= 10_000]
    bodies: list[tuple[str, str]] = []
    for kind, fields in FIELDS.items():
        for number, field in enumerate(fields):
            bodies += [(kind, with_value(kind, field, value)) for value in small + large * (number == 0)]
            bodies.append(
                (
                    kind,
                    WHOLE[kind].replace("}", f',"{field}":1e300,"{field}":7}}', 1)
                    if kind != "gk_ready"
                    else '{"a":1,"a":2}',
                )
            )
    bodies += [("order_created", template % value) for template in INSIDE.values() for value in small]
    bodies += [("driver_picked_up", POINT % value) for value in small]
    bodies += [(kind, body) for kind in FIELDS for body in (*AROUND, '{"items":[],"note":"x",}')]
    rows = [
        row for number, (kind, body) in enumerate(bodies) for row in order(f"odd-{number}", number / 4, **{kind: body})
    ]
    return rows + [row for number in range(20) for row in order(f"good-{number}", number * 9)]


def write(rows: list[dict[str, Any]], path: Path) -> Path:
    """Write rows as JSON lines; the bodies are texts in them."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
