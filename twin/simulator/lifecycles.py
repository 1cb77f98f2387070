"""When the milestones of an order happen: service times, drivers and pings, and the effect of incidents on them."""

from dataclasses import dataclass

import numpy as np

from twin.simulator.config import KitchenConfig, Spread
from twin.simulator.geometry import METRES_PER_MILE, Floats, Ints
from twin.simulator.incidents import BACKLOG_STEP, OVEN_FACTOR, SHORTAGE_WAIT, Incident

LEAST_MINUTES = 0.1
"""Minimum duration of a stage in the real generator."""


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


@dataclass(frozen=True, slots=True)
class Pings:
    """The pings of all trips, one row each.

    order: (m,) index of the order; number: (m,) 1 … hops - 1, counted within the trip; hops: (m,) intervals in the drive.
    """

    order: Ints
    number: Ints
    hops: Ints


def drive_minutes(metres: Floats, mph: float) -> Floats:
    """Return minutes on the road: road distance over the kitchen's speed."""
    return metres / METRES_PER_MILE / mph * 60.0


def live(
    kitchen: KitchenConfig, created: Floats, drive: Floats, incidents: list[Incident], rng: np.random.Generator
) -> Lifecycles:
    """Return the lifecycles of orders that were placed at `created` (seconds since 1970) and need `drive` minutes on the road.

    Every random number is drawn before the incidents are applied, so that an incident changes only the orders it affects.
    """
    n = len(created)
    queue, cook, pack, wait = (
        _minutes(spread, n, rng) for spread in (kitchen.queue, kitchen.cook, kitchen.pack, kitchen.wait)
    )
    after_ready = rng.random(n) < kitchen.after_ready
    share = rng.beta(kitchen.arrival_alpha, kitchen.arrival_beta, n)
    short_wait = np.clip(rng.normal(np.mean(SHORTAGE_WAIT), 2.5, n), *SHORTAGE_WAIT)
    short_gap = rng.uniform(0.5, 2.0, n)
    started = created + 60.0 * queue
    for incident in incidents:
        within = (started >= incident.start) & (started < incident.end)
        if incident.kind == "outage":
            backlog = np.flatnonzero(within)
            backlog = backlog[np.argsort(started[backlog], kind="stable")]
            started[backlog] = incident.end + BACKLOG_STEP * np.arange(len(backlog))
        elif incident.kind == "slow_oven":
            cook = np.where(within, cook * OVEN_FACTOR, cook)
    finished = started + 60.0 * cook
    ready = finished + 60.0 * pack
    stranded = np.zeros(n, dtype=bool)
    for incident in incidents:
        if incident.kind == "driver_shortage":
            stranded |= (ready >= incident.start) & (ready < incident.end)
    picked_up = ready + 60.0 * np.where(stranded, short_wait, wait)
    arrived = np.where(after_ready, ready + share * (picked_up - ready), created + share * (ready - created))
    arrived = np.where(stranded, picked_up - 60.0 * short_gap, arrived)
    return Lifecycles(
        created=created,
        started=started,
        finished=finished,
        ready=ready,
        arrived=np.minimum(arrived, picked_up - 1e-6),  # microseconds are the precision of the feed
        picked_up=picked_up,
        delivered=picked_up + 60.0 * drive,
        drive=drive,
    )


def pings_of(drive: Floats, every: int) -> Pings:
    """Return the pings of trips that take `drive` minutes: number h is sent h times `every` seconds after the pick-up.

    A drive of k whole intervals has k - 1 pings: the delivery takes the place of the last one.
    """
    hops = np.maximum(1, (drive * 60.0 // every).astype(np.int64))
    order = np.repeat(np.arange(len(drive)), hops - 1)
    first = np.cumsum(hops - 1) - (hops - 1)
    return Pings(order, np.arange(len(order)) - first[order] + 1, hops[order])


def _minutes(spread: Spread, n: int, rng: np.random.Generator) -> Floats:
    return np.maximum(LEAST_MINUTES, rng.normal(spread[0], spread[1], n))
