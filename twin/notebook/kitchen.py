"""A kitchen in a notebook: one location over a range of time, with its tables and its panes.

Tables and values come from the timeline and need no display. The panes (map, pipeline …) and figures import Panel at their
first use, so that `import twin` stays fast and computations do not depend on Panel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Never

import numpy as np

from twin.analysis import brands
from twin.analysis.baseline import Baseline
from twin.analysis.common_traits import CommonTrait, common_traits, traits_of
from twin.analysis.driver_supply import drivers_at
from twin.analysis.insights import Insights
from twin.analysis.ledger import Account
from twin.analysis.long_ledger import LongLedger, is_long
from twin.analysis.metrics import metrics_of
from twin.analysis.moments import Moment
from twin.analysis.shelf import ShelfClock, by_brand
from twin.foundation.lazily import at_first_use
from twin.hub import Hub
from twin.notebook import in_and_out, tables
from twin.notebook.cards import FoundMoment, IncidentCard
from twin.notebook.follow import Follow
from twin.notebook.given_times import AnyTime, GivenTimes, Step, step_seconds
from twin.notebook.order_life import OrderLife
from twin.sources.base import Location, Window
from twin.timeline.timeline import Snapshot, Timeline

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import panel as pn

    from twin.notebook import curves, drawn_tables, panes, saved
    from twin.notebook.drawn_tables import MomentTable, TrajectoryTable
    from twin.replay.controller import ReplayController
    from twin.reports import card, day
else:  # which only tables need, and what draws, which these do without
    pd, drawn_tables = at_first_use("pandas"), at_first_use("twin.notebook.drawn_tables")
    curves, panes, saved = (at_first_use(f"twin.notebook.{name}") for name in ("curves", "panes", "saved"))
    card, day = at_first_use("twin.reports.card"), at_first_use("twin.reports.day")

TEN_MINUTES = 600.0
TEN_SECONDS = 10.0


@dataclass(frozen=True)
class Instant:
    """A kitchen at one time. Created by `Kitchen.at`.

    >>> now = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16").at("18:30")
    >>> now.time, now.counts["cooking"] > 0, len(now.drivers) == now.counts["out_for_delivery"]
    (Timestamp('2025-10-16 18:30:00'), True, True)
    """

    timeline: Timeline
    snapshot: Snapshot
    target: float
    """Promised delivery time, seconds."""

    @property
    def time(self) -> "pd.Timestamp":
        """The time.

        >>> twin.open("demo").kitchen("chicago").at("12:00").time.hour
        12
        """
        return tables.stamp(self.snapshot.t, self.timeline.tz)

    @property
    def counts(self) -> dict[str, int]:
        """Orders by state; completed, cancelled and stalled count from midnight.

        >>> list(twin.open("demo").kitchen("chicago").at("12:00").counts)[:3]
        ['created', 'cooking', 'ready']
        """
        return self.snapshot.counts

    @property
    def orders(self) -> "pd.DataFrame":
        """The open orders, by id, the longest in its stage first: stage, since, minutes.

        >>> list(twin.open("demo").kitchen("chicago").at("12:00").orders)
        ['stage', 'since', 'minutes']
        """
        return tables.open_orders(self.timeline, self.snapshot)

    @property
    def drivers(self) -> "pd.DataFrame":
        """The drivers on the road, by order: lat, lon, heading (degrees), progress 0..1, eta, whether the position is measured.

        >>> list(twin.open("demo").kitchen("chicago").at("12:00").drivers)
        ['lat', 'lon', 'heading', 'progress', 'eta', 'measured']
        """
        return tables.drivers(self.timeline, self.snapshot)

    @property
    def stages(self) -> "pd.DataFrame":
        """The five stages: mean minutes in each, ages of the orders in it now.

        >>> list(twin.open("demo").kitchen("chicago").at("12:00").stages.index)
        ['created', 'cooking', 'ready', 'out_for_delivery', 'completed']
        """
        return tables.stage_figures(metrics_of(self.timeline).stages(self.snapshot))

    @property
    def kpis(self) -> "pd.Series":
        """The KPIs as numbers; times in minutes, shares 0..1, NaN where undefined.

        >>> bool(twin.open("demo").kitchen("chicago").at("12:00").kpis["orders_per_hour"] > 0)
        True
        """
        row = tables.kpi_row(
            metrics_of(self.timeline).kpis(self.snapshot.t, self.snapshot.counts, self.target),
            drivers_at(self.timeline, self.snapshot.t),
        )
        return pd.Series(row, name=self.time)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        return f"<{self.timeline.location.label} at {self.timeline.tz.text(self.snapshot.t)}: {counts}>"

    def _repr_html_(self) -> str:
        facts = [
            self.timeline.tz.text(self.snapshot.t),
            *(f"{count} {state}" for state, count in self.counts.items() if count),
        ]
        return tables.html(self.timeline.location.label, facts, self.stages.round(1))


@dataclass(frozen=True)
class Why:
    """Why some orders were late: `sentence`, `table` (a row per part), `shared`, and `account`, the sums in seconds."""

    account: Account
    common: Sequence[CommonTrait]
    """What the late orders share that the others do not, the largest difference first."""

    @property
    def sentence(self) -> str:
        """The late minutes and their largest causes."""
        return self.account.sentence

    @cached_property
    def table(self) -> "pd.DataFrame":
        """A row per part, and one for what is usual: mean minutes, usual, late minutes and orders."""
        return tables.account(self.account)

    @cached_property
    def shared(self) -> "pd.DataFrame":
        """What the late orders share: trait, its share of them and of the others, the interval of the difference, chance."""
        return tables.common_traits(self.common)

    def __repr__(self) -> str:
        return f"<Why: {self.sentence}>"

    def _repr_html_(self) -> str:
        alike = [one.sentence for one in self.common[:3]]
        return tables.html("Why late?", [self.sentence, *alike], self.table.round(1))


class Kitchen:
    """One location over a range of time: tables, values, panes. Created by `Twin.kitchen`.

    All panes of one kitchen share one clock and one selection: if one plays, all move. Another kitchen has its own, even of
    the same location.

    >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
    >>> k
    <Kitchen San Francisco, 2025-10-16 00:00:00 to 2025-10-17 00:00:00, ... orders>
    """

    def __init__(
        self, hub: Hub, timeline: Timeline | None, place: Location | None = None, window: Window | None = None
    ) -> None:
        """Take the loaded timeline, or None and the place and the window of one that is loaded when it is needed."""
        self._hub = hub
        self._timeline = timeline
        if timeline is not None:
            place, window = timeline.location, timeline.window
        assert place is not None
        assert window is not None
        self._place, self._window = place, window
        self._tables: dict[str, pd.DataFrame] = {}

    # -- values and tables -----------------------------------------------------------------------------------------------
    @property
    def data(self) -> Timeline:
        """The loaded `Timeline`, for what these tables do not contain.

        Raises `UnknownTimeError` for a range that is too large for the memory.

        >>> twin.open("demo").kitchen("chicago").data.has_orders
        True
        """
        if self._timeline is None:
            self._timeline = self._hub.timeline(self._place.id, self._window.start, self._window.end)
        return self._timeline

    @property
    def location(self) -> Location:
        """The location.

        >>> twin.open("demo").kitchen("chicago").location.display_name
        'Chicago'
        """
        return self._place

    @property
    def start(self) -> "pd.Timestamp":
        """The start of the range.

        >>> twin.open("demo").kitchen("chicago", day="2025-10-16").start
        Timestamp('2025-10-16 00:00:00')
        """
        return tables.stamp(self._window.start, self._place.tz)

    @property
    def end(self) -> "pd.Timestamp":
        """The end of the range, which is not in it.

        >>> twin.open("demo").kitchen("chicago", day="2025-10-16").end
        Timestamp('2025-10-17 00:00:00')
        """
        return tables.stamp(self._window.end, self._place.tz)

    def at(self, time: AnyTime) -> Instant:
        """Return the kitchen at a time.

        Parameters
        ----------
        time : time
            A time of day that the range has once, such as "18:30", or a full time.

        Returns
        -------
        Instant

        Raises
        ------
        ValueError
            With a sentence, for a time that is invalid, ambiguous or outside of the range.

        Examples
        --------
        >>> twin.open("demo").kitchen("sanfrancisco", day="2025-10-16").at("18:30").time
        Timestamp('2025-10-16 18:30:00')
        """
        return Instant(self.data, self.data.at(self._times.at(time)), self._hub.settings.delivery_target_s)

    @property
    def orders(self) -> "pd.DataFrame":
        """The orders that began in the range, by id: status, milestones, delivery_min, items, revenue, address.

        An order begins when it is created, or with its first event where its creation is not in the data: `created` is then NaT.
        A milestone that did not come, or is not in the data, is NaT, and what is computed from it NaN.

        Each access returns a table of your own (pandas copies it when you write to it), here and in the other tables.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> bool(k.orders["created"].dropna().between(k.start, k.end, inclusive="left").all())
        True
        """
        return self._table("orders", lambda: tables.orders(self.data))

    @property
    def items(self) -> "pd.DataFrame":
        """The items of these orders, a row each: order, item, brand, qty, price of one.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> bool((k.items["qty"] * k.items["price"]).sum().round(2) == k.orders["revenue"].sum().round(2))
        True
        """
        return self._table("items", lambda: tables.items(self.data))

    @property
    def order_brands(self) -> "pd.DataFrame":
        """The brands of these orders, a row per order and brand in it, to join on: order, brand, items, revenue.

        An order counts for each of its brands, with its whole delivery time, so these rows are more than the orders.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> by_brand = k.order_brands.join(k.orders["delivery_min"], on="order").groupby("brand")
        >>> by_brand["order"].count().to_dict() == k.brands()["orders"].to_dict()
        True
        """
        return self._table("order_brands", lambda: tables.order_brands(self.data))

    @property
    def stages(self) -> "pd.DataFrame":
        """One row per order and spell in a stage: order, stage, entered, left, minutes. A stalled order has left its stage.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> bool(k.stages.groupby("stage", observed=True)["minutes"].median()["cooking"] > 0)
        True
        """
        return self._table("stages", lambda: tables.stages(self.data))

    def events(self, start: AnyTime | None = None, end: AnyTime | None = None) -> "pd.DataFrame":
        """Return the events in a part of the range.

        Parameters
        ----------
        start, end : time, optional
            Of the part [start, end); without, from the start or to the end of the range.

        Returns
        -------
        pandas.DataFrame
            One row per event: ts, type, order; of pings progress (0..1), lat, lon (degrees).

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> list(k.events("18:00", "18:10"))
        ['ts', 'type', 'order', 'progress', 'lat', 'lon']
        """
        part = self._times.between(start, end)
        return tables.events(self.data, self.data.between(part.start, part.end))

    def trajectories(self, every: Step = TEN_SECONDS) -> "TrajectoryTable":
        """Return where every driver was, in steps.

        A trip has a row at its start, its end (or the edge of the range) and at the multiples of the step between, as
        `at(t).drivers` says.

        Parameters
        ----------
        every : step, default "10s"
            "5min", a timedelta, or seconds.

        Returns
        -------
        TrajectoryTable
            order, t, lat, lon (degrees), speed (m/s on the ground), heading (degrees from north), measured. `.to_geopandas()`
            makes points of it, which movingpandas takes as they are; `.hvplot` draws it.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> ways = k.trajectories("10s")
        >>> bool(ways["order"].isin(k.stages.query("stage == 'out_for_delivery'")["order"]).all())
        True
        """
        return drawn_tables.TrajectoryTable(tables.trajectories(self.data, step_seconds(every)))

    def order(self, order: str) -> OrderLife:
        """Return one order's life: its times, stages, events, items, address; a notebook shows it as a figure.

        Parameters
        ----------
        order : str
            Its id, as in the index of `orders`.

        Returns
        -------
        OrderLife

        Raises
        ------
        UnknownOrderError
            If there is no such order in the range.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.order(k.orders.index[0]).status
        'completed'
        """
        return OrderLife.of(self.data, order)

    def brands(self, start: AnyTime | None = None, end: AnyTime | None = None) -> "pd.DataFrame":
        """Return the brands with orders in a part of the range, compared.

        An order counts for each of its brands, with its whole delivery time; revenue is split by item.

        `cold` of a brand's `meals` stood longer than `settings.cold_after_s`; the median stood `stood_p50_min`.

        Parameters
        ----------
        start, end : time, optional
            Of the part [start, end); without, from the start or to the end of the range.

        Returns
        -------
        pandas.DataFrame
            One row per brand, that with most orders first: orders, revenue, delivery_min, deliveries, trend, meals,
            stood_p50_min, cold, cold_share.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.brands()["orders"].is_monotonic_decreasing
        True
        """
        part = self._times.between(start, end)
        shelves = by_brand(self.data, part.start, part.end, self._hub.settings.cold_after_s)
        return tables.brands(brands.performance(self.data, part.start, part.end), shelves)

    @property
    def moments(self) -> "MomentTable":
        """The moments, the most severe first: kind, title, sentence, why, start, end, at (when it is worst), severity.

        `why` says what the late minutes of the orders that began then were made of.

        A whole number gives one of them, with its card: `k.moments[0].card()`.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> bool(k.moments["severity"].is_monotonic_decreasing)
        True
        """
        found = self.insights.moments
        rows = [FoundMoment(one, self._card) for one in found]
        return drawn_tables.MomentTable.of(tables.moments(found, self.data.tz), rows)

    def card(
        self, start: AnyTime, end: AnyTime, notes: str = "", link: str = "", known_at: AnyTime | None = None
    ) -> IncidentCard:
        """Return the card of a part of the range: why orders were late, what ended it, the latest orders, on one page.

        Parameters
        ----------
        start, end : time
            The part [start, end).
        notes : str, optional
            Of one's own, cut to what the page has room for.
        link : str, optional
            The address of a live page to lead to.
        known_at : time, optional
            As of when; by default with hindsight.

        Returns
        -------
        IncidentCard

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.card("18:00", "20:00").content.why == k.why("18:00", "20:00").sentence
        True
        """
        part, until = self._times.between(start, end), None if known_at is None else self._times.at(known_at)
        made = card.card_of(self._hub, self.data, part.start, part.end, known_at=until, link=link)
        return IncidentCard(made.with_notes(notes))

    def _card(self, moment: Moment, known_at: AnyTime | None, notes: str, link: str) -> IncidentCard:
        until = None if known_at is None else self._times.at(known_at)
        if until is not None:
            moment, until = card.known_moment(self._hub, self.data, moment, until)
        made = card.card_of(self._hub, self.data, moment.start, moment.end, moment=moment, known_at=until, link=link)
        return IncidentCard(made.with_notes(notes))

    def troubles_at(self, time: AnyTime) -> "pd.DataFrame":
        """Return the troubles that were going on at a time, or had ended up to ten minutes before, as they were known then.

        A trouble that was going on ends at the time, and counts what had happened by then.

        Parameters
        ----------
        time : time
            In the range.

        Returns
        -------
        pandas.DataFrame
            Columns as in `moments`.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> list(k.troubles_at("18:40")["title"])
        ['Drivers are short']
        """
        return tables.moments(self._hub.troubles_at(self.data, self._times.at(time)).moments, self.data.tz)

    @property
    def ledger(self) -> "pd.DataFrame":
        """The delay ledger, a row per delivery: its minutes by part, which add up, and what made it late.

        Of over 31 days the source makes it, so that they need not be loaded; so it does for `why`.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> parts = ["queue", "cook", "pack", "food_waits", "hand_over", "drive", "not_recorded"]
        >>> bool((k.ledger[[f"{part}_min" for part in parts]].sum(axis=1) - k.ledger["delivery_min"]).abs().max() < 1e-4)
        True
        """
        return self._table("ledger", self._make_ledger)

    def _make_ledger(self) -> "pd.DataFrame":
        if is_long(self._window):
            return tables.long_ledger(self._long_ledger(self._window), self._place.tz)
        return tables.ledger(self.data, self._hub.ledger(self.data))

    @property
    def shelf(self) -> "pd.DataFrame":
        """The shelf clock, a row per finished meal: since when it stood, until its pick-up, minutes, and whether it was cold.

        Empty where the data knows no `gk_finished` or `gk_ready`: `settings.cold_after_s` says when a meal is cold.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> bool((k.shelf["minutes"] >= 0).all())
        True
        """
        cold_after = self._hub.settings.cold_after_s
        return self._table("shelf", lambda: tables.shelf(self.data, ShelfClock(self.data.orders, cold_after)))

    @property
    def promises(self) -> "pd.DataFrame":
        """Whether promises were fair, a row per order and promise: promised, took and fair minutes, kept, doomed.

        The target is promised at the order, the driver's estimate of the drive at pick-up, in data that has it.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> set(k.promises["kind"]) <= {"target", "estimate"}
        True
        """
        return self._table("promises", lambda: tables.promises(self.data, self._hub.promises(self.data)))

    def why(self, start: AnyTime | None = None, end: AnyTime | None = None) -> "Why":
        """Return why the orders created in a part of the range were late.

        Of a range of over 31 days nothing is looked for that the late ones share.

        Parameters
        ----------
        start, end : time, optional
            Of the part [start, end); without, from the start or to the end of the range.

        Returns
        -------
        Why

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.why("18:00", "19:00").sentence
        '...'
        """
        part = self._times.between(start, end)
        if is_long(self._window):
            return Why(self._long_ledger(part).account(), [])
        began, book = self.data.orders.began, self._hub.ledger(self.data)
        among = book.counted & (began >= part.start) & (began < part.end)
        return Why(book.account(among), common_traits(self.data.cached(traits_of), book.late, among))

    @property
    def rejects(self) -> "pd.DataFrame":
        """The location's rejected and flagged rows: what, reason, rows, share of all rows read.

        >>> list(twin.open("demo").kitchen("chicago").rejects)
        ['what', 'reason', 'rows', 'share']
        """
        return tables.rejects(self.data.data_quality)

    @property
    def baseline(self) -> Baseline:
        """What is usual here: the same hour on other days.

        >>> usual = twin.open("demo").kitchen("chicago").baseline
        >>> sorted({"orders_per_hour", "delivery_time", "stage_time"} & set(dir(usual)))
        ['delivery_time', 'orders_per_hour', 'stage_time']
        """
        return self.insights.baseline

    @property
    def insights(self) -> Insights:
        """Baseline and moments together; the source is queried once.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.insights.timeline is k.data
        True
        """
        return self._hub.insights(self.data)

    def history(self, every: Step = TEN_MINUTES) -> "pd.DataFrame":
        """Return the KPIs over the range.

        Parameters
        ----------
        every : step, default "10min"
            "5min", a timedelta, or seconds.

        Returns
        -------
        pandas.DataFrame
            One row per step, equal to `at(t).kpis`; its index is the time.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> bool(k.history(3600).loc["2025-10-16 18:00", "active"] == k.at("18:00").kpis["active"])
        True
        """
        window, step = self.data.window, step_seconds(every)
        offset = self.data.tz.local(window.start) - window.start  # whole hours are those of the kitchen's clock
        first = np.ceil((window.start + offset) / step) * step - offset
        return tables.kpis(self.data, np.arange(first, window.end, step), self._hub.settings.delivery_target_s)

    # -- clock and selection ---------------------------------------------------------------------------------------------
    def follow(self, seconds: float | None = None) -> "Follow[Instant]":
        """Follow this kitchen while it happens: iterate over the result, or display it.

        Displayed, it is a dashboard that follows.

        Parameters
        ----------
        seconds : float, optional
            Of wall time after which iterating ends; without, when it is interrupted.

        Returns
        -------
        Follow
            Yields an `Instant` for now and for whenever something has come in, at most one a second.

        Raises
        ------
        ValueError
            If nothing can come from the source.

        Examples
        --------
        >>> for now in twin.open("demo").kitchen("chicago").follow(): print(now.kpis["active_orders"])
        Traceback (most recent call last):
        ValueError: Nothing newer comes from this source, so nothing can be followed.
        """
        if self._hub.as_of is None:
            raise ValueError("Nothing newer comes from this source, so nothing can be followed.")
        target = self._hub.settings.delivery_target_s
        return Follow(
            self._hub,
            self._place.id,
            seconds,
            lambda timeline, t: Instant(timeline, timeline.at(t), target),
            lambda: self._replay.follow().dashboard(),
        )

    @property
    def replay(self) -> "ReplayController":
        """The clock and the selection of this kitchen's panes: play(), pause(), seek(t), set_speed(x), selection.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.replay.seek("2025-10-16 18:30")
        >>> twin.notebook.tables.stamp(k.replay.now())
        Timestamp('2025-10-16 18:30:00')
        """
        return self._replay.controller

    @property
    def selection(self) -> "pd.DataFrame":
        """The orders selected in the panes, as a table like `orders`.

        These are the order that was clicked; else the orders created in the section brushed on the timeline (without one, in
        the range), and, if a stage was clicked, only those in it at the playhead.

        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.replay.set_range("2025-10-16 18:00", "2025-10-16 19:00")
        >>> bool((k.selection["created"].dt.hour == 18).all()), 0 < len(k.selection) < len(k.orders)
        (True, True)
        """
        replay, timeline = self.replay, self.data
        chosen = replay.selection
        if chosen.row >= 0:
            return tables.orders(timeline, np.array([chosen.row]))
        built = timeline.orders
        inside = (built.began >= replay.start) & (built.began < replay.end)
        if chosen.stage:
            among = np.zeros(len(built), bool)
            among[timeline.membership.at(replay.now(), chosen.stage).order] = True
            inside &= among
        return tables.orders(timeline, np.flatnonzero(inside))

    # -- panes -----------------------------------------------------------------------------------------------------------
    def map(self) -> "pn.viewable.Viewable":
        """Return the delivery map.

        >>> twin.open("demo").kitchen("chicago").map().height
        480
        """
        return self._replay.pane("map")

    def pipeline(self) -> "pn.viewable.Viewable":
        """Return the five stages at the playhead.

        >>> type(twin.open("demo").kitchen("chicago").pipeline()).__name__
        'PipelineStrip'
        """
        return self._replay.pane("pipeline")

    def timeline(self) -> "pn.viewable.Viewable":
        """Return the transport: play, speed, and the scrubber over the orders of the range.

        Dragging on its bars scrubs. Dragging on the thin strip above them, or with Shift on the bars, brushes a section: it is
        played again and again, and `selection` has its orders. Its button, or the key \\, clears it.

        >>> type(twin.open("demo").kitchen("chicago").timeline()).__name__
        'TransportBar'
        """
        return self._replay.pane("timeline")

    def kpis(self) -> "pn.viewable.Viewable":
        """Return the KPI cards.

        >>> type(twin.open("demo").kitchen("chicago").kpis()).__name__
        'KpiCards'
        """
        return self._replay.pane("kpis")

    def trends(self) -> "pn.viewable.Viewable":
        """Return volume, stage times and brands over the range.

        >>> twin.open("demo").kitchen("chicago").trends().height
        260
        """
        return self._replay.pane("trends")

    def feed(self) -> "pn.viewable.Viewable":
        """Return the event feed: the events up to the playhead as sentences, to filter and to search.

        >>> twin.open("demo").kitchen("chicago").feed().height
        420
        """
        return self._replay.pane("feed")

    def dashboard(self) -> "pn.viewable.Viewable":
        """Return all panes, arranged.

        >>> len(twin.open("demo").kitchen("chicago").dashboard())
        4
        """
        return self._replay.dashboard()

    # -- figures to compose ----------------------------------------------------------------------------------------------
    def volume(self, every: Step = TEN_MINUTES) -> "hv.Curve":
        """Return the orders created per step, to overlay with others.

        Parameters
        ----------
        every : step, default "10min"
            "5min", a timedelta, or seconds.

        Returns
        -------
        holoviews.Curve

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> int(k.volume().dimension_values("orders").sum()) == len(k.orders)
        True
        """
        return curves.volume(self.data, step_seconds(every))

    def curve(self, kpi: str, every: Step = TEN_MINUTES) -> "hv.Curve":
        """Return a column of `history` as a curve; its label is the location's name.

        Parameters
        ----------
        kpi : str
            Its name: Tab completes it.
        every : step, default "10min"
            "5min", a timedelta, or seconds.

        Returns
        -------
        holoviews.Curve

        Raises
        ------
        ValueError
            For a KPI that there is not.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.curve("delivery_min") * k.volume()
        :Overlay
           .Curve.San_Francisco.I  :Curve   [time]   (delivery_min)
           .Curve.San_Francisco.II :Curve   [time]   (orders)
        """
        return curves.curve(self.location.label, self.history(every), kpi)

    def save(self, path: str | Path, step: Step | None = None) -> Path:
        """Write a replay of the range as one HTML file that plays, scrubs and shows the map without server or network.

        It opens at the moment at which `replay` stands. Drivers move continuously, figures change with each step.

        Parameters
        ----------
        path : str or Path
            The file.
        step : step, optional
            Data time between two recorded states; by default a minute, more for long ranges.

        Returns
        -------
        Path
            That of the file.

        Raises
        ------
        ValueError
            With a sentence, if the file would be larger than `saved.MOST_BYTES`, or have too many steps.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("chicago", start="2025-10-16 18:00", end="2025-10-16 18:30")
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = k.save(f"{folder}/replay.html")
        ...     written.stat().st_size < 15_000_000
        True
        """
        return saved.save(self._hub, self.data, path, self.replay.now(), None if step is None else step_seconds(step))

    def to_parquet(self, folder: str | Path) -> Path:
        """Write the tables to a folder, each as one file.

        They are orders, items, order_brands, stages, events, ledger, shelf, promises and moments.

        Parameters
        ----------
        folder : str or Path
            Is made if it is missing; files of these names in it are replaced.

        Returns
        -------
        Path
            That of the folder.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("chicago", start="2025-10-16 18:00", end="2025-10-16 18:30")
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     len(pd.read_parquet(k.to_parquet(folder) / "orders.parquet")) == len(k.orders)
        True
        """
        names = ("orders", "items", "order_brands", "stages", "ledger", "shelf", "promises", "moments")
        return in_and_out.to_parquet({"events": self.events()} | {name: getattr(self, name) for name in names}, folder)

    def report(self, path: str | Path, link: str = "") -> Path:
        """Write the report of the range as one HTML page to read, print and mail: why late, moments, brands, the latest orders.

        Parameters
        ----------
        path : str or Path
            The file.
        link : str, optional
            The address of a live page to lead to.

        Returns
        -------
        Path
            That of the file.

        Examples
        --------
        >>> k = twin.open("demo").kitchen("chicago", start="2025-10-16 18:00", end="2025-10-16 18:30")
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     "From the promise to the delivery" in k.report(f"{folder}/report.html").read_text()
        True
        """
        return day.save_report(self._hub, self.data, path, link)

    @cached_property
    def _replay(self) -> "panes.NotebookReplay":
        return panes.NotebookReplay(self._hub, self.data)

    def _long_ledger(self, window: Window) -> LongLedger:
        return self._hub.long_ledger(self._place.id, window)

    def _table(self, name: str, make: Callable[[], "pd.DataFrame"]) -> "pd.DataFrame":
        """Return a table that is made once, as a frame of its own: whoever assigns to it changes it for nobody else."""
        if name not in self._tables:
            self._tables[name] = make()
        return self._tables[name].copy(deep=False)  # pandas copies on write

    def __reduce__(self) -> Never:
        """Refuse to be pickled, with what to do instead."""
        raise TypeError(
            "A kitchen cannot be pickled or copied: it shares its open source and what is loaded with others. Pickle its tables, "
            f"or open it in the other process: twin.open({self._hub.source.name!r}).kitchen({self._place.id!r}, "
            f"start={str(self.start)!r}, end={str(self.end)!r})."
        )

    def _arguments_of_(self, method: str) -> list[str]:
        if method == "order" and self._timeline is not None:
            return list(self.orders.index)
        return list(tables.KPIS) if method == "curve" else []

    @property
    def _times(self) -> GivenTimes:
        return GivenTimes(self._window, self._place.tz)

    @property
    def _facts(self) -> list[str]:
        tz, window = self._place.tz, self._window
        range_text = f"{tz.text(window.start)} to {tz.text(window.end)}"
        return [range_text] if self._timeline is None else [range_text, f"{len(tables.begun(self._timeline)):,} orders"]

    def __repr__(self) -> str:
        return f"<Kitchen {self.location.label}, {', '.join(self._facts)}>"

    def _repr_html_(self) -> str:
        if self._timeline is None:  # which a look must not load
            return tables.html(self.location.label, self._facts, self.why().table.round(1))
        return tables.html(self.location.label, self._facts, self.moments[["title", "sentence", "start", "end"]])
