"""What the slow ones share: chance names next to nothing, what was planted is named, and the figures are plain counts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

import twin
from benchmarks import worlds
from benchmarks.worlds import HOUR, MINUTE
from twin.analysis.common_traits import DRIVER_LATE_LABEL, CommonTrait, Trait, _chance, common_traits, traits_of
from twin.analysis.ledger import Ledger
from twin.foundation import event_types as ev
from twin.foundation.zones import NAIVE
from twin.hub import Hub
from twin.timeline.timeline import Timeline

TRIES = 200
SHAPES = {
    "one brand slow": "brand B0",
    "one zone slow": "north of the kitchen",
    "every second driver late": DRIVER_LATE_LABEL,
}
"""Incidents that no detector was made for, and what their slow orders share."""
UNSEEN = 5_000
"""Seeds that nothing was tuned on begin here."""


@pytest.fixture(scope="module")
def evening(demo: Path) -> Timeline:
    hub: Hub = twin.open(demo)
    place = hub.location("sanfrancisco")
    return hub.timeline(place.id, place.end - 86_400, place.end + 1)


@pytest.fixture(scope="module")
def traits(evening: Timeline) -> list[Trait]:
    return traits_of(evening)


def test_shuffled_labels_name_next_to_nothing(evening: Timeline, traits: list[Trait]) -> None:
    rng = np.random.default_rng(1)
    among = np.isfinite(evening.orders.delivered)
    named = 0
    for share in rng.uniform(0.05, 0.5, TRIES):
        named += bool(common_traits(traits, rng.random(len(among)) < share, among))
    assert named <= 0.05 * TRIES


@pytest.mark.parametrize("kind", ["brand", "direction", "driver"])
def test_what_the_slow_ones_share_is_named_first(evening: Timeline, traits: list[Trait], kind: str) -> None:
    """One brand, one zone, and who waited for his driver, each with as many slow orders that have nothing in common."""
    rng = np.random.default_rng(2)
    among = np.isfinite(evening.orders.delivered)
    right = tries = 0
    for trait in traits:
        size = np.count_nonzero(trait.has & among)
        if trait.kind != kind or size < 25 or size > 0.6 * np.count_nonzero(among):
            continue
        for _ in range(10):
            slow = (trait.has & (rng.random(len(among)) < 0.7)) | (rng.random(len(among)) < 0.05)
            found = common_traits(traits, slow, among)
            right += bool(found) and found[0].label == trait.label
            tries += 1
    assert tries >= 10
    assert right >= 0.9 * tries


def test_the_shares_are_counts_of_what_is_known() -> None:
    has = np.array([True] * 30 + [False] * 70)
    known = np.array([True] * 90 + [False] * 10)
    orders = np.arange(100) < 40
    (found,) = common_traits([Trait("x", "has it", has, known)], orders, np.arange(100) != 5)
    assert (found.number, found.of, found.share, found.rest) == (29, 39, 29 / 39, 0.0)
    assert 0 < found.low < found.share - found.rest < found.high <= 1
    assert found.sentence == "has it: 74 % of them, 0 % of the rest"
    assert common_traits([Trait("x", "has it", has, known)], np.zeros(100, bool), np.ones(100, bool)) == []
    assert common_traits([Trait("x", "all have it", np.ones(100, bool), known)], orders, np.ones(100, bool)) == []


def test_what_the_data_does_not_tell_is_no_trait(evening: Timeline, traits: list[Trait]) -> None:
    kinds = {trait.kind for trait in traits}
    assert kinds - {"weekday"} == {
        "brand",
        "brands",
        "items",
        "distance",
        "direction",
        "hour",
        "load",
        "driver",
    }
    assert all(trait.has.shape == trait.known.shape == (len(evening.orders),) for trait in traits)
    for kind in ("items", "direction", "distance", "hour"):
        parts = [trait.has & trait.known for trait in traits if trait.kind == kind]
        assert (np.sum(parts, axis=0) <= 1).all()


def test_the_probability_of_a_trait_is_the_exact_one_of_the_statisticians() -> None:
    from scipy.stats import hypergeom  # most of a second to import, which only this test needs

    dice = np.random.default_rng(3)
    for _ in range(300):
        n, m = (int(dice.integers(1, most)) for most in (400, 20_000))
        k, j = int(dice.integers(0, n + 1)), int(dice.binomial(m, dice.random()))
        expected = hypergeom.sf(k - 1, n + m, k + j, n)
        assert _chance(k, n, j, m) == pytest.approx(float(expected), rel=1e-8, abs=1e-280)


class Orders(SimpleNamespace):
    """What traits are taken from, of some orders."""

    def __len__(self) -> int:
        return len(self.created)

    def rows(self, chosen: Any) -> "Orders":
        """Return the orders in another order."""
        lines = np.diff(self.item_offsets)
        items = np.concatenate([np.arange(self.item_offsets[row], self.item_offsets[row + 1]) for row in chosen])
        plain = {name: value[..., chosen] for name, value in vars(self).items() if not name.startswith("item_")}
        return Orders(
            **plain,
            item_offsets=np.concatenate(([0], np.cumsum(lines[chosen]))),
            item_brands=self.item_brands.take(pa.array(items)),
            item_qty=self.item_qty[items],
            item_price=self.item_price[items],
        )


def planting(shape: str, seed: int) -> tuple[Orders, worlds.World]:
    """A world with an incident of a shape, whose orders have brands and places: those that it is about share one."""
    world = worlds.with_incident(shape, seed)
    milestones, rng = world.history.milestones, np.random.default_rng([seed, 7])
    n, number = milestones.shape[1], int(rng.integers(5, 12))
    hit = world.hit
    brand = np.where(hit if shape == "one brand slow" else rng.random(n) < 0.25, 0, rng.integers(1, number, n))
    elsewhere = rng.choice([0, 1, 3, 4, 5, 6, 7], n)
    sector = np.where(hit if shape == "one zone slow" else rng.random(n) < 0.2, 2, elsewhere)
    angle, distance = (sector + rng.uniform(-0.49, 0.49, n)) * np.pi / 4, rng.uniform(300, 4_000, n)
    lines = 1 + (rng.random(n) < 0.3)
    offsets = np.concatenate(([0], np.cumsum(lines)))
    brands = rng.integers(1, number, offsets[-1])
    brands[offsets[:-1]] = brand
    created = milestones[ev.ORDER_CREATED]
    return Orders(
        milestones=milestones,
        created=created,
        began=created,
        delivered=milestones[ev.DELIVERED],
        cancelled=milestones[ev.ORDER_CANCELLED],
        quantity=lines + rng.integers(0, 4, n).astype(float),
        customer_x=distance * np.cos(angle),
        customer_y=distance * np.sin(angle),
        item_offsets=offsets,
        item_brands=pa.DictionaryArray.from_arrays(pa.array(brands), pa.array([f"B{k}" for k in range(number)])),
        item_qty=np.ones(len(brands)),
        item_price=np.ones(len(brands)),
    ), world


def shared_by_late(orders: Orders, world: worlds.World) -> list[CommonTrait]:
    """What the late orders share of an incident's hours and the hour on either side, ten minutes later than usual."""
    (planted,) = world.planted
    place = SimpleNamespace(lat=1.0)
    timeline = cast("Timeline", SimpleNamespace(orders=orders, window=world.window, tz=NAIVE, location=place))
    book = Ledger(orders.milestones, world.baseline(), target=40 * MINUTE)
    near = (orders.created >= planted.start - HOUR) & (orders.created < planted.end + HOUR)
    return common_traits(traits_of(timeline), book.late, near & book.counted)


@pytest.mark.slow
@pytest.mark.soak
def test_shapes_that_nobody_planned_are_named_first(lasting: Callable[[float, float], float]) -> None:
    seeds = range(UNSEEN, UNSEEN + round(lasting(7, 30)))
    wrong = []
    for shape, label in SHAPES.items():
        for seed in seeds:
            found = shared_by_late(*planting(shape, seed))
            if not found or found[0].label != label:
                wrong.append((shape, seed, found[:1]))
    assert len(wrong) <= 0.1 * len(SHAPES) * len(seeds), wrong


def test_the_order_of_rows_changes_nothing_of_what_they_share() -> None:
    orders, world = planting("one brand slow", UNSEEN)
    shuffled = np.random.default_rng(3).permutation(len(orders))
    found = shared_by_late(orders, world)
    assert found
    assert shared_by_late(orders.rows(shuffled), world) == found
