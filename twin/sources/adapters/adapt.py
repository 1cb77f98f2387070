"""Adapts a source: opens its files, proposes a mapping, and says what the mapping makes of all rows."""

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.sources import delta_tables, file_paths
from twin.sources.adapters import guess
from twin.sources.adapters.adapter import MappingAdapter
from twin.sources.adapters.guess import Choices, Proposal
from twin.sources.adapters.mapping import MILESTONES, Mapping
from twin.sources.adapters.process import precedes
from twin.sources.adapters.profile import Profile, profile
from twin.sources.base import Quality
from twin.sources.database import Database
from twin.sources.event_files import EventFile, EventFiles, reader
from twin.sources.file_sorter import FileSorter
from twin.sources.files import DATABASE_SHARE, FileSource

MOST_ROWS = 200_000
"""Rows that are looked at for a proposal; all rows are counted when it is checked."""
PREVIEWED = 20
"""Orders of a preview."""


class _AnyColumns:
    """Takes every file for one that can be read."""

    def columns(self) -> tuple[str, ...]:
        return ()

    def bronze(self, reader: str, types: Dictionary[str, str], rows_name: str) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class PreviewedOrder:
    """An order as a mapping gives it: its first times in data seconds by event type, in the order in which they happened."""

    order_id: str
    location: str
    times: Dictionary[str, float]

    def contradicts(self) -> bool:
        """Return whether a milestone comes after one that it always precedes."""
        at = self.times
        return any(at[first] > at[second] for first in at for second in at if precedes(first, second))


@dataclass(frozen=True, slots=True)
class Check:
    """What a mapping makes of all rows: `contradictions` are orders by milestone that come in another order than the process."""

    quality: Quality
    kitchens: int
    orders: int
    contradictions: Dictionary[str, int]
    reached: Dictionary[str, int]
    """Orders by milestone that have it."""
    after_s: Dictionary[str, float]
    """Median seconds by milestone after the order's first event."""
    preview: tuple[PreviewedOrder, ...]


class Adaptation:
    """The files of a source with columns of their own, looked at. Close it after use. Raises `SourceError`."""

    def __init__(self, source: str, settings: Settings | None = None) -> None:
        self.source = source
        self._settings = settings or Settings()
        memory = int(self._settings.memory_bytes * DATABASE_SHARE)
        limits = self._settings
        sorter = FileSorter(source, memory, limits.max_decoded_bytes, limits.max_files, _AnyColumns())
        with closing(sorter):
            found = file_paths.find(source, limits.max_files)
            found.paths = [path for path in found.paths if _holds_rows(path, source)]
            group = sorter.sort_out(found)[0][0]
            self._database = Database(source, memory)
            try:
                self._load(group.paths[0], group.like, sorter)
                self.profile: Profile = profile(self._database, "rows", self._columns, self._types, self._all_rows)
            except BaseException:
                self._database.close()
                raise

    def propose(self, choices: Choices | None = None) -> Proposal:
        """Return the best mapping, given what a person has chosen."""
        chosen = choices or Choices()
        if self._settings.dates is not None:
            chosen = replace(chosen, day_first={"": self._settings.dates == "day-first", **chosen.day_first})
        return guess.propose(self._database, "rows", self.profile, self._types, chosen)

    def check(self, mapping: Mapping) -> Check:
        """Return what a mapping makes of all rows of the source."""
        return check(self.source, mapping, self._settings)

    def close(self) -> None:
        """Let go of the rows."""
        self._database.close()

    def _load(self, path: str, file: EventFile, sorter: FileSorter) -> None:
        self._columns: Sequence[str] = file.columns
        self._types = dict(zip(file.columns, file.types, strict=False))

        def create(one: EventFile) -> None:
            rows = reader([path], one)
            streams = delta_tables.streams([EventFiles((path,), one)])
            self._database.execute(f"CREATE OR REPLACE TABLE rows AS SELECT * FROM {rows} LIMIT {MOST_ROWS}", streams)
            ((looked_at,),) = self._database.rows("SELECT count(*) FROM rows")
            self._all_rows = rows if looked_at == MOST_ROWS and not streams else ""

        try:
            create(file)
        except SourceError:
            (again,) = sorter.salvage([EventFiles((path,), file)])
            path = again.paths[0]
            create(again.like)


def check(source: str, mapping: Mapping, settings: Settings | None = None) -> Check:
    """Return what a mapping makes of all rows of a source. Raises `SourceError`, also if nothing is usable."""
    opened = FileSource(source, None, settings, MappingAdapter(mapping))
    with closing(opened):
        places = opened.locations()
        counts = opened.ask(_COUNTS).to_pylist()[0]
        rows = opened.ask(_PREVIEW, {"most": PREVIEWED}).to_pylist()
        quality = opened.quality()
    orders: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        orders.setdefault((row["location"], row["order_id"]), {})[row["event_type"]] = row["seconds"]
    return Check(
        quality=quality,
        kitchens=len(places),
        orders=sum(place.orders for place in places),
        contradictions={m: counts[f"wrong_{m}"] for m in MILESTONES if counts[f"wrong_{m}"]},
        reached={m: counts[f"has_{m}"] for m in MILESTONES if counts[f"has_{m}"]},
        after_s={m: counts[f"after_{m}"] for m in MILESTONES if counts[f"has_{m}"]},
        preview=tuple(PreviewedOrder(order, place, times) for (place, order), times in orders.items()),
    )


def _counts() -> str:
    """Return the query for how many orders have each milestone, and in how many it contradicts another."""
    firsts = ", ".join(f"min(CASE WHEN event_type = '{m}' THEN ts END) AS {m}" for m in MILESTONES)
    columns = []
    for milestone in MILESTONES:
        wrong = [f"{milestone} > {other}" for other in MILESTONES if precedes(milestone, other)]
        wrong += [f"{milestone} < {other}" for other in MILESTONES if precedes(other, milestone)]
        columns.append(f"median(epoch({milestone}) - epoch(began)) AS after_{milestone}")
        columns.append(
            f"count({milestone}) AS has_{milestone}, count(CASE WHEN {' OR '.join(wrong)} THEN 1 END) AS wrong_{milestone}"
        )
    orders = f"SELECT {firsts}, min(ts) AS began FROM events WHERE reason IS NULL GROUP BY location, order_id"
    return f"SELECT {', '.join(columns)} FROM ({orders})"


_COUNTS = _counts()
_PREVIEW = """
SELECT location, order_id, event_type, epoch(min(ts)) AS seconds
FROM events
WHERE reason IS NULL AND (location, order_id) IN (
  SELECT (location, order_id) FROM events WHERE reason IS NULL GROUP BY location, order_id
  ORDER BY hash(order_id), location LIMIT $most)
GROUP BY location, order_id, event_type
ORDER BY hash(order_id), location, seconds
"""


def _holds_rows(path: str, source: str) -> bool:
    """Return whether a file may be what is adapted: not a dimension table that was found beside it."""
    return path == source or file_paths.table_of(path) not in ("brands", "menus", "categories", "items", "locations")
