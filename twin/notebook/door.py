"""The public entry point: `open` returns a `Twin`, a hub with conveniences for notebooks."""

import sys
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Never

import numpy as np
from numpy.typing import NDArray

from twin.analysis.first_view import LastDay
from twin.analysis.long_ledger import is_long
from twin.foundation.errors import UnknownLocationError
from twin.foundation.settings import Settings
from twin.hub import Hub, Progress, open_source
from twin.notebook import all_kitchens, completion, in_and_out
from twin.notebook.given_times import AnyTime, GivenTimes, clock_seconds
from twin.notebook.kitchen import Kitchen
from twin.notebook.tables import html
from twin.notebook.tables import locations as location_table
from twin.sources.base import Location, Quality, Window
from twin.sources.known_kitchens import folded
from twin.timeline.timeline import Timeline

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

TAKE_A_KITCHEN = {"kitchen", "location", "quality", "timeline", "kept", "streets", "last_hours", "last_day", "get"}
"""Methods whose first argument is a kitchen."""


class Locations(list[Location]):
    """The kitchens of a source: a list, which a notebook shows as a table.

    >>> {"chicago", "sanfrancisco"} <= {place.id for place in twin.open("demo").locations}
    True
    """

    @property
    def table(self) -> "pd.DataFrame":
        """The kitchens as a data frame, by id: name, orders, start, end, lat, lon, radius_m.

        >>> twin.open("demo").locations.table.loc["chicago", "name"]
        'Chicago'
        """
        return location_table(self)

    def _repr_html_(self) -> str:
        return html("Kitchens", [f"{len(self)} in this source"], self.table)


class UnknownKitchenError(UnknownLocationError, KeyError):
    """The source has no kitchen of this id or name; a `KeyError`, too, as mappings raise one."""

    __str__ = Exception.__str__  # a KeyError quotes its message


class Twin(Hub, Mapping[str, Kitchen]):
    """An open source: a mapping of its kitchens by id, each over the last 24 hours of its data. Thread-safe; timelines are loaded
    once and shared.

    Wherever an id is taken, a name is, too, however it is written: `t["San Francisco"]`.

    >>> t = twin.open("demo")
    >>> t["chicago"].location.id, "San Francisco" in t, len(t), "chicago" in list(t)
    ('chicago', True, 4, True)
    """

    __hash__ = Hub.__hash__
    __eq__ = Hub.__eq__  # the same open source, not one with the same kitchens

    def __iter__(self) -> Iterator[str]:
        return iter([place.id for place in self.locations])

    def __len__(self) -> int:
        return len(self.locations)

    def __contains__(self, kitchen: object) -> bool:
        try:
            return isinstance(kitchen, str) and bool(self.location(kitchen))
        except UnknownKitchenError:
            return False

    @property
    def locations(self) -> Locations:
        """The kitchens in the source.

        >>> sorted(place.display_name for place in twin.open("demo").locations)[:2]
        ['Chicago', 'Houston Fondren']
        """
        return Locations(super().locations)

    def location(self, location: str) -> Location:
        """Return one location by its id or name.

        Parameters
        ----------
        location : str
            Id or name of a kitchen.

        Returns
        -------
        Location

        Raises
        ------
        UnknownLocationError
            Names similar kitchens; a `KeyError`, too.

        Examples
        --------
        >>> twin.open("demo").location("san francisco").id
        'sanfrancisco'
        """
        places = super().locations
        named = [place for place in places if location == place.id]
        if not named and isinstance(location, str) and (key := folded(location)):
            named = [one for one in places if key in (folded(one.id), folded(one.display_name), folded(one.label))]
        if len(named) > 1:
            ids = [place.id for place in named]
            raise UnknownKitchenError(
                f"{len(named)} kitchens are called {location!r}: say which, {' or '.join(ids)}.", near=ids
            )
        if named:
            return named[0]
        try:
            return super().location(location)
        except UnknownLocationError as error:
            raise UnknownKitchenError(str(error), error.near, error.similar) from None

    def quality(self, location: str | None = None) -> Quality:
        """Return the counts of raw rows, of all or of one kitchen.

        Parameters
        ----------
        location : str, optional
            Id or name of a kitchen; without, all.

        Returns
        -------
        Quality
            Rows read, used, and rejected by reason.

        Examples
        --------
        >>> quality = twin.open("demo").quality("San Francisco")
        >>> quality.read == quality.used + sum(quality.rejected.values())
        True
        """
        return super().quality(None if location is None else self.location(location).id)

    def last_day(self, location: str) -> LastDay:
        """Return where `last_hours` ends, and how many orders begin after it.

        Parameters
        ----------
        location : str
            Id or name of a kitchen.

        Returns
        -------
        LastDay

        Examples
        --------
        >>> twin.open("demo").last_day("Chicago").later_orders
        0
        """
        return super().last_day(self.location(location).id)

    def timeline(self, location: str, start: AnyTime | None = None, end: AnyTime | None = None) -> Timeline:
        """Return the timeline of a kitchen over [start, end).

        Parameters
        ----------
        location : str
            Id or name of a kitchen.
        start, end : time, optional
            The range; by default the last 24 hours.

        Returns
        -------
        Timeline
            The engine's own object, in data seconds.

        Examples
        --------
        >>> kitchen = twin.open("demo").timeline("San Francisco", "2025-10-16", "2025-10-17")
        >>> kitchen.at("2025-10-16 18:30").counts["cooking"] > 0
        True
        """
        place = self.location(location)
        return super().timeline(place.id, *self._range(place, None, start, end))

    def kept(self, location: str, start: AnyTime | None = None, end: AnyTime | None = None) -> Timeline | None:
        """Return the timeline that `timeline` would return if it is in memory, else None. Returns at once.

        Parameters
        ----------
        location : str
            Id or name of a kitchen.
        start, end : time, optional
            The range; by default the last 24 hours.

        Returns
        -------
        Timeline or None

        Examples
        --------
        >>> t = twin.open("demo")
        >>> t.timeline("San Francisco") is t.kept("San Francisco")
        True
        """
        place = self.location(location)
        return super().kept(place.id, *self._range(place, None, start, end))

    def streets(self, location: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
        """Return the routes at a kitchen, of which its base map is drawn.

        Parameters
        ----------
        location : str
            Id or name of a kitchen.

        Returns
        -------
        x, y : numpy.ndarray
            (k,) Web Mercator metres of n routes.
        offsets : numpy.ndarray
            (n + 1,), where each route begins.

        Examples
        --------
        >>> x, y, offsets = twin.open("demo").streets("Chicago")
        >>> len(x) == len(y) == int(offsets[-1])
        True
        """
        return super().streets(self.location(location).id)

    def kitchen(
        self, location: str, day: AnyTime | None = None, start: AnyTime | None = None, end: AnyTime | None = None
    ) -> Kitchen:
        """Return a kitchen over one day, over [start, end), or over the last 24 hours of its data.

        A range is cut to the days that have data.

        Parameters
        ----------
        location : str
            Id or name of a kitchen.
        day : time, optional
            A day on the kitchen's clock.
        start, end : time, optional
            The range. A time of day is one of the day, else of the last 24 hours.

        Returns
        -------
        Kitchen

        Raises
        ------
        UnknownLocationError
            For a kitchen that is not in the source.
        ValueError
            With a sentence, for a range without data.

        Examples
        --------
        >>> twin.open("demo").kitchen("sanfrancisco", start="2025-10-16 17:00", end="2025-10-16 21:00").end
        Timestamp('2025-10-16 21:00:00')
        """
        place, timeline = self.location(location), None
        location = place.id
        window = self.within(location, *self._range(place, day, start, end))
        if window is not None and is_long(window):
            volume = self.source.volume(location)
            if volume.orders[(volume.hour >= window.start) & (volume.hour < window.end)].any():
                return Kitchen(self, None, place, window)  # it may be too long to load, which the ledger can do without
        elif window is not None:
            timeline = self.timeline(location, window.start, window.end)
        if timeline is None or not timeline.has_orders:
            raise ValueError(
                f"No orders in this range: the data covers {place.tz.text(place.start)} to {place.tz.text(place.end)}."
            )
        return Kitchen(self, timeline)

    def _range(
        self, place: Location, day: AnyTime | None, start: AnyTime | None, end: AnyTime | None
    ) -> tuple[float, float]:
        """Return the range that is asked for, data seconds. Raises ValueError for what is no time."""
        base = self.last_hours(place.id)
        if day is not None:
            if any(time is not None and clock_seconds(time) is None for time in (start, end)):
                raise ValueError(
                    "Give either a day, or a start and an end; beside a day these are times of day, as 18:00."
                )
            at = GivenTimes(base, place.tz).seconds(day)
            base = Window(*place.tz.whole_days(at, at))
        times = GivenTimes(base, place.tz)
        first = base.start if start is None else times.seconds(start)
        return first, base.end if end is None else times.seconds(end, closing=True)

    def orders(
        self, start: AnyTime | None = None, end: AnyTime | None = None, *, day: AnyTime | None = None
    ) -> "pd.DataFrame":
        """Return the orders of all kitchens as `Kitchen.orders`, with a column `kitchen`.

        The source finds them, in one statement a week; no kitchen is loaded. Times are in UTC where the kitchens are in
        several zones.

        Kitchens without an order in the range are left out.

        Parameters
        ----------
        start, end : time, optional
            As of `kitchen`; without, the last 24 hours of each kitchen.
        day : time, optional
            A day on the kitchens' clocks, of which `start` and `end` are times.

        Returns
        -------
        pandas.DataFrame
            One row per order, by its id.

        Raises
        ------
        ValueError
            If no kitchen has an order in the range.

        Examples
        --------
        >>> t = twin.open("demo")
        >>> by_kitchen = t.orders(day="2025-10-16").groupby("kitchen", observed=True)["delivery_min"].median()
        >>> len(by_kitchen) == len(t)
        True
        """
        (table,) = self._made(all_kitchens.of_orders(self.source, self._asked(day, start, end), all_kitchens.orders))
        return table

    def order_items(
        self, start: AnyTime | None = None, end: AnyTime | None = None, *, day: AnyTime | None = None
    ) -> "pd.DataFrame":
        """Return the items of the orders of all kitchens as `Kitchen.items`; else as `orders`.

        Its name is not `items`, which a mapping has.

        Parameters
        ----------
        start, end : time, optional
            As of `kitchen`; without, the last 24 hours of each kitchen.
        day : time, optional
            A day on the kitchens' clocks, of which `start` and `end` are times.

        Returns
        -------
        pandas.DataFrame
            One row per item: kitchen, order, item, brand, qty, price.

        Raises
        ------
        ValueError
            If no kitchen has an order in the range.

        Examples
        --------
        >>> list(twin.open("demo").order_items(day="2025-10-16"))
        ['kitchen', 'order', 'item', 'brand', 'qty', 'price']
        """
        (table,) = self._made(all_kitchens.of_orders(self.source, self._asked(day, start, end), all_kitchens.items))
        return table

    def events(
        self, start: AnyTime | None = None, end: AnyTime | None = None, *, day: AnyTime | None = None
    ) -> "pd.DataFrame":
        """Return the events of all kitchens as `Kitchen.events`; else as `orders`.

        Parameters
        ----------
        start, end : time, optional
            As of `kitchen`; without, the last 24 hours of each kitchen.
        day : time, optional
            A day on the kitchens' clocks, of which `start` and `end` are times.

        Returns
        -------
        pandas.DataFrame
            One row per event: kitchen, ts, type, order, progress, lat, lon.

        Raises
        ------
        ValueError
            If nothing happened in the range.

        Examples
        --------
        >>> t = twin.open("demo")
        >>> len(t.events(day="2025-10-16", start="18:00", end="18:10")) < len(t.events(day="2025-10-16"))
        True
        """
        (table,) = self._made(all_kitchens.events(self.source, self._asked(day, start, end)))
        return table

    def to_duckdb(
        self,
        database: str | Path = ":memory:",
        start: AnyTime | None = None,
        end: AnyTime | None = None,
        *,
        day: AnyTime | None = None,
    ) -> "duckdb.DuckDBPyConnection":
        """Return a DuckDB database with the tables of all kitchens: `kitchens`, `orders`, `order_items` and `events`.

        Parameters
        ----------
        database : str or Path, default ":memory:"
            A file, or memory. Tables of these names in it are replaced.
        start, end : time, optional
            As of `kitchen`; without, the last 24 hours of each kitchen.
        day : time, optional
            A day on the kitchens' clocks, of which `start` and `end` are times.

        Returns
        -------
        duckdb.DuckDBPyConnection

        Examples
        --------
        >>> db = twin.open("demo").to_duckdb(day="2025-10-16")
        >>> db.sql("select count(*) from orders join kitchens on kitchen = location where name = 'Chicago'").fetchall()[0][0] > 0
        True
        """
        source, asked = self.source, self._asked(day, start, end)
        orders, items = self._made(all_kitchens.of_orders(source, asked, all_kitchens.orders, all_kitchens.items))
        (events,) = self._made(all_kitchens.events(source, asked))
        made = {"kitchens": self.locations.table, "orders": orders, "order_items": items, "events": events}
        return in_and_out.to_duckdb(made, database)

    def _asked(self, day: AnyTime | None, start: AnyTime | None, end: AnyTime | None) -> all_kitchens.Asked:
        """Return the kitchens that have data in a range, each with its part of it."""
        found = ((place, self.within(place.id, *self._range(place, day, start, end))) for place in self.locations)
        return [(place, window) for place, window in found if window is not None]

    def _made(self, made: "list[pd.DataFrame]") -> "list[pd.DataFrame]":
        """Return tables that have been made; raises ValueError where nothing was found to make them of."""
        if not made:
            places = self.locations
            first, last = min(place.start for place in places), max(place.end for place in places)
            text = places[0].tz.text
            raise ValueError(f"No orders in this range: the data covers {text(first)} to {text(last)}.")
        return made

    def __getitem__(self, location: str) -> Kitchen:
        """Return `kitchen(location)`. In a notebook, Tab completes the ids: `t["<tab>`."""
        return self.kitchen(location)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _arguments_of_(self, method: str) -> list[str]:
        return list(self) if method in TAKE_A_KITCHEN else []

    def __reduce__(self) -> Never:
        """Refuse to be pickled, with what to do instead."""
        raise TypeError(
            "A Twin cannot be pickled or copied: it is an open source, with what is loaded of it. Open it in the other process: "
            f"twin.open({self.source.name!r})."
        )

    def __repr__(self) -> str:
        return f"<Twin of {self.source.name}: {', '.join(self._ipython_key_completions_())}>"

    def _repr_html_(self) -> str:
        return html("Twin", [self.source.name], self.locations.table)


def open(
    source: str | Path | in_and_out.Rows | in_and_out.Tables | None = None,
    progress: Progress | None = None,
    settings: Settings | None = None,
    adapter: str | Path | None = None,
) -> Twin:
    """Open a source of events.

    Without `source` it opens the environment's TWIN_SOURCE, else the demo, which is generated on first use in the folder that
    TWIN_DEMO names, by default `demo` in the current one; where that is, is said on stderr.

    Of rows in memory a copy is written to a temporary folder, which goes with the twin.

    Twins with different settings can be open at once.

    Parameters
    ----------
    source : str, Path, table or dict of tables, optional
        `demo`; a file, folder or glob of CSV, JSON or Parquet event rows; a SQL warehouse's tables (`databricks`,
        `databricks://catalog.schema`; docs/databricks.md). Or event rows in memory: a DataFrame of pandas, polars or Spark, an
        Arrow table, a relation of DuckDB; or tables by name, `{"events": …, "brands": …}`, with those that give names
        (`brands`, `menus`, `categories`, `items`, `locations`).
    progress : callable, optional
        `progress(message, share)` is called as opening proceeds.
    settings : Settings, optional
        Targets and limits, by default the environment's (docs/figures.md).
    adapter : str or Path, optional
        A YAML file that says what columns of your own mean, by default TWIN_ADAPTER's or the one beside the data
        (docs/adapters.md).

    Returns
    -------
    Twin

    Raises
    ------
    SourceError
        With a sentence, for what cannot be opened.
    ConfigError
        For an invalid variable of the environment.
    TypeError
        For a `source` that is no table.

    Examples
    --------
    >>> len(twin.open("demo").locations)
    4
    >>> from dataclasses import replace
    >>> strict = twin.open("demo", settings=replace(twin.Settings.from_environment(), delivery_target_s=20 * 60.0))
    >>> late, usual = (t["chicago"].at("18:30").kpis["over_target"] for t in (strict, twin.open("demo")))
    >>> bool(late > usual)
    True
    """
    chosen = Settings.from_environment() if settings is None else settings
    if adapter is not None:
        chosen = replace(chosen, adapter=Path(adapter))
    completion.install()
    if source is not None and not isinstance(source, str | Path):
        folder = in_and_out.written(source)
        made = Twin(open_source(folder.name, chosen, progress), chosen)
        weakref.finalize(made, folder.cleanup)  # the files are read as long as the twin is used
        return made
    if str(source or chosen.source) == "demo" and not chosen.demo.is_dir():
        print(
            f"The demo's events are written to {chosen.demo.resolve()}, once; TWIN_DEMO names another folder.",
            file=sys.stderr,
        )
    return Twin(open_source(source, chosen, progress), chosen)
