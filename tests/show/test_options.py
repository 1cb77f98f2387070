"""A wall screen's address: what it may ask for, and that no slip in it leaves the wall dark."""

import pytest

from twin.foundation.times import seconds
from twin.show.options import Options, panes_of


def test_an_empty_address_tours_everything() -> None:
    options = Options.from_query({})
    assert options.locations == ()
    assert options.loop
    assert options.scripted


def test_an_address_tells_locations_speed_range_seconds_and_loop() -> None:
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


@pytest.mark.parametrize(("said", "hours"), [("48h", 48), ("7d", 168), ("1.5d", 36), ("9000d", 31 * 24)])
def test_a_range_may_be_a_length_back_from_the_last_delivery(said: str, hours: float) -> None:
    assert Options.from_query({"range": said}).hours == hours


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
        {"locations": " , "},
    ],
)
def test_what_makes_no_sense_is_left_out(query: dict[str, str]) -> None:
    told = Options.from_query(query)
    usual = Options()
    assert (told.locations, told.speed, told.range, told.hours, told.scene_s) == (
        usual.locations,
        usual.speed,
        usual.range,
        usual.hours,
        usual.scene_s,
    )


@pytest.mark.parametrize(("said", "speed"), [("5000", 1000), ("-3", 0.1), ("0", 0.1)])
def test_a_speed_beyond_the_bounds_is_the_nearest_one(said: str, speed: float) -> None:
    assert Options.from_query({"speed": said}).speed == speed


def test_panes_are_those_named_once_each_or_the_usual_ones() -> None:
    assert panes_of("map,KPIS,map") == ("map", "kpis")
    assert panes_of(None) == panes_of("nothing") == ("map", "pipeline", "kpis")
