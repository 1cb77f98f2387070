"""Targets come from the environment; a mistyped value is reported, never used."""

import os
import tempfile
from pathlib import Path

import pytest

from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings


def test_without_an_environment_the_targets_are_the_kitchens_own():
    settings = Settings.from_environment({})

    assert (settings.delivery_target_s, settings.late_after_s, settings.completion_target) == (1800, 300, 0.95)
    assert all(settings.stage_amber_s[key] < red for key, red in settings.stage_red_s.items())


def test_the_environment_tells_minutes_and_percent():
    settings = Settings.from_environment(
        {
            "TWIN_DELIVERY_TARGET_MIN": " 25.5 ",
            "TWIN_LATE_AFTER_MIN": "3",
            "TWIN_COLD_AFTER_MIN": "8",
            "TWIN_COMPLETION_TARGET_PERCENT": "98",
            "TWIN_STAGE_RED_MIN": "ready=30, cooking=25",
            "TWIN_STAGE_AMBER_MIN": "ready=20",
        }
    )

    assert (settings.delivery_target_s, settings.late_after_s, settings.completion_target) == (1530, 180, 0.98)
    assert (settings.cold_after_s, Settings().cold_after_s) == (480, 900)
    assert (settings.stage_red_s["ready"], settings.stage_red_s["cooking"]) == (1800, 1500)
    assert (settings.stage_amber_s["ready"], settings.stage_red_s["created"]) == (1200, 300)


def test_the_environment_tells_from_how_many_drivers_on_they_are_drawn_another_way():
    settings = Settings.from_environment({"TWIN_GLYPH_DRIVERS": "60", "TWIN_DENSE_DRIVERS": "5000"})

    assert (settings.glyphs_to, settings.dense_from) == (60, 5000)


@pytest.mark.parametrize(
    "text",
    [
        "https://adb-12.azuredatabricks.net/genie/rooms/01f0?o=12",
        "https://ask.example:8443/kitchens/{location}?from={start}&to={end}#top",
        "",
    ],
)
def test_links_are_https_addresses_with_the_kitchen_and_the_range(text: str) -> None:
    settings = Settings.from_environment({"TWIN_ASK_LINK": f" {text} ", "TWIN_DASHBOARD_LINK": text})

    assert (settings.ask_link, settings.dashboard_link) == (text, text)


def test_a_lower_red_limit_takes_the_amber_one_along():
    settings = Settings.from_environment({"TWIN_STAGE_RED_MIN": "ready=10"})

    assert settings.stage_amber_s["ready"] == settings.stage_red_s["ready"] == 600


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TWIN_DELIVERY_TARGET_MIN", "soon"),
        ("TWIN_DELIVERY_TARGET_MIN", "0"),
        ("TWIN_DELIVERY_TARGET_MIN", "nan"),
        ("TWIN_DELIVERY_TARGET_MIN", "1800"),
        ("TWIN_LATE_AFTER_MIN", "-5"),
        ("TWIN_COLD_AFTER_MIN", "0"),
        ("TWIN_COMPLETION_TARGET_PERCENT", "101"),
        ("TWIN_GLYPH_DRIVERS", "few"),
        ("TWIN_DENSE_DRIVERS", "-1"),
        ("TWIN_STAGE_RED_MIN", "baking=5"),
        ("TWIN_STAGE_RED_MIN", "ready"),
        ("TWIN_STAGE_AMBER_MIN", "ready=16"),
        ("TWIN_ASK_LINK", "http://ask.example/{location}"),
        ("TWIN_ASK_LINK", "javascript:alert(1)"),
        ("TWIN_ASK_LINK", "https://{location}.example/"),
        ("TWIN_ASK_LINK", "https://user:word@ask.example/"),
        ("TWIN_ASK_LINK", "https:///{location}"),
        ("TWIN_ASK_LINK", "https://ask.example{location}"),
        ("TWIN_DASHBOARD_LINK", "https://ask.example/{kitchen}"),
        ("TWIN_DASHBOARD_LINK", 'https://ask.example/"onclick='),
        ("TWIN_DASHBOARD_LINK", "https://ask.example/a b"),
    ],
)
def test_nonsense_is_refused_with_its_name(name, text):
    with pytest.raises(ConfigError, match=name):
        Settings.from_environment({name: text})


def test_a_kitchens_capacity_is_orders_by_location() -> None:
    settings = Settings.from_environment({"TWIN_KITCHEN_CAPACITY": "sanfrancisco=60, chicago=45"})
    assert dict(settings.capacity) == {"sanfrancisco": 60, "chicago": 45}
    assert dict(Settings.from_environment({}).capacity) == {}
    with pytest.raises(ConfigError, match="TWIN_KITCHEN_CAPACITY, chicago"):
        Settings.from_environment({"TWIN_KITCHEN_CAPACITY": "chicago=many"})


def test_no_test_stores_where_who_runs_it_does() -> None:
    usual = Path(tempfile.gettempdir()) / f"twin-cache-{os.getuid()}"
    assert Settings().cache_folder == Settings.from_environment().cache_folder != usual
