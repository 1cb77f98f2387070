"""Twenty random moments of four kitchens: no two numbers that speak of one thing differ, and no part is more than its whole.

The numbers are those that views send, the words that they draw (in Node), and the API's. What must hold is in relations.py; the
sources are both generations of the schema, a record with holes, and real taxis.
"""

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import twin
from tests.integration.relations import RELATIONS
from tests.integration.shown import Scene, draw, scenes
from twin.analysis.wording import minutes_text
from twin.api import answers, parameters
from twin.show.deriving import derive
from twin.show.options import Options
from twin.simulator import write_demo

MOMENTS, KITCHENS, SEED = 20, 4, 20

SELDOM = {
    "newer": {"the_alert_is_of_this_moment", "a_sentence_and_the_page_have_one_usual"},
    "cabs": {
        "the_alert_is_of_this_moment",
        "a_sentence_and_the_page_have_one_usual",
        "the_ribbon_is_the_pipeline_on_average",
        "a_tip_has_the_ribbons_numbers",
        "a_sentence_says_who_is_still_in_it",
        "no_part_is_over_a_hundred_percent",
    },
}
"""By source, relations that may have nothing to compare: nobody knew of its trouble yet, and taxis have no kitchen."""

HOLES = """
COPY (
  SELECT * REPLACE (CASE WHEN hash(order_id) % 5 = 0 THEN regexp_replace(body, '"price": *[0-9.]+', '"price": 0', 'g')
                    ELSE body END AS body)
  FROM read_parquet('{demo}/events_*.parquet', union_by_name=true)
  WHERE hash(order_id || event_type) % 9 > 0                            -- any milestone may be missing
    AND NOT (hash(order_id) % 23 = 1 AND event_type NOT IN ('order_created', 'gk_started'))  -- never finished: stalls
    AND NOT (hash(order_id) % 19 = 2 AND event_type = 'order_created')
  UNION ALL BY NAME
  SELECT * REPLACE ('order_cancelled' AS event_type, '{{}}' AS body)
  FROM read_parquet('{demo}/events_*.parquet', union_by_name=true)
  WHERE event_type = 'gk_started' AND hash(order_id) % 13 = 3           -- some cancelled, some delivered all the same
) TO '{out}' (FORMAT parquet)
"""
"""A demo with holes: milestones, creations and prices that are missing, orders that fall silent, and cancelled ones."""


@pytest.fixture(scope="module")
def holes(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("holes")
    duckdb.sql(HOLES.format(demo=demo, out=folder / "events_holes.parquet"))
    return folder


@pytest.fixture(scope="module")
def newer(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    return made_once(
        "demo-2026", lambda folder: write_demo(folder, days=2, scale=0.2, seed=11, generation="2026", dq=0.01)
    )


@pytest.fixture(scope="module", params=["demo", "newer", "holes", "cabs"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    """Every scene of a source, drawn."""
    if request.param == "cabs":
        source = request.getfixturevalue("real_data") / "sf_cabs_2008-05-24.csv.gz"
    else:
        source = request.getfixturevalue(request.param)
    hub = twin.open(source)
    places = [place.id for place in hub.locations][:KITCHENS]
    every = scenes(request.param, hub, places, MOMENTS, SEED)
    draw(every, tmp_path_factory.mktemp("drawn"))
    assert len(every) == MOMENTS * len(places)
    return every


@pytest.mark.slow
def test_the_range_is_told_in_one_way_by_page_api_and_wall_screen(told: list[Scene]) -> None:
    hub, kitchens = told[0].hub, {scene.timeline.location.id: scene for scene in told}
    tour = derive(hub, Options(locations=tuple(kitchens), hours=24.0))
    for location, scene in kitchens.items():
        summary = {part["key"]: part["text"] for part in scene.sent["transport"]["summary"]}
        whole = answers.time_range(hub, location, parameters.BucketedRange())
        assert int(re.sub(r"\D", "", summary["orders"])) == whole.metrics.total_orders
        assert whole.metrics.delivered_orders + whole.metrics.cancelled_orders <= whole.metrics.total_orders
        assert sum(bucket.order_count for bucket in whole.hourly_breakdown) == whole.metrics.total_orders
        assert sum(scene.sent["transport"]["volume"]["counts"]) == whole.metrics.total_orders
        if whole.metrics.avg_delivery_time_min is not None:
            assert minutes_text(60 * whole.metrics.avg_delivery_time_min) in summary["delivery"]

        listed = scene.sent["moments"]["moments"]
        api = answers.moments(hub, location, parameters.MomentsQuery())
        assert [(one["title"], one["sentence"]) for one in listed] == [(one.title, one.sentence) for one in api.moments]
        sentences = {one["sentence"]: scene.timeline.tz.clock(one["start"]) for one in listed}
        for shown in (one for one in tour.scenes if one.location == location and listed):
            assert f"{sentences[shown.detail]}:" in shown.headline, "a caption has the moment's sentence and its begin"


@pytest.mark.slow
def test_no_two_numbers_of_a_moment_disagree(told: list[Scene]) -> None:
    faults, compared = [], Counter[str]()
    for scene in told:
        for name, check in RELATIONS.items():
            for fault in check(scene):
                compared[name] += 1
                if fault is not None:
                    faults.append(f"{name} · {scene}: {fault}")
    if os.environ.get("SHOW_FAULTS"):
        print("\n".join(faults[:400]))
        print(compared)
    assert not faults, f"{len(faults)} faults, as:\n" + "\n".join(faults[:40])
    idle = {name for name in RELATIONS if not compared[name]}
    assert idle <= SELDOM.get(told[0].source, set()), "nothing was compared"
