"""Query tags: each statement says who asks, about which kitchen and what for, as the warehouse takes it, and names no person."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from databricks.sql.utils import serialize_query_tags
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.conftest import tables
from tests.warehouse.double import Warehouse, _query_tags
from twin.foundation import errand
from twin.foundation.errand import Errand
from twin.foundation.settings import Settings
from twin.notebook.door import Twin
from twin.sources.query_tags import tags_for

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
Demos = Callable[[str], Path]

OPENING = {"contents", "unread_times"}


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_a_kitchen_is_called_the_warehouse_takes_its_tag(kitchen: str, purpose: str) -> None:
    tags = tags_for(Errand("kiosk", kitchen, purpose))
    arrived = _query_tags(serialize_query_tags(dict(tags)) or "")
    assert arrived == tags
    assert arrived["page"] == "kiosk"


@pytest.mark.parametrize(
    ("kitchen", "tag"),
    [
        ("k" * 200, "k" * 128),
        (":" * 100, ":" * 64),
        ("k" * 127 + ",", "k" * 127),
        (" Chicago\n(South) ", "Chicago (South)"),
    ],
)
def test_a_long_or_odd_name_is_cut_to_what_fits(kitchen: str, tag: str) -> None:
    assert tags_for(Errand("kiosk", kitchen))["kitchen"] == tag


@pytest.mark.parametrize("serialized", ["a:b:c", "a:b\\", "a:b,,c:d", "a:x,a:y", "a b:c", f"a:{'x' * 129}", "a:\n"])
def test_the_double_refuses_what_databricks_refuses(serialized: str) -> None:
    with pytest.raises(ValueError, match="query_tags"):
        _query_tags(serialized)
    with pytest.raises(ValueError, match="20"):
        _query_tags(",".join(f"t{number}:x" for number in range(21)))


def test_every_statement_has_its_tags(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    with errand.on(page="opening"):
        source = lakehouse()
    opening = [one.tags for one in warehouse.statements]
    assert all((tags["app"], tags["page"]) == ("caspers-digital-twin", "opening") for tags in opening)
    assert {tags["purpose"] for tags in opening} == OPENING
    place = source.locations[0]
    with errand.on(page="kiosk"):
        source.timeline(place.id)
        source.streets(place.id)
    later = [one.tags for one in warehouse.statements[len(opening) :]]
    assert {(tags["page"], tags.get("kitchen")) for tags in later if tags["purpose"] != "contents"} == {
        ("kiosk", place.id)
    }
    assert {"window", "routes"} <= {tags["purpose"] for tags in later}


def test_they_can_be_switched_off(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    lakehouse(settings=replace(Settings.from_environment(), query_tags=False))
    assert {tuple(one.tags) for one in warehouse.statements} == {()}
    assert Settings.from_environment({"TWIN_QUERY_TAGS": "off"}).query_tags is False
    assert Settings.from_environment({}).query_tags is True


def test_a_warehouse_without_them_is_asked_without_them(
    demos: Demos, warehouse_of: Start, lakehouse: Open, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    warehouse.faults.no_query_tags = True
    source = lakehouse()
    assert source.locations
    assert {tuple(one.tags) for one in warehouse.statements} == {()}
    assert "takes no query tags" in caplog.text
