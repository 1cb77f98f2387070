"""The tour of a source, derived from its data."""

from pathlib import Path

import pytest

import twin
from twin.analysis.moments import TROUBLES
from twin.foundation.errors import SourceError
from twin.foundation.times import seconds
from twin.notebook.door import Twin
from twin.show.deriving import caption, derive
from twin.show.options import Options


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


def test_the_locations_alternate(source: Twin) -> None:
    scenes = derive(source, Options()).scenes
    places = [place.id for place in source.locations]
    assert [scene.location for scene in scenes[: len(places)]] == places
    assert all(len([scene for scene in scenes if scene.location == place]) <= 2 for place in places)


def test_a_scene_shows_its_moment_within_its_range(source: Twin) -> None:
    options = Options(scene_s=30, speed=120)
    for scene in derive(source, options).scenes:
        timeline = source.timeline(scene.location, scene.start, scene.end)
        moments = source.insights(timeline).moments
        shown = [moment for moment in moments if moment.sentence == scene.detail]
        assert shown
        assert scene.t <= shown[0].at <= scene.at(scene.duration)
        assert scene.start <= scene.t < scene.end
        assert scene.at(scene.duration) - scene.t == pytest.approx(30 * 120)
        assert scene.headline.startswith(scene.name + ", ")


def test_no_scene_begins_before_its_caption_is_true(source: Twin) -> None:
    hour, coming = Options(scene_s=40, speed=90), 0
    for scene in derive(source, hour).scenes:
        assert scene.since is not None
        assert caption("", scene.since, "").strip(", :") in scene.headline  # the time that the caption names
        last = scene.end - 40 * 90  # a scene is not cut short: at the end of the data it may begin before, and says so
        assert scene.t >= scene.since or scene.t == last
        coming += scene.t < scene.since
    assert coming <= 1


def test_a_scene_tells_whether_and_how_long_there_is_a_trouble(source: Twin) -> None:
    found = {}
    for scene in derive(source, Options()).scenes:
        moments = source.insights(source.timeline(scene.location, scene.start, scene.end)).moments
        (shown,) = [moment for moment in moments if moment.sentence == scene.detail]
        assert (scene.since, scene.until, scene.trouble) == (shown.start, shown.end, shown.kind in TROUBLES)
        found[scene.trouble] = True
    assert found == {True: True, False: True}


def test_only_the_requested_locations_are_shown_in_their_order(source: Twin) -> None:
    requested = tuple(place.id for place in reversed(source.locations[:2]))
    shown = [scene.location for scene in derive(source, Options(locations=requested)).scenes]
    assert set(shown) == set(requested)
    assert tuple(shown[:2]) == requested


def test_unknown_locations_are_left_out_and_only_unknown_ones_mean_all(source: Twin) -> None:
    assert {scene.location for scene in derive(source, Options(locations=("atlantis", "chicago"))).scenes} == {
        "chicago"
    }
    everywhere = {scene.location for scene in derive(source, Options()).scenes}
    assert {scene.location for scene in derive(source, Options(locations=("atlantis",))).scenes} == everywhere


def test_a_tour_that_names_no_location_loads_the_busiest_only(source: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.show.deriving.MOST_LOCATIONS", 2)
    busiest = {place.id for place in source.locations[:2]}
    assert {scene.location for scene in derive(source, Options()).scenes} == busiest


def test_a_range_without_orders_is_an_error(source: Twin) -> None:
    with pytest.raises(SourceError, match="no orders"):
        derive(source, Options(range=(seconds("2001-01-01"), seconds("2001-01-02"))))


def test_a_caption_of_a_range_beyond_a_week_has_its_date(source: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options(locations=(source.locations[0].id,))
    assert not any(" Oct " in scene.headline for scene in derive(source, options).scenes)
    monkeypatch.setattr("twin.show.deriving.WEEK", 3600.0)
    assert all(" Oct " in scene.headline for scene in derive(source, options).scenes)


def test_a_caption_has_place_weekday_and_time() -> None:
    t = seconds("2025-10-16 18:10")
    assert caption("San Francisco", t, "Drivers are short") == "San Francisco, Thursday 18:10: drivers are short"
