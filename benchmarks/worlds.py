"""Kitchens that nobody has seen: milestones of orders drawn directly, in worlds and with incidents of many shapes.

The demo's simulator plants four kinds of incidents, which the detectors mirror. Here are worlds without any incident that are
hard (growth, weekends, bursts …), and incidents of shapes that no detector was made for. Columns are drawn with numpy, not
through files, so that hundreds of kitchen-weeks take a minute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline, History
from twin.foundation import event_types as ev
from twin.foundation.cache import Owner
from twin.foundation.zones import NAIVE
from twin.sources.base import Window
from twin.timeline.orders import stages_of
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]
Rng = np.random.Generator

DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0
MONDAY = 20_248 * DAY
"""2025-06-09, a Monday: day 0 of every world."""
MINUTES = 1_440
WORTH_S = 150.0
"""Seconds by which an order is delayed from which its customer is harmed."""


class Bare(Owner, SimpleNamespace):
    """What is used of a timeline, without the timeline; what is derived from it is made once, as from a timeline."""


@dataclass(frozen=True)
class Plan:
    """What a world is like.

    days: of the record; orders: of a usual day; growth: factor over the whole record; weekend: factor of Saturday and Sunday,
    `shift`: hours by which their peaks are later; season: amplitude of a wave of 21 days; noise: standard deviation of the
    logarithm of demand, correlated over about two hours; day_noise: the same for whole days; burst: orders placed together;
    holidays: days (numbers) -> factor; start, end: hours after the first midnight and before the last one that are cut off;
    drift: share by which times in the kitchen and on the road change over the record; slow_noise: as noise, for the times;
    closes: whether there is a night without any order.
    """

    days: int = 28
    orders: float = 400.0
    growth: float = 1.0
    weekend: float = 1.0
    shift: float = 0.0
    season: float = 0.0
    noise: float = 0.05
    day_noise: float = 0.08
    burst: float = 1.0
    holidays: tuple[tuple[int, float], ...] = ()
    start: float = 0.0
    end: float = 0.0
    drift: float = 0.0
    slow_noise: float = 0.03
    lunch: float = 12.3
    dinner: float = 18.7
    closes: bool = False


@dataclass(frozen=True)
class Planted:
    """An incident: its shape, begin and end (data seconds)."""

    shape: str
    start: float
    end: float


@dataclass(frozen=True)
class World:
    """A record of one kitchen, the week of it that is looked at, and what was planted in that week."""

    name: str
    history: History
    window: Window
    planted: tuple[Planted, ...]
    hit: NDArray[np.bool_] | None = None
    """Which orders of the history a planted incident is about, (n,), where it is about a share of them (one brand, one zone)."""
    hurt: float = 0.0
    """Orders that the incident delayed by `WORTH_S`, or that came too many or too few by it, on average."""

    def timeline(self) -> Timeline:
        """Return what the detectors use of a timeline: its orders, four hours before the window included."""
        inside = (self.history.enter[0] >= self.window.start - 4 * HOUR) & (self.history.enter[0] < self.window.end)
        orders = History(self.history.milestones[:, inside], self.history.enter[:, inside])
        return cast(
            "Timeline",
            Bare(orders=orders, window=self.window, tz=NAIVE, location=SimpleNamespace(id=self.name)),
        )

    def baseline(self) -> Baseline:
        """Return the baseline around the window."""
        return Baseline(self.history, self.window)


WORLDS: dict[str, Callable[[Rng], Plan]] = {
    "steady": lambda rng: Plan(),
    "small": lambda rng: Plan(orders=rng.uniform(25, 80)),
    "large": lambda rng: Plan(orders=rng.uniform(3_000, 6_000)),
    "growth": lambda rng: Plan(growth=rng.uniform(1.5, 3)),
    "shrinking": lambda rng: Plan(growth=rng.uniform(0.35, 0.7)),
    "weekends": lambda rng: Plan(
        orders=rng.choice([400, 3_000]), weekend=rng.uniform(1.3, 2.2), shift=rng.uniform(0.3, 1.2)
    ),
    "quiet weekends": lambda rng: Plan(weekend=rng.uniform(0.35, 0.7), shift=rng.uniform(-0.5, 0.5)),
    "first week": lambda rng: Plan(days=7, orders=rng.choice([150, 600]), weekend=rng.uniform(0.8, 1.4)),
    "first weekend": lambda rng: Plan(
        days=7, orders=rng.choice([400, 2_000]), weekend=rng.uniform(1.4, 2), shift=rng.uniform(0.3, 1)
    ),
    "two weeks": lambda rng: Plan(
        days=14, orders=rng.choice([400, 2_000]), weekend=rng.uniform(1.4, 2), shift=rng.uniform(0.3, 1)
    ),
    "holidays": lambda rng: Plan(holidays=((23, rng.uniform(0.4, 0.6)), (25, rng.uniform(1.5, 2.0)), (9, 0.5))),
    "season": lambda rng: Plan(season=rng.uniform(0.2, 0.4)),
    "early peaks": lambda rng: Plan(lunch=rng.uniform(10, 13), dinner=rng.uniform(16, 21)),
    "bursts": lambda rng: Plan(burst=rng.uniform(2, 5)),
    "correlated noise": lambda rng: Plan(
        orders=rng.choice([400, 2_000]), noise=rng.uniform(0.15, 0.3), slow_noise=0.08
    ),
    "wild days": lambda rng: Plan(day_noise=rng.uniform(0.2, 0.4)),
    "partial record": lambda rng: Plan(days=7, start=rng.uniform(9, 20), end=rng.uniform(3, 14)),
    "two days": lambda rng: Plan(days=2, start=rng.uniform(6, 17), end=rng.uniform(2, 9)),
    "slow drift": lambda rng: Plan(drift=rng.uniform(-0.4, 0.6)),
    "closed at night": lambda rng: Plan(closes=True, orders=rng.choice([150, 1_000])),
}
"""Worlds without incidents: each is drawn anew from its random generator."""


def world(name: str, seed: int) -> World:
    """Return a world without incidents."""
    rng = np.random.default_rng([seed, *name.encode()])
    return _made(name, WORLDS[name](rng), rng, None)


def made_of(name: str, plan: Plan, seed: int) -> World:
    """Return a world without incidents that is like a plan."""
    return _made(name, plan, np.random.default_rng([seed, *name.encode()]), None)


def with_incident(shape: str, seed: int) -> World:
    """Return a usual kitchen of random size and four weeks, with one incident in the last."""
    rng = np.random.default_rng([seed, *shape.encode()])
    plan = Plan(
        orders=float(np.exp(rng.uniform(np.log(200), np.log(1_500)))),
        weekend=rng.uniform(0.9, 1.5),
        shift=rng.uniform(0, 0.5),
        days=int(rng.choice([7, 14, 28])),
    )
    return _made(shape, plan, rng, shape)


def _made(name: str, plan: Plan, rng: Rng, shape: str | None) -> World:
    rate = _rates(plan, rng)
    planted: tuple[Planted, ...] = ()
    hurt = 0.0
    if shape is not None:
        day = plan.days - 1 - int(rng.integers(0, min(6, plan.days - 1)))
        planted = (_planted(shape, day, rng),)
        if shape in CHANGES_DEMAND:
            usual = rate.copy()
            _change_demand(rate, planted[0], rng)
            hurt = float(np.abs(rate - usual).sum())
    created = _created(rate, plan, rng)
    milestones = _milestones(created, plan, rng)
    hit = None
    if shape is not None and shape not in CHANGES_DEMAND:
        milestones, hit, delay = _change_times(milestones, planted[0], rng)
        hurt = float(np.count_nonzero(delay >= WORTH_S))
    history = History(milestones, stages_of(milestones, created))
    last = MONDAY + plan.days * DAY
    return World(name, history, Window(max(MONDAY, last - 7 * DAY), last), planted, hit, hurt)


def _rates(plan: Plan, rng: Rng) -> Floats:
    """Return (days, 1440) expected orders a minute."""
    day = np.arange(plan.days)
    weekend = day % 7 >= 5
    level = plan.growth ** (day / max(plan.days - 1, 1)) * np.exp(rng.normal(0, plan.day_noise, plan.days))
    level *= np.where(weekend, plan.weekend, 1.0) * (
        1 + plan.season * np.sin(2 * np.pi * (day + rng.uniform(0, 21)) / 21)
    )
    for number, factor in plan.holidays:
        if number < plan.days:
            level[number] *= factor
    usual, late = _course(plan, 0.0), _course(plan, plan.shift)
    rate = np.where(weekend[:, None], late, usual) * level[:, None] * plan.orders
    rate *= np.exp(_wandering(rng, rate.size, plan.noise).reshape(rate.shape) - plan.noise**2 / 2)
    flat = rate.reshape(-1)
    flat[: round(plan.start * 60)] = 0
    flat[len(flat) - round(plan.end * 60) :] = 0
    return rate


def _course(plan: Plan, shift: float) -> Floats:
    """Return (1440,) the share of a day's orders in each minute: a low base, lunch and dinner."""
    hour = (np.arange(MINUTES) + 0.5) / 60
    course = 0.25 + 0.55 * np.exp(-(((hour - 15.5) / 5.5) ** 2))
    course += 1.3 * np.exp(-(((hour - plan.lunch - shift) / 0.9) ** 2)) + 2.0 * np.exp(
        -(((hour - plan.dinner - shift) / 1.2) ** 2)
    )
    course[hour < 6] *= 0.3
    if plan.closes:
        course[(hour < 10) | (hour > 22.5)] = 0
    return course / course.sum()


def _wandering(rng: Rng, n: int, deviation: float, minutes: float = 120.0) -> Floats:
    """Return (n,) an Ornstein-Uhlenbeck process by the minute, from its values every ten minutes."""
    step = 10
    keep = float(np.exp(-step / minutes))
    shocks = rng.normal(0, deviation * np.sqrt(1 - keep**2), n // step + 2)
    coarse = np.empty_like(shocks)
    value = rng.normal(0, deviation)
    for k, shock in enumerate(shocks.tolist()):
        value = keep * value + shock
        coarse[k] = value
    return np.interp(np.arange(n) / step, np.arange(len(coarse)), coarse)


def _created(rate: Floats, plan: Plan, rng: Rng) -> Floats:
    """Return (n,) times of orders, sorted; with bursts, each is a group of about `plan.burst` within a minute or two."""
    counts = rng.poisson(rate.reshape(-1) / plan.burst)
    minute = np.repeat(np.arange(len(counts)), counts)
    times = MONDAY + (minute + rng.random(len(minute))) * MINUTE
    if plan.burst > 1:
        times = np.repeat(times, rng.geometric(1 / plan.burst, len(times)))
        times = times + rng.exponential(45, len(times))
    return np.sort(times)


def _milestones(created: Floats, plan: Plan, rng: Rng) -> Floats:
    """Return (9, n) times in data seconds; a fifth of the drivers come before the food is ready, one order in 50 is cancelled."""
    n = len(created)
    share = (created - MONDAY) / (plan.days * DAY)
    pace = 1 + plan.drift * share
    place = (created - MONDAY) / MINUTE
    length = plan.days * MINUTES + 1
    waves = [
        np.exp(_wandering(rng, length, plan.slow_noise))[np.minimum(place.astype(int), length - 1)] for _ in range(3)
    ]
    milestones = np.full((9, n), np.nan)
    milestones[ev.ORDER_CREATED] = created
    started = created + MINUTE * rng.gamma(4, 0.5, n)
    finished = started + MINUTE * np.maximum(rng.normal(10, 2, n) * pace * waves[0], 1)
    ready = finished + MINUTE * np.maximum(rng.normal(2, 0.5, n), 0.3)
    arrived = ready + MINUTE * (rng.gamma(6, 1.2, n) * waves[1] - 4)
    picked_up = np.maximum(arrived, ready) + MINUTE * rng.gamma(3, 0.4, n)
    milestones[ev.GK_STARTED], milestones[ev.GK_FINISHED], milestones[ev.GK_READY] = started, finished, ready
    milestones[ev.DRIVER_ARRIVED], milestones[ev.DRIVER_PICKED_UP] = arrived, picked_up
    milestones[ev.DRIVER_PING] = picked_up + MINUTE
    milestones[ev.DELIVERED] = picked_up + MINUTE * np.maximum(rng.normal(11, 3.5, n) * pace * waves[2], 2)
    cancelled = rng.random(n) < 0.02
    milestones[ev.GK_STARTED : ev.DELIVERED + 1, cancelled] = np.nan
    milestones[ev.ORDER_CANCELLED, cancelled] = created[cancelled] + 5 * MINUTE
    return milestones


CHANGES_DEMAND = ("rush", "silence", "dead day", "half a day", "late start", "hardly any orders")
FITTING: dict[str, frozenset[str]] = {
    "rush": frozenset({"demand_spike"}),
    "silence": frozenset({"outage"}),
    "hardly any orders": frozenset({"outage"}),
    "dead day": frozenset({"outage"}),
    "half a day": frozenset({"outage"}),
    "late start": frozenset({"outage"}),
    "standstill": frozenset({"outage", "slow_kitchen"}),
    "slow half hour": frozenset({"slow_kitchen", "unusual_deliveries"}),
    "slow evening": frozenset({"slow_kitchen", "unusual_deliveries"}),
    "one brand slow": frozenset({"slow_kitchen", "unusual_deliveries"}),
    "drivers short": frozenset({"driver_shortage", "drivers_late", "food_waiting"}),
    "every second driver late": frozenset({"driver_shortage", "drivers_late", "food_waiting"}),
    "slow roads": frozenset({"slow_delivery", "unusual_deliveries"}),
    "one zone slow": frozenset({"slow_delivery", "unusual_deliveries"}),
}
"""Shape of an incident -> kinds of moments that describe it."""


def _planted(shape: str, day: int, rng: Rng) -> Planted:
    midnight = MONDAY + day * DAY
    spans: dict[
        str, tuple[float, float]
    ] = {  # hours: earliest and latest start, or start and length where both are given
        "dead day": (0, 24),
        "half a day": (12, 12) if rng.random() < 0.5 else (0, 14),
        "late start": (7.5, rng.uniform(3, 4.5)),
    }
    if shape in spans:
        start, length = spans[shape]
    else:
        meal = rng.choice([11.5, 17.5])
        start = meal + rng.uniform(0, 1.3)
        length = {
            "rush": rng.uniform(0.6, 1.1),
            "silence": rng.uniform(1, 2.5),
            "hardly any orders": rng.uniform(2, 4),
            "standstill": rng.uniform(0.4, 0.8),
            "slow half hour": 0.5,
            "slow evening": rng.uniform(1, 2),
            "drivers short": rng.uniform(0.7, 1.2),
            "every second driver late": rng.uniform(1, 1.5),
            "one brand slow": rng.uniform(2, 3.5),
            "slow roads": rng.uniform(1, 2),
            "one zone slow": rng.uniform(2, 3.5),
        }[shape]
    return Planted(shape, midnight + start * HOUR, midnight + (start + length) * HOUR)


def _change_demand(rate: Floats, planted: Planted, rng: Rng) -> None:
    first, last = (round((t - MONDAY) / MINUTE) for t in (planted.start, planted.end))
    left = {
        "rush": rng.uniform(2.2, 3),
        "dead day": 5 / max(rate.reshape(-1)[first:last].sum(), 5),  # a handful of orders
        "hardly any orders": 0.1,
    }
    rate.reshape(-1)[first:last] *= left.get(planted.shape, 0.0)


HIT = {"one brand slow": 0.28, "one zone slow": 0.25, "every second driver late": 0.5}
"""Share of the orders that an incident of a shape is about."""


def _change_times(milestones: Floats, planted: Planted, rng: Rng) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return milestones with the incident, which orders it is about, and each order's delay (seconds).

    Each change moves whatever comes after it.
    """
    changed = milestones.copy()
    first_changed = {
        "standstill": ev.GK_STARTED,
        "slow half hour": ev.GK_FINISHED,
        "slow evening": ev.GK_FINISHED,
        "one brand slow": ev.GK_FINISHED,
        "drivers short": ev.DRIVER_ARRIVED,
        "every second driver late": ev.DRIVER_ARRIVED,
        "slow roads": ev.DELIVERED,
        "one zone slow": ev.DELIVERED,
    }[planted.shape]
    before = ev.DRIVER_PICKED_UP if first_changed == ev.DELIVERED else {
        ev.GK_STARTED: ev.ORDER_CREATED, ev.GK_FINISHED: ev.GK_STARTED, ev.DRIVER_ARRIVED: ev.GK_READY,
    }[first_changed]  # fmt: skip
    begins = milestones[before]
    inside = (begins >= planted.start) & (begins < planted.end)
    n = len(begins)
    hit: NDArray[np.bool_] = rng.random(n) < HIT[planted.shape] if planted.shape in HIT else np.zeros(n, bool)
    delay = {
        "standstill": lambda: np.maximum(planted.end + rng.uniform(0, 600, n) - milestones[ev.GK_STARTED], 0),
        "slow half hour": lambda: rng.normal(8, 2, n) * MINUTE,
        "slow evening": lambda: rng.normal(7, 2, n) * MINUTE,
        "one brand slow": lambda: np.where(hit, rng.normal(12, 3, n), 0) * MINUTE,
        "drivers short": lambda: rng.normal(13, 3, n) * MINUTE,
        "every second driver late": lambda: np.where(hit, rng.normal(13, 3, n), 0) * MINUTE,
        "slow roads": lambda: (milestones[ev.DELIVERED] - milestones[ev.DRIVER_PICKED_UP]) * rng.normal(0.7, 0.1, n),
        "one zone slow": lambda: np.where(hit, rng.normal(14, 3, n), 0) * MINUTE,
    }[planted.shape]()
    delay = np.where(inside, np.maximum(np.nan_to_num(delay), 0), 0)
    for milestone in (
        ev.GK_STARTED,
        ev.GK_FINISHED,
        ev.GK_READY,
        ev.DRIVER_ARRIVED,
        ev.DRIVER_PICKED_UP,
        ev.DRIVER_PING,
        ev.DELIVERED,
    ):
        if milestone >= first_changed or first_changed == ev.DELIVERED == milestone:
            changed[milestone] += delay
    return changed, hit, delay
