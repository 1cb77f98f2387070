"""What the slow ones share: chance names next to nothing, what was planted is named, and the figures are plain counts."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

import twin
from twin.analysis.common_traits import Trait, _chance, common_traits, traits_of
from twin.hub import Hub
from twin.timeline.timeline import Timeline

TRIES = 200


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
    dice = np.random.default_rng(3)
    for _ in range(300):
        n, m = (int(dice.integers(1, most)) for most in (400, 20_000))
        k, j = int(dice.integers(0, n + 1)), int(dice.binomial(m, dice.random()))
        expected = hypergeom.sf(k - 1, n + m, k + j, n)
        assert _chance(k, n, j, m) == pytest.approx(float(expected), rel=1e-8, abs=1e-280)
