"""What the notebook API hands out behaves as its kind does elsewhere: a mapping, tables of one's own, values with units."""

import copy
import inspect
import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import twin
from tests.notebook.conftest import DAY
from twin.notebook import completion, order_life, tables
from twin.notebook.door import Twin, UnknownKitchenError
from twin.notebook.kitchen import Instant, Kitchen
from twin.notebook.order_life import OrderLife
from twin.views.shared.theme import TOKENS


def of_bodies(demo: Path, sql: str) -> list[tuple[object, ...]]:
    events = f"""
        select order_id, body from '{demo}/events_sanfrancisco.parquet'
        where event_type = 'order_created' and try_cast(ts as timestamp) >= '{DAY}'
          and try_cast(ts as timestamp) < timestamp '{DAY}' + interval 1 day"""
    return duckdb.sql(f"with events as ({events}) {sql}").fetchall()


def test_a_twin_is_a_mapping_of_its_kitchens(source: Twin) -> None:
    assert isinstance(source, Mapping)
    ids = [place.id for place in source.locations]
    assert list(source) == list(source.keys()) == ids
    assert len(source) == len(ids) == 4
    assert "sanfrancisco" in source
    assert "atlantis" not in source
    assert 7 not in source
    assert source.get("atlantis") is None
    assert [(name, one.location.id) for name, one in source.items()] == [(name, name) for name in ids]
    assert {source: 1}[source] == 1


@pytest.mark.parametrize("name", ["San Francisco", "san-francisco", "SANFRANCISCO", "sanfrancisco"])
def test_a_name_does_for_an_id(source: Twin, name: str) -> None:
    assert name in source
    assert source[name].location.id == "sanfrancisco"
    assert source.kitchen(name, day=DAY).location is source.location(name)
    assert source.quality(name) == source.quality("sanfrancisco")
    assert source.last_hours(name) == source.last_hours("sanfrancisco")
    assert source.timeline(name, DAY, "2025-10-17") is source.timeline("sanfrancisco", DAY, "2025-10-17")
    assert source.kept(name, DAY, "2025-10-17") is source.timeline("sanfrancisco", DAY, "2025-10-17")


def test_a_wrong_name_is_a_key_error_that_helps(source: Twin) -> None:
    for ask in (source.__getitem__, source.kitchen, source.location, source.quality, source.timeline, source.kept):
        with pytest.raises(
            UnknownKitchenError, match=r"^No location 'San Fransisco' in this source: did you mean sanfrancisco\?"
        ):
            ask("San Fransisco")
        with pytest.raises(KeyError):
            ask("atlantis")


def test_arguments_are_completed(source: Twin, kitchen: Kitchen) -> None:
    names = {"t": source, "k": kitchen, "n": 5, "Twin": Twin}
    assert completion.candidates(names, 'x = t.kitchen("s') == ("s", ["sanfrancisco"])
    assert completion.candidates(names, "t.kitchen(location='")[1] == list(source)
    assert completion.candidates(names, 'k.curve("in_')[1] == ["in_kitchen"]
    order = kitchen.orders.index[7]
    assert order in completion.candidates(names, f'k.order("{order[:4]}')[1]
    for text in ('n.kitchen("', 'u.kitchen("', 'Twin.kitchen("', 't.refresh("', 't.kitchen("a"', "t.kitchen("):
        assert completion.candidates(names, text)[1] == []
    assert list(tables.KPIS) == list(kitchen.history("6h")) == list(kitchen.at("12:00").kpis.index)


def test_one_order_has_times_and_prices_as_the_data_has_them(kitchen: Kitchen, demo: Path) -> None:
    whole = kitchen.orders.query("status == 'completed'")
    life = kitchen.order(whole.index[3])
    row = whole.loc[life.id]
    assert (life.status, life.created, life.delivered) == ("completed", row["created"], row["delivered"])
    assert life.cancelled is pd.NaT
    assert isinstance(life.created, pd.Timestamp)
    assert (life.delivery_min, life.revenue, life.address) == (row["delivery_min"], row["revenue"], row["address"])
    pd.testing.assert_frame_equal(
        life.items, kitchen.items.query("order == @life.id").drop(columns="order").reset_index(drop=True)
    )
    body = json.loads(of_bodies(demo, f"select body from events where order_id = '{life.id}'")[0][0])
    assert life.items["price"].tolist() == [item["price"] for item in body["items"]]
    assert life.revenue == pytest.approx(sum(item["price"] * item["qty"] for item in body["items"]), abs=1e-9)
    assert life.events["ts"].is_monotonic_increasing
    assert life.distance_m > 100


def test_an_orders_life_is_shown_as_a_figure(kitchen: Kitchen) -> None:
    life = kitchen.order(kitchen.orders["delivered"].idxmin())
    shown = life._repr_html_()
    assert shown.count("<rect") == len(life.stages) - 1  # Completed has no end
    assert "<svg" in shown
    assert f"{life.delivered:%H:%M}" in shown
    assert repr(life).startswith(f"<Order {life.id}: completed, created {DAY}")
    assert {stage: TOKENS["light"][f"{stage}-fill"] for stage in order_life.COLOURS} == order_life.COLOURS


def test_nothing_that_is_handed_out_is_in_seconds_since_1970(kitchen: Kitchen) -> None:
    for thing in (kitchen.at("18:30"), kitchen.order(kitchen.orders.index[0]), kitchen):
        for name, member in inspect.getmembers(type(thing), lambda member: isinstance(member, property)):
            value = None if name.startswith("_") or name == "replay" else member.fget(thing)
            assert not (isinstance(value, float) and value > 1e9), name
            for column in value if isinstance(value, pd.DataFrame) else []:
                numeric = pd.api.types.is_numeric_dtype(value[column])
                assert not (numeric and value[column].max() > 1e9), (name, column)


def test_what_needs_no_argument_is_a_property(kitchen: Kitchen) -> None:
    """The rule of docs/notebooks.md: a method takes arguments, makes a new pane, or does something."""
    doing = {
        "map",
        "pipeline",
        "timeline",
        "kpis",
        "trends",
        "feed",
        "dashboard",
        "refresh",
        "freshen",
        "keys",
        "values",
        "items",
    }
    for thing in (Kitchen, Instant, OrderLife, twin.Locations, Twin):
        for name, member in vars(thing).items():
            if not name.startswith("_") and inspect.isfunction(member) and name not in doing:
                assert len(inspect.signature(member).parameters) > 1, f"{thing.__name__}.{name}()"


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_kitchen_says_why_it_is_not_pickled(source: Twin, kitchen: Kitchen, way) -> None:
    with pytest.raises(
        TypeError, match=r"Pickle its tables, or open it in the other process: twin\.open\(.*start='2025-10-16"
    ):
        way(kitchen)
    with pytest.raises(TypeError, match="Open it in the other process"):
        way(source)
    assert pickle.loads(pickle.dumps(kitchen.orders)).equals(kitchen.orders)  # noqa: S301  # our own


def test_an_assignment_changes_a_table_for_nobody_else(kitchen: Kitchen) -> None:
    for name in ("orders", "items", "order_brands", "stages", "ledger", "shelf", "promises"):
        mine = getattr(kitchen, name)
        before = mine.copy(deep=True)
        mine["mine"] = 1
        mine.iloc[0, 0] = mine.iloc[1, 0]
        mine.drop(index=mine.index[3], inplace=True)  # what somebody may do
        pd.testing.assert_frame_equal(getattr(kitchen, name), before)


def test_the_line_of_a_kitchen_makes_no_table(source: Twin) -> None:
    kitchen = source.kitchen("chicago", day=DAY)
    assert f"{len(source.kitchen('chicago', day=DAY).orders)} orders" in repr(kitchen)
    assert kitchen._tables == {}


def test_items_and_brands_are_those_of_the_files(kitchen: Kitchen, demo: Path) -> None:
    parts = "select order_id, unnest(json_extract(body, '$.items[*]')) as item from events"
    expected = of_bodies(
        demo,
        f"select order_id, item->>'name', (item->>'qty')::double, (item->>'price')::double from ({parts}) order by all",
    )
    found = kitchen.items[["order", "item", "qty", "price"]].sort_values(["order", "item", "qty", "price"])
    assert list(found.itertuples(index=False, name=None)) == expected
    assert len(expected) > 300
    pairs = kitchen.items[["order", "brand"]].drop_duplicates()
    assert len(kitchen.order_brands) == len(pairs) > len(kitchen.orders)
    assert kitchen.order_brands["items"].sum() == kitchen.items["qty"].sum()
    by_brand = kitchen.order_brands.groupby("brand")["order"].nunique()
    assert kitchen.brands()["orders"].sort_index().to_dict() == by_brand.sort_index().to_dict()


def test_progress_is_a_share_everywhere(kitchen: Kitchen) -> None:
    pings = kitchen.events().query("type == 'driver_ping'")["progress"]
    drivers = kitchen.at(kitchen.data.busiest()).drivers["progress"]
    for shares in (pings, drivers):
        assert shares.between(0, 1).all()
        assert shares.max() > 0.3
    assert kitchen.events().query("type != 'driver_ping'")["progress"].isna().all()


def test_status_is_a_category_and_what_did_not_come_is_nat(kitchen: Kitchen) -> None:
    orders = kitchen.orders
    assert orders["status"].cat.categories.tolist() == ["in_progress", "completed", "cancelled"]
    assert ((orders["status"] == "completed") == orders["delivered"].notna()).all()
    assert (orders["delivery_min"].isna() == (orders["created"].isna() | orders["delivered"].isna())).all()
    assert np.issubdtype(orders["revenue"].dtype, np.float64)
    assert orders["revenue"].dropna().round(2).equals(orders["revenue"].dropna())
