"""The card of an incident: its figures are those of the page's functions, its bytes the same each time, its texts only texts."""

import io
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import twin
from tests.raw_orders import EVIL, NOON, WHOLE, rows_of, timeline_of
from twin.analysis.ledger import NAMES
from twin.analysis.moments import Moment
from twin.reports import frames
from twin.reports.card import MOST_LINES, MOST_NOTES, WORST, card_of, known_moment
from twin.reports.card_picture import card_png
from twin.reports.card_text import card_html, card_markdown
from twin.reports.frames import HEIGHT, LATE, ON_THE_ROAD, SHOWN, WIDTH

DAY = "2025-10-16"
TRUE_TILESET = frames._tileset


@pytest.fixture(autouse=True)
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """No streets but in one test: what draws them takes seconds to compile, and has tests of its own."""
    written = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), "#eef1f6").save(written, "PNG")
    bare = SimpleNamespace(image=lambda *_: written.getvalue())
    monkeypatch.setattr(frames, "_tileset", lambda *_: bare)
    monkeypatch.setattr(frames, "_BaseMaps", type("_BareMaps", (frames._BaseMaps,), {}))


@pytest.fixture(scope="module")
def kitchen(demo: Path) -> twin.Kitchen:
    return twin.open(demo).kitchen("sanfrancisco", day=DAY)


def first_trouble(kitchen: twin.Kitchen) -> Moment:
    return next(one for one in kitchen.insights.moments if one.kind != "peak")


@pytest.mark.parametrize(("start", "end"), [("18:00", "19:00"), ("11:30", "13:30"), ("03:00", "04:00")])
def test_every_figure_is_that_of_the_page_and_the_notebook(kitchen: twin.Kitchen, start: str, end: str) -> None:
    card = kitchen.card(start, end)
    why = kitchen.why(start, end)
    text = unescape(card.html)
    assert why.sentence in text
    orders, tz = kitchen.data.orders, kitchen.data.tz
    rows = np.flatnonzero((orders.began >= tz.seconds(f"{DAY} {start}")) & (orders.began < tz.seconds(f"{DAY} {end}")))
    assert card.content.customers.startswith(f"{len(rows)} customer")
    assert f" {np.isfinite(orders.delivered[rows]).sum()} delivered" in card.content.customers
    table = why.table.set_index("part") if "part" in why.table else why.table
    for line in card.content.parts:
        key = next((part for part, name in NAMES.items() if name == line.label), "usual")
        assert line.late == pytest.approx(table.loc[key, "late_min"], abs=1e-6)
        if key != "usual":
            assert line.took == pytest.approx(table.loc[key, "mean_min"], abs=1e-6)
            assert line.usual == pytest.approx(table.loc[key, "usual_min"], abs=1e-6)
    assert sum(line.late for line in card.content.parts) == pytest.approx(card.content.late_min, abs=1.0)
    for frame in card.content.frames:
        now = kitchen.at(str(pd.Timestamp(frame.t, unit="s")))
        assert re.findall(r"\d+", frame.caption) == [str(now.counts[stage]) for stage in SHOWN]
    late = kitchen.ledger[
        kitchen.ledger["late"] & kitchen.ledger.index.isin([str(orders.ids[row].as_py()) for row in rows.tolist()])
    ]
    worst = late["delivery_min"].nlargest(WORST)
    assert [(one.order, round(one.took, 6)) for one in card.content.worst] == [
        (order, round(took, 6)) for order, took in worst.items()
    ]
    assert card.content.more == len(late) - len(worst)
    assert (f"and {card.content.more} more late order" in text) == (card.content.more > 0)


@pytest.mark.slow
def test_it_is_the_same_each_time_and_needs_nothing_else(kitchen: twin.Kitchen, demo: Path) -> None:
    moment = first_trouble(kitchen)
    cards = [
        card_of(hub, kitchen.data, moment.start, moment.end, moment=moment, link="https://host/operations")
        for hub in (kitchen._hub, twin.open(demo))
    ]
    for write in (card_html, card_markdown, card_png):
        first, again = (write(card) for card in cards)
        assert first == again
    html = card_html(cards[0])
    assert not re.search(r"<script|<link|url\(|@import|src=\"(?!data:)", html)
    assert html.count('src="data:image/png;base64,') == 4
    assert re.findall(r'https?:[^"]+', html) == [cards[0].link.replace("&", "&amp;")]
    assert cards[0].link.startswith(f"https://host/operations?location=sanfrancisco&start={DAY}T00:00:00&end=")
    picture = Image.open(io.BytesIO(card_png(cards[0])))
    assert picture.size == (1588, 2246), "one A4 page"


def test_the_map_shows_the_drivers_of_that_time_and_which_are_late(kitchen: twin.Kitchen) -> None:
    moment = first_trouble(kitchen)
    card = card_of(kitchen._hub, kitchen.data, moment.start, moment.end, moment=moment)
    assert moment.at in [pytest.approx(frame.t, abs=1) for frame in card.frames]
    assert len({frame.picture for frame in card.frames}) == 4
    for frame in card.frames:
        picture = np.asarray(Image.open(io.BytesIO(frame.picture)).convert("RGB"), int)
        assert picture.shape == (HEIGHT, WIDTH, 3)
        drivers = kitchen.data.at(frame.t).drivers
        late = frame.t - kitchen.data.orders.created[drivers.order] > kitchen._hub.settings.delivery_target_s
        for colour, some in ((LATE, late), (ON_THE_ROAD, ~late)):
            near = np.abs(picture - [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).max(axis=2) < 24
            assert (np.count_nonzero(near) > 20) == bool(some.any()), (frame.clock, colour)


@pytest.mark.slow
def test_the_streets_are_those_of_the_page(kitchen: twin.Kitchen) -> None:
    moment = first_trouble(kitchen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "_tileset", TRUE_TILESET)
        patch.setattr(frames, "_BaseMaps", type("_TrueMaps", (frames._BaseMaps,), {}))
        drawn = card_of(kitchen._hub, kitchen.data, moment.start, moment.end, moment=moment).frames
    bare = card_of(kitchen._hub, kitchen.data, moment.start, moment.end, moment=moment).frames
    for one, other in zip(drawn, bare, strict=True):
        streets, flat = (np.asarray(Image.open(io.BytesIO(frame.picture)).convert("L"), int) for frame in (one, other))
        assert (np.abs(streets - flat) > 12).mean() > 0.1


def test_as_it_was_known_it_says_nothing_of_what_came_later(kitchen: twin.Kitchen) -> None:
    moment, data = first_trouble(kitchen), kitchen.data
    t = moment.end - 60
    then, known_at = known_moment(kitchen._hub, data, moment, t)
    assert known_at == t
    assert then.end == t
    card = card_of(kitchen._hub, data, then.start, then.end, moment=then, known_at=t)
    assert card.sentence.startswith("So far")
    assert all(frame.t <= t for frame in card.frames)
    assert card.ended == f"What ended it was not known at {data.tz.clock(t)}."
    assert card.why == "None of these orders had been delivered yet."
    start, end, by = (data.tz.seconds(f"{DAY} {clock}") for clock in ("17:30", "19:30", "19:00"))
    loop = card_of(kitchen._hub, data, start, end, known_at=by)
    began = (data.orders.began >= start) & (data.orders.began < end)
    ledger = kitchen._hub.ledger(data)
    by_then, hindsight = ledger.account(began & (data.orders.delivered <= by)), ledger.account(began)
    assert 0 < by_then.orders < hindsight.orders
    assert loop.why == by_then.sentence != hindsight.sentence
    delivered = {str(data.orders.ids[row].as_py()) for row in np.flatnonzero(data.orders.delivered <= by).tolist()}
    assert {one.order for one in loop.worst} <= delivered
    assert loop.worst
    assert all(frame.t <= by for frame in loop.frames)
    assert "hindsight" not in card_html(card)
    assert known_moment(kitchen._hub, data, moment, moment.start - 60) == (moment, None), (
        "ahead of the playhead it is with hindsight, and says so"
    )
    assert "With hindsight" in card_markdown(card_of(kitchen._hub, data, moment.start, moment.end, moment=moment))


def test_what_ended_it_counts_the_hour_after(kitchen: twin.Kitchen) -> None:
    moment, data = first_trouble(kitchen), kitchen.data
    card = card_of(kitchen._hub, data, moment.start, moment.end, moment=moment)
    after = int(np.count_nonzero((data.orders.began >= moment.end) & (data.orders.began < moment.end + 3600)))
    hours = (moment.end - moment.start) / 3600
    before = np.count_nonzero((data.orders.began >= moment.start) & (data.orders.began < moment.end)) / hours
    if abs(after - before) >= 0.15 * before:
        assert f"{after} an hour, {before:.0f} before" in card.ended
    took = [
        kitchen._hub.ledger(data).account((data.orders.began >= first) & (data.orders.began < first + length))
        for first, length in ((moment.end, 3600), (moment.start, moment.end - moment.start))
    ]
    waits = [one.parts[3] / one.orders / 60 for one in took]
    assert f"food waiting for drivers took {waits[0]:.1f} min ({waits[1]:.1f} before)" in card.ended
    last = kitchen.card("23:30", f"{data.tz.text(data.window.end)}")
    assert last.content.ended == "The range ends here: what ended it is not in it."


@pytest.mark.slow
def test_hostile_texts_are_only_texts_and_notes_are_cut_to_the_page(tmp_path: Path) -> None:
    evil = [{"brand_id": EVIL, "name": "Pho", "price": 12.5, "qty": 2}]
    timeline_of(tmp_path, rows_of(f"{EVIL}|x", WHOLE, items=evil), rows_of("B", {"created": 5.0}))
    opened = twin.open(tmp_path / "events.jsonl")
    place = opened.locations[0]
    timeline = opened.timeline(place.id, place.start, place.end + 1)
    card = card_of(opened, timeline, NOON, NOON + 1800, link="javascript:alert(1)")
    assert card.link == ""
    noted = card.with_notes(f"<script>alert(1)</script>\n# {EVIL}\n[x](javascript:1)\n\n1. one\n" + "y" * 2000)
    html, markdown = card_html(noted), card_markdown(noted)
    assert "<script" not in html
    assert EVIL not in html
    assert html.count("&lt;img src=x") == 2, "of the order and of the note"
    assert not re.search(r"(?<!\\)<(?!http)", markdown)
    assert "\\# \\<img" in markdown
    assert "1\\. one" in markdown
    assert len(noted.notes) <= MOST_NOTES
    assert noted.notes.count("\n") < MOST_LINES
    assert card_png(noted) != card_png(card)
    assert Image.open(io.BytesIO(card_png(noted))).size == (1588, 2246)
    with pytest.raises(ValueError, match="A card is of a time that has begun, between"):
        card_of(opened, timeline, NOON - 7200, NOON)


def test_notes_take_the_room_of_orders_which_are_counted(kitchen: twin.Kitchen) -> None:
    card = kitchen.card("18:00", "19:00").content
    noted = card.with_notes("\n".join("a line of text" for _ in range(20)))
    assert len(noted.worst) < len(card.worst)
    assert len(noted.worst) + noted.more == len(card.worst) + card.more
    assert replace(noted, notes="", worst=card.worst, more=card.more) == card


def test_a_kitchen_without_a_place_has_a_card_without_a_map(tmp_path: Path) -> None:
    timeline_of(tmp_path, rows_of("A", WHOLE, places=False))
    opened = twin.open(tmp_path / "events.jsonl")
    place = opened.locations[0]
    card = card_of(opened, opened.timeline(place.id, place.start, place.end + 1), NOON, NOON + 1800)
    if place.lat is None:
        assert not any(frame.picture for frame in card.frames)
        assert "<img" not in card_html(card)
    assert Image.open(io.BytesIO(card_png(card))).size == (1588, 2246)


def test_a_notebook_has_a_card_of_each_moment_and_the_table_is_as_before(kitchen: twin.Kitchen, tmp_path: Path) -> None:
    moments = kitchen.moments
    assert isinstance(moments, pd.DataFrame)
    assert type(moments[["title"]]) is pd.DataFrame is type(moments[moments["severity"] > 0]) is type(moments.copy())
    assert moments[0].moment == kitchen.insights.moments[0]
    assert moments[-1].moment == kitchen.insights.moments[-1]
    card = moments[0].card(notes="two were ill")
    assert card.content.title == moments["title"].iloc[0]
    for ending, begin in (("html", b"<!doctype html>"), ("md", b"# "), ("png", b"\x89PNG")):
        assert card.save(tmp_path / f"card.{ending}").read_bytes().startswith(begin)
    assert "two were ill" in (tmp_path / "card.md").read_text("utf-8")
    with pytest.raises(ValueError, match=r"\.html, \.md or \.png"):
        card.save(tmp_path / "card.pdf")
    with pytest.raises(IndexError):
        moments[99]
    with pytest.raises(KeyError):
        moments["nothing"]
