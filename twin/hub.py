"""The engine: one open source of events with its kitchens. Everything is loaded once and shared by all sessions."""

import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from twin.analysis import first_view, live_edge
from twin.analysis.baseline import Baseline, History
from twin.analysis.first_view import LastDay
from twin.analysis.ghost import OtherDays, date_text
from twin.analysis.insights import Insights
from twin.analysis.kitchen_state import StateLog, states_of
from twin.analysis.ledger import Ledger, ledger_of
from twin.analysis.limits import Limits
from twin.analysis.long_ledger import LongLedger
from twin.analysis.moments import HISTORY, Findings, detect
from twin.analysis.moments.known import TroublesAsKnown
from twin.analysis.moments.unfolding import KnownFrom, Unfolding, UnfoldingLive
from twin.analysis.promise import PromiseBook, promises_of
from twin.foundation import errand
from twin.foundation.cache import Budget, ByteCache, Owner, SingleFlight
from twin.foundation.callbacks import Callbacks
from twin.foundation.errors import ConfigError, SourceError, TwinError
from twin.foundation.geo import nearest_copy, project
from twin.foundation.room import Room
from twin.foundation.settings import Settings
from twin.foundation.times import Time
from twin.sources import tables, window_sizes
from twin.sources.base import Location, Quality, Source, Window
from twin.sources.changing_files import ChangingFiles
from twin.sources.event_files import Adapter
from twin.sources.file_paths import adapter_beside
from twin.sources.files import FileSource
from twin.timeline.bodies import route_points
from twin.timeline.growing import OutgrownError
from twin.timeline.stored import StoredTimelines
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

MAX_ROUTES = 20_000
"""Most routes that the base map is drawn from; more make no visible difference."""
TIMELINE_BYTES = 512 << 20
"""Most bytes of the cache of loaded timelines, which sessions with the same window share."""
LOADING = Room()
"""The ranges that this process is loading, for whichever hub."""
LOADING_SHARE = 0.5
"""Share of the process's memory that these take together at most; each alone may take a third."""
TIMELINE_SHARE = 0.125
"""Share of the process's memory that this cache takes at most."""
CACHES_SHARE = 0.25
"""Share of the process's memory that all caches take together: timelines, tiles, frames, answers, scripts. What was used least
recently makes room."""
LAST_HOURS = 24.0

Progress = Callable[[str, float], None]


Usual = tuple[Baseline, tuple[str, ...]]
"""What is usual, and ("history",) if that could not be learnt."""
Context = tuple[Baseline, tuple[str, ...], StateLog]
Learned = tuple[Baseline, Findings, StateLog]
"""What is computed once of a timeline and the days around it."""


@dataclass(frozen=True, slots=True)
class Newest:
    """A timeline that ends at the live edge, the version of the source that it has the rows of, and that source's mark then."""

    version: int
    timeline: Timeline
    mark: int


def budget_of(settings: Callable[[], Settings]) -> Budget:
    """Return the budget of the caches of a process that has these settings."""
    return Budget(lambda: settings().memory_bytes * CACHES_SHARE)


class Hub(Owner):
    """One open source: its locations, their timelines and insights, each made once. Thread-safe.

    A notebook's `Twin` is a hub with tables and panes.
    """

    def __init__(
        self,
        source: Source,
        settings: Settings | None = None,
        timeline_share: float = TIMELINE_SHARE,
        clock: Callable[[], float] = time.time,
        budget: Budget | None = None,
    ) -> None:
        """`settings` are what pages, tables and answers of this source go by; without, the usual ones.

        `timeline_share` is the share of the process's memory that its cache of timelines takes at most. `clock` returns wall time
        in seconds since 1970. `budget` is what all caches of the process share.
        """
        self.source = source
        self.settings = chosen = settings or Settings()
        # a timeline larger than the limit is cached alone
        most = min(TIMELINE_BYTES, int(self.settings.memory_bytes * timeline_share))
        self._stored = StoredTimelines(source, self.settings)
        self.budget = budget or budget_of(lambda: chosen)
        """What its caches share, with all others of the process."""
        self._timelines: ByteCache[Timeline] = ByteCache(most, lambda one: min(one.nbytes, most), self.budget)
        self._lock = threading.Lock()
        # the parts rather than Insights, which refer to their timeline and would keep the key of their own entry alive
        self._insights: WeakKeyDictionary[Timeline, Learned] = WeakKeyDictionary()
        self._contexts: WeakKeyDictionary[Timeline, Context] = WeakKeyDictionary()
        self._contexts_made: SingleFlight[Context] = SingleFlight()
        self._known: WeakKeyDictionary[Timeline, TroublesAsKnown] = WeakKeyDictionary()
        self._learning: SingleFlight[Learned] = SingleFlight()
        self._last_days: dict[Location, LastDay] = {}
        self._refreshing = threading.Lock()
        self._stale = ""
        self._version = 0
        self._clock = clock
        self._newest: ByteCache[Newest] = ByteCache(most, lambda one: min(one.timeline.nbytes, most), self.budget)
        self._newest_made: SingleFlight[Timeline] = SingleFlight()
        self._histories: dict[str, tuple[Window, Usual]] = {}
        self._unfolding_live: dict[str, UnfoldingLive] = {}
        self._on_change = Callbacks()

    @property
    def version(self) -> int:
        """How often the source had new rows since it was opened: what was computed of an earlier version may be out of date.

        >>> twin.open("demo").version
        0
        """
        return self._version

    @property
    def locations(self) -> list[Location]:
        """The kitchens in the source.

        >>> sorted(place.display_name for place in twin.open("demo").locations)[:2]
        ['Chicago', 'Houston Fondren']
        """
        return list(self.source.locations())

    def location(self, location: str) -> Location:
        """Return one location by its id. Raises `UnknownLocationError`.

        >>> twin.open("demo").location("chicago").display_name
        'Chicago'
        """
        return tables.find_place(location, self.source.locations())

    @property
    def as_of(self) -> float | None:
        """Wall time of the source's last refresh, seconds since 1970; None for a source that does not change.

        >>> twin.open("demo").as_of is None
        True
        """
        return self.source.as_of

    @property
    def stale(self) -> str:
        """Why the last `refresh` failed, as a sentence; empty if it succeeded.

        >>> twin.open("demo").stale
        ''
        """
        return self._stale

    def refresh(self) -> bool:
        """Check the source for new rows; return whether there are any. If it raises `SourceError`, nothing changes.

        Timelines in use do not change; `timeline` then returns a new one.

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
            self._version += 1
            self._timelines.clear()
            self._last_days = {}
            self._on_change.call()
        return changed

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback()` after each refresh that found rows, in the refreshing thread; return the function that ends it.

        `newest` then returns the timeline with these rows. What the callback raises is logged, and hinders nobody else.

        >>> end = twin.open("demo").on_change(lambda: print("newer"))
        >>> end()
        """
        return self._on_change.add(callback)

    @property
    def is_followed(self) -> bool:
        """Whether somebody wants to be told of new rows.

        >>> twin.open("demo").is_followed
        False
        """
        return bool(self._on_change)

    def freshen(self, older_than: float | None = None) -> None:
        """Refresh in a thread if the last refresh is older than so many seconds; returns at once, raises nothing.

        Without a number it is the settings' `refresh_s`.

        >>> twin.open("demo").freshen()
        """
        as_of = self.source.as_of
        most = self.settings.refresh_s if older_than is None else older_than
        # the machine's clock may have been set back since
        if as_of is None or self._refreshing.locked() or 0 <= time.time() - as_of < most:
            return
        threading.Thread(target=self._freshen, name="refresh", daemon=True).start()

    def _freshen(self) -> None:
        try:
            with errand.on(page="refresh"):
                self.refresh()
        except SourceError as error:
            log.warning("the refresh failed, the data stays as it is: %s", error)

    def quality(self, location: str | None = None) -> Quality:
        """Return the counts of raw rows: read, used, and rejected by reason.

        >>> quality = twin.open("demo").quality()
        >>> quality.read == quality.used + sum(quality.rejected.values())
        True
        """
        return self.source.quality(location)

    def last_hours(self, location: str, hours: float = LAST_HOURS) -> Window:
        """Return the last hours of a location that are worth seeing: without stragglers after a gap, see docs/figures.md.

        >>> window = twin.open("demo").last_hours("chicago", 6)
        >>> (window.end - window.start) / 3600
        6.0
        """
        end = self.last_day(location).end
        return Window(end - hours * 3600, end)

    def last_day(self, location: str) -> LastDay:
        """Return where `last_hours` ends, and how many orders begin after it.

        >>> twin.open("demo").last_day("chicago").later_orders
        0
        """
        place, found = self.location(location), self._last_days
        if place not in found:
            found[place] = first_view.last_day(place, self.source.volume(location))
        return found[place]

    def edge(self, location: str) -> float:
        """Return the live edge of a location, data seconds: the latest event time read, as far as the kitchen's clock has come.

        >>> t = twin.open("demo")
        >>> t.edge("chicago") == t.location("chicago").end
        True
        """
        return self.edge_of(self.location(location))

    def edge_of(self, place: Location) -> float:
        """Return the same of a location that is at hand: whoever wants it of thousands does not look for each.

        >>> t = twin.open("demo")
        >>> t.edge_of(t.location("chicago")) == t.edge("chicago")
        True
        """
        return live_edge.live_edge(place, lambda: self.source.volume(place.id), self._clock())

    def newest(self, location: str) -> Timeline:
        """Return the timeline of a location that ends at the live edge: about its last 24 hours, the same for all who ask.

        After a refresh that found rows there is a new one; its range begins where the one before began, until it is 25 hours
        long, and ends with the minute of the edge. A timeline that somebody holds does not change.

        >>> t = twin.open("demo")
        >>> kitchen = t.newest("chicago")
        >>> kitchen is t.newest("chicago"), 0 < kitchen.window.end - t.edge("chicago") <= 60
        (True, True)
        """
        place, version, before = self.location(location), self._version, self._newest.get(location)
        begin = self.last_hours(location).start if before is None else before.timeline.window.start
        window = live_edge.live_window(place, self.edge(location), begin)
        if before is not None and before.version == version and before.timeline.window == window:
            return before.timeline
        return self._newest_made.run((location, version, window), lambda: self._make_newest(location, version, window))

    def _make_newest(self, location: str, version: int, window: Window) -> Timeline:
        if self.source.as_of is None:  # it never grows
            timeline, mark = self.timeline(location, window.start, window.end), 0
        else:
            mark = getattr(
                self.source, "mark", 0
            )  # before anything is read: a row that is met twice is a copy like any other
            timeline = self._extended(location, window) or self._read_newest(location, window)
        held = self._newest.get(location)
        if held is None or held.version <= version:
            self._newest.put(location, Newest(version, timeline, mark))
        return timeline

    def _extended(self, location: str, window: Window) -> Timeline | None:
        """Return the newest timeline so far with what came in since; None where everything has to be read again."""
        held = self._newest.get(location)
        if held is None or held.timeline.window.start != window.start or held.timeline.window.end > window.end:
            return None
        rows = self.source.arrived(location, held.mark)
        if rows is None:
            return None
        try:
            return held.timeline.extended(
                rows,
                window.end,
                quality=self.source.quality(location),
                place=live_edge.settled(self.location(location), held.timeline.location),
                brands=self.source.names("brands"),
            )
        except OutgrownError as reason:
            log.info("the newest hours of %s are read again: %s", location, reason)
            return None

    def _read_newest(self, location: str, window: Window) -> Timeline:
        """Return the newest timeline read as a whole: at first, and when its range begins later; what lies before is let go."""
        held = self._newest.get(location)
        before = None if held is None else held.timeline
        return Timeline.load(self.source, location, window.start, window.end, growing=True, before=before)

    def reach(self, location: str) -> Window:
        """Return the widest range of a location that can be chosen: the days that have data, and its last 24 hours.

        >>> reach = twin.open("demo").reach("chicago")
        >>> reach.start % 86_400, reach.end % 86_400
        (0.0, 0.0)
        """
        place, latest = self.location(location), self.last_hours(location)
        low, high = place.tz.whole_days(place.start, place.end)
        return Window(min(low, latest.start), max(high, latest.end))

    def within(self, location: str, start: Time, end: Time) -> Window | None:
        """Return the part of a range that lies within `reach`, None if nothing does.

        Whoever takes a range from outside takes it from here: a range of two centuries costs as much as one that is full of
        orders. Raises ValueError if `end` is not after `start`.

        >>> t = twin.open("demo")
        >>> t.within("chicago", "1900-01-01", "2100-01-01") == t.reach("chicago"), t.within("chicago", 0, 1)
        (True, None)
        """
        tz = self.location(location).tz
        first, last = tz.seconds(start), tz.seconds(end)
        if not first < last:
            raise ValueError(f"The range must end after it starts, not run from {tz.text(first)} to {tz.text(last)}.")
        reach = self.reach(location)
        window = Window(max(first, reach.start), min(last, reach.end))
        return window if window.start < window.end else None

    def timeline(self, location: str, start: Time | None = None, end: Time | None = None) -> Timeline:
        """Return the timeline of a location over [start, end), by default its last 24 hours.

        >>> kitchen = twin.open("demo").timeline("sanfrancisco", "2025-10-16", "2025-10-17")
        >>> kitchen.at("2025-10-16 18:30").counts["cooking"] > 0
        True
        """
        key = self._key(location, start, end)
        return self._timelines.load(key, lambda: self._load(*key))

    def _load(self, location: str, start: float, end: float) -> Timeline:
        content = self.source.content
        if (stored := self._stored.find(location, Window(start, end))) is not None:
            return stored
        size = window_sizes.expected(self.source.volume(location), Window(start, end)).bytes
        with LOADING.taken(size, self.settings.memory_bytes * LOADING_SHARE):
            timeline = Timeline.load(self.source, location, start, end)
        self._stored.store(timeline, content)
        return timeline

    def kept(self, location: str, start: Time | None = None, end: Time | None = None) -> Timeline | None:
        """Return the timeline that `timeline` would return if it is in memory, else None. Returns at once.

        >>> t = twin.open("demo")
        >>> t.timeline("sanfrancisco") is t.kept("sanfrancisco")
        True
        """
        return self._timelines.get(self._key(location, start, end))

    def _key(self, location: str, start: Time | None, end: Time | None) -> tuple[str, float, float]:
        window, tz = self.last_hours(location), self.location(location).tz
        first, last = (
            window.start if start is None else tz.seconds(start),
            window.end if end is None else tz.seconds(end),
        )
        return location, first, last

    def kept_insights(self, timeline: Timeline) -> Insights | None:
        """Return the insights that `insights` would return if they are in memory, else None. Returns at once.

        >>> t = twin.open("demo")
        >>> kitchen = t.timeline("sanfrancisco")
        >>> t.insights(kitchen) == t.kept_insights(kitchen)
        True
        """
        with self._lock:
            parts = self._insights.get(timeline)
        return None if parts is None else _insights(timeline, *parts)

    def insights(self, timeline: Timeline) -> Insights:
        """Return what is usual at a timeline's kitchen and what stands out in it; queries the source once per timeline.

        >>> t = twin.open("demo")
        >>> [moment.kind for moment in t.insights(t.timeline("sanfrancisco")).moments] != []
        True
        """
        cached = self.kept_insights(timeline)
        return cached or _insights(timeline, *self._learning.run(timeline, lambda: self._learn(timeline)))

    def states(self, timeline: Timeline) -> StateLog:
        """Return the states of a timeline's kitchen, minute by minute; without its moments, which take longer.

        >>> t = twin.open("demo")
        >>> evening = t.timeline("sanfrancisco", "2025-10-16", "2025-10-17")
        >>> state, over = t.states(evening).at(twin.foundation.times.seconds("2025-10-16 18:40"))
        >>> twin.analysis.kitchen_state.STATES[state]
        'trouble'
        """
        return self._contexts_made.run(timeline, lambda: self._context(timeline))[2]

    def usual(self, timeline: Timeline) -> Baseline:
        """Return what is usual at a timeline's kitchen; without its moments, which take longer.

        >>> t = twin.open("demo")
        >>> t.usual(t.timeline("sanfrancisco")).days > 0
        True
        """
        return self._contexts_made.run(timeline, lambda: self._context(timeline))[0]

    def troubles_at(self, timeline: Timeline, t: float) -> Findings:
        """Return the troubles that were going on at t (data seconds) or had just ended, as they were known then.

        >>> t = twin.open("demo")
        >>> evening = t.timeline("sanfrancisco", "2025-10-16", "2025-10-17")
        >>> [one.title for one in t.troubles_at(evening, twin.foundation.times.seconds("2025-10-16 18:40")).moments]
        ['Drivers are short']
        """
        return self._troubles(timeline).at(t)

    def unfolding(self, timeline: Timeline, block: int) -> tuple[KnownFrom, ...]:
        """Return what was known of troubles at every fifth minute of a block of time (unfolding.py), where it changed.

        >>> t = twin.open("demo")
        >>> evening = t.timeline("sanfrancisco", "2025-10-16", "2025-10-17")
        >>> block = twin.analysis.moments.unfolding.block_of(twin.foundation.times.seconds("2025-10-16 18:40"))
        >>> [[one.kind for one in known.findings.moments] for known in t.unfolding(evening, block)][:2]
        [[], ['driver_shortage']]
        """
        if not timeline.grows:
            return self._unfold(timeline, block)
        with self._lock:
            live = self._unfolding_live.setdefault(timeline.location.id, UnfoldingLive(self.settings.final_after_s))
        return live.block(block, timeline.window, lambda number: self._unfold(timeline, number))

    def _unfold(self, timeline: Timeline, block: int) -> tuple[KnownFrom, ...]:
        return self._troubles(timeline).cached(Unfolding).block(block)

    def _troubles(self, timeline: Timeline) -> TroublesAsKnown:
        baseline = self.usual(timeline)
        with self._lock:
            known = self._known.get(timeline)
            if known is None:
                known = self._known[timeline] = TroublesAsKnown(
                    timeline,
                    baseline,
                    self.settings.late_after_s,
                    self.settings.cold_after_s,
                    self.settings.delivery_target_s,
                )
        return known

    def other_days(self, location: str, history: History | None = None) -> OtherDays:
        """Return the days of a location that can be a ghost; `history` is what the best of them is chosen from.

        >>> t = twin.open("demo")
        >>> len(t.other_days("chicago").orders) == len(t.days("chicago"))
        True
        """
        place = self.location(location)
        return OtherDays(self.source.volume(location), history, place.tz, self.settings.delivery_target_s)

    def days(self, location: str) -> list[str]:
        """Return the dates of these days, the latest first.

        >>> twin.open("demo").days("chicago")[:2]
        ['2025-10-17', '2025-10-16']
        """
        return [date_text(day) for day in sorted(self.other_days(location).orders, reverse=True)]

    def ledger(self, timeline: Timeline) -> Ledger:
        """Return the delay ledger of a timeline: what its orders' times, and their lateness, were made of.

        >>> t = twin.open("demo")
        >>> evening = t.ledger(t.timeline("sanfrancisco", "2025-10-16 18:00", "2025-10-16 20:00")).account()
        >>> bool(abs(evening.parts.sum() - evening.total_s) < 0.001)
        True
        """
        return ledger_of(timeline, self.usual(timeline), self.settings.delivery_target_s)

    def promises(self, timeline: Timeline) -> PromiseBook:
        """Return what a timeline's orders were promised, and what would have been fair by what was known then.

        >>> t = twin.open("demo")
        >>> [promises.kind for promises in t.promises(t.timeline("sanfrancisco", "2025-10-16", "2025-10-17")).kinds][0]
        'target'
        """
        return promises_of(timeline, self.usual(timeline), self.settings.delivery_target_s)

    def long_ledger(self, location: str, window: Window) -> LongLedger:
        """Return the delay ledger of a range that is too long to load: the source adds it up.

        >>> t = twin.open("demo")
        >>> t.long_ledger("sanfrancisco", t.reach("sanfrancisco")).account().orders > 100
        True
        """
        return LongLedger(self.source, self.location(location), window, self.settings.delivery_target_s)

    def _learn(self, timeline: Timeline) -> Learned:
        with self._lock:
            parts = self._insights.get(timeline)  # another thread may have finished since the first check
        if parts is None:
            baseline, failed, states = self._contexts_made.run(timeline, lambda: self._context(timeline))
            findings = detect(
                timeline,
                baseline,
                self.settings.late_after_s,
                self.settings.cold_after_s,
                self.settings.delivery_target_s,
            )
            parts = (baseline, replace(findings, failed=failed + findings.failed), states)
            with self._lock:
                self._insights[timeline] = parts
        return parts

    def _context(self, timeline: Timeline) -> Context:
        """Return what is usual around a timeline, what failed of it, and the timeline's states against it."""
        with self._lock:
            context = self._contexts.get(timeline)
        if context is None:
            baseline, failed = self._baseline(timeline)
            context = baseline, failed, states_of(timeline, baseline, Limits.of(self.settings))
            with self._lock:
                self._contexts[timeline] = context
        return context

    def _baseline(self, timeline: Timeline) -> Usual:
        """Return what is usual, and ("history",) if that failed: moments then come from the timeline's own orders."""
        place, window = timeline.location, timeline.window
        had, usual = self._histories.get(place.id, (None, None))
        if timeline.grows and usual and had and had.start == window.start and had.end <= window.end:
            return usual  # of the hour: the days before do not change with every row
        usual = self._read_baseline(timeline)
        if timeline.grows:
            self._histories[place.id] = window, usual
        return usual

    def _read_baseline(self, timeline: Timeline) -> Usual:
        try:
            return Baseline.load(self.source, timeline.location, timeline.window), ()
        except TwinError:
            raise
        except Exception:  # what nobody foresaw in the days around must not hide what is in the range
            log.exception("the history of %s cannot be used", timeline.location.id)
            return Baseline.none(), (HISTORY,)

    def streets(self, location: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
        """Return n routes at a location for its base map: x, y (k,) Web Mercator metres and offsets (n + 1,).

        >>> x, y, offsets = twin.open("demo").streets("chicago")
        >>> len(x) == len(y) == int(offsets[-1])
        True
        """
        route, lat, lon, _ = route_points(self.source.routes(location, MAX_ROUTES))
        counts = np.bincount(route) if len(route) else np.zeros(0, np.int64)
        x, y = project(lat, lon)
        if (east := self.location(location).x) is not None:
            x = nearest_copy(x, east)
        return x, y, np.concatenate(([0], np.cumsum(counts[counts > 0]))).astype(np.int32)


def _insights(timeline: Timeline, baseline: Baseline, findings: Findings, states: StateLog) -> Insights:
    return Insights(timeline, baseline, findings.moments, findings.failed, states)


def open_source(
    name: str | Path | None,
    settings: Settings,
    progress: Progress | None = None,
    token: Callable[[], str] | None = None,
) -> Source:
    """Open the source of events that `name` names, without it the settings' own: see `twin.open`. Raises `SourceError`.

    `token()` returns the access token of the user with whose rights it is read, None: with those of this process. Raises
    `ConfigError` for a source that knows no users.
    """
    chosen = str(name or settings.source)
    try:
        return _open(chosen, settings, progress, token)
    except (TwinError, ImportError):
        raise
    except Exception as error:  # whatever it is, whoever opens a source is told, and can try again
        log.exception("a source cannot be opened")
        raise SourceError(
            f"{chosen} cannot be opened, for a reason that nobody foresaw ({type(error).__name__}): the log has it. Check the "
            "source, and try again."
        ) from error


def _open(chosen: str, settings: Settings, progress: Progress | None, token: Callable[[], str] | None = None) -> Source:
    if chosen == "databricks" or chosen.startswith("databricks://"):
        from twin.sources.databricks import DatabricksSource  # noqa: PLC0415  # the connector is an optional package

        return DatabricksSource(chosen, settings, progress, token)
    if token is not None:
        raise ConfigError(
            "TWIN_ON_BEHALF_OF_USER is on, but the source is no SQL warehouse, which alone knows users: unset it."
        )
    if chosen == "demo":
        return FileSource(_demo(settings.demo.resolve(), progress), progress, settings)
    return ChangingFiles(chosen, progress, settings, _adapter(chosen, settings))


def _adapter(chosen: str, settings: Settings) -> Adapter | None:
    """Return the adapter that the settings name, else the one that lies beside the data; None if there is none."""
    if settings.adapter is None and not os.path.exists(beside := adapter_beside(chosen)):
        return None
    from twin.sources.adapters import adapter  # noqa: PLC0415  # pydantic, for which few notebooks should wait

    return adapter.load(settings.adapter or Path(beside))


def _demo(folder: Path, progress: Progress | None) -> Path:
    """Return the folder of the demo data, and create the data if missing: completely or not at all, even by two processes."""
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    from twin.simulator import write_demo  # noqa: PLC0415  # only needed the first time

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".demo-") as making:
        write_demo(Path(making) / "demo", progress=progress)
        try:
            (Path(making) / "demo").rename(folder)
        except OSError:
            if not any(folder.glob("*")):  # another process was faster, and its data is the same
                raise
    return folder
