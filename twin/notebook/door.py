"""The public entry point: `open` returns a `Twin`, a hub with conveniences for notebooks."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from twin.analysis.long_ledger import is_long
from twin.foundation.settings import Settings
from twin.hub import Hub, Progress, open_source
from twin.notebook.given_times import AnyTime, GivenTimes, clock_seconds
from twin.notebook.kitchen import Kitchen
from twin.notebook.tables import html
from twin.notebook.tables import locations as location_table
from twin.sources.base import Location, Window


class Locations(list[Location]):
    """The kitchens of a source: a list, which a notebook shows as a table.

    >>> {"chicago", "sanfrancisco"} <= {place.id for place in twin.open("demo").locations}
    True
    """

    @property
    def table(self) -> pd.DataFrame:
        """The kitchens as a data frame, by id: name, orders, start, end, lat, lon, radius_m.

        >>> twin.open("demo").locations.table.loc["chicago", "name"]
        'Chicago'
        """
        return location_table(self)

    def _repr_html_(self) -> str:
        return html("Kitchens", [f"{len(self)} in this source"], self.table)


class Twin(Hub):
    """An open source. Thread-safe; timelines are loaded once and shared.

    >>> t = twin.open("demo")
    >>> t["chicago"].location.id
    'chicago'
    """

    @property
    def locations(self) -> Locations:
        """The kitchens in the source.

        >>> sorted(place.display_name for place in twin.open("demo").locations)[:2]
        ['Chicago', 'Houston Fondren']
        """
        return Locations(super().locations)

    def kitchen(
        self, location: str, day: AnyTime | None = None, start: AnyTime | None = None, end: AnyTime | None = None
    ) -> Kitchen:
        """Return a kitchen over one day, over [start, end), or over the last 24 hours of its data.

        A time of day as `start` or `end` is one of the day, else of the last 24 hours. A range is cut to the days that have data.
        Raises `UnknownLocationError`; ValueError, with a sentence, for a range
        without data.

        >>> twin.open("demo").kitchen("sanfrancisco", start="2025-10-16 17:00", end="2025-10-16 21:00").end
        Timestamp('2025-10-16 21:00:00')
        """
        place, timeline = self.location(location), None
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

    def __getitem__(self, location: str) -> Kitchen:
        """Return `kitchen(location)`. In a notebook, Tab completes the ids: `t["<tab>`."""
        return self.kitchen(location)

    def _ipython_key_completions_(self) -> list[str]:
        return [place.id for place in self.locations]

    def __repr__(self) -> str:
        return f"<Twin of {self.source.name}: {', '.join(self._ipython_key_completions_())}>"

    def _repr_html_(self) -> str:
        return html("Twin", [self.source.name], self.locations.table)


def open(
    source: str | Path | None = None,
    progress: Progress | None = None,
    settings: Settings | None = None,
    adapter: str | Path | None = None,
) -> Twin:
    """Open a source of events: `demo`, a file, folder or glob of CSV, JSON or Parquet event rows, or a SQL warehouse's tables
    (`databricks`, `databricks://catalog.schema`; see docs/databricks.md).

    Without `source`, it opens the environment's TWIN_SOURCE, else the demo, which is generated on first use in the folder that
    TWIN_DEMO names, by default `demo` in the current one. `progress(message, share)` is called as opening proceeds. Raises
    `SourceError`.

    `adapter` is a YAML file that says what columns of your own mean, by default TWIN_ADAPTER's or the one beside the data
    (docs/adapters.md).

    `settings` are targets and limits, by default the environment's (docs/figures.md); raises `ConfigError` for an invalid
    variable. Twins with different settings can be open at once.

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
    return Twin(open_source(source, chosen, progress), chosen)
