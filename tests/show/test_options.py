"""The URL of a wall screen: its options, and that no typing error leaves the wall dark."""

import pytest

from twin.foundation.address import Address
from twin.foundation.times import seconds
from twin.show.options import MOST_LOCATIONS, Options, panes_in


def test_an_empty_query_tours_everything() -> None:
    options = Options.from_query({})
    assert options.locations == ()
    assert options.loop
    assert options.scripted


def test_a_query_gives_locations_speed_range_seconds_and_loop() -> None:
    options = Options.from_query(
        {
            "locations": "chicago, sanfrancisco",
            "speed": "120",
            "range": "2025-10-16T17:00/2025-10-16T20:00",
            "seconds": "25",
            "loop": "no",
        }
    )
    assert options.locations == ("chicago", "sanfrancisco")
    assert (options.speed, options.scene_s, options.loop) == (120, 25, False)
    assert options.range == (seconds("2025-10-16 17:00"), seconds("2025-10-16 20:00"))
    assert not options.scripted


@pytest.mark.parametrize(("text", "hours"), [("48h", 48), ("7d", 168), ("1.5d", 36), ("9000d", 31 * 24)])
def test_a_range_may_be_a_length_back_from_the_last_delivery(text: str, hours: float) -> None:
    assert Options.from_query({"range": text}).hours == hours


@pytest.mark.parametrize(
    "query",
    [
        {"speed": "fast"},
        {"speed": "nan"},
        {"seconds": ""},
        {"range": "yesterday"},
        {"range": "2025-10-17/2025-10-16"},
        {"range": "0h"},
        {"range": "2025-10-16T25:00/x"},
        {"range": "0001-01-01/0001-01-02"},
        {"range": "9999-01-01/9999-01-02"},
        {"range": "1989-12-31/1990-01-02"},
        {"locations": " , "},
    ],
)
def test_invalid_values_are_ignored(query: dict[str, str]) -> None:
    options = Options.from_query(query)
    usual = Options()
    assert (options.locations, options.speed, options.range, options.hours, options.scene_s) == (
        usual.locations,
        usual.speed,
        usual.range,
        usual.hours,
        usual.scene_s,
    )


@pytest.mark.parametrize(("text", "speed"), [("5000", 1000), ("-3", 0.1), ("0", 0.1)])
def test_a_speed_beyond_the_bounds_is_the_nearest_one(text: str, speed: float) -> None:
    assert Options.from_query({"speed": text}).speed == speed


def panes(text: str) -> tuple[tuple[str, ...], list[str]]:
    address = Address({"panes": text})
    return panes_in(address), address.remarks


def test_panes_are_those_named_once_each_or_the_usual_ones() -> None:
    assert panes("map,KPIS,map") == (("map", "kpis"), [])
    assert panes("") == (("map", "pipeline", "kpis"), [])
    assert panes("nothing")[0] == ("map", "pipeline", "kpis")


def test_an_address_names_a_bounded_number_of_locations_once_each() -> None:
    text = ",".join(["chicago", "x" * 5000, *(f"place{n}" for n in range(5000)), "chicago"])
    locations = Options.from_query({"locations": text}).locations
    assert locations[:2] == ("chicago", "place0")
    assert len(locations) == len(set(locations)) == MOST_LOCATIONS


@pytest.mark.parametrize("name", ["speed", "seconds"])
@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e300", "9" * 5000, "inf", "-inf"])
def test_no_number_in_an_address_is_beyond_its_bounds(name: str, text: str) -> None:
    options = Options.from_query({name: text})
    assert 0.1 <= options.speed <= 1000
    assert 4 <= options.scene_s <= 3600


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"speed": "fast"}, "“fast” for “speed” is not a number from 0.1 to 1000: the usual one is used."),
        ({"speed": "5000"}, "“5000” for “speed” is not a number from 0.1 to 1000: 1000 is used."),
        ({"seconds": "1"}, "“1” for “seconds” is not a number from 4 to 3600: 4 is used."),
        ({"range": "9000d"}, "A range is 31 days at most: “9000d” is cut to that."),
        ({"range": "yesterday"}, "“yesterday” is no range:"),
        ({"range": "2025-10-17/2025-10-16"}, "“2025-10-17/2025-10-16” is no range:"),
        ({"range": "1900-01-01/2100-01-01"}, "31 days at most."),
        ({"loop": "never"}, "There is no loop “never”."),
        ({"panes": "map,pipelines"}, "There is no pane “pipelines”. Did you mean “pipeline”?"),
    ],
)
def test_what_an_address_asks_for_in_vain_is_said(query: dict[str, str], said: str) -> None:
    address = Address(query)
    Options.of(address)
    panes_in(address)
    (remark,) = address.remarks
    assert said in remark


@pytest.mark.parametrize(
    "query",
    [{}, {"speed": " 60 ", "seconds": "4", "range": "2D", "loop": "OFF", "panes": "Map, kpis", "locations": "x"}],
)
def test_about_an_address_that_is_right_nothing_is_said(query: dict[str, str]) -> None:
    address = Address(query)
    Options.of(address)
    panes_in(address)
    assert address.remarks == []
