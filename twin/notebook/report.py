"""The report of a kitchen's day or range as one HTML page to read, print and mail: no scripts, no server, no network.

Every figure is that of the page and of notebooks: the delay ledger, the moments, the brands, and the day against those before.
The same data gives the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from twin.analysis import brands
from twin.analysis.common_traits import common_traits, traits_of
from twin.analysis.day_figures import day_figures
from twin.analysis.ledger import LABELS, NAMES, PARTS, Account, Ledger
from twin.analysis.moments import TROUBLES
from twin.analysis.moments.moment import when_in
from twin.foundation.times import DAY, HOUR
from twin.hub import Hub
from twin.timeline.timeline import Timeline

MINUTE = 60.0
WORST = 20
"""Orders in the table of the latest."""
MOST_MOMENTS = 20
MOST_SHARED = 5
MOST_HOURS = 8 * 24
"""Columns of the strip of hours; of a longer range it has days."""
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class _Step:
    """A line of the waterfall: `left` and `width` in percent of its track; minutes as texts; `tone`: more, less or end."""

    label: str
    text: str
    note: str
    left: float
    width: float
    tone: str


def report(hub: Hub, timeline: Timeline, link: str = "") -> str:
    """Return the report of the orders that began in the timeline's window, as HTML. `link` is an address of the live page."""
    window, tz = timeline.window, timeline.tz
    insights, ledger = hub.insights(timeline), hub.ledger(timeline)
    orders = timeline.orders
    among = (orders.began >= window.start) & (orders.began < window.end)
    account = ledger.account(among)
    shared = common_traits(timeline.cached(traits_of), ledger.late, among & ledger.counted)
    one_day = tz.day(window.start) == tz.day(np.nextafter(window.end, window.start))
    history = insights.baseline.history
    figures = day_figures(history, tz.day(window.start), ledger.target) if one_day and history is not None else []
    span = window.end - window.start
    return _TEMPLATES.get_template("report.html").render(
        kitchen=timeline.location.label,
        when=_range_text(timeline),
        clock="kitchen time" if tz.naive else tz.name,
        sentence=account.sentence,
        account=account,
        target=ledger.target / MINUTE,
        mean=account.total_s / account.orders / MINUTE if account.orders else None,
        orders=int(np.count_nonzero(among)),
        figures=figures,
        days=max((one.days for one in figures), default=0),
        steps=_waterfall(account),
        strip=_strip(timeline, ledger, among),
        moments=[
            {
                "when": when_in(one, span),
                "title": one.title,
                "sentence": one.sentence,
                "trouble": one.kind in TROUBLES,
                "causes": _during(ledger, orders.began, among, one.start, one.end).sentence
                if one.kind in TROUBLES
                else "",
            }
            for one in insights.moments[:MOST_MOMENTS]
        ],
        more_moments=max(0, len(insights.moments) - MOST_MOMENTS),
        unexamined=insights.unexamined,
        shared=[one.sentence for one in shared[:MOST_SHARED]],
        brands=brands.performance(timeline),
        worst=_worst(timeline, ledger, among),
        quality=timeline.data_quality,
        link=link,
    )


def save_report(hub: Hub, timeline: Timeline, path: str | Path, link: str = "") -> Path:
    """Write the report of the timeline's window, and return its path."""
    written = Path(path)
    written.write_text(report(hub, timeline, link), "utf-8")
    return written


def _during(ledger: Ledger, began: Any, among: Any, start: float, end: float) -> Account:
    return ledger.account(among & (began >= start) & (began < end))


def _range_text(timeline: Timeline) -> str:
    window, tz = timeline.window, timeline.tz
    first, last = window.start, float(np.nextafter(window.end, window.start))
    day = f"{tz.weekday(first)} {tz.text(first)[:10]}"
    if (window.start, window.end) == tz.whole_days(first, last) and tz.day(first) == tz.day(last):
        return day
    return f"{tz.text(window.start)[:16]} to {tz.text(window.end)[:16]}"


def _waterfall(account: Account) -> list[_Step]:
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

    lines = [_Step("Promised", f"{target:.1f} min", "", place(target), 0.4, "end")]
    for k, (part, begin, end) in enumerate(spans):
        if part in PARTS and not account.parts[PARTS.index(part)] and not account.usual[PARTS.index(part)]:
            continue
        late = account.causes[PARTS.index(part) if part in PARTS else -1] / MINUTE
        left = place(min(begin, end))
        lines.append(
            _Step(
                "A usual order" if k == 0 else NAMES[part],
                _signed(end - begin),
                f"{_signed(late, 0)} late minutes" if account.late and abs(late) >= 0.5 else "",
                left,
                round(max(place(max(begin, end)) - left, 0.4), 2),
                "more" if end > begin else "less",
            )
        )
    lines.append(_Step("Took, on average", f"{mean:.1f} min", "", place(mean), 0.4, "end"))
    return lines


def _signed(value: float, digits: int = 1) -> str:
    text = f"{abs(value):,.{digits}f}"
    return text if not float(text.replace(",", "")) else f"{'+' if value > 0 else '−'}{text}"


def _strip(timeline: Timeline, ledger: Ledger, among: Any) -> dict[str, Any]:
    """Return the late minutes by hour (of a long range by day) and cause: columns, and a row of (minutes, strength 0..1) each."""
    window, tz = timeline.window, timeline.tz
    step = HOUR if window.end - window.start <= MOST_HOURS * HOUR else DAY
    late = ledger.blame.rows[among[ledger.blame.rows]]
    if not len(late):
        return {"columns": [], "rows": []}
    causes = ledger.blame.seconds[among[ledger.blame.rows]] / MINUTE
    bucket = np.floor(np.asarray(tz.local(timeline.orders.began[late])) / step).astype(np.int64)
    first = int(np.floor(float(tz.local(window.start)) / step))
    last = int(np.floor(float(tz.local(float(np.nextafter(window.end, window.start)))) / step))
    number = last - first + 1
    sums = np.stack([np.bincount(bucket - first, causes[:, k], number) for k in range(causes.shape[1])])
    largest = max(float(sums.max()), 1.0)
    starts = [float(tz.from_local((first + k) * step)) for k in range(number)]
    return {
        "columns": [tz.clock(t)[:2] if step == HOUR else tz.text(t)[8:10] for t in starts],
        "unit": "hour" if step == HOUR else "day",
        "rows": [
            (
                LABELS[part].capitalize(),
                [(round(float(value)), round(min(max(float(value) / largest, 0.0), 1.0), 3)) for value in row],
                round(float(row.sum())),
            )
            for part, row in zip((*PARTS, "usual"), sums, strict=True)
            if abs(row).max() >= 0.5
        ],
    }


def _worst(timeline: Timeline, ledger: Ledger, among: Any) -> list[dict[str, Any]]:
    """Return the latest orders with what made them late."""
    tz, orders = timeline.tz, timeline.orders
    at = np.flatnonzero(among[ledger.blame.rows])
    at = at[np.argsort(-ledger.blame.late_s[at], kind="stable")[:WORST]]
    found = []
    for k in at.tolist():
        row = int(ledger.blame.rows[k])
        seconds = ledger.blame.seconds[k]
        cause = int(np.argmax(seconds))
        found.append(
            {
                "order": str(orders.ids[row].as_py()),
                "created": tz.text(float(orders.created[row]))[5:16],
                "took": ledger.total[row] / MINUTE,
                "late": ledger.blame.late_s[k] / MINUTE,
                "cause": LABELS[(*PARTS, "usual")[cause]],
                "cause_min": seconds[cause] / MINUTE,
            }
        )
    return found
