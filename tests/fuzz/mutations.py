"""Event files in every format that is read, and what may happen to them on the way."""

import gzip
import json
import random
from collections.abc import Callable
from io import BytesIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

ITEMS = '{"customer_lat": 37.8, "customer_lon": -122.4, "items": [{"name": "Pie, hot", "price": 5, "qty": 2}]}'
TYPES = ("order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "delivered")


def rows(orders: int = 12) -> list[dict[str, str]]:
    """Return the rows of some whole orders of two kitchens."""
    return [
        {
            "event_type": kind,
            "ts": f"2025-10-13 {order % 24:02}:{4 * number:02}:00",
            "location": ("sf", "chicago")[order % 2],
            "order_id": f"order-{order}",
            "sequence": str(number),
            "body": ITEMS if number == 0 else "{}",
        }
        for order in range(orders)
        for number, kind in enumerate(TYPES)
    ]


def _csv(delimiter: str = ",") -> bytes:
    out = BytesIO()
    pa.csv.write_csv(pa.Table.from_pylist(rows()), out, pa.csv.WriteOptions(delimiter=delimiter))
    return out.getvalue()


def _lines() -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows()).encode()


def _array() -> bytes:
    return json.dumps(rows(), indent=1).encode()


def _parquet(compression: str) -> bytes:
    out = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows()), out, compression=compression, row_group_size=30)
    return out.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "csv": _csv,
    "tsv": lambda: _csv("\t"),
    "csv.gz": lambda: gzip.compress(_csv(), mtime=0),
    "jsonl": _lines,
    "jsonl.gz": lambda: gzip.compress(_lines(), mtime=0),
    "json": _array,
    "json.gz": lambda: gzip.compress(_array(), mtime=0),
    "parquet": lambda: _parquet("zstd"),
    "pq": lambda: _parquet("none"),
}


def flip(data: bytes, rng: random.Random, count: int) -> bytes:
    """Change some bits."""
    changed = bytearray(data)
    for _ in range(count):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def replace(data: bytes, rng: random.Random) -> bytes:
    """Replace some bytes by those that mean something to a parser."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.choice(b'"\\,;\t\n\r\x00{}[]:\xff\xfe=#')
    return bytes(changed)


def truncate(data: bytes, rng: random.Random) -> bytes:
    """End the file early."""
    return data[: rng.randrange(len(data))]


def behead(data: bytes, rng: random.Random) -> bytes:
    """Begin the file late."""
    return data[rng.randrange(len(data)) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    """Insert a part of the file again somewhere."""
    begin, at = rng.randrange(len(data)), rng.randrange(len(data))
    return data[:at] + data[begin : begin + rng.randint(1, 2_000)] + data[at:]


def remove(data: bytes, rng: random.Random) -> bytes:
    """Take out a part of the file."""
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 500) :]


def shuffle_lines(data: bytes, rng: random.Random) -> bytes:
    """Double lines, leave out others, change their order: the header may be anywhere then."""
    lines = data.split(b"\n")
    return b"\n".join(rng.choices(lines, k=len(lines)))


def change_header(data: bytes, rng: random.Random) -> bytes:
    """Change names of columns."""
    name = rng.choice([b"event_type", b"ts", b"location", b"order_id", b"sequence", b"body"])
    other = rng.choice([b"", b"ts", b"TS", b"order_id", b"\xc3\x28", b'"', b"a" * 200_000, b"x,y,,", b"\x00", b" ts "])
    return data.replace(name, other, 1 if rng.random() < 0.5 else -1)


def recode(data: bytes, rng: random.Random) -> bytes:
    """Write the file in another encoding, as far as it is text."""
    text = data.decode("latin-1")
    return text.encode(rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"]))


def nest(data: bytes, rng: random.Random) -> bytes:
    """Put something very deep into the file."""
    at, depth = rng.randrange(len(data)), rng.choice([100, 200, 1_000, 100_000])
    return data[:at] + rng.choice([b"[" * depth, b'{"a":' * depth, b"[" * depth + b"]" * depth]) + data[at:]


def lengthen(data: bytes, rng: random.Random) -> bytes:
    """Put something very long into the file."""
    at = rng.randrange(len(data))
    return (
        data[:at] + rng.choice([b"x", b",", b"9", b'"', b"\n", b"\x00"]) * rng.choice([140_000, 3_000_000]) + data[at:]
    )


def unpacked(mutation: Callable[[bytes, random.Random], bytes]) -> Callable[[bytes, random.Random], bytes]:
    """Return the mutation of what a compressed file holds."""

    def inside(data: bytes, rng: random.Random) -> bytes:
        return (
            gzip.compress(mutation(gzip.decompress(data), rng), mtime=0)
            if data[:2] == b"\x1f\x8b"
            else mutation(data, rng)
        )

    return inside


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "one bit": lambda data, rng: flip(data, rng, 1),
    "bits": lambda data, rng: flip(data, rng, 20),
    "bytes": unpacked(replace),
    "packed bytes": replace,
    "truncated": truncate,
    "truncated inside": unpacked(truncate),
    "beheaded": unpacked(behead),
    "repeated": unpacked(repeat),
    "removed": unpacked(remove),
    "lines": unpacked(shuffle_lines),
    "header": unpacked(change_header),
    "encoding": unpacked(recode),
    "deep": unpacked(nest),
    "long": unpacked(lengthen),
}
