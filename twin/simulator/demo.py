"""Write a demo: event files of every kitchen and the dimension tables beside them."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.foundation.errors import ConfigError
from twin.simulator import dirt
from twin.simulator.bronze import Kitchen, schema
from twin.simulator.config import KITCHENS, KitchenConfig, Nulls, load_configs, parse_nulls
from twin.simulator.files import FORMATS, TableFile
from twin.simulator.incidents import Incident, plan
from twin.simulator.menus import menu

GENERATIONS = ("2025", "2026")
LAST_DAY = date(2025, 10, 17)
DEFAULT_DAYS = 7
DEFAULT_SEED = 42
DEFAULT_DIRT = 0.003
"""Share of spoilt rows in the built-in demo: enough that data health has something to say."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written. events counts rows, dirt included; start and end are the first and last good timestamps."""

    folder: Path
    generation: str
    seed: int
    start: datetime
    end: datetime
    orders: int
    events: int
    bytes: int
    files: tuple[Path, ...]
    orders_by_location: dict[str, int]
    events_by_location: dict[str, int]
    dirt: dict[str, int]
    incidents: tuple[Incident, ...]
    notes: tuple[str, ...]
    """Sentences worth showing: configuration keys that nobody knows."""


def write_demo(
    folder: Path,
    *,
    generation: str = "2025",
    days: int | None = None,
    end: date = LAST_DAY,
    scale: float = 1.0,
    seed: int = DEFAULT_SEED,
    dq: float | Mapping[str, Mapping[str, float]] | None = None,
    config: Path | None = None,
    file_format: str = "parquet",
    progress: Progress | None = None,
) -> DemoSummary:
    """Write bronze events of `days` whole days up to and including `end`, and the dimension tables.

    One file per kitchen, events_<location>.<format>; brands, menus, categories, items (and locations in 2026) beside them.
    The same arguments give the same bytes. `scale` multiplies the orders. `dq` is a share of spoilt rows (0–1; the
    built-in demo has 0.003, a configured one none) or null probabilities {event type: {field: p}}. `config` is a
    generator configuration or a folder of them: its kitchens replace the demo's, its start_days_ago and end_days_ahead
    set the days around `end` when `days` is not given, and the demo's incidents are left out.

    The files appear together at the end: an interrupted run leaves the folder as it was.

    Raises ConfigError for a wrong argument or configuration.
    """
    kitchens = list(KITCHENS) if config is None else load_configs(config)
    _check(generation, days, scale, seed, file_format)
    level, nulls = _dirt(dq, built_in=config is None)
    dates = _dates(kitchens, days, end, configured=config is not None)
    span = len(dates[0])
    incidents = plan([k.location_name for k in kitchens], end, span, seed) if config is None else []
    folder = Path(folder)
    names = {
        k.location_name: f"events_{re.sub(r'[^A-Za-z0-9_-]', '_', k.location_name)}.{file_format}" for k in kitchens
    }
    _refuse_strangers(folder, set(names.values()))
    folder.mkdir(parents=True, exist_ok=True)
    report = progress or (lambda words, share: None)
    events: dict[str, int] = {}
    orders: dict[str, int] = {}
    faults = dict.fromkeys(dirt.KINDS, 0)
    first, last = np.inf, -np.inf
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        for place, config_of in enumerate(kitchens):
            name = config_of.location_name
            report(f"Streets of {config_of.display_name}", place / len(kitchens))
            kitchen = Kitchen(
                config_of, dates[place], incidents, generation=generation, seed=seed, scale=scale, nulls=nulls,
                first_order=sum(orders.values()),
            )  # fmt: skip
            orders[name], events[name] = kitchen.orders, 0
            with TableFile(partial / names[name], schema(generation), file_format) as file:
                for number, day in enumerate(kitchen.days):
                    table = kitchen.events(number)
                    first, last = _widened(first, last, table)
                    table, counts = dirt.soil(
                        table, level, np.random.default_rng([seed, place, day.date.toordinal(), 9])
                    )
                    file.append(table)
                    events[name] += table.num_rows
                    faults = {kind: faults[kind] + counts[kind] for kind in faults}
                    share = (place + 0.4 + 0.6 * (number + 1) / len(kitchen.days)) / len(kitchens)
                    report(f"{config_of.display_name}, {day.date:%a %d %b %Y}", share)
        for name, table in _dimensions(generation, kitchens).items():
            with TableFile(partial / f"{name}.{file_format}", table.schema, file_format) as file:
                file.append(table)
        files = []
        for written in sorted(partial.iterdir()):
            os.replace(written, folder / written.name)
            files.append(folder / written.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    report("Done", 1.0)
    return DemoSummary(
        folder=folder,
        generation=generation,
        seed=seed,
        start=_moment(first),
        end=_moment(last),
        orders=sum(orders.values()),
        events=sum(events.values()),
        bytes=sum(file.stat().st_size for file in files),
        files=tuple(files),
        orders_by_location=orders,
        events_by_location=events,
        dirt=faults,
        incidents=tuple(incidents),
        notes=tuple(
            f"{k.location_name}: the key {key!r} is not known and was ignored." for k in kitchens for key in k.unknown
        ),
    )


def _check(generation: str, days: int | None, scale: float, seed: int, file_format: str) -> None:
    if generation not in GENERATIONS:
        raise ConfigError(f"There is no generation {generation!r}: use 2025 or 2026.")
    if file_format not in FORMATS:
        raise ConfigError(f"There is no file format {file_format!r}: use one of {', '.join(FORMATS)}.")
    if days is not None and not 1 <= days <= 3660:
        raise ConfigError(f"days is {days}: give a whole number from 1 to 3660.")
    if not 0 < scale <= 10_000:
        raise ConfigError(f"scale is {scale:g}: give a number above 0 and up to 10000.")
    if seed < 0:
        raise ConfigError(f"seed is {seed}: give a whole number from 0.")


def _dirt(dq: float | Mapping[str, Mapping[str, float]] | None, *, built_in: bool) -> tuple[float, Nulls]:
    if dq is None:
        return (DEFAULT_DIRT if built_in else 0.0), {}
    if isinstance(dq, Mapping):
        return 0.0, parse_nulls(dq, "dq")
    if not 0 <= dq <= 1:
        raise ConfigError(f"dq is {dq:g}: give a share from 0 to 1, or {{event type: {{field: probability}}}}.")
    return float(dq), {}


def _dates(kitchens: list[KitchenConfig], days: int | None, end: date, *, configured: bool) -> list[list[date]]:
    """The days of each kitchen, all of them when `days` is given, else what its configuration says."""
    result = []
    for kitchen in kitchens:
        last = end
        count = days or DEFAULT_DAYS
        if configured and days is None:
            last = end + timedelta(days=kitchen.end_days_ahead)
            count = max(1, kitchen.start_days_ago + kitchen.end_days_ahead)
        result.append([last - timedelta(days=back) for back in range(count - 1, -1, -1)])
    return result


def _refuse_strangers(folder: Path, ours: set[str]) -> None:
    """Old event files beside the new ones would be read as one feed, so ask for another folder instead."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file: give a folder to write the demo to.")
    others = sorted(path.name for path in folder.glob("events_*") if path.name not in ours)
    if others:
        raise ConfigError(f"{folder} already holds {others[0]} of another demo: remove it or give an empty folder.")


def _dimensions(generation: str, kitchens: list[KitchenConfig]) -> dict[str, pa.Table]:
    tables = dict(menu(generation).tables)
    if generation == "2026":
        rows = [
            {
                "location_id": k.location_id,
                "location_code": k.location_name,
                "name": k.display_name,
                "address": k.address,
                "lat": k.lat,
                "lon": k.lon,
            }
            for k in kitchens
        ]
        tables["locations"] = pa.Table.from_pylist(rows)
    return tables


def _widened(first: float, last: float, table: pa.Table) -> tuple[float, float]:
    if not table.num_rows:
        return first, last
    edge = pc.min_max(table.column("ts"))
    low, high = (
        np.datetime64(edge[side].as_py().replace(" ", "T"), "us").astype(np.int64) / 1e6 for side in ("min", "max")
    )
    return min(first, float(low)), max(last, float(high))


def _moment(seconds: float) -> datetime:
    """Naive, UTC by contract."""
    return datetime.fromtimestamp(seconds if np.isfinite(seconds) else 0.0, tz=UTC).replace(tzinfo=None)
