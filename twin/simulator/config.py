"""A kitchen's settings: the generator's JSON configuration, checked, or one of the demo's own kitchens.

The keys and their meaning are the real generator's (DATA.md). Keys about live writing (speed_up, batch_rows,
batch_seconds) are accepted and have no effect on files. Keys nobody knows are kept in `unknown` to be reported.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from twin.foundation.errors import ConfigError

Spread = tuple[float, float]
Nulls = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class KitchenConfig:
    """One kitchen. Durations in minutes as (mean, standard deviation); lat, lon in degrees; radius in miles."""

    location_name: str
    location_id: int
    display_name: str
    city: str
    lat: float
    lon: float
    address: str = ""
    radius_mi: float = 4.0
    driver_mph: float = 25.0
    start_days_ago: int = 7
    end_days_ahead: int = 0
    orders_day_1: float = 500.0
    orders_last: float = 600.0
    noise_pct: float = 10.0
    queue: Spread = (2.0, 1.0)
    cook: Spread = (10.0, 3.0)
    pack: Spread = (2.0, 1.0)
    wait: Spread = (6.0, 2.0)
    arrival_alpha: float = 3.0
    arrival_beta: float = 3.0
    after_ready: float = 0.5
    improving: float = 0.2
    flat: float = 0.6
    growth: float = 0.3
    decline: float = 0.2
    ping_sec: int = 60
    random_seed: int | None = None
    dq: Nulls = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


SAN_FRANCISCO = KitchenConfig(
    "sanfrancisco", 1, "San Francisco", "sanfrancisco", 37.791024, -122.392865, "160 Spear Street, San Francisco, CA",
    radius_mi=4.0, driver_mph=25.0, orders_day_1=700, orders_last=820,
)  # fmt: skip
CHICAGO = KitchenConfig(
    "chicago", 4, "Chicago", "chicago", 41.890664, -87.632079, "420 North LaSalle Drive, Chicago, IL",
    radius_mi=3.5, driver_mph=22.0, orders_day_1=580, orders_last=640, cook=(11.0, 3.0), wait=(5.0, 2.0),
)  # fmt: skip
HOUSTON_WESTHEIMER = KitchenConfig(
    "ChIJARA-WRHDQIYR_dt-PARrtas", 6, "Houston Westheimer", "houston", 29.737300, -95.490200, "6100 Westheimer Road, Houston, TX",
    radius_mi=3.5, driver_mph=22.0, orders_day_1=470, orders_last=520, cook=(11.0, 3.0), wait=(5.0, 2.0),
)  # fmt: skip
HOUSTON_FONDREN = KitchenConfig(
    "ChIJvXT99PfCQIYROz3H0NrIctA", 5, "Houston Fondren", "houston", 29.660400, -95.514800, "11200 Fondren Road, Houston, TX",
    radius_mi=7.5, driver_mph=45.0, orders_day_1=340, orders_last=400, cook=(11.0, 3.0), wait=(5.0, 2.0),
)  # fmt: skip

KITCHENS: tuple[KitchenConfig, ...] = (SAN_FRANCISCO, CHICAGO, HOUSTON_FONDREN, HOUSTON_WESTHEIMER)
"""The demo's kitchens. Location ids 1 and 4 are the canonical ones; the Houston kitchens take 5 and 6, which are free."""

_IGNORED = ("speed_up", "batch_rows", "batch_seconds")
_NUMBERS: dict[str, tuple[str, float, float]] = {
    "start_days_ago": ("start_days_ago", 0, 3660),
    "end_days_ahead": ("end_days_ahead", 0, 3660),
    "orders_day_1": ("orders_day_1", 0, 1_000_000),
    "orders_last": ("orders_last", 0, 1_000_000),
    "noise_pct": ("noise_pct", 0, 100),
    "radius_mi": ("radius_mi", 1.5, 15),
    "driver_mph": ("driver_mph", 1, 120),
    "ping_sec": ("ping_sec", 1, 3600),
    "random_seed": ("random_seed", 0, 2**63 - 1),
}
_WHOLE = frozenset({"start_days_ago", "end_days_ahead", "ping_sec", "random_seed"})
_SERVICE = {"cs": "queue", "sf": "cook", "fr": "pack", "rp": "wait"}


def load_configs(path: Path) -> list[KitchenConfig]:
    """The kitchens of one JSON file, or of every *.json in a folder, as the real generator reads them.

    Raises ConfigError naming the file, the key and what would be right.
    """
    if not path.exists():
        raise ConfigError(f"No configuration at {path}: give a JSON file or a folder of them.")
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ConfigError(f"The folder {path} has no .json file: put one configuration per kitchen there.")
    kitchens: list[KitchenConfig] = []
    for number, file in enumerate(files):
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file.name} is not valid JSON ({error}): mend the file.") from error
        kitchens.append(parse_config(raw, file.name, free_id=101 + number))
    names = [kitchen.location_name for kitchen in kitchens]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"Two configurations in {path} have the location_name {name!r}: give each kitchen its own."
            )
    return kitchens


def parse_config(raw: object, where: str, free_id: int = 101) -> KitchenConfig:
    """One generator configuration (a decoded JSON object) as a kitchen; `where` names it in messages."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{where} holds a {type(raw).__name__}: a kitchen's configuration is a JSON object.")
    name = raw.get("location_name")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f'{where}: location_name is missing: give the kitchen a short name such as "sanfrancisco".')
    changes: dict[str, Any] = {}
    for key, (target, low, high) in _NUMBERS.items():
        if key in raw and not (key == "random_seed" and raw[key] is None):
            value = _number(raw[key], f"{where}: {key}", low, high)
            if key in _WHOLE and value != int(value):
                raise ConfigError(f"{where}: {key} is {value:g}: give a whole number.")
            changes[target] = int(value) if key in _WHOLE else value
    for key, value in _object(raw, "svc", where).items():
        if key not in _SERVICE:
            raise ConfigError(f"{where}: svc.{key} is not a stage: use cs, sf, fr and rp.")
        if not isinstance(value, list) or len(value) != 2:
            raise ConfigError(f"{where}: svc.{key} is {value!r}: give [mean, standard deviation] in minutes.")
        changes[_SERVICE[key]] = (
            _number(value[0], f"{where}: svc.{key}[0]", 0, 600),
            _number(value[1], f"{where}: svc.{key}[1]", 0, 600),
        )
    changes |= _group(
        raw,
        "driver_arrival",
        where,
        {
            "alpha": ("arrival_alpha", 0.01, 1000),
            "beta": ("arrival_beta", 0.01, 1000),
            "after_ready_pct": ("after_ready", 0, 1),
        },
    )
    changes |= _group(raw, "momentum_rates", where, {"growth": ("growth", 0, 10), "decline": ("decline", 0, 0.99)})
    momentum = _group(
        raw,
        "brand_momentum",
        where,
        {"improving": ("improving", 0, 1), "flat": ("flat", 0, 1), "declining": ("declining", 0, 1)},
    )
    if momentum:
        total = sum(momentum.values())
        if len(momentum) != 3 or abs(total - 1) > 1e-6:
            raise ConfigError(
                f"{where}: brand_momentum adds up to {total:g}: improving, flat and declining must add up to 1."
            )
        changes |= {"improving": momentum["improving"], "flat": momentum["flat"]}
    changes["dq"] = parse_nulls(raw.get("dq", {}), f"{where}: dq")
    known = {
        *_NUMBERS,
        *_IGNORED,
        "svc",
        "driver_arrival",
        "brand_momentum",
        "momentum_rates",
        "dq",
        "gk_location",
        "location_name",
    }
    changes["unknown"] = tuple(sorted(str(key) for key in raw if key not in known))
    return replace(_site(raw.get("gk_location"), name, where, free_id), **changes)


def parse_nulls(raw: object, where: str) -> dict[str, dict[str, float]]:
    """Null probabilities {event type: {field: p}}, each p in 0–1."""
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where} is {raw!r}: give {{event type: {{field: probability}}}}.")
    result: dict[str, dict[str, float]] = {}
    for event, fields in raw.items():
        if not isinstance(fields, Mapping):
            raise ConfigError(f"{where}.{event} is {fields!r}: give {{field: probability}}.")
        result[str(event)] = {str(key): _number(p, f"{where}.{event}.{key}", 0, 1) for key, p in fields.items()}
    return result


def _site(raw: object, name: str, where: str, free_id: int) -> KitchenConfig:
    """Where the kitchen stands. There is no geocoder here: known names, known cities, or "lat, lon"."""
    text = raw if isinstance(raw, str) else ""
    squeezed: Callable[[str], str] = lambda value: re.sub(r"[^a-z]", "", value.lower())  # noqa: E731
    for kitchen in KITCHENS:
        if kitchen.location_name == name or squeezed(kitchen.display_name) == squeezed(name):
            return replace(kitchen, location_name=name, address=text or kitchen.address)
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*", text)
    if found:
        lat, lon = float(found[1]), float(found[2])
        if not (-80 <= lat <= 80 and -180 <= lon <= 180):
            raise ConfigError(f'{where}: gk_location {text!r} is not on the map: give "latitude, longitude".')
        nearest = min(KITCHENS, key=lambda k: abs(k.lat - lat) + abs(k.lon - lon))
        city = nearest.city if abs(nearest.lat - lat) < 0.05 and abs(nearest.lon - lon) < 0.06 else "generic"
        return KitchenConfig(name, free_id, name.replace("_", " ").title(), city, lat, lon, text)
    for kitchen in KITCHENS:
        if squeezed(kitchen.city) in squeezed(text) or squeezed(kitchen.city) in squeezed(name):
            return replace(
                kitchen,
                location_name=name,
                location_id=free_id,
                display_name=name.replace("_", " ").title(),
                address=text,
            )
    raise ConfigError(
        f'{where}: gk_location {text!r} is not a place the simulator knows: give "latitude, longitude", '
        "or an address in San Francisco, Chicago or Houston."
    )


def _object(raw: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: {key} is {value!r}: give a JSON object.")
    return value


def _group(raw: dict[str, Any], key: str, where: str, rules: dict[str, tuple[str, float, float]]) -> dict[str, float]:
    result = {}
    for inner, value in _object(raw, key, where).items():
        if inner not in rules:
            raise ConfigError(f"{where}: {key}.{inner} is not known: use {', '.join(rules)}.")
        target, low, high = rules[inner]
        result[target] = _number(value, f"{where}: {key}.{inner}", low, high)
    return result


def _number(value: object, where: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{where} is {value!r}: give a number from {low:g} to {high:g}.")
    return float(value)
