"""Write a demo: one event file per kitchen, and the dimension tables with them."""

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
from twin.simulator.bronze import SimulatedKitchen, schema
from twin.simulator.config import KITCHENS, KitchenConfig, Nulls, load_configs, parse_nulls
from twin.simulator.files import FORMATS, TableFile
from twin.simulator.incidents import Incident, plan
from twin.simulator.menus import menu
from twin.simulator.places import FILE as PLACE_FILE
from twin.simulator.places import place_file

GENERATIONS = ("2025", "2026")
LAST_DAY = date(2025, 10, 17)
DEFAULT_DAYS = 7
DEFAULT_SEED = 42
DEFAULT_DIRT = 0.003
"""Share of spoilt rows in the built-in demo: enough for the data quality view to show some."""

_DIRT_STREAM = 9
"""Number of the random stream that spoils rows; `bronze` numbers those that make them."""

Progress = Callable[[str, float], None]
"""Called with the step under way and the share that is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """Facts about a demo that was written.

    events: number of rows, dirt included; start, end: first and last timestamp before rows were spoilt (naive, UTC); dirt:
    number of spoilt rows by kind; bytes: size of all files.
    """

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
    """Sentences to show: configuration keys that were ignored."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A valid request: everything that decides the bytes of a demo. days: those of each kitchen."""

    generation: str
    seed: int
    scale: float
    file_format: str
    dirt_share: float
    nulls: Nulls
    kitchens: list[KitchenConfig]
    days: list[list[date]]
    incidents: list[Incident]

    def file_name(self, kitchen: KitchenConfig) -> str:
        """Return the name of a kitchen's event file; what is unsafe in file names becomes an underscore."""
        return f"events_{re.sub(r'[^A-Za-z0-9_-]', '_', kitchen.location_name)}.{self.file_format}"


class _Tally:
    """Counts of what has been written."""

    def __init__(self) -> None:
        self.orders: dict[str, int] = {}
        self.events: dict[str, int] = {}
        self.dirt = dict.fromkeys(dirt.KINDS, 0)
        self.first, self.last = np.inf, -np.inf

    def extend_range(self, table: pa.Table) -> None:
        """Extend first and last (seconds) to the timestamps of a table that is not spoilt yet."""
        if not table.num_rows:
            return
        edge = pc.min_max(table.column("ts"))
        low, high = (
            np.datetime64(edge[side].as_py().replace(" ", "T"), "us").astype(np.int64) / 1e6 for side in ("min", "max")
        )
        self.first, self.last = min(self.first, float(low)), max(self.last, float(high))


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
    """Write raw events of `days` whole days up to and including `end`, and the dimension tables.

    The folder gets one file per kitchen, events_<location>.<format>, and one each for brands, menus, categories and items
    (and locations in 2026), and places.geojson for the map of cities that have an outline. The same arguments give the same
    bytes. `scale` multiplies the orders. `dq` is a share of spoilt rows (0–1; by default 0.003 in the built-in demo and 0 in a
    configured one) or null probabilities {event type: {field: p}}. `config` is a generator configuration or a folder of them:
    its kitchens replace the demo's, its start_days_ago and end_days_ahead set the days around `end` unless `days` is given, and
    there are no incidents.

    All files are moved into the folder at the end, so that an interrupted run leaves it as it was.

    Raises ConfigError for an invalid argument or configuration.
    """
    demo = _plan(
        generation=generation, days=days, end=end, scale=scale, seed=seed, dq=dq, config=config, file_format=file_format
    )  # fmt: skip
    folder = Path(folder)
    _refuse_other_events(folder, {demo.file_name(kitchen) for kitchen in demo.kitchens})
    folder.mkdir(parents=True, exist_ok=True)
    report = progress or (lambda step, share: None)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        tally = _write_events(demo, partial, report)
        for name, table in _dimensions(demo).items():
            with TableFile(partial / f"{name}.{file_format}", table.schema, file_format) as file:
                file.append(table)
        if (around := place_file(kitchen.city for kitchen in demo.kitchens)) is not None:
            (partial / PLACE_FILE).write_bytes(around)
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
        start=_naive_utc(tally.first),
        end=_naive_utc(tally.last),
        orders=sum(tally.orders.values()),
        events=sum(tally.events.values()),
        bytes=sum(file.stat().st_size for file in files),
        files=tuple(files),
        orders_by_location=tally.orders,
        events_by_location=tally.events,
        dirt=tally.dirt,
        incidents=tuple(demo.incidents),
        notes=tuple(
            f"{k.location_name}: the key {key!r} is not known and was ignored."
            for k in demo.kitchens
            for key in k.unknown
        ),
    )


def _plan(
    *,
    generation: str,
    days: int | None,
    end: date,
    scale: float,
    seed: int,
    dq: float | Mapping[str, Mapping[str, float]] | None,
    config: Path | None,
    file_format: str,
) -> _Plan:
    """Check the arguments of `write_demo` and return what follows from them."""
    kitchens = list(KITCHENS) if config is None else load_configs(config)
    _check(generation, days, scale, seed, file_format)
    dirt_share, nulls = _dirt(dq, built_in=config is None)
    dates = _dates(kitchens, days, end, configured=config is not None)
    incidents: list[Incident] = []
    if config is None:
        incidents = plan([kitchen.location_name for kitchen in kitchens], end, len(dates[0]), seed)
    return _Plan(
        generation=generation, seed=seed, scale=scale, file_format=file_format, dirt_share=dirt_share, nulls=nulls,
        kitchens=kitchens, days=dates, incidents=incidents,
    )  # fmt: skip


def _write_events(demo: _Plan, folder: Path, report: Progress) -> _Tally:
    """Write one event file per kitchen, a day at a time."""
    tally, count = _Tally(), len(demo.kitchens)
    for place, config in enumerate(demo.kitchens):
        name = config.location_name
        report(f"Streets of {config.display_name}", place / count)
        kitchen = SimulatedKitchen(
            config, demo.days[place], demo.incidents, generation=demo.generation, seed=demo.seed, scale=demo.scale,
            nulls=demo.nulls, first_order=sum(tally.orders.values()),
        )  # fmt: skip
        tally.orders[name], tally.events[name] = kitchen.orders, 0
        with TableFile(folder / demo.file_name(config), schema(demo.generation), demo.file_format) as file:
            for number, day in enumerate(kitchen.days):
                table = kitchen.events(number)
                tally.extend_range(table)
                rng = np.random.default_rng([demo.seed, place, day.date.toordinal(), _DIRT_STREAM])
                table, spoilt = dirt.soil(table, demo.dirt_share, rng)
                file.append(table)
                tally.events[name] += table.num_rows
                tally.dirt = {kind: tally.dirt[kind] + spoilt[kind] for kind in tally.dirt}
                share = (place + 0.4 + 0.6 * (number + 1) / len(kitchen.days)) / count
                report(f"{config.display_name}, {day.date:%a %d %b %Y}", share)
    return tally


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
    """Return the share of spoilt rows and the null probabilities."""
    if dq is None:
        return (DEFAULT_DIRT if built_in else 0.0), {}
    if isinstance(dq, Mapping):
        return 0.0, parse_nulls(dq, "dq")
    if not 0 <= dq <= 1:
        raise ConfigError(f"dq is {dq:g}: give a share from 0 to 1, or {{event type: {{field: probability}}}}.")
    return float(dq), {}


def _dates(kitchens: list[KitchenConfig], days: int | None, end: date, *, configured: bool) -> list[list[date]]:
    """Return the days of each kitchen: the last `days`, or those that its configuration names if `days` is not given."""
    result = []
    for kitchen in kitchens:
        last = end
        count = days or DEFAULT_DAYS
        if configured and days is None:
            last = end + timedelta(days=kitchen.end_days_ahead)
            count = max(1, kitchen.start_days_ago + kitchen.end_days_ahead)
        result.append([last - timedelta(days=back) for back in range(count - 1, -1, -1)])
    return result


def _refuse_other_events(folder: Path, ours: set[str]) -> None:
    """Raise ConfigError if the folder has event files that would remain: all event files of a folder are read as one feed."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file: give a folder to write the demo to.")
    others = sorted(path.name for path in folder.glob("events_*") if path.name not in ours)
    if others:
        raise ConfigError(f"{folder} already holds {others[0]} of another demo: remove it or give an empty folder.")


def _dimensions(demo: _Plan) -> dict[str, pa.Table]:
    tables = dict(menu(demo.generation).tables)
    if demo.generation == "2026":
        rows = [
            {
                "location_id": k.location_id,
                "location_code": k.location_name,
                "name": k.display_name,
                "address": k.address,
                "lat": k.lat,
                "lon": k.lon,
            }
            for k in demo.kitchens
        ]
        tables["locations"] = pa.Table.from_pylist(rows)
    return tables


def _naive_utc(seconds: float) -> datetime:
    """Return a data time as datetime; 1970 for a demo without events."""
    return datetime.fromtimestamp(seconds if np.isfinite(seconds) else 0.0, tz=UTC).replace(tzinfo=None)
