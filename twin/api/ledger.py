"""Answers the delay ledger: why the orders of a range were late, in total and by hour, day or brand."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.analysis import brands
from twin.analysis.common_traits import CommonTrait, common_traits, traits_of
from twin.analysis.ledger import LABELS, PARTS, Account
from twin.analysis.long_ledger import total
from twin.analysis.shelf import ShelfClock
from twin.api import models
from twin.api.instants import instant
from twin.api.promises import promises_of
from twin.api.shelf import shelf_of
from twin.foundation.times import DAY, HOUR
from twin.hub import Hub
from twin.sources.base import Location, Window
from twin.timeline.timeline import Timeline

Bools = NDArray[np.bool_]


def answer(
    hub: Hub, timeline: Timeline, window: Window, by: models.LedgerGroup, known_at: float | None
) -> models.Ledger:
    """Return the ledger of the orders that began in `window`, of what was delivered by `known_at` (seconds, None: of all)."""
    ledger = hub.ledger(timeline)
    orders = timeline.orders
    inside = (orders.began >= window.start) & (orders.began < window.end)
    among = inside if known_at is None else inside & (orders.delivered <= known_at)
    clock, at = ShelfClock(orders, hub.settings.cold_after_s), np.inf if known_at is None else known_at
    return models.Ledger(
        location=timeline.location.id,
        start=instant(window.start),
        end=instant(window.end),
        known_at=None if known_at is None else instant(known_at),
        total=models.LedgerAccount(**_account(ledger.account(among)), shelf=shelf_of(clock, inside, at)),
        promises=promises_of(hub.promises(timeline), among),
        shared=[_shared(one) for one in common_traits(timeline.cached(traits_of), ledger.late, among & ledger.counted)],
        groups=[
            models.LedgerGroupAccount(
                **where, **_account(ledger.account(group & among)), shelf=shelf_of(clock, group & inside, at)
            )
            for where, group in (_groups(timeline, ledger.counted & among, by) if by != "cause" else ())
        ],
    )


def long_answer(
    hub: Hub, place: Location, window: Window, by: models.LedgerGroup, known_at: float | None
) -> models.Ledger:
    """Return the same of a range that is too long to load, which the source adds up; what late orders share is not looked for."""
    ledger = hub.long_ledger(place.id, window)
    groups = [] if by == "cause" else ledger.groups(by, known_at)
    whole = total((one.account for one in groups), ledger.target) if by in ("hour", "day") else ledger.account(known_at)
    return models.Ledger(
        location=place.id,
        start=instant(window.start),
        end=instant(window.end),
        known_at=None if known_at is None else instant(known_at),
        total=models.LedgerAccount(**_account(whole), shelf=None),
        shared=None,
        groups=[
            models.LedgerGroupAccount(
                start=None if one.start is None else instant(one.start),
                brand=one.brand,
                **_account(one.account),
                shelf=None,
            )
            for one in groups
        ],
    )


def _groups(timeline: Timeline, counted: Bools, by: models.LedgerGroup) -> Iterator[tuple[dict[str, Any], Bools]]:
    """Yield what names each group that has deliveries, and all orders that are in it."""
    orders, n = timeline.orders, len(counted)
    if by == "brand":
        names, order, brand = brands.pairs(orders)
        for k in sorted(range(len(names)), key=names.__getitem__):
            of_brand = np.zeros(n, bool)
            of_brand[order[brand == k]] = True
            if (of_brand & counted).any():
                yield {"start": None, "brand": names[k]}, of_brand
        return
    tz, step, known = timeline.tz, DAY if by == "day" else HOUR, np.isfinite(orders.began)
    local = np.where(known, tz.local(np.where(known, orders.began, timeline.window.start)), np.nan)
    bucket = np.floor(local / step)
    for one in np.unique(bucket[counted]).tolist():
        start = float(tz.from_local(np.array([one * step]))[0])
        yield {"start": instant(start), "brand": None}, bucket == one


def _shared(one: CommonTrait) -> models.SharedTrait:
    return models.SharedTrait(
        kind=one.kind,
        label=one.label,
        share=100 * one.share,
        rest=100 * one.rest,
        low=100 * one.low,
        high=100 * one.high,
        orders=one.number,
        chance=one.chance,
    )


def _account(one: Account) -> dict[str, Any]:
    n = one.orders
    usual = float(one.usual.sum()) / n / 60 if n else None
    causes = [
        models.LedgerCause(
            part=part,
            label=LABELS[part],
            mean_min=float(one.parts[k]) / n / 60 if n else None,
            usual_min=float(one.usual[k]) / n / 60 if n else None,
            late_min=float(one.causes[k]) / 60,
            late_orders=float(one.late_by[k]),
            late_alone=round(one.alone[k]),
            late_needed=round(one.needed[k]),
        )
        for k, part in enumerate(PARTS)
    ]
    causes.append(
        models.LedgerCause(
            part="usual",
            label=LABELS["usual"],
            mean_min=usual,
            usual_min=one.target / 60,
            late_min=float(one.causes[-1]) / 60,
            late_orders=float(one.late_by[-1]),
            late_alone=None,
            late_needed=None,
        )
    )
    return {
        "orders": n,
        "late": one.late,
        "delivery_min": one.total_s / n / 60 if n else None,
        "target_min": one.target / 60,
        "late_min": one.late_s / 60,
        "sentence": one.sentence,
        "causes": causes,
    }
