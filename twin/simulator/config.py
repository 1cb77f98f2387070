"""A kitchen's settings: one of the demo's kitchens, or a JSON configuration of the real generator after checks.

Keys have the same names and meaning as in the real generator. Those about live writing (`speed_up`, `batch_rows`,
`batch_seconds`) are accepted but have no effect on files. Other unknown keys are listed in `unknown`, for a warning.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from twin.foundation.errors import ConfigError

Spread = tuple[float, float]
"""Mean and standard deviation, minutes."""

Nulls = Mapping[str, Mapping[str, float]]
"""Probability that a field is null: {event type: {field: probability}}."""


@dataclass(frozen=True, slots=True)
class KitchenConfig:
    """One kitchen. lat, lon: degrees; radius_mi: miles; queue, cook, pack, wait: minutes.

    Shares 0..1: after_ready (drivers that arrive after the meal is ready), improving and flat (brands; the rest decline),
    growth and decline (change of a brand's orders per 30 days). arrival_alpha, arrival_beta: Beta distribution of the arrival.
    """

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
    location_name="sanfrancisco", location_id=1, display_name="San Francisco", city="sanfrancisco",
    lat=37.791024, lon=-122.392865, address="160 Spear Street, San Francisco, CA",
    radius_mi=4.0, driver_mph=25.0, orders_day_1=700, orders_last=820,
)  # fmt: skip
CHICAGO = KitchenConfig(
    location_name="chicago", location_id=4, display_name="Chicago", city="chicago",
    lat=41.890664, lon=-87.632079, address="420 North LaSalle Drive, Chicago, IL",
    radius_mi=3.5, driver_mph=22.0, orders_day_1=580, orders_last=640, cook=(11.0, 3.0), wait=(5.0, 2.0),
)  # fmt: skip
HOUSTON_WESTHEIMER = KitchenConfig(
    location_name="ChIJARA-WRHDQIYR_dt-PARrtas", location_id=6, display_name="Houston Westheimer", city="houston",
    lat=29.737300, lon=-95.490200, address="6100 Westheimer Road, Houston, TX",
    radius_mi=3.5, driver_mph=22.0, orders_day_1=470, orders_last=520, cook=(11.0, 3.0), wait=(5.0, 2.0),
)  # fmt: skip
HOUSTON_FONDREN = KitchenConfig(
    location_name="ChIJvXT99PfCQIYROz3H0NrIctA", location_id=5, display_name="Houston Fondren", city="houston",
    lat=29.660400, lon=-95.514800, address="11200 Fondren Road, Houston, TX",
    radius_mi=7.5, driver_mph=45.0, orders_day_1=340, orders_last=400, cook=(11.0, 3.0), wait=(5.0, 2.0),
)  # fmt: skip

KITCHENS: tuple[KitchenConfig, ...] = (SAN_FRANCISCO, CHICAGO, HOUSTON_FONDREN, HOUSTON_WESTHEIMER)
"""The demo's kitchens. Location ids 1 and 4 are those of the canonical data set; 5 and 6, unused there, are Houston's."""

FIRST_FREE_ID = 101
"""Location id of the first configured kitchen that the demo does not have."""


class _Rule(NamedTuple):
    """The field of KitchenConfig that a number goes to, and the range that is accepted."""

    field: str
    low: float
    high: float
    whole: bool = False


_IGNORED = ("speed_up", "batch_rows", "batch_seconds")
_NUMBERS = {
    rule.field: rule
    for rule in (
        _Rule("start_days_ago", 0, 3660, whole=True),
        _Rule("end_days_ahead", 0, 3660, whole=True),
        _Rule("orders_day_1", 0, 1_000_000),
        _Rule("orders_last", 0, 1_000_000),
        _Rule("noise_pct", 0, 100),
        _Rule("radius_mi", 1.5, 15),
        _Rule("driver_mph", 1, 120),
        _Rule("ping_sec", 1, 3600, whole=True),
        _Rule("random_seed", 0, 2**63 - 1, whole=True),
    )
}
_SERVICE = {"cs": "queue", "sf": "cook", "fr": "pack", "rp": "wait"}
"""Keys of `svc`: created to started, started to finished, finished to ready, ready to picked up."""
_ARRIVAL = {
    "alpha": _Rule("arrival_alpha", 0.01, 1000),
    "beta": _Rule("arrival_beta", 0.01, 1000),
    "after_ready_pct": _Rule("after_ready", 0, 1),
}
_RATES = {"growth": _Rule("growth", 0, 10), "decline": _Rule("decline", 0, 0.99)}
_MOMENTUM = {name: _Rule(name, 0, 1) for name in ("improving", "flat", "declining")}
_KNOWN_KEYS = frozenset(_NUMBERS).union(
    _IGNORED, ("svc", "driver_arrival", "brand_momentum", "momentum_rates", "dq", "gk_location", "location_name")
)


def load_configs(path: Path) -> list[KitchenConfig]:
    """Return the kitchens of one JSON file, or of every *.json in a folder, as the real generator reads them.

    Raises ConfigError with the file, the key and what to write instead.
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
        kitchens.append(parse_config(raw, file.name, free_id=FIRST_FREE_ID + number))
    names = [kitchen.location_name for kitchen in kitchens]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"Two configurations in {path} have the location_name {name!r}: give each kitchen its own."
            )
    return kitchens


def parse_config(raw: object, where: str, free_id: int = FIRST_FREE_ID) -> KitchenConfig:
    """Return the kitchen of one generator configuration (a decoded JSON object).

    `where` names the configuration in error messages; a kitchen that the demo does not have gets `free_id`.
    """
    if not isinstance(raw, dict):
        raise ConfigError(f"{where} holds a {type(raw).__name__}: a kitchen's configuration is a JSON object.")
    name = raw.get("location_name")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f'{where}: location_name is missing: give the kitchen a short name such as "sanfrancisco".')
    changes: dict[str, Any] = {
        **_numbers(raw, where),
        **_service_times(raw, where),
        **_group(raw, "driver_arrival", where, _ARRIVAL),
        **_group(raw, "momentum_rates", where, _RATES),
        **_brand_shares(raw, where),
        "dq": parse_nulls(raw.get("dq", {}), f"{where}: dq"),
        "unknown": tuple(sorted(str(key) for key in raw if key not in _KNOWN_KEYS)),
    }
    return replace(_site(raw.get("gk_location"), name, where, free_id), **changes)


def parse_nulls(raw: object, where: str) -> dict[str, dict[str, float]]:
    """Return null probabilities {event type: {field: p}}, each p in 0–1; ConfigError for anything else."""
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where} is {raw!r}: give {{event type: {{field: probability}}}}.")
    result: dict[str, dict[str, float]] = {}
    for event, fields in raw.items():
        if not isinstance(fields, Mapping):
            raise ConfigError(f"{where}.{event} is {fields!r}: give {{field: probability}}.")
        result[str(event)] = {str(key): _number(p, f"{where}.{event}.{key}", 0, 1) for key, p in fields.items()}
    return result


def _site(raw: object, name: str, where: str, free_id: int) -> KitchenConfig:
    """Return a kitchen with its position. Without a geocoder that is a demo kitchen's name, its city, or "lat, lon"."""
    text = raw if isinstance(raw, str) else ""
    for kitchen in KITCHENS:
        if kitchen.location_name == name or _letters(kitchen.display_name) == _letters(name):
            return replace(kitchen, location_name=name, address=text or kitchen.address)
    if degrees := re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*", text):
        lat, lon = float(degrees[1]), float(degrees[2])
        if not (-80 <= lat <= 80 and -180 <= lon <= 180):
            raise ConfigError(f'{where}: gk_location {text!r} is not on the map: give "latitude, longitude".')
        nearest = min(KITCHENS, key=lambda k: abs(k.lat - lat) + abs(k.lon - lon))
        city = nearest.city if abs(nearest.lat - lat) < 0.05 and abs(nearest.lon - lon) < 0.06 else "generic"
        return KitchenConfig(
            location_name=name,
            location_id=free_id,
            display_name=_title(name),
            city=city,
            lat=lat,
            lon=lon,
            address=text,
        )
    for kitchen in KITCHENS:
        if _letters(kitchen.city) in _letters(text) or _letters(kitchen.city) in _letters(name):
            return replace(
                kitchen,
                location_name=name,
                location_id=free_id,
                display_name=_title(name),
                address=text,
            )
    raise ConfigError(
        f'{where}: gk_location {text!r} is not a place the simulator knows: give "latitude, longitude", '
        "or an address in San Francisco, Chicago or Houston."
    )


def _letters(name: str) -> str:
    """Return the letters alone: "San Francisco" and "san_francisco" are the same place."""
    return re.sub(r"[^a-z]", "", name.lower())


def _title(name: str) -> str:
    return name.replace("_", " ").title()


def _numbers(raw: dict[str, Any], where: str) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for key, rule in _NUMBERS.items():
        if key in raw and not (key == "random_seed" and raw[key] is None):
            value = _number(raw[key], f"{where}: {key}", rule.low, rule.high)
            if rule.whole and value != int(value):
                raise ConfigError(f"{where}: {key} is {value:g}: give a whole number.")
            numbers[rule.field] = int(value) if rule.whole else value
    return numbers


def _service_times(raw: dict[str, Any], where: str) -> dict[str, Spread]:
    times: dict[str, Spread] = {}
    for key, value in _object(raw, "svc", where).items():
        if key not in _SERVICE:
            raise ConfigError(f"{where}: svc.{key} is not a stage: use cs, sf, fr and rp.")
        if not isinstance(value, list) or len(value) != 2:
            raise ConfigError(f"{where}: svc.{key} is {value!r}: give [mean, standard deviation] in minutes.")
        times[_SERVICE[key]] = (
            _number(value[0], f"{where}: svc.{key}[0]", 0, 600),
            _number(value[1], f"{where}: svc.{key}[1]", 0, 600),
        )
    return times


def _brand_shares(raw: dict[str, Any], where: str) -> dict[str, float]:
    """Return the shares of brands that improve and that stay flat; the third share is the remainder."""
    shares = _group(raw, "brand_momentum", where, _MOMENTUM)
    if not shares:
        return {}
    total = sum(shares.values())
    if len(shares) != 3 or abs(total - 1) > 1e-6:
        raise ConfigError(
            f"{where}: brand_momentum adds up to {total:g}: improving, flat and declining must add up to 1."
        )
    return {"improving": shares["improving"], "flat": shares["flat"]}


def _object(raw: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: {key} is {value!r}: give a JSON object.")
    return value


def _group(raw: dict[str, Any], key: str, where: str, rules: Mapping[str, _Rule]) -> dict[str, float]:
    """Return the numbers of a nested object by the fields that they go to."""
    result = {}
    for inner, value in _object(raw, key, where).items():
        if inner not in rules:
            raise ConfigError(f"{where}: {key}.{inner} is not known: use {', '.join(rules)}.")
        rule = rules[inner]
        result[rule.field] = _number(value, f"{where}: {key}.{inner}", rule.low, rule.high)
    return result


def _number(value: object, where: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{where} is {value!r}: give a number from {low:g} to {high:g}.")
    return float(value)
