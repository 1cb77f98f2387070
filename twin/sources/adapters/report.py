"""What a proposal and its check say, as lines of text for the command line. The page says the same."""

from collections.abc import Iterator

from twin.foundation.times import text
from twin.sources.adapters.adapt import Check
from twin.sources.adapters.guess import Guess, Proposal
from twin.sources.adapters.mapping import MILESTONES, PING

WIDEST = 34
"""Characters of a column's name that are shown."""
SHOWN_VALUES = 3

ROLES = {
    "order_id": "order id", "kitchen": "kitchen", "activity": "name of the event", "time": "time of the event",
    "date": "day of the times", "sequence": "sequence", "brand": "brand", "item": "item", "price": "price",
    "quantity": "quantity",
    "route": "route", "customer_lat": "customer, latitude", "customer_lon": "customer, longitude",
    "handover_lat": "handed over at, latitude", "handover_lon": "handed over at, longitude",
    "kitchen_place_lat": "kitchen, latitude", "kitchen_place_lon": "kitchen, longitude",
    "position_lat": "driver, latitude", "position_lon": "driver, longitude",
    "order_created": "created", "gk_started": "started", "gk_finished": "finished", "gk_ready": "ready",
    "driver_arrived": "driver arrived", "driver_picked_up": "picked up", "delivered": "delivered",
    "order_cancelled": "cancelled",
    PING: "position of the driver",
}  # fmt: skip
"""What roles are called, in the order in which they are offered."""
SHAPES = {"wide": "a row per order", "long": "a row per event"}


def role_name(role: str) -> str:
    """Return what a role is called.

    >>> role_name("gk_ready"), role_name("")
    ('ready', 'not used')
    """
    return ROLES.get(role, role) if role else "not used"


def proposal_lines(source: str, proposal: Proposal, rows: int) -> Iterator[str]:
    """Yield the table of guesses, with what was noticed."""
    yield f"{source}: {SHAPES[proposal.shape]} ({proposal.shape}), {rows:,} rows looked at"
    for is_activity, title in ((False, "column"), (True, "activity")):
        chosen = [guess for guess in proposal.guesses if guess.is_activity is is_activity]
        if not chosen:
            continue
        yield ""
        yield f"{title:<{WIDEST}} {'means':<26} {'confidence':<13} {'contradict':<18} {'rows' if is_activity else 'values'}"
        for guess in chosen:
            cells = (role_name(guess.role), 26), (confidence(guess), 13), (wrong(guess), 18)
            middle = " ".join(f"{cell:<{width}}" for cell, width in cells)
            yield f"{_short(guess.name):<{WIDEST}} {middle} {values(guess)}".rstrip()
    if proposal.notes:
        yield ""
    for note in proposal.notes:
        yield f"note: {note}"


def check_lines(check: Check, is_wide: bool) -> Iterator[str]:
    """Yield what a mapping makes of all rows, and twenty orders."""
    quality = check.quality
    yield f"{quality.read:,} rows read = {quality.used:,} used + {quality.read - quality.used:,} set aside"
    if is_wide:
        yield "(a row here is a filled time of an order; an order without any is one row, set aside)"
    for reason, count in sorted(quality.rejected.items(), key=lambda item: -item[1]):
        yield f"{count:>12,}  set aside: {reason}"
    for flag, count in sorted(quality.flagged.items(), key=lambda item: -item[1]):
        yield f"{count:>12,}  used, but: {flag}"
    yield f"{check.orders:,} orders at {check.kitchens:,} kitchen{'s' * (check.kitchens != 1)}"
    for milestone, count in check.contradictions.items():
        yield f"{count:>12,}  of {check.reached[milestone]:,} orders: {role_name(milestone)} contradicts the order of the process"
    kinds = [m for m in MILESTONES if check.reached.get(m)]
    yield ""
    yield f"{'order':<20} " + " ".join(f"{role_name(kind):<19}" for kind in kinds)
    for order in check.preview:
        cells = (text(order.times[kind]) if kind in order.times else "–" for kind in kinds)
        yield f"{_short(order.order_id, 20):<20} " + " ".join(f"{cell:<19}" for cell in cells)


def confidence(guess: Guess) -> str:
    """Return a guess's confidence in words."""
    if not guess.role:
        return ""
    return "chosen" if guess.verdict == "chosen" else f"{guess.verdict} {guess.confidence:.0%}"


def wrong(guess: Guess) -> str:
    """Return how many orders contradict a guess."""
    return f"{guess.wrong:,} of {guess.orders:,}" if guess.role and guess.orders else ""


def values(guess: Guess) -> str:
    """Return sample values, without what a terminal would take for commands."""
    return " | ".join(
        _short("".join(c if c.isprintable() else "?" for c in value), 24) for value in guess.samples[:SHOWN_VALUES]
    )


def _short(text_: str, most: int = WIDEST) -> str:
    return text_ if len(text_) <= most else f"{text_[: most - 1]}…"
