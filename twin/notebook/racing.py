"""Kitchens or days of a notebook that race: their deliveries summed up from the same hour on, and who leads when."""

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.analysis.baseline import MOST_DAYS, History
from twin.analysis.comparison import name_of
from twin.analysis.race import FIGURES, ON_TIME, Entry, Race
from twin.analysis.race import race as race_of
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY
from twin.notebook.kitchen import Kitchen

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
else:  # which only tables need
    pd = at_first_use("pandas")

EVERY_S = 60.0
"""Seconds between two rows of the table."""


class Racing:
    """What `twin.race` returns: in a notebook it shows its curves. `race` has all values and changes of the lead.

    >>> t = twin.open("demo")
    >>> race = twin.race(t.kitchen("chicago", day="2025-10-16"), t.kitchen("sanfrancisco", day="2025-10-16"))
    >>> race.leads.iloc[-1]["leader"]
    'San Francisco, 16 Oct'
    """

    def __init__(self, race: Race) -> None:
        self.race = race

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each minute of the race (its index is the time on the kitchens' clocks), a column for each lane.

        >>> t = twin.open("demo")
        >>> race = twin.race(t.kitchen("chicago", day="2025-10-16"), t.kitchen("chicago", day="2025-10-17"))
        >>> race.table.shape
        (1441, 2)
        """
        at = np.arange(0.0, self.race.length_s + 1.0, EVERY_S)
        columns = {number: lane.values(at) for number, lane in enumerate(self.race.lanes)}
        shown = pd.DataFrame(columns, index=pd.to_timedelta(at + self.race.starts, unit="s"))
        shown.columns = [lane.name for lane in self.race.lanes]
        shown.index.name = "clock"
        return shown

    @property
    def leads(self) -> "pd.DataFrame":
        """A row for each change of the lead that lasted: clock, leader, before (empty: nobody), value.

        >>> t = twin.open("demo")
        >>> list(twin.race(t.kitchen("chicago", day="2025-10-16"), t.kitchen("chicago", day="2025-10-17")).leads)
        ['clock', 'leader', 'before', 'value']
        """
        names = [lane.name for lane in self.race.lanes]
        rows = [
            (
                pd.Timedelta(seconds=one.at + self.race.starts),
                names[one.leader],
                "" if one.before is None else names[one.before],
                one.value,
            )
            for one in self.race.leads
        ]
        return pd.DataFrame(rows, columns=["clock", "leader", "before", "value"])

    @property
    def curves(self) -> "hv.Overlay":
        """The lanes as curves over the hours of the clock.

        >>> t = twin.open("demo")
        >>> len(twin.race(t.kitchen("chicago", day="2025-10-16"), t.kitchen("chicago", day="2025-10-17")).curves)
        2
        """
        from twin.notebook import curves  # noqa: PLC0415  # HoloViews takes a second to import

        figure = FIGURES[self.race.figure]
        return curves.steps(self.table, f"{figure} ÷ usual" if self.race.relative else figure)

    def __repr__(self) -> str:
        return f"{FIGURES[self.race.figure]}\n{self.leads.to_string(index=False)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.curves._repr_mimebundle_(include, exclude)


def race(*kitchens: Kitchen, figure: str = ON_TIME, relative: bool = False) -> Racing:
    """Race two to six kitchens, or days of one, from the same time of day on (docs/figures.md, "Race").

    The target is the first one's.

    Parameters
    ----------
    *kitchens : Kitchen
        Two to six, a lane each.
    figure : str, default "on_time"
        "on_time" deliveries, "delivered" orders (most leads), or "late", the share of late deliveries so far (least leads).
    relative : bool, default False
        Whether each is divided by its usual, so that 1 is a usual day.

    Returns
    -------
    Racing

    Raises
    ------
    ValueError
        For another number of kitchens, ranges that begin at different times of day, an unknown figure, or where the usual is not
        known.

    Examples
    --------
    >>> t = twin.open("demo")
    >>> twin.race(t.kitchen("chicago", day="2025-10-16"), t.kitchen("chicago", day="2025-10-17"), figure="late").race.figure
    'late'
    """
    target = kitchens[0]._hub.settings.delivery_target_s if kitchens else 0.0
    return Racing(race_of([_entry(one, relative) for one in kitchens], target, figure, relative))


def _entry(kitchen: Kitchen, relative: bool) -> Entry:
    """Return who takes part; other days are read only where they are wanted."""
    window, place = kitchen._window, kitchen.location
    before, after = (MOST_DAYS * DAY, MOST_DAYS * DAY) if relative else (0.0, 0.0)
    rows = kitchen._hub.source.history(place.id, window.start - before - STALLED_AFTER, window.end + after)
    return Entry(name_of(place, window), History.from_rows(rows, place.tz), window)
