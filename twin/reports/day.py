"""The report of a kitchen's day or range as one HTML page to read, print and mail: no scripts, no server, no network.

Every figure is that of the page and of notebooks: the delay ledger, the moments, the brands, and the day against those before.
The same data gives the same bytes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from twin.analysis import brands
from twin.analysis.common_traits import common_traits, traits_of
from twin.analysis.day_figures import day_figures
from twin.analysis.ledger import LABELS, PARTS, Ledger
from twin.analysis.moments import TROUBLES, Moment
from twin.analysis.moments.moment import when_in
from twin.foundation.times import DAY, HOUR
from twin.hub import Hub
from twin.reports.card import customers_text, link_to
from twin.reports.parts import MINUTE, latest, templates, waterfall
from twin.timeline.timeline import Timeline

WORST = 20
"""Orders in the table of the latest."""
MOST_MOMENTS = 20
LENGTHS = {1: "day", 7: "week"}
"""Lengths in days that are compared with those before."""
MOST_SHARED = 5
MOST_HOURS = 8 * 24
"""Columns of the strip of hours; of a longer range it has days."""


def report(hub: Hub, timeline: Timeline, link: str = "") -> str:
    """Return the report of the orders that began in the timeline's window, as HTML. `link` is an address of the live page."""
    window, tz = timeline.window, timeline.tz
    insights, ledger = hub.insights(timeline), hub.ledger(timeline)
    orders = timeline.orders
    among = (orders.began >= window.start) & (orders.began < window.end)
    account = ledger.account(among)
    shared = common_traits(timeline.cached(traits_of), ledger.late, among & ledger.counted)
    history, days = insights.baseline.history, _whole_days(timeline)
    figures = (
        day_figures(history, tz.day(window.start), ledger.target, days)
        if days in LENGTHS and history is not None
        else []
    )
    span = window.end - window.start
    return (
        templates()
        .get_template("day.html")
        .render(
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
            unit=LENGTHS.get(days, "day"),
            steps=waterfall(account),
            strip=_strip(timeline, ledger, among),
            moments=[
                {
                    "when": when_in(one, span),
                    "title": one.title,
                    "sentence": one.sentence,
                    "trouble": one.kind in TROUBLES,
                    "causes": one.why,
                    **_head(timeline, ledger, one, link),
                }
                for one in insights.moments[:MOST_MOMENTS]
            ],
            more_moments=max(0, len(insights.moments) - MOST_MOMENTS),
            unexamined=insights.unexamined,
            shared=[one.sentence for one in shared[:MOST_SHARED]],
            brands=brands.performance(timeline),
            worst=latest(timeline, ledger, among, WORST),
            quality=timeline.data_quality,
            link=link,
        )
    )


def save_report(hub: Hub, timeline: Timeline, path: str | Path, link: str = "") -> Path:
    """Write the report of the timeline's window, and return its path."""
    written = Path(path)
    written.write_text(report(hub, timeline, link), "utf-8")
    return written


def _whole_days(timeline: Timeline) -> int:
    """Return how many days of the kitchen's clock the window touches."""
    first, last = timeline.window.start, float(np.nextafter(timeline.window.end, timeline.window.start))
    return int(timeline.tz.day(last)) - int(timeline.tz.day(first)) + 1


def _head(timeline: Timeline, ledger: Ledger, moment: Moment, link: str) -> dict[str, str]:
    """Return what stands in the head of a moment's card: how many customers, and the address of that time."""
    began = (timeline.orders.began >= moment.start) & (timeline.orders.began < moment.end)
    page = link.partition("?")[0]
    return {
        "customers": customers_text(timeline, began, ledger.account(began)),
        "link": link_to(timeline, page, moment.at) if page else "",
    }


def last_whole_day(hub: Hub, location: str) -> tuple[float, float]:
    """Return the last day of a kitchen's record that is over, [start, end) in data seconds."""
    end, tz = hub.last_hours(location).end, hub.location(location).tz
    day = tz.day(end) if end >= tz.start_of(tz.day(end) + 1) else tz.day(end) - 1
    return float(tz.start_of(day)), float(tz.start_of(day + 1))


def save_reports(hub: Hub, folder: str | Path, link: str = "", days: int = 1) -> list[Path]:
    """Write the report of each kitchen's last whole day, or of the `days` that end with it, and return the paths.

    A file is named by kitchen and first day, so that a second run writes it anew. A kitchen without orders then has none.
    """
    written = []
    for place in hub.locations:
        start, end = last_whole_day(hub, place.id)
        first = float(place.tz.start_of(place.tz.day(start) - days + 1))
        if hub.within(place.id, first, end) is None:
            continue
        timeline = hub.timeline(place.id, first, end)
        if timeline.has_orders:
            name = "".join(one if one.isalnum() or one in "-_" else "-" for one in place.id)
            path = Path(folder) / f"{name}-{place.tz.text(first)[:10]}{'-week' if days == 7 else ''}.html"
            written.append(save_report(hub, timeline, path, link))
    return written


def _range_text(timeline: Timeline) -> str:
    window, tz = timeline.window, timeline.tz
    first, last = window.start, float(np.nextafter(window.end, window.start))
    day = f"{tz.weekday(first)} {tz.text(first)[:10]}"
    if (window.start, window.end) == tz.whole_days(first, last) and tz.day(first) == tz.day(last):
        return day
    return f"{tz.text(window.start)[:16]} to {tz.text(window.end)[:16]}"


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
