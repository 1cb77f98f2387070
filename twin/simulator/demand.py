"""When orders are placed: the generator's curve over a day, with weekdays, growth and noise."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from twin.simulator.config import KitchenConfig
from twin.simulator.incidents import SPIKE_FACTOR, Incident

BUMPS = ((11 * 60, 13 * 60 + 30, 3.0), (17 * 60, 20 * 60, 3.5))
"""Lunch and dinner: (from minute, to minute, weight at the top); the rest of the day weighs 1."""

WEEKDAYS = (1.00, 1.05, 1.08, 1.10, 1.25, 1.35, 1.15)
"""Factors of the weekdays, Monday first."""


def minute_weights() -> NDArray[np.float64]:
    """Return (1440,) the weight of each minute of a day: 1, with a sin² bump at lunch and one at dinner."""
    weights = np.ones(1440)
    for start, end, top in BUMPS:
        minutes = np.arange(start, end)
        weights[minutes] += (top - 1.0) * np.sin(np.pi * (minutes - start) / (end - start)) ** 2
    return weights


def orders_of_day(
    kitchen: KitchenConfig, day: date, index: int, days: int, scale: float, rng: np.random.Generator
) -> float:
    """Return the orders expected on day `index` of `days`: growth, weekday and ±noise, times `scale`."""
    share = index / (days - 1) if days > 1 else 0.0
    base = kitchen.orders_day_1 + (kitchen.orders_last - kitchen.orders_day_1) * share
    noise = kitchen.noise_pct / 100.0
    return base * WEEKDAYS[day.weekday()] * rng.uniform(1.0 - noise, 1.0 + noise) * scale


def created_seconds(
    expected: float, incidents: list[Incident], midnight: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return (n,) whole seconds after midnight at which orders are placed, ascending. A spike adds orders and moves none."""
    weights = minute_weights()
    per_minute = expected * weights / weights.sum()
    for incident in incidents:
        if incident.kind == "demand_spike":
            minutes = midnight + 60.0 * np.arange(1440)
            per_minute[(minutes >= incident.start) & (minutes < incident.end)] *= SPIKE_FACTOR
    count = round(float(per_minute.sum()))
    if count == 0:
        return np.zeros(0)
    minute = rng.choice(1440, size=count, p=per_minute / per_minute.sum())
    return np.sort(minute * 60.0 + rng.integers(0, 60, count))
