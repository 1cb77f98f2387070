"""Place files: what is drawn and written from them, and what is wrong with broken ones."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import shapely

from twin.foundation.errors import ConfigError
from twin.foundation.geo import project
from twin.render import places
from twin.render.places import MAX_NAME, NOTHING, Places, parse


def feature(kind: object, geometry: object, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": geometry}


def point(lon: float = -122.4, lat: float = 37.8) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def square(lon: float, lat: float, side: float) -> dict[str, Any]:
    ring = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def file_of(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def test_names_stand_at_points_along_lines_and_inside_areas() -> None:
    line = {"type": "MultiLineString", "coordinates": [[[-122.4, 37.8], [-122.3, 37.8]], [[0, 0], [1, 1], [2, 0]]]}
    read = parse(
        file_of(
            feature("district", point(), name="North Beach"),
            feature("street", line, name="Market Street", rank=2),
            feature("water", square(10, 50, 1), name="Lake"),
        )
    )
    assert [(n.text, n.kind, n.rank, len(n.x)) for n in read.names] == [
        ("North Beach", "district", 3, 1), ("Market Street", "street", 2, 2), ("Market Street", "street", 2, 3),
        ("Lake", "water", 2, 1),
    ]  # fmt: skip
    x, y = project(37.8, -122.4)
    assert read.names[0].as_json()["at"] == [round(float(x)), round(float(y))]
    assert read.areas[0].shape.covers(shapely.Point(read.names[3].x[0], read.names[3].y[0]))
    assert not read.problem


def test_a_river_is_as_wide_on_the_ground_as_it_says() -> None:
    line = {"type": "LineString", "coordinates": [[-122.41, 60.0], [-122.39, 60.0]]}
    (river,) = parse(file_of(feature("river", line, width=200))).areas
    _, south, _, north = river.shape.bounds
    assert (north - south) * 0.5 == pytest.approx(200, rel=0.01), "at 60° the map stretches twofold"


def test_larger_areas_are_drawn_first_whatever_they_are() -> None:
    read = parse(
        file_of(
            feature("water", square(1, 1, 0.1)), feature("land", square(0, 0, 5)), feature("water", square(-5, -5, 20))
        )
    )
    assert [area.kind for area in read.areas] == ["water", "land", "water"]
    assert read.areas[0].shape.area > read.areas[1].shape.area > read.areas[2].shape.area


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({}, "has no kind"),
        (None, "has no kind"),
        ({"properties": None, "geometry": None}, "has no kind"),
        (feature("castle", point(), name="a"), "has no kind"),
        (feature(["water"], point(), name="a"), "has no kind"),
        (feature("district", None, name="a"), "has a geometry that is no GeoJSON"),
        (feature("district", {"type": "Point"}, name="a"), "has a geometry that is no GeoJSON"),
        (feature("district", {"type": "Point", "coordinates": []}, name="a"), "has no geometry"),
        (feature("district", {"type": "Circle", "coordinates": [1, 2]}, name="a"), "has a geometry that is no GeoJSON"),
        (feature("district", {"type": "Point", "coordinates": ["1", 2]}, name="a"), "has a geometry that is no GeoJSON"),
        (feature("district", point(-122.4, 91), name="a"), "[longitude, latitude]"),
        (feature("district", point(37.8, -122.4), name="a"), "[longitude, latitude]"),
        (feature("water", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}), "has a geometry that is no GeoJSON"),
        (feature("water", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0], [0, 0]]]}), "without an inside"),
        (feature("water", {"type": "GeometryCollection", "geometries": [point()]}), "has no geometry"),
        (feature("district", point()), "with neither an area nor a name"),
        (feature("district", point(), name=" \n "), "with neither an area nor a name"),
        (feature("district", point(), name=7), "a name that is no text"),
        (feature("district", point(), name="a", rank=0), "whole number from 1 to 9"),
        (feature("district", point(), name="a", rank=True), "whole number from 1 to 9"),
        (feature("river", {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, width="wide"), "no number of metres"),
        (feature("river", {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, width=1e9), "no number of metres"),
    ],
)  # fmt: skip
def test_a_feature_that_cannot_be_used_is_left_out_and_said(broken: object, said: str) -> None:
    read = parse(file_of(feature("district", point(), name="fine"), broken, broken))
    assert [name.text for name in read.names] == ["fine"]
    assert not read.areas
    assert read.problem.startswith("2 of 3 features of places.geojson are left out: number 2 ")
    assert said in read.problem


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"{", b"[]", b"7", b'{"features": {}}', b'{"type": "FeatureCollection"}', b"[" * 100_000],
)
def test_what_is_no_place_file_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"The place file places\.geojson is no"):
        parse(content)


def test_a_shape_that_crosses_itself_is_mended() -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    read = parse(file_of(feature("water", bow, name="Bow")))
    assert read.areas[0].shape.is_valid
    assert not read.problem


def test_a_name_is_one_printable_line_and_not_endless() -> None:
    read = parse(file_of(feature("district", point(), name="<b>a\u202e\n\x00b</b>" + "x" * 500)))
    assert read.names[0].text.startswith("<b>a b</b>xxx"), "text is text: whoever shows it as HTML escapes it"
    assert len(read.names[0].text) == MAX_NAME
    assert read.names[0].text.isprintable()


def test_the_most_important_names_of_a_box_are_chosen() -> None:
    read = parse(file_of(*(feature("district", point(i, 0), name=str(i), rank=9 - i) for i in range(9))))
    _, _, east, _ = project(1, 5.5)[0], 0, float(project(0, 5.5)[0]), 0
    assert [name.text for name in read.names_in((-1.0, -1.0, east, 1.0), 3)] == ["5", "4", "3"]


def test_a_place_file_is_found_beside_the_data_or_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "lake" / "_delta_log").mkdir(parents=True)
    assert places.find(None, str(tmp_path)) == NOTHING
    assert places.find(None, "databricks://main.casper") == NOTHING
    (tmp_path / "places.geojson").write_bytes(file_of(feature("city", point(), name="Here")))
    for source in (
        tmp_path,
        tmp_path / "events.csv",
        tmp_path / "events*.parquet",
        tmp_path / "lake",
        f"{tmp_path}/lake@v3",
    ):
        assert [name.text for name in places.find(None, str(source)).names] == ["Here"], source
    other = tmp_path / "other.geojson"
    other.write_bytes(file_of(feature("city", point(), name="There")))
    assert [name.text for name in places.find(other, str(tmp_path)).names] == ["There"]
    before = places.load(other)
    assert places.load(other) is before, "it is read once"
    other.write_bytes(file_of(feature("city", point(), name="Elsewhere")))
    os.utime(other, ns=(1, 1))
    assert [name.text for name in places.load(other).names] == ["Elsewhere"]


def test_a_file_that_cannot_be_used_is_a_problem_without_its_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (tmp_path / "gone.geojson", tmp_path):
        found = places.find(path, "demo")
        assert found == Places(problem=found.problem) or not found.names
        assert path.name in found.problem
        assert str(tmp_path.parent) not in found.problem
        assert found.problem in caplog.text
