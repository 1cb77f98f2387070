"""The hours of all kitchens: levels against other days, and who is harmed most."""

import warnings

import numpy as np
import pytest

from twin.analysis.limits import LEAST_ORDERS, late_level
from twin.analysis.network import QUIET, UNKNOWN, NetworkHours
from twin.foundation.times import HOUR


def made(seed: int, kitchens: int, hours: int) -> NetworkHours:
    rng = np.random.default_rng(seed)
    orders, deliveries = rng.integers(0, 3, (kitchens, hours)), rng.integers(0, 12, (kitchens, hours))
    late = rng.binomial(deliveries, rng.random((kitchens, 1)))
    ends, counts = np.arange(1, hours + 1) * HOUR, np.array([orders, deliveries, late], np.int32)
    return NetworkHours(ends, counts[0], counts[1], counts[2], late * 60.0)


@pytest.mark.parametrize("hours", [1, 24, 61, 168])
def test_a_level_is_against_the_median_of_the_same_hour_on_other_days(hours: int) -> None:
    network = made(hours, 5, hours)
    levels = network.levels
    for kitchen in range(5):
        for hour in range(hours):
            number, late = int(network.deliveries[kitchen, hour]), int(network.late[kitchen, hour])
            if number == 0:
                assert levels[kitchen, hour] == (QUIET if network.orders[kitchen, hour] else UNKNOWN)
                continue
            same = [one for one in range(hour % 24, hours, 24) if one != hour]
            others = [one for one in same if network.deliveries[kitchen, one] >= LEAST_ORDERS]
            shares = [network.late[kitchen, one] / network.deliveries[kitchen, one] for one in others]
            usual = float(np.median(shares)) if shares else None
            assert levels[kitchen, hour] == late_level(late, number, usual)


def test_no_level_warns_of_what_nobody_delivered() -> None:
    nothing = np.zeros((2, 30), np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (NetworkHours(np.arange(30.0) * HOUR, nothing, nothing, nothing, nothing * 1.0).levels == UNKNOWN).all()


def test_those_with_most_late_deliveries_in_the_last_full_hour_come_first() -> None:
    network = made(7, 40, 60)
    for t in (0.0, 1.5 * HOUR, 20 * HOUR, 20 * HOUR + 3599, 99 * HOUR):
        order = network.by_harm(t)
        assert sorted(order) == list(range(40))
        at = network.last(t)
        if at < 0:
            assert order == sorted(order)
            continue
        assert at == min(59, int(t // HOUR) - 1)
        late = network.late[order, at].tolist()
        assert late == sorted(late, reverse=True)


def test_it_begins_at_the_worst_hour_of_the_last_day() -> None:
    network = made(9, 3, 50)
    total = network.late.sum(axis=0)
    assert network.worst(50 * HOUR) == (26 + int(total[26:].argmax()) + 1) * HOUR
    network.late[:] = 0
    assert network.worst(50 * HOUR) == 50 * HOUR
