"""What a source is: it answers a few narrow questions with rows, and knows nothing of orders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.foundation.geo import project


@dataclass(frozen=True, slots=True)
class Window:
    """A range of data time [start, end), in seconds since 1970 (naive UTC)."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Location:
    """A kitchen that the source has events of. Position and radius are None where nothing tells them."""

    id: str
    display_name: str
    lat: float | None
    lon: float | None
    radius_m: float | None
    orders: int
    start: float
    end: float
    last_delivered: float | None = None

    @property
    def x(self) -> float | None:
        """Web Mercator metres."""
        return None if self.lat is None or self.lon is None else float(project(self.lat, self.lon)[0])

    @property
    def y(self) -> float | None:
        """Web Mercator metres."""
        return None if self.lat is None or self.lon is None else float(project(self.lat, self.lon)[1])


@dataclass(frozen=True, slots=True)
class Quality:
    """Every raw row accounted for: `used + sum(rejected.values()) == read`; flagged rows are among the used."""

    read: int
    used: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Volume:
    """Orders per hour of one location: hour starts in seconds (n,) float64, order counts (n,) int64."""

    hour: NDArray[np.float64]
    orders: NDArray[np.int64]


class Source(Protocol):
    """Where raw rows come from."""

    name: str
    as_of: float | None
    """When it was last asked what it holds, seconds since 1970 of the wall clock; None: it does not change while it is open."""

    def refresh(self) -> bool:
        """Look whether it holds other rows than before, which it then answers from; return whether. Raises `SourceError`."""

    def locations(self) -> list[Location]:
        """Return the kitchens that the source has usable events of, in the order of their names."""

    def quality(self, location: str | None = None) -> Quality:
        """Return the account of all raw rows, or of one location's."""

    def volume(self, location: str) -> Volume:
        """Return orders per hour over the location's whole range."""

    def window(self, location: str, start: float, end: float) -> pa.Table:
        """Return the decoded rows of a location in [start, end) seconds, columns as in queries/window.sql."""

    def history(self, location: str, start: float, end: float) -> pa.Table:
        """Return a row per order with an event in [start, end) seconds: its milestones, columns as in queries/history.sql."""

    def ask(self, query: str, **parameters: str | int | float) -> pa.Table:
        """Return the answer to queries/`query`.sql, columns as it names them; parameters that end in `_ts` are data seconds.

        Safe to call from several threads at once; raises `SourceError` when the source cannot answer.
        """

    def routes(self, location: str, most: int) -> pa.Table:
        """Return the bodies (column `body`) of at most `most` driver_picked_up events, spread over the location's history."""

    def gold(self) -> Mapping[str, int]:
        """Return orders by location as the pipeline's gold_order_header counts them; empty where it is absent."""

    def names(self, dimension: str) -> Mapping[str, str]:
        """Return id -> name of a dimension (`brands`, `menus`, `categories`, `items`); empty where it is absent."""
