"""The card of an incident: a moment, or any range of time, on one page: what happened, why orders were late, what ended it.

Every figure is that of the functions that pages and notebooks use: the delay ledger of the orders that began then, the kitchen's
state at four times, and the moment's own sentence. A card is as of a time, `known_at`: then it counts only what had been
delivered by it, and shows nothing later.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

import numpy as np

from twin.analysis.common_traits import common_traits, traits_of
from twin.analysis.ledger import LABELS, NAMES, PARTS, Account
from twin.analysis.metrics import metrics_of
from twin.analysis.moments import TROUBLES, Moment
from twin.analysis.moments.moment import WEEK
from twin.foundation.stages import OUT_FOR_DELIVERY, READY
from twin.foundation.times import HOUR
from twin.hub import Hub
from twin.render.tiles import TileSet
from twin.reports.frames import Frame, frames
from twin.reports.parts import MINUTE, Bools, LateOrder, latest
from twin.timeline.timeline import Timeline

FRAMES = 4
WORST = 10
"""Late orders in the table: as many as one page has room for."""
MOST_SHARED = 2
MOST_NOTES = 600
"""Characters of one's own notes: as many as one page has room for."""
MOST_LINES, LINE_LENGTH = 6, 100
"""Lines of them, and characters of a line on paper."""
FEWEST_ORDERS = 2
SHORTEST_AFTER_S = 600.0
"""Seconds after the end without which nothing is said of what ended it."""
LEAST_SHOWN = 0.05
"""Minutes below which a part that made nobody late has no line."""
CHANGED = 0.15
"""Share by which orders or drivers differ from before for it to be named."""


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part of the delivery time, minutes: took and usual are means (None: what a usual order takes beyond the promise), late
    the late minutes that it made, late_orders of how many orders. `bar` and `usual_bar` are the means in percent of the longest.
    """

    label: str
    took: float | None
    usual: float | None
    late: float
    late_orders: float
    bar: float
    usual_bar: float


@dataclass(frozen=True)
class Card:
    """What stands on the card. start, end: data seconds; known_at: as of when, None: with hindsight.

    sentence: the moment's, "" for a range; why: the ledger's, with `account`; shared: what the late orders have in common; worst:
    the latest orders, `more` is how many further ones were late; ended: what ended it; link: an address of the page at that time.
    """

    kitchen: str
    title: str
    trouble: bool
    when: str
    known: str
    start: float
    end: float
    known_at: float | None
    customers: str
    sentence: str
    account: Account
    parts: tuple[PartLine, ...]
    frames: tuple[Frame, ...]
    shared: tuple[str, ...]
    ended: str
    worst: tuple[LateOrder, ...]
    more: int
    definitions: str
    link: str = ""
    notes: str = ""

    @property
    def why(self) -> str:
        """What the late minutes were made of, in one sentence."""
        if self.known_at is not None and not self.account.orders:
            return "None of these orders had been delivered yet."
        return self.account.sentence

    @property
    def took(self) -> float | None:
        """Mean minutes of a delivery; None without one."""
        return self.account.total_s / self.account.orders / MINUTE if self.account.orders else None

    @property
    def usual(self) -> float | None:
        """Mean minutes that such a delivery usually takes; None without one."""
        return float(self.account.usual.sum()) / self.account.orders / MINUTE if self.account.orders else None

    @property
    def late_min(self) -> float:
        """Minutes beyond the promise, of all late orders."""
        return self.account.late_s / MINUTE

    @property
    def name(self) -> str:
        """A file's name without its ending."""
        letters = "".join(one if one.isalnum() else "-" for one in f"{self.kitchen} {self.when}".lower())
        return "-".join(filter(None, letters.split("-")))

    def with_notes(self, notes: str) -> "Card":
        """Return the card with one's own notes, cut to what the page has room for; they take that of some orders."""
        lines = [line for line in (" ".join(line.split()) for line in notes[:MOST_NOTES].splitlines()) if line][
            :MOST_LINES
        ]
        taken = sum(1 + len(line) // LINE_LENGTH for line in lines) + 1 if lines else 0
        worst = self.worst[: max(FEWEST_ORDERS, WORST - taken)]
        return replace(self, notes="\n".join(lines), worst=worst, more=self.more + len(self.worst) - len(worst))


def card_of(
    hub: Hub,
    timeline: Timeline,
    start: float,
    end: float,
    *,
    moment: Moment | None = None,
    known_at: float | None = None,
    link: str = "",
    tiles: TileSet | None = None,
) -> Card:
    """Return the card of [start, end), data seconds, or of a `moment` that lies there.

    `link` is the address of a live page, without a query; `tiles` the base map, if there is one already. Raises ValueError for a
    range that is empty or not in the timeline, or that begins after `known_at`.
    """
    window, tz, orders = timeline.window, timeline.tz, timeline.orders
    if not (window.start <= start < end <= window.end) or (known_at is not None and known_at <= start):
        raise ValueError(
            f"A card is of a time that has begun, between {tz.text(window.start)} and {tz.text(window.end)}."
        )
    until = end if known_at is None else min(end, known_at)
    ledger = hub.ledger(timeline)
    began = (orders.began >= start) & (orders.began < until)
    among = _delivered(timeline, began, known_at)
    account = ledger.account(among)
    number_of_late = account.late
    alike = common_traits(timeline.cached(traits_of), ledger.late, among & ledger.counted)
    worst = latest(timeline, ledger, among, WORST)
    return Card(
        kitchen=timeline.location.label,
        title=moment.title if moment is not None else "What happened",
        trouble=moment is not None and moment.kind in TROUBLES,
        when=_when(timeline, start, end),
        known="With hindsight" if known_at is None else f"As it was known {_dated(timeline, known_at)}",
        start=start,
        end=end,
        known_at=known_at,
        customers=customers_text(timeline, began, account, known_at),
        sentence=moment.sentence if moment is not None else "",
        account=account,
        parts=_parts(account),
        frames=tuple(frames(hub, timeline, _times(start, until, moment), ledger.target, tiles)),
        shared=tuple(one.sentence for one in alike[:MOST_SHARED]),
        ended=_ended(hub, timeline, start, end, known_at),
        worst=tuple(worst),
        more=number_of_late - len(worst),
        definitions=_definitions(timeline, ledger.target),
        link=link_to(timeline, link, until if moment is None else min(moment.at, until), known_at) if link else "",
    )


def known_moment(hub: Hub, timeline: Timeline, moment: Moment, t: float) -> tuple[Moment, float | None]:
    """Return a moment as it was known at t (data seconds), and t; with hindsight, and None, if it was not known then.

    What is over by t is as it is with hindsight, but for what was delivered later.
    """
    if moment.end <= t:
        return moment, t
    for one in hub.troubles_at(timeline, t).moments:
        alike = one.kind == moment.kind or (one.stage != "" and one.stage == moment.stage)
        if alike and one.start < moment.end and moment.start < one.end and one.start < t <= one.end:
            return one, t
    return moment, None


def _delivered(timeline: Timeline, among: Bools, known_at: float | None) -> Bools:
    return among if known_at is None else among & (timeline.orders.delivered <= known_at)


def _dated(timeline: Timeline, t: float) -> str:
    tz, span = timeline.tz, timeline.window.end - timeline.window.start
    return f"{tz.weekday(t)[:3]} {tz.date(t)}{f' {tz.text(t)[:4]}' if span > WEEK else ''} {tz.clock(t)}"


def _when(timeline: Timeline, start: float, end: float) -> str:
    tz = timeline.tz
    same = tz.day(start) == tz.day(end)
    first = f"{tz.weekday(start)} {tz.date(start)} {tz.text(start)[:4]}, {tz.clock(start)}"
    return f"{first}–{tz.clock(end) if same else f'{tz.weekday(end)} {tz.date(end)}, {tz.clock(end)}'}"


def customers_text(timeline: Timeline, began: Bools, account: Account, known_at: float | None = None) -> str:
    """Return how many customers ordered, and what became of their orders by then.

    began: (n,) which orders; account: of those of them that were delivered.
    """
    orders, by = timeline.orders, np.inf if known_at is None else known_at
    number = int(np.count_nonzero(began))
    delivered = int(np.count_nonzero(began & (orders.delivered <= by)))
    cancelled = int(np.count_nonzero(began & (orders.cancelled <= by) & ~(orders.delivered <= by)))
    rest = number - delivered - cancelled
    words = [f"{number:,} customer{'' if number == 1 else 's'} ordered", f"{delivered:,} delivered"]
    words[1] += f", {account.late:,} of them late" if delivered else ""
    words += [f"{cancelled:,} cancelled"] if cancelled else []
    words += [f"{rest:,} not delivered{'' if known_at is None else ' yet'}"] if rest else []
    return " · ".join(words)


def _parts(account: Account) -> tuple[PartLine, ...]:
    if not account.orders:
        return ()
    took, usual = (part / account.orders / MINUTE for part in (account.parts, account.usual))
    longest = max(float(took.max()), float(usual.max()), 1e-9)
    lines = [
        PartLine(
            NAMES[part],
            float(took[k]),
            float(usual[k]),
            float(account.causes[k]) / MINUTE,
            float(account.late_by[k]),
            round(100 * max(float(took[k]), 0.0) / longest, 1),
            round(100 * max(float(usual[k]), 0.0) / longest, 1),
        )
        for k, part in enumerate(PARTS)
        if max(took[k], usual[k]) >= LEAST_SHOWN or abs(account.causes[k]) >= MINUTE / 2
    ]
    if account.causes[-1] >= MINUTE / 2:
        lines.append(
            PartLine(
                "A usual order", None, None, float(account.causes[-1]) / MINUTE, float(account.late_by[-1]), 0.0, 0.0
            )
        )
    return tuple(lines)


def _times(start: float, end: float, moment: Moment | None) -> list[float]:
    """Return the times of the frames, even steps from start to end; the one that is nearest to the worst time is that."""
    times = np.linspace(start, end, FRAMES)
    if moment is not None and start < moment.at < end:
        inner = times[1:-1]
        inner[np.argmin(np.abs(inner - moment.at))] = moment.at
    return [float(t) for t in times]


def _ended(hub: Hub, timeline: Timeline, start: float, end: float, known_at: float | None) -> str:
    """Return what was different in the hour after the end, as far as known: orders, drivers, and the part that took less."""
    tz, ledger, orders = timeline.tz, hub.ledger(timeline), timeline.orders
    last = min(end + HOUR, timeline.window.end, np.inf if known_at is None else known_at)
    if last - end < SHORTEST_AFTER_S:
        if known_at is not None and last >= known_at:
            return f"What ended it was not known at {tz.clock(known_at)}."
        return "The range ends here: what ended it is not in it."
    changes: list[str] = []

    def compare(before: float, after: float, less: str, more: str, text: str) -> None:
        if abs(after - before) >= CHANGED * max(before, 1.0):
            changes.append(f"{less if after < before else more} ({text.format(after)}, {before:,.0f} before)")

    def pace(first: float, until: float) -> float:
        return float(np.count_nonzero((orders.began >= first) & (orders.began < until))) / (until - first) * HOUR

    compare(pace(start, end), pace(end, last), "fewer orders", "more orders", "{:,.0f} an hour")
    for stage, less, more in (
        (OUT_FOR_DELIVERY, "fewer drivers on the road", "more drivers on the road"),
        (READY, "fewer meals waiting", "more meals waiting"),
    ):
        if metrics_of(timeline).recorded[stage]:
            during, after = (
                float(timeline.membership.in_stage(stage, np.arange(first, until, MINUTE)).mean())
                for first, until in ((start, end), (end, last))
            )
            compare(during, after, less, more, "{:,.0f}")
    then, later = (
        ledger.account(_delivered(timeline, (orders.began >= first) & (orders.began < until), known_at))
        for first, until in ((start, end), (end, last))
    )
    if then.orders and later.orders:
        fell = then.parts / then.orders - later.parts / later.orders
        most = int(np.argmax(fell))
        if fell[most] >= MINUTE / 2:
            took, before = (float(one.parts[most]) / one.orders / MINUTE for one in (later, then))
            changes.append(f"{LABELS[PARTS[most]]} took {took:.1f} min ({before:.1f} before)")
    spoken = f"From {tz.clock(end)} to {tz.clock(last)}: "
    return spoken + ("; ".join(changes) if changes else "orders, drivers and times as before") + "."


def _definitions(timeline: Timeline, target: float) -> str:
    clock = "the kitchen’s own" if timeline.tz.naive else timeline.tz.name
    return (
        "Orders are those that began in this time. Deliveries count if they took at most four hours; late is at least half a "
        f"minute over the promised {target / MINUTE:.0f} min. Usual is the mean of that hour on other days. Late minutes are "
        "shared among the parts of each late order by what each added (Shapley value), and add up; minutes made up are negative. "
        f"On the map a driver is red whose order is over the promise. Times are by this clock: {clock}."
    )


def link_to(timeline: Timeline, page: str, t: float, known_at: float | None = None) -> str:
    """Return the address of the live `page` at t, as it was known then or with hindsight; empty if it is none of the web."""
    if not page.startswith(("http://", "https://")):
        return ""
    tz, window = timeline.tz, timeline.window
    fields = {
        "location": timeline.location.id,
        "start": tz.iso(window.start),
        "end": tz.iso(window.end),
        "t": tz.iso(t if known_at is None else known_at),
        "hindsight": "1" if known_at is None else "",
    }
    return f"{page}?{urlencode({name: value for name, value in fields.items() if value}, safe=':,')}"
