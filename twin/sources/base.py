"""The interface of sources: a few narrow queries that return rows. What rows mean for an order is the timeline's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.foundation.geo import project
from twin.foundation.zones import Zone

Times = Literal["naive", "instants"]
"""What the times of a source are: a kitchen's own wall clock, written without a zone and never shifted (data seconds count on
that clock), or instants (data seconds are UTC, shown in the kitchen's zone)."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of data time [start, end), in seconds since 1970."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Location:
    """A kitchen that the source has events of. Position and radius are None where the data has none."""

    id: str
    display_name: str
    lat: float | None
    lon: float | None
    radius_m: float | None
    orders: int
    start: float
    end: float
    last_delivered: float | None = None
    zone: str | None = None
    """IANA name of the zone in which the kitchen's times are shown; None for naive times, which are shown as they are."""
    zone_origin: str = ""
    """Where the zone comes from, to be read after its name."""
    city: str = ""
    """From the source's table of locations; empty where it has none."""
    qualifier: str = ""
    """What tells it from others of its display name (`twin.sources.labels`); empty for a name that no other has."""

    @property
    def label(self) -> str:
        """The display name, with the qualifier if there is one: what people read wherever the choice is among kitchens."""
        return f"{self.display_name} ({self.qualifier})" if self.qualifier else self.display_name

    @property
    def tz(self) -> Zone:
        """The kitchen's clock."""
        return Zone(self.zone or "", self.zone_origin)

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
    """The counts of raw rows: `used + sum(rejected.values()) == read`; flagged rows are also used."""

    read: int
    used: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """A sentence for each file of the whole source that could not be read, without the period; none of its rows is counted."""
    assumed: tuple[str, ...] = ()
    """A sentence for each file of the whole source that was read on a guess, as of its encoding, without the period."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Orders per hour at one location: starts of hours in data seconds (n,) float64, order counts (n,) int64.

    Of instants these are hours of UTC, which in some zones begin at a quarter of the kitchen's.
    """

    hour: NDArray[np.float64]
    orders: NDArray[np.int64]


class Source(Protocol):
    """An origin of raw rows."""

    name: str
    as_of: float | None
    """Wall time of the last refresh, seconds since 1970; None for a source that does not change while it is open."""
    metered: bool
    """Whether every question costs money and wakes a machine elsewhere: then nothing is asked that nobody has asked for."""
    watched: tuple[str, ...]
    """Folders and files in which something changes when rows come in; none where only a refresh tells."""

    @property
    def times(self) -> Times:
        """Return what the times are, which may change when rows are added."""

    @property
    def content(self) -> str:
        """Return what all that can be asked of the source follows from, as a name for what was made of it and is on the disk; ""
        where that is not known."""

    @property
    def mark(self) -> int:
        """How many rows have been read since the source was opened: 0 then, more with each refresh that found some."""

    def arrived(self, location: str, after: int) -> pa.Table | None:
        """Return the decoded rows of a location that came in after a mark; columns as in queries/window.sql.

        None where only reading everything again tells: rows changed or went, times are read otherwise, or it is too long ago.
        Whoever extends what he has read takes the mark before he reads; a row that he then meets twice is a copy like any other.
        """

    def refresh(self) -> bool:
        """Check for new rows, which later queries then return; return whether there are any. Raises `SourceError`."""

    def locations(self) -> list[Location]:
        """Return the locations that the source has usable events of, the one with most orders first."""

    def quality(self, location: str | None = None) -> Quality:
        """Return the counts of all raw rows, or of one location's."""

    def volume(self, location: str) -> Volume:
        """Return orders per hour over the location's whole range."""

    def window(self, location: str, start: float, end: float) -> pa.Table:
        """Return the decoded rows of a location in [start, end) seconds and `lives.LONG_S` beyond both edges, and all rows of the
        orders that are alive in [start, end): whose first event comes before `end` and whose last one not before `start`.

        Columns are as in queries/window.sql.
        """

    def history(self, location: str, start: float, end: float) -> pa.Table:
        """Return the milestones of each order that began in [start, end) seconds; columns as in queries/history.sql."""

    def begun(self, start: float, end: float) -> pa.Table:
        """Return one row per order of all locations that began in [start, end) seconds; columns as in queries/begun.sql."""

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        """Return the result of queries/`name`.sql; parameters that end in `_ts` are data seconds.

        Thread-safe. Raises `SourceError` if the query fails.
        """

    def routes(self, location: str, most: int) -> pa.Table:
        """Return the bodies (column `body`) of at most `most` driver_picked_up events, spread over the location's history.

        Fewer where they are so long that the memory there is has no room for them.
        """

    def gold(self) -> Mapping[str, int]:
        """Return the number of orders by location in the pipeline's table gold_order_header; empty if there is none."""

    def close(self) -> None:
        """Let go of connections and temporary files; nothing can be asked afterwards."""

    def names(self, dimension: str) -> Mapping[str, str]:
        """Return id -> name of a dimension (`brands`, `menus`, `categories`, `items`); empty if there is none."""
