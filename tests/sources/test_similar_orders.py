"""Ids like a mistyped one: whatever is looked for, only so many orders are compared."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.sources import similar_orders
from twin.sources.base import Location, Volume

HOURS = st.dictionaries(st.integers(0, 400), st.integers(1, 9), min_size=1, max_size=40)


@dataclass
class Orders:
    """A source that has orders per hour and place, and ids by place; what it is asked it notes."""

    hours: dict[str, dict[int, int]]
    ids: dict[str, list[str]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def locations(self) -> list[Location]:
        return [
            Location(place, place, None, None, None, sum(of.values()), min(of) * 3600.0, max(of) * 3600.0 + 1800)
            for place, of in self.hours.items()
        ]

    def volume(self, location: str) -> Volume:
        of = sorted(self.hours[location].items())
        return Volume(np.array([hour * 3600.0 for hour, _ in of]), np.array([orders for _, orders in of]))

    def query(self, name: str, **parameters: Any) -> pa.Table:
        assert name == "near_orders"
        self.asked.append(parameters)
        return pa.table({"order_id": pa.array(self.ids.get(parameters["location"], []), pa.string())})


@given(
    places=st.dictionaries(st.sampled_from("abcd"), HOURS, min_size=1), most=st.integers(1, 60), of_one=st.booleans()
)
def test_the_range_has_so_many_orders_and_not_an_hour_less(
    places: dict[str, dict[int, int]], most: int, of_one: bool
) -> None:
    source, location = Orders(places), next(iter(places)) if of_one else ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similar_orders, "MOST_ORDERS", most)
        found = similar_orders.latest_orders(source, location)  # type: ignore[arg-type]
    counted = [(hour * 3600, n) for place, of in places.items() if location in ("", place) for hour, n in of.items()]
    last = max(hour for hour, _ in counted)

    def since(t: float) -> int:
        return sum(n for hour, n in counted if hour >= t)

    assert found.end > max(place.end for place in source.locations() if location in ("", place.id))
    assert since(found.start) <= most or found.start == last
    earlier = [hour for hour, _ in counted if hour < found.start]
    assert not earlier or since(max(earlier)) > most


def test_ids_are_looked_for_at_the_kitchen_first_and_then_everywhere() -> None:
    source = Orders({"a": {1: 5}, "b": {7: 5}}, {"": ["B1"], "b": ["B1"]})
    assert similar_orders.similar_orders(source, "B", 3, "b") == ["B1"]  # type: ignore[arg-type]
    assert [one["location"] for one in source.asked] == ["b"]
    assert similar_orders.similar_orders(source, "B", 3, "a") == ["B1"]  # type: ignore[arg-type]
    assert [one["location"] for one in source.asked] == ["b", "a", ""]
    assert similar_orders.similar_orders(Orders({"a": {1: 5}}), "B", 3) == []  # type: ignore[arg-type]
