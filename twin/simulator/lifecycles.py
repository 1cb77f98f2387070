"""When each thing happens to an order: service times, drivers, pings, and what the incidents do to them."""

from dataclasses import dataclass

import numpy as np

from twin.simulator.config import KitchenConfig, Spread
from twin.simulator.geometry import METRES_PER_MILE, Floats, Ints
from twin.simulator.incidents import BACKLOG_STEP, OVEN_FACTOR, SHORTAGE_WAIT, Incident

LEAST_MINUTES = 0.1
"""The generator never lets a stage take less."""


@dataclass(frozen=True, slots=True)
class Lifecycles:
    """The milestones of n orders, each (n,) float64 seconds since 1970 (naive UTC); drive in minutes."""

    created: Floats
    started: Floats
    finished: Floats
    ready: Floats
    arrived: Floats
    picked_up: Floats
    delivered: Floats
    drive: Floats


def drive_minutes(metres: Floats, mph: float) -> Floats:
    """Minutes on the road: road distance over the kitchen's speed."""
    return metres / METRES_PER_MILE / mph * 60.0


def live(
    kitchen: KitchenConfig, created: Floats, drive: Floats, incidents: list[Incident], rng: np.random.Generator
) -> Lifecycles:
    """Whole lifecycles of orders created at `created` (seconds since 1970) with `drive` minutes on the road."""
    n = len(created)
    queue, cook, pack, wait = (
        _minutes(spread, n, rng) for spread in (kitchen.queue, kitchen.cook, kitchen.pack, kitchen.wait)
    )
    late = rng.random(n) < kitchen.after_ready
    share = rng.beta(kitchen.arrival_alpha, kitchen.arrival_beta, n)
    short_wait = np.clip(rng.normal(np.mean(SHORTAGE_WAIT), 2.5, n), *SHORTAGE_WAIT)
    short_gap = rng.uniform(0.5, 2.0, n)
    started = created + 60.0 * queue
    for incident in incidents:
        within = (started >= incident.start) & (started < incident.end)
        if incident.kind == "outage":
            held = np.flatnonzero(within)
            held = held[np.argsort(started[held], kind="stable")]
            started[held] = incident.end + BACKLOG_STEP * np.arange(len(held))
        elif incident.kind == "slow_oven":
            cook = np.where(within, cook * OVEN_FACTOR, cook)
    finished = started + 60.0 * cook
    ready = finished + 60.0 * pack
    stranded = np.zeros(n, dtype=bool)
    for incident in incidents:
        if incident.kind == "driver_shortage":
            stranded |= (ready >= incident.start) & (ready < incident.end)
    picked_up = ready + 60.0 * np.where(stranded, short_wait, wait)
    arrived = np.where(late, ready + share * (picked_up - ready), created + share * (ready - created))
    arrived = np.where(stranded, picked_up - 60.0 * short_gap, arrived)
    return Lifecycles(
        created,
        started,
        finished,
        ready,
        np.minimum(arrived, picked_up - 1e-6),
        picked_up,
        picked_up + 60.0 * drive,
        drive,
    )


def pings(drive: Floats, every: int) -> tuple[Ints, Ints, Ints]:
    """Pings of each trip as (order, number h, of hops): h = 1 … hops − 1, at h times `every` seconds after the pick-up.

    hops is the number of whole intervals in the drive: none after the last full one, none at all under two of them.
    """
    hops = np.maximum(1, (drive * 60.0 // every).astype(np.int64))
    order = np.repeat(np.arange(len(drive)), hops - 1)
    first = np.cumsum(hops - 1) - (hops - 1)
    return order, np.arange(len(order)) - first[order] + 1, hops[order]


def _minutes(spread: Spread, n: int, rng: np.random.Generator) -> Floats:
    return np.maximum(LEAST_MINUTES, rng.normal(spread[0], spread[1], n))
