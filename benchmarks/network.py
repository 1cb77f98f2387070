"""All kitchens on one clock, 2,000 of them over a week: how soon the page is there, and what a seek costs.

In CPU seconds of the server, whose threads a busy machine cannot stretch: until the list and every kitchen's hours are sent; of a
seek within the days in view and to any time of the week, until the order of all kitchens and the rows of a screen are sent.
"""

import asyncio
import time
from typing import Any

import numpy as np

import twin
from benchmarks import data
from benchmarks.table import Row, percentile, spread
from twin.foundation.address import Address
from twin.pages.network.network import NetworkView

KITCHENS = 2000
IN_VIEW = 14
"""Rows of a screen of 900 pixels."""
GOAL_S, GOAL_SEEK_MS = 2.0, 200.0


class _Timed:
    """The page of one session, and the CPU seconds at which each kind of message was sent."""

    def __init__(self, hub: twin.Twin) -> None:
        self.view = NetworkView(Address({}), hub)
        self.sent: dict[str, list[float]] = {}
        self.begun = time.process_time()
        self.view.__panel__()._send_msg = self._tell  # type: ignore[method-assign, assignment]

    def _tell(self, message: dict[str, Any]) -> None:
        figures = message["tell"] == "rows" and "harm" in message["rows"][0]
        self.sent.setdefault("figures" if figures else message["tell"], []).append(time.process_time() - self.begun)

    def run(self, work: Any) -> float:
        """Return the CPU seconds of some work, and forget what was sent before."""
        self.sent.clear()
        self.begun = time.process_time()
        asyncio.run(work)
        return time.process_time() - self.begun


def measure(quick: bool) -> list[Row]:
    """Return the rows of this measure."""
    hub = twin.open(data.network(KITCHENS))
    opened, brands = [], []
    for _ in range(2 if quick else 5):
        page = _Timed(hub)
        page.run(page.view.begin())
        opened.append(page.sent["hours"][0])
        brands.append(page.sent["brands"][0] - page.sent["hours"][0])
    first = opened[0]
    view = page.view
    assert view._hours is not None
    rng = np.random.default_rng(1)
    window = view._network.window()
    near, far, told, soon = [], [], [], []
    seen = view._hours.by_harm(view.controller.now())[:IN_VIEW]
    view._view = [hub.locations[number].id for number in seen]
    view.controller.seek(window.end)
    past = page.run(view._update()) - page.sent["rows"][-1]  # the states of a week, the streets, of what is in view
    number = 10 if quick else 40
    times = rng.uniform(window.end - 24 * 3600, window.end, number).tolist()
    for t in [*times, *times]:
        view.controller.seek(t)
        page.run(view._update())
        near.append(1e3 * page.sent["figures"][-1])
    del near[:number]  # these have loaded them
    for t in rng.uniform(window.start, window.end, number).tolist():
        view.controller.seek(t)
        page.run(view._update())
        far.append(page.sent["rows"][-1] if "rows" in page.sent else page.sent["figures"][-1])
        soon.append(1e3 * page.sent["figures"][0])
        if "order" in page.sent:
            told.append(1e3 * page.sent["order"][0])
    return [
        Row(
            f"all kitchens: {KITCHENS:,} listed with a week's hours, the source open, CPU",
            f"≤ {GOAL_S:g} s",
            f"{first:.2f} s; again {spread(opened[1:], 's', 2)}",
            first <= GOAL_S,
        ),
        Row(
            f"seek of all kitchens, p95: sorted anew / {IN_VIEW} rows of a day in memory, CPU",
            f"≤ {GOAL_SEEK_MS:g} ms",
            f"{percentile(told, 0.95):.1f} ms / {percentile(near, 0.95):.0f} ms",
            percentile(near, 0.95) <= GOAL_SEEK_MS,
        ),
        Row(
            "… the first row of a day that nobody has loaded, p95, CPU",
            f"≤ {GOAL_SEEK_MS:g} ms",
            f"{percentile(soon, 0.95):.0f} ms",
            percentile(soon, 0.95) <= GOAL_SEEK_MS,
        ),
        Row(
            f"… the states of all hours, and streets, of {IN_VIEW} kitchens, afterwards, CPU",
            "",
            f"{past:.2f} s; the brands of all kitchens {brands[0]:.2f} s, again {spread(brands[1:], 's', 2)}",
            None,
        ),
        Row(
            f"… {IN_VIEW} rows of a day that nobody has loaded, with their moments, CPU",
            "",
            f"{spread(far, 's', 2)}",
            None,
        ),
    ]
