"""The public door: a `Twin` is an open source with its kitchens, and shares what is loaded between all who ask."""

import logging
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin import settings
from twin.baseline import Baseline
from twin.errors import SourceError, UnknownLocationError
from twin.frames import html
from twin.frames import locations as location_table
from twin.geo import project
from twin.insights import Insights
from twin.kitchen import Kitchen
from twin.moments import Moment, find
from twin.orders import route_points
from twin.sources.base import Location, Quality, Source, Window
from twin.sources.files import FileSource
from twin.timeline import DAY, Timeline, midnight
from twin.times import Time, seconds, text

log = logging.getLogger(__name__)

MAX_ROUTES = 20_000
"""Routes that the base map is drawn from; more change nothing that the eye sees."""
TIMELINE_BYTES = 512 << 20
"""Loaded timelines kept in the process for the next session that looks at the same window."""
LAST_HOURS = 24.0

Progress = Callable[[str, float], None]


class Locations(list[Location]):
    """The kitchens of a source: a list, which a notebook shows as a table.

    >>> {"chicago", "sanfrancisco"} <= {place.id for place in twin.open("demo").locations}
    True
    """

    @property
    def table(self) -> pd.DataFrame:
        """The same as a frame, by id: name, orders, start, end, lat, lon, radius_m.

        >>> twin.open("demo").locations.table.loc["chicago", "name"]
        'Chicago'
        """
        return location_table(self)

    def _repr_html_(self) -> str:
        return html("Kitchens", [f"{len(self)} in this source"], self.table)


class Twin:
    """An open source. Thread-safe; timelines are loaded once and shared.

    >>> t = twin.open("demo")
    >>> t["chicago"].location.id
    'chicago'
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._timelines: OrderedDict[tuple[str, float, float], Timeline] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[tuple[str, float, float], threading.Lock] = {}
        # the parts, not the Insights: these hold their timeline, and an entry would keep its own key alive
        self._known: WeakKeyDictionary[Timeline, tuple[Baseline, tuple[Moment, ...]]] = WeakKeyDictionary()
        self._learning: WeakKeyDictionary[Timeline, threading.Lock] = WeakKeyDictionary()
        self._refreshing = threading.Lock()
        self._stale = ""

    @property
    def locations(self) -> Locations:
        """The kitchens in the source.

        >>> sorted(place.display_name for place in twin.open("demo").locations)[:2]
        ['Chicago', 'Houston Fondren']
        """
        return Locations(self.source.locations())

    def kitchen(
        self, location: str, day: Time | None = None, start: Time | None = None, end: Time | None = None
    ) -> Kitchen:
        """Return a kitchen over one day, over [start, end), or over the last 24 hours of its data.

        Raises `UnknownLocationError`; ValueError, with a sentence, for a range without data.

        >>> twin.open("demo").kitchen("sanfrancisco", start="2025-10-16 17:00", end="2025-10-16 21:00").end
        Timestamp('2025-10-16 21:00:00')
        """
        if day is not None:
            if start is not None or end is not None:
                raise ValueError("Give either a day, or a start and an end.")
            first = midnight(seconds(day))
            start, end = first, first + DAY
        timeline = self.timeline(location, start, end)
        if not timeline.has_orders:
            place = timeline.location
            raise ValueError(f"No orders in this range: the data covers {text(place.start)} to {text(place.end)}.")
        return Kitchen(self, timeline)

    def __getitem__(self, location: str) -> Kitchen:
        """Return `kitchen(location)`; a notebook completes the ids: `t["<tab>`."""
        return self.kitchen(location)

    def _ipython_key_completions_(self) -> list[str]:
        return [place.id for place in self.locations]

    def __repr__(self) -> str:
        return f"<Twin of {self.source.name}: {', '.join(self._ipython_key_completions_())}>"

    def _repr_html_(self) -> str:
        return html("Twin", [self.source.name], self.locations.table)

    def location(self, location: str) -> Location:
        """Return one location by its id. Raises `UnknownLocationError`.

        >>> twin.open("demo").location("chicago").display_name
        'Chicago'
        """
        for place in self.locations:
            if place.id == location:
                return place
        known = ", ".join(place.id for place in self.locations)
        raise UnknownLocationError(f"No location {location!r} in this source; it has {known}.")

    @property
    def as_of(self) -> float | None:
        """When the source was last asked what it holds, seconds since 1970 of the wall clock; None: it does not change.

        >>> twin.open("demo").as_of is None
        True
        """
        return self.source.as_of

    @property
    def stale(self) -> str:
        """Why the last `refresh` failed, a sentence; empty if it did not.

        >>> twin.open("demo").stale
        ''
        """
        return self._stale

    def refresh(self) -> bool:
        """Look whether the source holds other rows than before; return whether. Raises `SourceError`, and what was known stays.

        Timelines that are in use stay as they are; who asks for theirs again gets a new one.

        >>> twin.open("demo").refresh()
        False
        """
        with self._refreshing:
            try:
                changed = self.source.refresh()
            except SourceError as error:
                self._stale = str(error)
                raise
            self._stale = ""
        if changed:
            with self._lock:
                self._timelines.clear()
        return changed

    def freshen(self) -> None:
        """Refresh in a thread if what is known is older than TWIN_REFRESH_MIN; returns at once, raises nothing.

        >>> twin.open("demo").freshen()
        """
        known = self.source.as_of
        if known is None or self._refreshing.locked() or time.time() - known < settings.current().refresh_s:
            return
        threading.Thread(target=self._freshen, name="refresh", daemon=True).start()

    def _freshen(self) -> None:
        try:
            self.refresh()
        except SourceError as error:
            log.warning("what is known stays as it is: %s", error)

    def quality(self, location: str | None = None) -> Quality:
        """Return the account of all raw rows: read, used, set aside by reason.

        >>> told = twin.open("demo").quality()
        >>> told.read == told.used + sum(told.rejected.values())
        True
        """
        return self.source.quality(location)

    def last_hours(self, location: str, hours: float = LAST_HOURS) -> Window:
        """Return the last hours of a location's data, counted back from its last delivered order.

        >>> window = twin.open("demo").last_hours("chicago", 6)
        >>> (window.end - window.start) / 3600
        6.0
        """
        place = self.location(location)
        last = place.end if place.last_delivered is None else place.last_delivered
        end = np.floor(last / 60) * 60 + 60  # the whole minute after it, so that [start, end) holds it
        return Window(float(end - hours * 3600), float(end))

    def timeline(self, location: str, start: Time | None = None, end: Time | None = None) -> Timeline:
        """Return the timeline of a location over [start, end), by default its last 24 hours.

        >>> kitchen = twin.open("demo").timeline("sanfrancisco", "2025-10-16", "2025-10-17")
        >>> kitchen.at("2025-10-16 18:30").counts["cooking"] > 0
        True
        """
        window = self.last_hours(location)
        key = (location, window.start if start is None else seconds(start), window.end if end is None else seconds(end))
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:  # whoever comes second waits for the first one's result
            with self._lock:
                if key in self._timelines:
                    self._timelines.move_to_end(key)
                    return self._timelines[key]
            timeline = Timeline.load(self.source, *key)
            with self._lock:
                self._timelines[key] = timeline
                self._loading.pop(key, None)
                while (
                    len(self._timelines) > 1 and sum(kept.nbytes for kept in self._timelines.values()) > TIMELINE_BYTES
                ):
                    self._timelines.popitem(last=False)
        return timeline

    def kept(self, location: str, start: Time | None = None, end: Time | None = None) -> Timeline | None:
        """Return what `timeline` would, if it is in memory; else None, at once.

        >>> t = twin.open("demo")
        >>> t.timeline("sanfrancisco") is t.kept("sanfrancisco")
        True
        """
        window = self.last_hours(location)
        key = (location, window.start if start is None else seconds(start), window.end if end is None else seconds(end))
        with self._lock:
            return self._timelines.get(key)

    def kept_insights(self, timeline: Timeline) -> Insights | None:
        """Return what `insights` would, if it is in memory; else None, at once.

        >>> t = twin.open("demo")
        >>> kitchen = t.timeline("sanfrancisco")
        >>> t.insights(kitchen) == t.kept_insights(kitchen)
        True
        """
        with self._lock:
            known = self._known.get(timeline)
        return None if known is None else Insights(timeline, *known)

    def insights(self, timeline: Timeline) -> Insights:
        """Return what is usual at a timeline's kitchen and what stands out in it; asks the source once per timeline.

        >>> t = twin.open("demo")
        >>> [moment.kind for moment in t.insights(t.timeline("sanfrancisco")).moments] != []
        True
        """
        with self._lock:
            learning = self._learning.setdefault(timeline, threading.Lock())
        with learning:  # whoever comes second waits for the first one's result
            with self._lock:
                known = self._known.get(timeline)
            if known is None:
                baseline = Baseline.load(self.source, timeline.location, timeline.window)
                known = (baseline, find(timeline, baseline))
                with self._lock:
                    self._known[timeline] = known
        return Insights(timeline, *known)

    def streets(self, location: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
        """Return routes driven at a location for its base map: x, y (k,) Web Mercator metres and offsets (n + 1,).

        >>> x, y, offsets = twin.open("demo").streets("chicago")
        >>> len(x) == len(y) == int(offsets[-1])
        True
        """
        route, lat, lon, _ = route_points(self.source.routes(location, MAX_ROUTES))
        counts = np.bincount(route) if len(route) else np.zeros(0, np.int64)
        x, y = project(lat, lon)
        return x, y, np.concatenate(([0], np.cumsum(counts[counts > 0]))).astype(np.int32)


def open(source: str | Path | None = None, progress: Progress | None = None) -> Twin:
    """Open a source of events: `demo`, a file, folder or glob of CSV, JSON or Parquet event rows, or a SQL warehouse's tables
    (`databricks`, `databricks://catalog.schema`; see docs/databricks.md).

    Without `source`, the environment's TWIN_SOURCE, else the demo (made on first use in the folder that TWIN_DEMO names,
    by default `demo` in the current one). `progress(message, share)` is told how far it is. Raises `SourceError`.

    >>> len(twin.open("demo").locations)
    4
    """
    chosen = str(source or os.environ.get("TWIN_SOURCE") or "demo")
    if chosen == "databricks" or chosen.startswith("databricks://"):
        from twin.sources.databricks import DatabricksSource  # the connector is only needed here

        return Twin(DatabricksSource(chosen, progress=progress))
    if chosen == "demo":
        chosen = str(_demo(progress))
    return Twin(FileSource(chosen, progress=progress))


def demo_folder() -> Path:
    """Return the folder that holds the demo data."""
    return Path(os.environ.get("TWIN_DEMO") or "demo").resolve()


def _demo(progress: Progress | None) -> Path:
    """Return the folder of the demo data, made where it is absent: whole or not at all, also if two processes make it."""
    folder = demo_folder()
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    from twin.simulator import write_demo  # only needed the first time

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".demo-") as making:
        write_demo(Path(making) / "demo", progress=progress)
        try:
            (Path(making) / "demo").rename(folder)
        except OSError:
            if not any(folder.glob("*")):  # somebody else was faster: theirs is as good
                raise
    return folder
