"""One cause, one moment: overlapping symptoms of the same trouble are merged."""

from dataclasses import replace

import numpy as np

from twin.analysis.moments.moment import Finding

FAMILIES = {
    "outage": "kitchen",
    "slow_kitchen": "kitchen",
    "driver_shortage": "drivers",
    "drivers_late": "drivers",
    "food_waiting": "drivers",
    "slow_delivery": "road",
    "unusual_deliveries": "deliveries",
}
"""Kind -> part of the operation. Overlapping moments of one part are symptoms of the same trouble."""
NEAR = 15 * 60.0
"""Seconds between two moments of one kind that are merged: a few lucky orders do not end a trouble."""


def merged(findings: list[Finding]) -> list[Finding]:
    """Return the findings with those of one family merged where they overlap or, if of one kind, are at most `NEAR` apart.

    The more serious moment remains. Its range is extended only by a moment of the same kind and title.
    """
    result: list[Finding] = []
    for moment, rows in sorted(findings, key=_by_seriousness):
        for place, (worse, its_rows) in enumerate(result):
            reach = NEAR if worse.kind == moment.kind else 0.0
            near = moment.start <= worse.end + reach and worse.start <= moment.end + reach
            if near and FAMILIES[worse.kind] == FAMILIES[moment.kind]:
                if worse.kind == moment.kind and worse.title == moment.title:
                    worse = replace(worse, start=min(worse.start, moment.start), end=max(worse.end, moment.end))
                result[place] = (worse, np.union1d(its_rows, rows))
                break
        else:
            result.append((moment, rows))
    return result


def _by_seriousness(finding: Finding) -> tuple[bool, float, float]:
    """Return the sort key, outages first: an outage is the cause even where its backlog cost more than the standstill."""
    moment, _ = finding
    return moment.kind != "outage", -moment.severity, moment.start
