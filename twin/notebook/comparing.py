"""Two kitchens of a notebook, or two ranges of one, side by side: which figures differ by more than chance."""

from typing import TYPE_CHECKING

from twin.analysis.comparison import Comparison, Difference, Side, names_of
from twin.analysis.comparison import compare as compare_sides
from twin.foundation.lazily import at_first_use
from twin.notebook.kitchen import Kitchen

if TYPE_CHECKING:
    import pandas as pd
    import panel as pn

    from twin.notebook import paired_panes
else:  # which only tables need, and what draws, which these do without
    pd = at_first_use("pandas")
    paired_panes = at_first_use("twin.notebook.paired_panes")


class Differences:
    """What `twin.compare` returns: a table of figures, a sentence that sums it up, and how much was compared.

    >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
    >>> twin.compare(k, k).sentence
    'No figure of the second differs from the first by more than chance.'
    """

    def __init__(self, comparison: Comparison, names: tuple[str, str], kitchens: tuple[Kitchen, Kitchen]) -> None:
        self.comparison = comparison
        self._names = names
        self._kitchens = kitchens

    @property
    def table(self) -> "pd.DataFrame":
        """A row per figure: label, first, second, difference (second minus first) with its 95 % interval low to high, change.

        Minutes, percent, orders and drivers per hour of the clock, as the labels say; NaN where the data does not tell. `change`
        is "better" or "worse" (the second than the first), "more" or "less" of what is neither, "" within what chance explains.

        >>> t = twin.open("demo")
        >>> before, after = t.kitchen("chicago", day="2025-10-16"), t.kitchen("chicago", day="2025-10-17")
        >>> figures = twin.compare(before, after).table
        >>> set(figures["change"]) <= {"better", "worse", "more", "less", ""}
        True
        """
        return pd.DataFrame([_row(one) for one in self.comparison.differences]).set_index("figure")

    @property
    def sentence(self) -> str:
        """What differs, in one sentence.

        >>> t = twin.open("demo")
        >>> before, after = t.kitchen("chicago", day="2025-10-16"), t.kitchen("chicago", day="2025-10-17")
        >>> twin.compare(before, after).sentence.partition(":")[0]
        'Chicago, 17 Oct against Chicago, 16 Oct'
        """
        return self.comparison.sentence

    @property
    def coverage(self) -> "pd.Series":
        """How much was compared: hours of the clock, orders of both, and those left out, whose half hour the other has not.

        >>> k = twin.open("demo").kitchen("chicago", day="2025-10-16")
        >>> twin.compare(k, k).coverage[["hours", "left_out_first"]].tolist()
        [24.0, 0]
        """
        one = self.comparison
        return pd.Series(
            {
                "hours": one.hours,
                "orders_first": one.orders[0],
                "orders_second": one.orders[1],
                "left_out_first": one.left_out[0],
                "left_out_second": one.left_out[1],
                "by_weekday": one.by_weekday,
            },
            dtype=object,
        )

    def pane(self) -> "pn.viewable.Viewable":
        """Return both kitchens side by side on one clock, at the same time of day, with what differs below them.

        >>> t = twin.open("demo")
        >>> len(twin.compare(t.kitchen("sanfrancisco"), t.kitchen("chicago")).pane())
        3
        """
        first, second = ((kitchen._hub, kitchen.data) for kitchen in self._kitchens)
        return paired_panes.side_by_side(first, second, self.comparison, self._names)

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.table.drop(columns='label').round(2).to_string()}"

    def _repr_html_(self) -> str:
        first, second = self._names
        shown = self.table.set_index("label").rename(columns={"first": first, "second": second}).round(2)
        caption = pd.Series([self.sentence]).to_frame("").style.hide(axis="index").hide(axis="columns")
        return f"{caption.to_html()}{shown.to_html(na_rep='–')}"


def compare(first: Kitchen, second: Kitchen) -> Differences:
    """Compare two kitchens, or two ranges of one, half hour by half hour of the clock (docs/figures.md, "Side by side").

    The target of late deliveries is the first one's.

    Parameters
    ----------
    first, second : Kitchen
        What is compared; differences are the second minus the first.

    Returns
    -------
    Differences

    Raises
    ------
    ValueError
        Where they have no half hour of the day in common.
    SourceError
        If the source fails.

    Examples
    --------
    >>> t = twin.open("demo")
    >>> sf, chicago = t.kitchen("sanfrancisco", day="2025-10-16"), t.kitchen("chicago", day="2025-10-16")
    >>> list(twin.compare(sf, chicago).table)
    ['label', 'first', 'second', 'difference', 'low', 'high', 'change']
    """
    names = names_of((first.location, first._window), (second.location, second._window))
    one, other = (Side.read(side._hub.source, side.location, side._window) for side in (first, second))
    result = compare_sides(one, other, first._hub.settings.delivery_target_s, names)
    return Differences(result, names, (first, second))


def _row(one: Difference) -> dict[str, object]:
    numbers = {name: getattr(one, name) for name in ("first", "second", "difference", "low", "high")}
    return {
        "figure": one.name,
        "label": one.label,
        **{name: float("nan") if value is None else value for name, value in numbers.items()},
        "change": one.change,
    }
