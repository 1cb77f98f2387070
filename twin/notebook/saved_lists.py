"""What the event feed and the list of orders of a saved page have: every line, and every order's texts (saved_lists.js)."""

from typing import Any

import numpy as np

from twin.analysis import wording
from twin.analysis.event_index import GROUPS, USUAL_GROUPS, event_index_of
from twin.foundation.settings import Settings
from twin.timeline.timeline import Timeline
from twin.views.feed.feed import PAGE_ROWS, ROW, ROWS_BEFORE
from twin.views.order_list.order_list import MOST_ROWS
from twin.views.shared.rows import columns_of

MOST_LINES = 60_000
"""Most lines of a feed that is saved, some 15 bytes each in the file: a longer one is left out. Drivers' pings are not in it."""
SAVED_GROUPS = tuple(group for group in GROUPS if group in USUAL_GROUPS)


def lists(timeline: Timeline, settings: Settings) -> dict[str, Any]:
    """Return what `saved_lists.js` answers from; `lines` is None where there are too many."""
    return {"lines": _lines(timeline, settings), "began": timeline.window.start, "mostRows": MOST_ROWS} | {
        "pageRows": PAGE_ROWS,
        "rowsBefore": ROWS_BEFORE,
    }


def has_feed(timeline: Timeline, settings: Settings) -> bool:
    """Return whether the feed of a timeline is short enough to be saved."""
    index = event_index_of(timeline)
    return len(index.select(USUAL_GROUPS, "", settings.delivery_target_s, settings.late_after_s)) <= MOST_LINES


def _lines(timeline: Timeline, settings: Settings) -> dict[str, Any] | None:
    """Return the feed's rows in columns, oldest first, and as `groups` in which of `SAVED_GROUPS` each is, as bits."""
    if not has_feed(timeline, settings):
        return None
    index, limits = event_index_of(timeline), (settings.delivery_target_s, settings.late_after_s)
    positions = index.select(USUAL_GROUPS, "", *limits)
    groups = np.zeros(len(positions), np.int64)
    for bit, group in enumerate(SAVED_GROUPS):
        groups |= np.isin(positions, index.select(frozenset({group}), "", *limits)).astype(np.int64) << bit
    told = wording.describe(timeline, index.events(positions), *limits)
    rows = columns_of(
        ROW, ((line.t, line.order, line.icon, line.colour, line.problem, line.title, line.detail) for line in told)
    )
    return {"rows": rows, "groups": groups.tolist(), "names": list(SAVED_GROUPS)}
