"""One order in a notebook: its times as timestamps, its tables, and its life as a figure."""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from twin.analysis.lifecycle import Lifecycle, lifecycle
from twin.foundation.errors import UnknownOrderError
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import STAGE_LABELS
from twin.notebook import tables
from twin.timeline.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd
else:  # which only tables need
    pd = at_first_use("pandas")

MINUTE = 60.0
COLOURS = {"created": "#75849b", "cooking": "#e8650a", "ready": "#bf8000", "out_for_delivery": "#3b82f6"}
"""Of the page's stages, in its light theme (`twin.views.shared.theme`, which tables do without; a test compares them)."""
WIDTH, BAR, HEIGHT = 640, 22, 70
"""Pixels of the figure, of its bar, and its height."""
LEAST_LABELLED = 60
"""Pixels from which a stage's part of the bar has its minutes in it."""


@dataclass(frozen=True)
class OrderLife:
    """One order: what it was, when what happened to it, and its life as a figure in a notebook. Created by `Kitchen.order`.

    Times are timestamps, NaT where the data has none; durations are minutes, NaN where a time is missing.

    >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
    >>> life = k.order(k.orders.query("status == 'completed'").index[0])
    >>> life.created < life.delivered, bool(abs(life.delivery_min - life.stages["minutes"].sum()) < 1e-6)
    (True, True)
    """

    timeline: Timeline
    row: int
    """The order's number in the timeline's columns."""

    @classmethod
    def of(cls, timeline: Timeline, order: str) -> "OrderLife":
        """Return the order of that id. Raises `UnknownOrderError`."""
        row = timeline.orders.row_of.get(order)
        if row is None:
            raise UnknownOrderError(
                f"No order {order!r} in this range: check the id (`k.orders.index`), or widen the range."
            )
        return cls(timeline, row)

    @property
    def id(self) -> str:
        """The id.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders.index[0]).id == k.orders.index[0]
        True
        """
        return str(self.timeline.orders.ids[self.row].as_py())

    @property
    def status(self) -> str:
        """completed, cancelled or in_progress, at the end of what is loaded.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders.index[0]).status in {"completed", "cancelled", "in_progress"}
        True
        """
        return str(self._facts["status"])

    @property
    def created(self) -> "pd.Timestamp":
        """When it was ordered.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders.index[0]).created == k.orders["created"].iloc[0]
        True
        """
        return self._facts["created"]

    @property
    def delivered(self) -> "pd.Timestamp":
        """When it was delivered, NaT if it was not.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders["delivered"].idxmin()).delivered == k.orders["delivered"].min()
        True
        """
        return self._facts["delivered"]

    @property
    def cancelled(self) -> "pd.Timestamp":
        """When it was cancelled, NaT if it was not.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders["delivered"].idxmin()).cancelled
        NaT
        """
        return self._facts["cancelled"]

    @property
    def delivery_min(self) -> float:
        """Minutes from created to delivered.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> bool(k.order(k.orders["delivery_min"].idxmax()).delivery_min == k.orders["delivery_min"].max())
        True
        """
        return float(self._facts["delivery_min"])

    @property
    def promised_min(self) -> float:
        """Minutes of the drive that the driver estimated at the pick-up.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders["delivered"].idxmin()).promised_min > 0
        True
        """
        return float(self.timeline.orders.eta_mins[self.row])

    @property
    def revenue(self) -> float:
        """What its items cost together, NaN where no item has a price.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> life = k.order(k.orders["revenue"].idxmax())
        >>> bool((life.items["qty"] * life.items["price"]).sum().round(2) == life.revenue)
        True
        """
        return float(self._facts["revenue"])

    @property
    def address(self) -> str:
        """The customer's address, empty where unknown.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> len(k.order(k.orders.index[0]).address) > 0
        True
        """
        return str(self._facts["address"])

    @property
    def distance_m(self) -> float:
        """Metres on the ground from the kitchen to the customer: of the route, else of the pings, else straight.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders["delivered"].idxmin()).distance_m > 0
        True
        """
        found = self._life.distance or self._life.straight
        return np.nan if found is None else float(found.metres)

    @property
    def stages(self) -> "pd.DataFrame":
        """A row per stage that it was in: stage, entered, left (NaT: not yet), minutes. Completed is never left.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> list(k.order(k.orders.index[0]).stages)
        ['stage', 'entered', 'left', 'minutes']
        """
        return tables.stages(self.timeline, self.row).drop(columns="order")

    @property
    def events(self) -> "pd.DataFrame":
        """Its events, as those of `Kitchen.events`.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> k.order(k.orders.index[0]).events["type"].iloc[0]
        'order_created'
        """
        return tables.events(self.timeline, self.timeline.order(self.id).events).drop(columns="order")

    @property
    def items(self) -> "pd.DataFrame":
        """Its items, as those of `Kitchen.items`: item, brand, qty, price.

        >>> k = twin.open("demo").kitchen("chicago")
        >>> list(k.order(k.orders.index[0]).items)
        ['item', 'brand', 'qty', 'price']
        """
        return tables.items(self.timeline, np.array([self.row])).drop(columns="order")

    @cached_property
    def _facts(self) -> "pd.Series":
        return tables.orders(self.timeline, np.array([self.row])).iloc[0]

    @cached_property
    def _life(self) -> Lifecycle:
        return lifecycle(self.timeline, self.row)

    def __repr__(self) -> str:
        created = "" if pd.isna(self.created) else f", created {self.created:%Y-%m-%d %H:%M:%S}"
        took = "" if np.isnan(self.delivery_min) else f", delivered after {self.delivery_min:.1f} min"
        return f"<Order {self.id}: {self.status}{created}{took}>"

    def _repr_html_(self) -> str:
        brands = ", ".join(dict.fromkeys(brand for brand in self.items["brand"] if brand))
        facts = [self.status.replace("_", " ")]
        facts += [] if np.isnan(self.delivery_min) else [f"{self.delivery_min:.1f} min"]
        facts += [] if np.isnan(self.revenue) else [f"{self.revenue:,.2f}"]
        facts += [text for text in (brands, self.address) if text]
        title, text = escape(f"Order {self.id}"), escape(" · ".join(facts))
        return f"<div><strong>{title}</strong> {text}</div>{self._figure()}"

    def _figure(self) -> str:
        """Return the life as SVG: a bar of its stages to scale, with their minutes in it and the times of day under it."""
        spans = [span for span in self._life.stages if span.end is not None and span.end > span.start]
        if not spans:
            return ""
        begin, end = spans[0].start, max(span.end or 0.0 for span in spans)
        parts, tz = [], self.timeline.tz
        for span in spans:
            assert span.end is not None
            x, width = (span.start - begin) / (end - begin) * WIDTH, (span.end - span.start) / (end - begin) * WIDTH
            label = f"{STAGE_LABELS[span.key]}, {(span.end - span.start) / MINUTE:.1f} min"
            text = f"{label}: {tz.clock(span.start)}–{tz.clock(span.end)}"
            parts.append(
                f'<rect x="{x:.1f}" y="0" width="{max(width - 1, 1):.1f}" height="{BAR}" fill="{COLOURS[span.key]}">'
                f"<title>{escape(text)}</title></rect>"
            )
            if width >= LEAST_LABELLED:
                minutes = f"{(span.end - span.start) / MINUTE:.0f} min"
                parts.append(f'<text x="{x + 6:.1f}" y="15" fill="#fff" font-weight="600">{minutes}</text>')
                parts.append(
                    f'<text x="{x + 2:.1f}" y="{BAR + 15}" fill="currentColor">{escape(STAGE_LABELS[span.key])}</text>'
                )
                parts.append(
                    f'<text x="{x + 2:.1f}" y="{BAR + 30}" fill="currentColor" opacity=".7">{tz.clock(span.start)}</text>'
                )
        parts.append(f'<text x="{WIDTH}" y="{BAR + 44}" text-anchor="end" fill="currentColor">{tz.clock(end)}</text>')
        return (
            f'<svg role="img" aria-label="{escape(repr(self))}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'style="max-width:100%" font-family="sans-serif" font-size="12">{"".join(parts)}</svg>'
        )
