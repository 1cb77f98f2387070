"""The rows of the printed table: a goal, what was measured, and whether that meets it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `met` is None where nothing was measured against the goal."""

    what: str
    goal: str
    measured: str
    met: bool | None = None


def spread(values: Sequence[float], unit: str, digits: int = 0) -> str:
    """Return the median of several measurements with the least and the most: `1.90 s (1.85–2.10, n=5)`."""
    middle = f"{statistics.median(values):,.{digits}f} {unit}"
    if len(values) == 1:
        return f"{middle} (n=1)"
    return f"{middle} ({min(values):,.{digits}f}–{max(values):,.{digits}f}, n={len(values)})"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0..1) of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned text table (also valid Markdown)."""
    mark = {True: "yes", False: "NO", None: "–"}
    cells = [("what", "goal", "measured", "met?")]
    cells += [(row.what, row.goal, row.measured, mark[row.met]) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
