"""What a followed page showed of an order at a time is what the version that it had then said of it."""

import random
from typing import Any

import numpy as np
import pytest

from tests.memory_source import MemorySource, row, table
from tests.timeline.test_growing import BRANDS, KITCHEN, START, order
from twin.foundation.stages import OUT_FOR_DELIVERY, STATES
from twin.foundation.times import HOUR
from twin.timeline.late_events import FOLLOWED_S
from twin.timeline.shown_live import foreseen
from twin.timeline.timeline import Timeline

BEGIN = START + 9 * HOUR
END = START + 22 * HOUR


def at(one: dict[str, Any]) -> float:
    return float(one["ts"].astype("datetime64[us]").astype(np.int64)) / 1e6


def versions(batches: list[list[dict[str, Any]]]) -> list[Timeline]:
    """A timeline of the first batch, and what it becomes with each further one."""
    source = MemorySource(table(batches[0]), at=KITCHEN, brands=BRANDS)
    made = [Timeline.load(source, "sf", START, END, growing=True)]
    for batch in batches[1:]:
        made.append(made[-1].extended(table(batch), END))
    return made


def edge(version: Timeline) -> float:
    return version._growth.log.latest_ts if version._growth else np.nan


def state_of(version: Timeline, name: str, t: float) -> str | None:
    found = version.orders.row_of.get(name)
    members = version.membership.of([] if found is None else [found], t)
    return STATES[members.state[0]] if len(members) else None


@pytest.mark.parametrize("seed", range(5))
def test_what_was_shown_is_what_the_version_of_then_said(seed: int) -> None:
    rng = random.Random(seed)
    rows = [one for number in range(9) for one in order(rng, f"A{number:03}", BEGIN + rng.random() * 2 * HOUR)]
    delays = [rng.choice([0.0, 0.0, 0.0, 5.0, 90.0, 1200.0]) for _ in rows]
    rows = [one for _, one in sorted(zip((at(o) + d for o, d in zip(rows, delays, strict=True)), rows, strict=True),
                                     key=lambda pair: pair[0])]  # fmt: skip
    cuts = sorted(rng.sample(range(1, len(rows)), 9))
    made = versions([rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)])
    last, compared, differed = made[-1], 0, 0
    since = edge(made[0])
    for t in np.linspace(since, edge(last), 40)[:-1].tolist():
        then = next((version for version in made if edge(version) >= t + FOLLOWED_S), last)
        for name, number in last.orders.row_of.items():
            shown = last.shown_live(number, t)
            assert shown is not None
            was = None if shown.state is None else STATES[shown.state]
            # an order that was over before the window began is in no version
            assert was == state_of(then, name, t), (name, t)
            compared, differed = compared + 1, differed + (was != state_of(last, name, t))
            assert bool(shown.missing) >= (was != state_of(last, name, t)), "a difference has its reason"
    assert compared > 300
    if seed == 0:
        assert differed > 0
    assert last.shown_live(0, since - 1) is None, "nobody followed then"
    assert made[0].shown_live(0, since + 1) is None, "nobody has come so far"


def drive(name: str, begin: float, pings: list[tuple[float, float]]) -> list[dict[str, Any]]:
    """An order that is picked up at `begin`, with pings (seconds after, share of the way): straight, some 2 km in 600 s."""
    lat, lon = KITCHEN[0] + 0.02, KITCHEN[1]
    rows = [
        row(name, "order_created", begin - 900, lat=lat, lon=lon, body='{"items": []}'),
        row(name, "driver_picked_up", begin, body=(
            f'{{"route_points": [[{KITCHEN[0]}, {lon}], [{KITCHEN[0] + 0.01}, {lon}], [{lat}, {lon}]], "eta_mins": 10}}'
        )),
    ]  # fmt: skip
    return rows + [
        row(name, "driver_ping", begin + after, lat=KITCHEN[0] + share * 0.02, lon=lon, progress=100 * share)
        for after, share in pings
    ]


def test_a_driver_was_shown_where_a_guess_put_him_until_a_ping_said_otherwise() -> None:
    begin, tick = BEGIN + HOUR, [row("T", "order_created", BEGIN)]
    way = drive("A", begin, [(120.0, 0.2), (240.0, 0.7)])
    first = way[:3]  # by 120 s he has come a fifth of the way, as promised
    made = versions(
        [tick, first, [row("B", "order_created", begin + 200)], way[3:], [row("C", "order_created", begin + 400)]]
    )
    last, number = made[-1], made[-1].orders.row_of["A"]
    shown = last.shown_live(number, begin + 180)
    assert shown is not None
    assert shown.place is not None
    assert (shown.state, shown.missing) == (OUT_FOR_DELIVERY, ())
    whole = 0.02 * 111_195 / last.trips.scale  # Web Mercator metres
    assert shown.place[1] == pytest.approx(0.3 * whole, rel=0.01), "by his own pace, the promised one"
    replayed = last.drivers(np.array([number], np.int32), begin + 180)
    assert replayed.y[0] - (last.location.y or 0) == pytest.approx(0.45 * whole, rel=0.01), "half-way between the pings"
    assert made[1].trips.end[0] > begin
    then = made[2]
    assert foreseen(then.trips, 0, 600.0, begin + 180) == pytest.approx(shown.place, abs=1)


def test_a_pick_up_that_came_late_is_named() -> None:
    begin = BEGIN + HOUR
    way = drive("A", begin, [])
    made = versions([[row("T", "order_created", BEGIN), way[0]], [row("B", "order_created", begin + 300)], [way[1]]])
    last, number = made[-1], made[-1].orders.row_of["A"]
    shown = last.shown_live(number, begin + 100)
    assert shown is not None
    assert (STATES[shown.state or 0], shown.place, shown.missing) == ("created", None, (("driver_picked_up", 300.0),))
    assert last.unknown_at(begin + 100) == 1
    assert last.unknown_at(begin - 1) == last.unknown_at(begin + 300) == 0
    assert last.corrected(299).tolist() == [[begin, begin + 300]]
    assert last.corrected(301).tolist() == []


def test_times_that_touch_are_one_stretch() -> None:
    made = versions([
        [row("T", "order_created", BEGIN + 1000)],
        [row("A", "order_created", BEGIN + 100), row("B", "order_created", BEGIN + 600)],
        [row("C", "order_created", BEGIN + 3000)],
        [row("D", "order_created", BEGIN + 2000)],
    ])  # fmt: skip
    assert made[-1].corrected(60).tolist() == [[BEGIN + 100, BEGIN + 1000], [BEGIN + 2000, BEGIN + 3000]]


def test_what_came_late_outlives_that_the_hours_are_read_again() -> None:
    begin = BEGIN + HOUR
    rows = [row("T", "order_created", BEGIN), *drive("A", begin, [])[:1]]
    grown = versions([rows, [row("B", "order_created", begin + 300)], [row("A", "gk_started", begin)]])[-1]
    everything = [
        *rows,
        row("B", "order_created", begin + 300),
        row("A", "gk_started", begin),
        row("0", "order_created", BEGIN),
    ]
    source = MemorySource(table(everything), at=KITCHEN, brands=BRANDS)
    again = Timeline.load(source, "sf", START, END, growing=True, before=grown)
    number = again.orders.row_of["A"]
    shown = again.shown_live(number, begin + 10)
    assert shown is not None
    assert shown.missing == (("gk_started", 300.0),)
    assert again.late() == grown.late() == 1
