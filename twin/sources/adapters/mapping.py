"""A mapping from a file's own columns to events: what is guessed, corrected by hand, stored as YAML and applied in SQL."""

import datetime as dt
import math
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from twin.foundation.errors import ConfigError, SourceError

MILESTONES = (
    "order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "delivered",
    "order_cancelled",
)  # fmt: skip
"""The milestones of an order in the order of the process; a driver may arrive at any time before the pick-up."""
PING = "driver_ping"
LARGEST_FILE = 1 << 20
"""Bytes of the largest file that is taken for a mapping."""

Milestone = Literal[
    "order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "delivered",
    "order_cancelled"
]  # fmt: skip
Event = Literal[
    "order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "delivered",
    "order_cancelled",
    "driver_ping",
]  # fmt: skip
Unit = Literal["seconds", "milliseconds", "microseconds"]
COUNTED = ("counted seconds", "counted minutes", "counted hours")
ISO = "iso"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)


class TimeColumn(_Model):
    """How the times of one column are written; one form for the whole column, never one per value.

    `format` is `iso` (also what a typed column holds), `epoch seconds`, `epoch milliseconds`, `epoch microseconds`,
    `counted seconds`, `counted minutes` or `counted hours` (since the midnight of `day`), or a pattern of strptime.
    """

    column: str
    format: str = ISO
    date: str | None = None
    """Column with the day, where `column` has the time of day only; its form is the first word of `format`."""
    next_day: bool = False
    """A time of day before the order's first belongs to the next day."""
    year: int | None = Field(None, ge=1990, le=2099)
    """Year of all values, where they are written without one."""
    day: dt.date | None = None
    """Day from which a count begins, or of all times of day where no column has their date."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.format in COUNTED and self.day is None:
            raise ValueError(f"{self.column} is a count of {self.format.split()[1]}: `day` must say from which day on")
        known = self.format == ISO or self.format in COUNTED or self.format.startswith("epoch ") or "%" in self.format
        if not known:
            raise ValueError(f"{self.column}: {self.format!r} is no format of times")
        if self.date is not None and "%" not in self.format:
            raise ValueError(
                f"{self.column}: with a column for the date, `format` must be a pattern such as %Y-%m-%d %H:%M"
            )
        return self


class Place(_Model):
    """Two columns with a position in degrees, times `scale`."""

    lat: str
    lon: str
    scale: float = Field(1.0, gt=0, le=1)


class Route(_Model):
    """A column with the way of a drive: a JSON list of pairs."""

    column: str
    first: Literal["lat", "lon"] = "lon"


class Mapping(_Model):
    """What the columns of a file mean. Wide: a row per order with a time column per milestone; long: a row per event."""

    adapter: Literal[1] = 1
    shape: Literal["wide", "long"]
    order_id: str | None = None
    """Wide files may do without: then the number of its row stands for an order."""
    kitchen: str | None = None
    milestones: dict[Milestone, TimeColumn] = Field(default_factory=dict)
    """Wide: the time column of each milestone that the file has."""
    time: TimeColumn | None = None
    """Long: the column with the time of each event."""
    activity: str | None = None
    """Long: the column with the name of each event; without it, every row is a position."""
    events: dict[str, Event] = Field(default_factory=dict)
    """Long: what the names in `activity` mean. Those not listed stay as they are, of unknown type."""
    sequence: str | None = None
    customer: Place | None = None
    """Where the order goes, which is in the event of its creation."""
    handover: Place | None = None
    """Where it was handed over, which is in the event of its delivery."""
    kitchen_place: Place | None = None
    position: Place | None = None
    """Long: where the driver was."""
    route: Route | None = None
    brand: str | None = None
    item: str | None = None
    price: str | None = None
    quantity: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.shape == "wide" and not self.milestones:
            raise ValueError("a wide file needs `milestones`, at least one")
        if self.shape == "long" and self.order_id is None:
            raise ValueError("a long file needs `order_id`, the column that says which order a row belongs to")
        if self.shape == "long" and self.time is None:
            raise ValueError("a long file needs `time`, the column with the time of each row")
        if self.shape == "long" and self.activity is None and self.position is None:
            raise ValueError("a long file needs `activity`, or `position` where every row is a position of a driver")
        used = [(time.column, time.date) for time in self.milestones.values()]
        if len(set(used)) < len(used):
            raise ValueError("one time column can be one milestone only")
        return self

    def columns(self) -> tuple[str, ...]:
        """Return the columns of the file that are read, each once."""
        times = [*self.milestones.values(), *([self.time] if self.time else [])]
        places = [place for place in (self.customer, self.handover, self.kitchen_place, self.position) if place]
        names = [
            self.order_id, self.kitchen, self.activity, self.sequence, self.brand, self.item, self.price, self.quantity,
            self.route.column if self.route else None,
            *(time.column for time in times), *(time.date for time in times),
            *(name for place in places for name in (place.lat, place.lon)),
        ]  # fmt: skip
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def yaml(self) -> str:
        """Return the mapping as YAML, without what is not set."""
        body = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.safe_dump({"adapter": 1, **body}, sort_keys=False, allow_unicode=True, width=120)


def read(path: Path) -> Mapping:
    """Return the mapping in a YAML file. Raises `ConfigError` with what is wrong in it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path} is no adapter: it has more than {LARGEST_FILE >> 20} MB.")
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"The adapter {path} cannot be read: {error.strerror or error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"{path} is no YAML: {' '.join(str(error).split())}. `twin adapt FILE` writes one."
        ) from error
    return validated(content, str(path))


def validated(content: object, name: str) -> Mapping:
    """Return a mapping from plain data. Raises `ConfigError` that names the first thing that is wrong."""
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the mapping"
        raise ConfigError(
            f"{name}: {where}: {first['msg'].removeprefix('Value error, ')}. `twin adapt FILE` writes one."
        ) from error


def write(mapping: Mapping, path: Path, about: str, replace: bool = False) -> None:
    """Write a mapping beside its data. Raises `SourceError`, also for a file that is there unless it is to be replaced."""
    head = f"# What the columns of {' '.join(about.split())} mean: docs/adapters.md\n"
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(head + mapping.yaml())
    except FileExistsError as error:
        raise SourceError(f"{path} is there already: take it away, or edit it.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror or error}. Name another file.") from error


def epoch_divisor(time_format: str) -> float:
    """Return how many units of an epoch format make a second; NaN for other formats."""
    units = {"epoch seconds": 1.0, "epoch milliseconds": 1e3, "epoch microseconds": 1e6}
    return units.get(time_format, math.nan)
