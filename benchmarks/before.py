"""What has become slower since the run that was kept, beyond what its repetitions vary by."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.table import Row

SINGLE = 1.25
"""A figure that was measured once has slipped when it is so many times worse: repetitions within a run vary by less."""
NUMBER = r"[+-]?[\d,]+(?:\.\d+)?"
REPEATED = re.compile(rf"({NUMBER}) [^()]*\(({NUMBER})–({NUMBER}), n=\d+\)")
LOWER_UNITS = re.compile(rf"^{NUMBER} (?:µs|ms|s|kB|MB|GB|bytes)\b")


@dataclass(frozen=True, slots=True)
class Figure:
    """The first figure of a row: its median, the least and the most."""

    middle: float
    least: float
    most: float


def figure(measured: str) -> Figure | None:
    """Return the first figure of a row's text; None if there is none.

    >>> figure("1.90 s (1.85–2.10, n=5); more")
    Figure(middle=1.9, least=1.85, most=2.1)
    """
    found = REPEATED.match(measured)
    if found:
        return Figure(*(float(text.replace(",", "")) for text in found.groups()))
    one = re.match(NUMBER, measured)
    if one is None:
        return None
    value = float(one[0].replace(",", ""))
    return Figure(value, value / SINGLE**0.5, value * SINGLE**0.5)


def is_slower(row: Row, kept: Row) -> bool:
    """Whether a row is worse than the kept one beyond the noise: the ranges of their repetitions do not touch."""
    now, then = figure(row.measured), figure(kept.measured)
    if now is None or then is None:
        return False
    if "≥" in row.goal:
        return now.most < then.least
    return ("≤" in row.goal or bool(LOWER_UNITS.match(row.measured))) and now.least > then.most


def slipped(rows: Iterable[Row], kept: Mapping[str, Row]) -> list[str]:
    """Return a line for each row that has slipped since the kept run, whose rows are given by what they measure."""
    return [
        f"SLIPPED {row.what}: {row.measured}, was {kept[row.what].measured}"
        for row in rows
        if row.what in kept and is_slower(row, kept[row.what])
    ]
