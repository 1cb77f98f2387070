"""The map's layers of density: what each counts, by SQL over the raw rows or by hand, and what an address may say."""

import base64
import io
from pathlib import Path

import duckdb
import numpy as np
import pytest
from PIL import Image

import twin
from twin.timeline.timeline import Timeline
from twin.views.map import density
from twin.views.map.density import KINDS, Density


@pytest.fixture(scope="module")
def timeline(demo: Path) -> Timeline:
    return twin.open(demo).timeline("sanfrancisco")


def shown(result: dict) -> np.ndarray:
    """The opacity of each pixel, 0 to 255."""
    raw = base64.b64decode(result["url"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(raw)).convert("RGBA"))[..., 3]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_each_layer_is_a_picture_with_a_legend_or_says_why_not(timeline: Timeline, kind: str, theme: str) -> None:
    result = density.message(timeline, kind, 60, timeline.busiest(), theme)
    assert result["label"]
    assert result["title"]
    assert len(result["colours"]) == 3
    if result["url"]:
        x0, y0, x1, y1 = result["extent"]
        assert x0 < x1
        assert y0 < y1
        assert shown(result).max() > 50
    else:
        assert kind == "slow"


def test_orders_are_those_created_in_the_range(demo: Path, timeline: Timeline) -> None:
    x, _ = density.ordered_places(timeline)
    ((count,),) = duckdb.execute(
        """
        SELECT count(*) FROM (
          SELECT min(try_cast(ts AS TIMESTAMP)) AS first FROM read_parquet(?)
          WHERE order_id IS NOT NULL AND order_id <> '' GROUP BY order_id
        ) WHERE epoch(first) >= ? AND epoch(first) < ?
        """,
        [str(demo / "events_sanfrancisco.parquet"), timeline.window.start, timeline.window.end],
    ).fetchall()
    assert len(x) == pytest.approx(count, abs=3)  # rows with broken times and ids are set aside
    assert len(x) > 100


def test_waiting_at_the_kitchen_is_from_arrival_to_pick_up(timeline: Timeline) -> None:
    total, (start, end) = 0.0, (timeline.window.start, timeline.window.end)
    for arrived, picked_up in zip(timeline.orders.arrived.tolist(), timeline.orders.picked_up.tolist(), strict=True):
        if arrived < picked_up and arrived < end and picked_up > start:  # False where either is unknown
            total += min(picked_up, end) - max(arrived, start)
    assert density.kitchen_waits(timeline) == pytest.approx(total)
    assert total > 3600


def test_standing_is_slower_than_anybody_walks(timeline: Timeline) -> None:
    part = density.standing(timeline)
    assert bool((part.metres * timeline.trips.scale < part.seconds).all())


@pytest.mark.slow
def test_ways_show_nothing_of_what_comes_after_the_playhead(timeline: Timeline) -> None:
    t = timeline.busiest()
    result = density.message(timeline, "ways", 15, t, "dark")
    assert t - 60 < result["until"] <= t
    later = density.message(timeline, "ways", 15, t + 3600, "dark")
    assert result["url"] != later["url"]
    before = density.message(timeline, "ways", 15, timeline.window.start - 3 * 86_400, "dark")
    assert before["url"] == ""
    assert "Nobody drove" in before["label"]


def test_sessions_share_the_picture_of_a_minute(timeline: Timeline) -> None:
    t = np.floor(timeline.busiest() / 60) * 60
    one, other = (density.message(timeline, "ways", 30, t + seconds, "dark") for seconds in (1.0, 59.0))
    assert one["url"] is other["url"]


def test_a_street_is_slow_where_its_speed_falls_below_the_usual() -> None:
    """Five places: as fast as usual, half as fast, standing, too few now, too few otherwise; ten passes each but for those."""
    metres = np.array([[1000.0, 1000.0, 300.0, 100.0, 1000.0]])
    seconds = np.array([[100.0, 200.0, 3000.0, 100.0, 1000.0]])
    others = np.array([[1000.0, 1000.0, 1000.0, 1000.0, 300.0]])
    usual = np.array([[100.0, 100.0, 100.0, 100.0, 30.0]])
    slow = density._slowness(seconds, metres, seconds + usual, metres + others, 0.01)[0]
    assert slow[0] == slow[3] == slow[4] == 0
    assert 0.5 < slow[1] < slow[2] == 1


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", Density()), ("slow", Density("slow")), ("ways,60", Density("ways", 60)), ("orders,30,50", Density("orders", 30, 50)),
        ("<script>", Density()), ("slow,-1,5", Density("slow")), ("slow,60,70,9,9", Density("slow", 60, 70)),
        ("waits,²,²", Density("waits")),
    ],
)  # fmt: skip
def test_an_address_tells_kind_minutes_and_strength(text: str, result: Density) -> None:
    assert Density.of(text) == result
    assert Density.of(result.text) == result


def test_orders_without_any_place_are_told_in_words(tmp_path: Path) -> None:
    rows = ["order_id,event_type,ts,sequence,location,body"]
    for number in range(5):
        for at, kind in enumerate(("order_created", "driver_picked_up", "delivered")):
            rows.append(f"o{number},{kind},2025-01-01 10:{10 * at + number:02d}:00,{at},nowhere,{{}}")
    tmp_path.joinpath("events.csv").write_text("\n".join(rows))
    nowhere = twin.open(tmp_path).timeline("nowhere")
    result = [density.message(nowhere, kind, 30, nowhere.busiest(), "light") for kind in KINDS]
    assert [one["url"] for one in result] == [""] * len(KINDS)
    assert all(one["label"] for one in result)


def test_what_does_not_exist_is_an_error(timeline: Timeline) -> None:
    with pytest.raises(KeyError):
        density.message(timeline, "prices", 30, timeline.busiest(), "dark")
    with pytest.raises(KeyError):
        density.message(timeline, "ways", 45, timeline.busiest(), "sepia")
