"""The first page: the choice of a kitchen."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray

from twin.foundation.times import HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.pages.operations.choice import MANY_KITCHENS
from twin.sources.base import Location, Quality, Volume
from twin.views.shared.component import Component, module_source, style_source

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

CHART_BARS = 84
"""Most bars of an activity chart: a week in two-hour steps, four pixels a bar on the narrowest card."""
MOST_ASKED = 50
"""Most cards whose state a browser asks for at once: more are not in sight."""
LISTED = ("id", "name", "qualifier", "place", "end", "orders", "range", "rejected")
"""What a row of the list of many kitchens needs, in the order in which the browser gets it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Kitchens to choose from: their ids, and `CityCards.state`."""

    ids: frozenset[str]
    state: dict[str, Any]

    @classmethod
    def of(
        cls,
        locations: Sequence[Location],
        volumes: Mapping[str, Volume] | None = None,
        quality: Mapping[str, Quality] | None = None,
    ) -> "Choice":
        """Return the choice of these locations; `volumes` and `quality`, by location id, add charts and rejected rows."""
        cities = [_city(one, (volumes or {}).get(one.id), (quality or {}).get(one.id)) for one in locations]
        state: dict[str, Any] = {"status": "ready" if cities else "empty", "cities": cities}
        if len(cities) > MANY_KITCHENS:  # as one text: Param and Bokeh would go through every value of thousands
            rows = [[city[name] for name in LISTED] for city in cities]
            state = {
                "status": "ready",
                "cities": [],
                "many": json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
            }
        return cls(frozenset(one.id for one in locations), state)


class CityCards(Component):
    """The cards in the browser; `state["status"]` is one of loading, ready, empty, error."""

    state = param.Dict(
        default={"status": "loading"}, doc="What to show: status, cities (`many`: JSON of rows of `LISTED`), message."
    )

    _esm = module_source(Path(__file__).with_name("welcome.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("welcome.css"))]


class WelcomeView(pn.viewable.Viewer):
    """The choice of a location: a skeleton until `show_locations` or `fail` is called.

    `on_choose(location_id)` is called with the chosen city, `on_retry()` when the user presses Retry after `fail`, and
    `on_states(location_ids)` with the cards that have come into sight, whose states are then given to `show_state`.
    """

    def __init__(
        self,
        on_choose: Callable[[str], None],
        on_retry: Callable[[], None] | None = None,
        on_states: Callable[[list[str]], None] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._on_choose = on_choose
        self._on_retry = on_retry
        self._on_states = on_states
        self._ids: frozenset[str] = frozenset()
        self._cards = CityCards(sizing_mode="stretch_width")
        self._cards.on_msg(self._on_message)

    def __panel__(self) -> CityCards:
        return self._cards

    def show_loading(self, step: str = "") -> None:
        """Show skeletons while the source is opened, with the current step."""
        self._cards.state = {"status": "loading", "words": step}

    def show_locations(
        self,
        locations: Sequence[Location],
        volumes: Mapping[str, Volume] | None = None,
        quality: Mapping[str, Quality] | None = None,
    ) -> None:
        """Show one card per location; `volumes` and `quality`, by location id, add the chart and the rejected rows."""
        self.show_choice(Choice.of(locations, volumes, quality))

    def show_choice(self, choice: Choice) -> None:
        """Show the cards or the list of a choice, which many sessions may share."""
        self._ids = choice.ids
        if self._cards.state != choice.state:
            self._cards.state = choice.state

    def show_state(self, location: str, told: Mapping[str, str]) -> None:
        """Show in a card what `card_state` says of a kitchen."""
        self._cards._send_msg({"tell": "state", "id": location, **told})

    def fail(self, message: str, advice: str = "", adapt: str = "") -> None:
        """Show a sentence with the problem and one with the remedy, with a button to retry.

        `adapt` is the address of the page that finds out what columns mean, where that is the problem.
        """
        self._cards.state = {
            "status": "error",
            "message": message,
            "advice": advice,
            "retry": self._on_retry is not None,
            "adapt": adapt,
        }

    def _on_message(self, event: "DataEvent") -> None:
        message = event.data if isinstance(event.data, dict) else {}
        chosen = message.get("choose")
        # the browser's ids are not trusted: only a location that was offered can be chosen
        if isinstance(chosen, str) and chosen in self._ids:
            self._on_choose(chosen)
        elif isinstance(seen := message.get("states"), list) and self._on_states is not None:
            self._on_states([one for one in seen if isinstance(one, str) and one in self._ids][:MOST_ASKED])
        elif message.get("retry") is True and self._on_retry is not None:
            self.show_loading()
            self._on_retry()


def _city(location: Location, volume: Volume | None, quality: Quality | None) -> dict[str, Any]:
    return {
        "id": location.id,
        "name": location.display_name,
        "qualifier": location.qualifier,
        "place": location.city,
        "end": location.tz.local(location.end),
        "orders": location.orders,
        "range": range_text(location.start, location.end, location.tz),
        "activity": [] if volume is None else activity(volume.hour, volume.orders),
        "peak": int(volume.orders.max()) if volume is not None and len(volume.orders) else None,
        "step": 1 if volume is None else bar_hours(volume.hour),
        "rejected": 0 if quality is None else sum(quality.rejected.values()),
    }


def range_text(start: float, end: float, tz: Zone = NAIVE) -> str:
    """Return a range of data time (seconds) as text, on the kitchen's clock.

    >>> range_text(1760054400, 1760659199), range_text(1760320343, 1760326443)
    ('7 days · 10 – 16 October 2025', '13 October 2025, 01:52 – 03:34')
    """
    first, last = tz.datetime(start), tz.datetime(end)
    days = (last.date() - first.date()).days + 1
    if days == 1:
        return f"{first.day} {first:%B %Y}, {first:%H:%M} – {last:%H:%M}"
    if first.year != last.year:
        begin = f"{first.day} {first:%B %Y}"
    elif first.month != last.month:
        begin = f"{first.day} {first:%B}"
    else:
        begin = f"{first.day}"
    return f"{days} days · {begin} – {last.day} {last:%B %Y}"


def bar_hours(hours: NDArray[np.float64]) -> int:
    """Return the hours that a bar of `activity` stands for: 1 for up to 84 hours, so that all fit."""
    return -(-(int((hours[-1] - hours[0]) // HOUR) + 1) // CHART_BARS) if len(hours) else 1


def activity(hours: NDArray[np.float64], orders: NDArray[np.int64]) -> list[int]:
    """Return orders per hour over the range as at most 84 bars, oldest first, hours without orders as 0.

    `hours` (n,) are starts of hours in seconds, ascending, without empty hours; `orders` (n,) are their counts. Each bar is the
    busiest of an equal number of hours, the last of possibly fewer: so the highest one is the peak that is written beside them.
    """
    if not len(hours):
        return []
    number = ((hours - hours[0]) // HOUR).astype(np.int64)
    dense = np.zeros(int(number[-1]) + 1)
    np.add.at(dense, number, orders)
    width = bar_hours(hours)
    starts = np.arange(0, len(dense), width)
    return [int(v) for v in np.maximum.reduceat(dense, starts).tolist()]
