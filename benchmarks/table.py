"""The rows of the printed table: a goal, the measured value, whether it meets the goal, and a baseline."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line.

    met: None if there is no goal; value: the figure that is compared with the goal, in the unit of `measured`; against: what a
    baseline took in the same run; ratio: the baseline as a multiple of ours.
    """

    what: str
    goal: str
    measured: str
    met: bool | None = None
    value: float | None = None
    against: str = ""
    ratio: float | None = None


def spread(values: Sequence[float], unit: str, digits: int = 0) -> str:
    """Return the median of several measurements with the least and the most: `1.90 s (1.85–2.10, n=5)`."""
    middle = f"{statistics.median(values):,.{digits}f} {unit}"
    if len(values) == 1:
        return f"{middle} (n=1)"
    return f"{middle} ({min(values):,.{digits}f}–{max(values):,.{digits}f}, n={len(values)})"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0..1) of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def exponent(work: Sequence[float], cost: Sequence[float]) -> float:
    """Return the exponent of the power law between work and cost: the slope of a line through their logarithms.

    >>> exponent([1, 10, 100], [3, 30, 300])
    1.0
    """
    return round(statistics.linear_regression([math.log(w) for w in work], [math.log(c) for c in cost]).slope, 6)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned text table (also valid Markdown)."""
    mark = {True: "yes", False: "NO", None: "–"}
    cells = [("what", "goal", "measured", "met?", "against a plain way")]
    cells += [
        (
            row.what,
            row.goal,
            row.measured,
            mark[row.met],
            row.against + (f": {row.ratio:.1f}×" if row.ratio is not None else ""),
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
