"""What the documents have in common: the lines from the promise to the delivery time, the latest orders, and texts of numbers."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from twin.analysis.ledger import LABELS, NAMES, PARTS, Account, Ledger
from twin.timeline.timeline import Timeline

Bools = NDArray[np.bool_]
MINUTE = 60.0


@cache
def templates() -> Environment:
    """Return the templates of this folder; whatever they are given is text, never markup."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the waterfall: `left` and `width` in percent of its track; minutes as texts; `tone`: more, less or end."""

    label: str
    text: str
    note: str
    left: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class LateOrder:
    """A late order: its id, when it began, minutes it took and was late by, and the largest cause with its minutes."""

    order: str
    began: str
    took: float
    late: float
    cause: str
    cause_min: float


def waterfall(account: Account) -> list[Step]:
    """Return the lines from the promise to what deliveries took; [] without deliveries."""
    if not account.orders:
        return []
    target, mean = account.target / MINUTE, account.total_s / account.orders / MINUTE
    at, spans = target, []
    for part, seconds in account.steps:
        beyond = seconds / MINUTE
        spans.append((part, at, at + beyond))
        at += beyond
    ends = [target, mean, *(one for _, begin, end in spans for one in (begin, end))]
    low, width = min(ends), max(max(ends) - min(ends), 1.0)

    def place(minutes: float) -> float:
        return round(4 + 92 * (minutes - low) / width, 2)

    lines = [Step("Promised", f"{target:.1f} min", "", place(target), 0.4, "end")]
    for part, begin, end in spans:
        if part in PARTS and not account.parts[PARTS.index(part)] and not account.usual[PARTS.index(part)]:
            continue
        late = 0.0 if part == "usual" else account.causes[PARTS.index(part) if part in PARTS else -1] / MINUTE
        left = place(min(begin, end))
        lines.append(
            Step(
                {"promise": "Short promise", "usual": "A usual order", **NAMES}[part],
                signed(end - begin),
                f"{signed(late, 0)} late minutes" if account.late and abs(late) >= 0.5 else "",
                left,
                round(max(place(max(begin, end)) - left, 0.4), 2),
                "more" if end > begin else "less",
            )
        )
    lines.append(Step("Took, on average", f"{mean:.1f} min", "", place(mean), 0.4, "end"))
    return lines


def latest(timeline: Timeline, ledger: Ledger, among: Bools, number: int) -> list[LateOrder]:
    """Return the latest of the orders `among` (n,), worst first, at most `number`, with what made them late."""
    tz, orders = timeline.tz, timeline.orders
    at = np.flatnonzero(among[ledger.blame.rows])
    at = at[np.argsort(-ledger.blame.late_s[at], kind="stable")[:number]]
    found = []
    for k in at.tolist():
        row = int(ledger.blame.rows[k])
        seconds = ledger.blame.seconds[k]
        cause = int(np.argmax(seconds))
        found.append(
            LateOrder(
                order=str(orders.ids[row].as_py()),
                began=tz.text(float(orders.created[row]))[5:16],
                took=float(ledger.total[row]) / MINUTE,
                late=float(ledger.blame.late_s[k]) / MINUTE,
                cause=LABELS[(*PARTS, "usual")[cause]],
                cause_min=float(seconds[cause]) / MINUTE,
            )
        )
    return found


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign, none for what is written as 0.

    >>> signed(3.21), signed(-1234.0, 0), signed(-0.01)
    ('+3.2', '−1,234', '0.0')
    """
    text = f"{abs(value):,.{digits}f}"
    return text if not float(text.replace(",", "")) else f"{'+' if value > 0 else '−'}{text}"


def minutes(value: float | None) -> str:
    """Return minutes with one digit, a dash for none.

    >>> minutes(3.21), minutes(None)
    ('3.2', '–')
    """
    return "–" if value is None else f"{value:.1f}"
