"""A rehearsed show, read from a hand-written file."""

from pathlib import Path

import pytest

import twin
from twin.foundation.errors import ConfigError
from twin.foundation.times import seconds
from twin.notebook.door import Twin
from twin.show.scenefile import load


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


def test_a_file_gives_place_time_speed_zoom_order_caption_and_duration(source: Twin, tmp_path: Path) -> None:
    day = source.timeline("sanfrancisco", "2025-10-16 17:00", "2025-10-16 20:00")
    order = str(day.orders.ids[0].as_py())
    file = tmp_path / "show.yaml"
    file.write_text(
        f"""
loop: false
scenes:
  - place: sanfrancisco
    time: 2025-10-16 18:10
    speed: 120
    zoom: 13.5
    order: "{order}"
    caption: Drivers are short
    detail: Meals wait for them
    duration: 25
  - {{place: chicago, time: 2025-10-17T12:00:00}}
"""
    )
    show = load(file, source)
    first, second = show.scenes
    assert not show.loop
    assert (first.location, first.t, first.speed) == ("sanfrancisco", seconds("2025-10-16 18:10"), 120)
    assert (first.zoom, first.order, first.duration) == (13.5, order, 25)
    assert (first.headline, first.detail) == ("Drivers are short", "Meals wait for them")
    assert (second.location, second.t) == ("chicago", seconds("2025-10-17 12:00"))
    assert "Friday 12:00" in second.headline
    for scene in show.scenes:
        assert scene.start < scene.t
        assert scene.t + scene.speed * scene.duration < scene.end  # it never stands still


def test_a_race_has_lanes_that_begin_at_one_time_of_day(source: Twin, tmp_path: Path) -> None:
    file = tmp_path / "show.yaml"
    file.write_text(
        """
scenes:
  - race: delivered
    time: 2025-10-16 11:00
    lanes:
      - place: chicago
      - {place: sanfrancisco, day: 2025-10-17}
    speed: 600
    duration: 30
  - {place: chicago, time: 2025-10-17T12:00:00}
"""
    )
    scene, other = load(file, source).scenes
    assert other.race is None
    assert scene.race is not None
    assert (scene.location, scene.t, scene.speed) == ("chicago", seconds("2025-10-16 11:00"), 600)
    assert [lane.name for lane in scene.race.lanes] == ["Chicago, 16 Oct", "San Francisco, 17 Oct"]
    assert (scene.race.length_s, scene.race.starts) == (600 * 30, 11 * 3600)
    assert scene.headline == "Race: orders delivered"
    for lane, place, day in ((0, "chicago", "2025-10-16"), (1, "sanfrancisco", "2025-10-17")):
        begin = seconds(f"{day} 11:00")
        line = source.timeline(place, day, begin + 86_400)
        took = line.orders.delivered - line.orders.created
        done = line.orders.delivered[(took >= 0) & (took <= 4 * 3600)]
        for into in (0, 3600, 12_345):
            expected = ((done >= begin) & (done <= begin + into)).sum()
            assert scene.race.values(into)[lane] == expected


def test_a_network_has_all_kitchens_or_those_it_names(source: Twin, tmp_path: Path) -> None:
    file = tmp_path / "show.yaml"
    file.write_text(
        """
scenes:
  - {network: all, time: 2025-10-16 17:00, duration: 24}
  - network: [chicago, sanfrancisco]
    time: 2025-10-16 17:00
    speed: 60
    duration: 10
    caption: Two cities
    detail: Dinner
"""
    )
    every, two = load(file, source).scenes
    assert every.board is not None
    assert two.board is not None
    assert [one.name for one in every.board.kitchens] == [place.label for place in source.locations]
    assert [one.name for one in two.board.kitchens] == ["Chicago", "San Francisco"]
    assert (every.speed, every.headline, every.board.minutes) == (600, "All kitchens", 24 * 10 + 1)
    assert (two.location, two.headline, two.detail, two.board.minutes) == ("chicago", "Two cities", "Dinner", 11)
    assert every.t == two.t == every.board.start == seconds("2025-10-16 17:00")
    assert every.race is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenes: []", "at least one scene"),
        ("just words", "at least one scene"),
        ("scenes: [{place: chicago}]", "scene 1 needs `place` and `time`"),
        ("scenes: [{place: atlantis, time: 2025-10-16 18:10}]", "atlantis"),
        ("scenes: [{place: chicago, time: 18:10}]", "needs its day"),
        ("scenes: [{place: chicago, time: teatime}]", "teatime"),
        ("scenes: [{race: on_time, time: 2025-10-16 11:00}]", "a race needs `lanes`"),
        ("scenes: [{race: on_time, time: 2025-10-16 11:00, lanes: [chicago]}]", "each with `place`"),
        ("scenes: [{race: on_time, time: 2025-10-16 11:00, lanes: [{place: chicago}]}]", "2 to 6 lanes, not 1"),
        (
            "scenes: [{race: speed, time: 2025-10-16 11:00, lanes: [{place: chicago}, {place: chicago}]}]",
            "no figure 'speed'",
        ),
        (
            "scenes: [{race: late, time: 2025-10-16 11:00, lanes: [{place: chicago}, {place: chicago, day: soon}]}]",
            "date as 2025",
        ),
        ("scenes: [{race: late, time: 2025-10-16 11:00, lanes: [{place: chicago, week: 1}]}]", "week is not known"),
        ("scenes: [{race: late, time: 2025-10-16 11:00, zoom: 3, lanes: [{place: chicago}]}]", "zoom is not known"),
        ("scenes: [{race: late, time: 1999-10-16 11:00, lanes: [{place: chicago}]}]", "has no 1999"),
        ("scenes: [{network: all}]", "a network needs `time`"),
        ("scenes: [{network: some, time: 2025-10-16 11:00}]", "`all` or a list of kitchens"),
        ("scenes: [{network: [], time: 2025-10-16 11:00}]", "`all` or a list of kitchens"),
        ("scenes: [{network: [atlantis], time: 2025-10-16 11:00}]", "atlantis"),
        ("scenes: [{network: [chicago, chicago], time: 2025-10-16 11:00}]", "names a kitchen twice"),
        ("scenes: [{network: [a, b, c, d, e, f, g, h, i], time: 2025-10-16 11:00}]", "at most 8 kitchens, not 9"),
        ("scenes: [{network: all, time: 1999-10-16 11:00}]", "has no 1999"),
        ("scenes: [{network: all, time: 18:10}]", "needs its day"),
        ("scenes: [{network: all, time: 2025-10-16 11:00, place: chicago}]", "place is not known"),
        ("scenes: [{network: all, time: 2025-10-16 11:00, speed: 1000, duration: 3600}]", "of two at most"),
        ("scenes: [{place: chicago, time: 1999-01-01 10:00}]", "has no 1999"),
        ("scenes: [{place: chicago, time: 2025-10-16 18:10, spede: 3}]", "spede is not known"),
        ("scenes: [{place: chicago, time: 2025-10-16 18:10, speed: fast}]", "speed must be a number"),
        ("scenes: [{place: chicago, time: 2025-10-16 18:10, order: nobody}]", "no order 'nobody'"),
        ("scenes: [{place: chicago, time: 2025-10-16 18:10}]\nlop: true", "lop is not known"),
        ("scenes: [", "is no YAML"),
    ],
)
def test_an_error_is_reported_in_one_sentence(source: Twin, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "show.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as raised:
        load(file, source)
    assert "\n" not in str(raised.value)
    assert str(raised.value).count("show.yaml") == 1


def test_a_missing_file_is_reported(source: Twin, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yaml", source)
