"""The report: the page's figures in one file that needs nothing else, the same bytes each time, whatever the data are called."""

import re
from copy import copy
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

import twin
from tests.raw_orders import EVIL, WHOLE, rows_of, timeline_of
from twin import cli
from twin.reports.card import card_of
from twin.reports.day import report, save_reports

DAY = "2025-10-16"


@pytest.fixture(autouse=True)
def mapless(monkeypatch: pytest.MonkeyPatch) -> None:
    """What draws streets takes seconds to compile, and the report has no map."""
    monkeypatch.setattr("twin.reports.card.frames", lambda *_: [])


@pytest.fixture(scope="module")
def kitchen(demo: Path) -> twin.Kitchen:
    return twin.open(demo).kitchen("sanfrancisco", day=DAY)


def test_it_says_what_the_page_and_the_notebook_say(kitchen: twin.Kitchen, tmp_path: Path) -> None:
    path = kitchen.report(tmp_path / "report.html", link="http://127.0.0.1/operations?t=1")
    written = unescape(path.read_text("utf-8"))
    why = kitchen.why()
    assert why.sentence in written
    assert f"{len(kitchen.orders):,} orders" in written
    assert all(title in written for title in kitchen.moments["title"])
    assert all(f"<td>{brand}</td>" in written for brand in kitchen.brands().index)
    late = kitchen.ledger.loc[kitchen.ledger["late"], "delivery_min"].nlargest(20)
    rows = re.findall(r"<tr><td>([0-9a-f]{32})</td><td>10-16 \d\d:\d\d</td><td>([\d.]+)</td>", written)
    assert [(order, float(took)) for order, took in rows] == [(order, round(took, 1)) for order, took in late.items()]
    assert 'href="http://127.0.0.1/operations?t=1"' in written
    for moment in kitchen.insights.moments:  # each with its card's head
        card = card_of(
            kitchen._hub, kitchen.data, moment.start, moment.end, moment=moment, link="http://127.0.0.1/operations"
        )
        assert card.customers in written
        assert card.link in written
        assert not moment.why or card.why == moment.why
        assert moment.why in written


def test_it_needs_nothing_else_and_is_the_same_each_time(kitchen: twin.Kitchen, demo: Path) -> None:
    opened = twin.open(demo)
    first, again = (report(hub, kitchen.data) for hub in (kitchen._hub, opened))
    assert first == again
    assert not re.search(r"<script|<img|<link|url\(|https?:|@import", first)


def test_hostile_texts_are_only_texts_and_what_the_data_does_not_tell_is_left_out(tmp_path: Path) -> None:
    evil = [{"brand_id": EVIL, "name": "Pho", "price": 12.5, "qty": 2}]
    timeline_of(tmp_path, rows_of(EVIL, WHOLE, items=evil), rows_of("B", {"created": 5.0}))
    opened = twin.open(tmp_path / "events.jsonl")
    place = opened.locations[0]
    text = report(opened, opened.timeline(place.id, place.start, place.end + 1))
    assert EVIL not in text
    assert "&lt;img src=x" in text
    nothing = report(opened, opened.timeline(place.id, place.end + 3600, place.end + 7200))
    assert "Nothing was delivered here." in nothing
    assert "From the promise" not in nothing


@pytest.mark.slow
def test_the_command_writes_a_day_or_a_week_and_says_what_is_missing(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    assert cli.main(["report", str(demo), "--location", "chicago", "--day", DAY, "-o", str(path)]) == 0
    assert "Chicago" in path.read_text("utf-8")
    assert cli.main(["report", str(demo), "--location", "chicago", "--week", "2025-10-12", "-o", str(path)]) == 0
    assert "2025-10-12 00:00 to 2025-10-19 00:00" in path.read_text("utf-8")
    capsys.readouterr()
    for options, word in (([], "--location"), (["--location", "chicago", "--day", "1999-01-01"], "no orders then")):
        assert cli.main(["report", str(demo), *options, "-o", str(path)]) == 2
        assert word in capsys.readouterr().err


@pytest.mark.slow
def test_every_kitchen_s_last_whole_day_is_written_to_a_folder(demo: Path, tmp_path: Path) -> None:
    opened = twin.open(demo)
    written = save_reports(opened, tmp_path, "https://host/operations")
    assert len(written) == len(opened.locations)
    for place, path in zip(opened.locations, written, strict=True):
        assert path.name == f"{place.id}-2025-10-17.html"
        assert place.label in unescape(path.read_text("utf-8"))
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in save_reports(twin.open(demo), tmp_path, "https://host/operations")] == before
    (week, *_) = save_reports(opened, tmp_path, days=7)
    assert week.name.endswith("-week.html")
    assert "Against the weeks before" in week.read_text("utf-8")


def test_reasons_for_rows_set_aside_have_one_order_whatever_the_source_s(kitchen: twin.Kitchen) -> None:
    texts = set()
    for reasons in (["no order", "broken JSON", "duplicate"], ["duplicate", "no order", "broken JSON"]):
        timeline = copy(kitchen.data)
        timeline.data_quality = replace(timeline.data_quality, rejected=dict.fromkeys(reasons, 3))
        texts.add(report(kitchen._hub, timeline))
    assert len(texts) == 1
