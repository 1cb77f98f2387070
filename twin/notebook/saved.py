"""A replay as one HTML file that plays without server or network.

The browser runs the clock and moves the drivers, in a saved page as in a served one. What the server sends at each tick is
recorded: the views' `show` is called for every step of the range, and each value that differs from the previous step is
stored; recording.js sets it again by time. Requests of views (trips, customers, the orders of a stage) are answered by the
same functions, evaluated once for the whole range. So no figure has a second definition.

Customers' addresses and drivers' pings are left out, and a feed of over `MOST_LINES` lines: files are mailed around.
"""

import base64
import gzip
import json
import re
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from bokeh.core.templates import FILE
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, InlineStyleSheet
from bokeh.models.ui import UIElement
from bokeh.resources import INLINE
from panel.io.resources import CDN_DIST, DIST_DIR
from panel.io.save import file_html
from pyviz_comms import Comm

from twin.analysis.lifecycle import lifecycle
from twin.analysis.wording import BRANDS_SHOWN, brand_names, brands_text, items_text, short_id
from twin.foundation.stages import COMPLETED, STAGE_LABELS, STATES
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.notebook.panes import NotebookReplay, is_dark
from twin.notebook.saved_lists import SAVED_GROUPS, has_feed, lists
from twin.timeline.timeline import Timeline
from twin.views.feed.feed import FeedView
from twin.views.map import answers as map_answers
from twin.views.map import density, messages, wire
from twin.views.map.map import MapFrame
from twin.views.moments.alert import AlertCard
from twin.views.moments.moments import MomentsView
from twin.views.order.order import Expected, OrderView, story_of
from twin.views.order_list.order_list import OrderListView
from twin.views.shared.component import Component, module_source

MOST_BYTES = 15_000_000
"""Largest file that is written: mail servers and a Databricks notebook's `displayHTML` accept some 20 MB."""
MOST_STEPS = 1500
"""Enough for a day in minutes; a longer range is recorded in longer steps."""
STEPS = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds of data between two recorded states, of which the shortest possible is chosen."""
LINKED = re.compile(r'<link rel="stylesheet"[^>]*>')
"""Links to style sheets of other libraries, which Panel adds to every page if they are imported; no view of ours uses them."""
HEADING_CSS = """h1 { margin: 8px 12px 0; font: 650 20px/1.3 var(--tw-font); color: var(--tw-ink); }
small { margin-left: 8px; font-size: 13px; font-weight: 400; color: var(--tw-mute); }"""
SAVED_DENSITIES = ("orders", "waits")
"""Density layers with one picture for the whole range; the others would need one for every minute."""

LISTS_PX = 420
"""Height of the moments and of the order that is selected."""

NEVER = 1e15
"""Stands for an infinite time (seconds), which JSON cannot express."""

MOST_UNFOLDED = 7 * DAY
"""Longest range (seconds) of which what was known of troubles is worked out, in two seconds a day; a longer one is saved
with hindsight."""

FULL_DETAIL = 5000
"""Up to so many orders, trips are simplified to 1 m; with more, to 12 m."""


class Recording(Component):
    """Answers for the server in the browser, from the recording."""

    recording: str = param.String(default="", doc="The recording: JSON, gzipped, base64; see `record`.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("recording.js"))
    _stylesheets: ClassVar[list[Any]] = []


def save(hub: Hub, timeline: Timeline, path: str | Path, playhead: float, step: float | None = None) -> Path:
    """Write a replay of a timeline, opening at `playhead`, to `path`; see `Kitchen.save`."""
    span = timeline.window.end - timeline.window.start
    chosen = step or next((width for width in STEPS if span <= width * MOST_STEPS), span / MOST_STEPS)
    if not span / MOST_STEPS <= chosen:
        raise ValueError(
            f"At most {MOST_STEPS:,} steps are recorded: choose a step of at least {span / MOST_STEPS:.0f} s."
        )
    with pn.config.set(design=None):  # importing Material UI sets its design, which loads scripts from a server
        replay = NotebookReplay(hub, timeline)
        if span <= MOST_UNFOLDED:
            replay.unfold()
        else:
            replay.controller.set_hindsight(True)
        page = replay.dashboard(feed=False)
        orders = OrderListView(replay.controller, active=False)
        page.append(_lists(replay, orders))
        for alert in page.select(AlertCard):
            alert.only_hindsight = span > MOST_UNFOLDED
        views = [view for view in page.select(Component) if view.clock]
        for frame in page.select(MapFrame):
            frame.densities = list(SAVED_DENSITIES)
        recorded = record(replay, views, chosen)
        replay.controller.seek(playhead)
        orders.active = (
            True  # not before: its orders are not recorded by the minute, the browser has them from `spells`
        )
        recorded["stories"] = stories(timeline, replay)
        player = Recording(width=0, height=0, margin=0, recording=_packed(recorded))
        player.join(replay.controller)
        page.insert(0, player)  # before the views that send requests to it
        page.insert(1, _heading(timeline))
        made = _html(page, f"{timeline.location.label} · Casper’s Kitchens")
    if len(made) > MOST_BYTES:
        raise ValueError(
            f"The file would have {len(made) / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}: save a shorter range."
        )
    target = Path(path)
    target.write_bytes(made)
    return target


def record(replay: NotebookReplay, views: list[Component], step: float) -> dict[str, Any]:
    """Return as plain JSON what the server would send over a replay's range: the changes of its views, and `answers`.

    changes: by view's key and Param, [[step number, value], …] where the value differs from the previous step's.
    """
    timeline = replay.timeline
    start, end = timeline.window.start, timeline.window.end
    changes: dict[str, dict[str, list[list[Any]]]] = {}
    latest = {(view, name): None for view in views for name in _recorded_params(view)}
    for number, t in enumerate(np.arange(start, end + step, step).tolist()):
        replay.controller.seek(min(t, end))  # the session then calls every view's `show` at once
        for view, name in latest:
            value = getattr(view, name)
            if number == 0 or value != latest[view, name]:
                latest[view, name] = value
                changes.setdefault(key_of(view), {}).setdefault(name, []).append([number, value])
    changing = {
        view: {name: values for name, values in of_view.items() if len(values) > 1} for view, of_view in changes.items()
    }
    return {
        "start": start,
        "step": step,
        "changes": {view: of_view for view, of_view in changing.items() if of_view},
        **answers(timeline),
        "lists": lists(timeline, replay.controller.settings),
    }


def answers(timeline: Timeline) -> dict[str, Any]:
    """Return the answers to the views' requests, valid for the whole range.

    motion: all trips, as one window. pins: the customers of each state. spells: by state, the orders listed in it, see
    `spells`. By order row, places: where it is on the map; words: its texts, see `_order_texts`.
    """
    start, end = timeline.window.start, timeline.window.end
    orders = timeline.orders
    among = (orders.first < end) & (orders.last >= timeline.tz.midnight(start))
    among[timeline.membership.between(start, end).order] = True  # also orders without an event today that stalled today
    rows = np.flatnonzero(among)
    speed = messages.COARSE_FROM if len(rows) > FULL_DETAIL else 1.0
    trips = messages.window_message(timeline.motion(start - wire.FADE_S, end), orders, speed)
    pins = {
        state: map_answers.stage_message(timeline, state, start, end) for state in STATES if state != "out_for_delivery"
    }
    return {
        "motion": _plain(trips),
        "pins": {state: _plain(message) for state, message in pins.items()},
        "spells": spells(timeline, rows),
        "places": {str(row): map_answers.place_message(timeline, row) for row in rows.tolist()},
        "words": {str(row): _order_texts(timeline, row) for row in rows.tolist()},
        "labels": STAGE_LABELS,
        "densities": _densities(timeline),
    }


def stories(timeline: Timeline, replay: NotebookReplay) -> dict[str, Any]:
    """Return by row what the order panel shows of each order that began in the range, without its address."""
    insights, settings = replay.controller.insights, replay.controller.settings
    baseline = None if insights is None else insights.baseline
    window, began = timeline.window, timeline.orders.began
    expected = None
    if baseline is not None and baseline.history is not None:
        expected = Expected.of(timeline, baseline, settings.delivery_target_s)
    told: dict[str, Any] = {}
    for row in np.flatnonzero((began >= window.start) & (began < window.end)).tolist():
        life = lifecycle(timeline, row)
        life = replace(life, order=replace(life.order, address=""))
        story = story_of(timeline, life, settings.delivery_target_s, settings.late_after_s, baseline, expected)
        told[str(row)] = story | {"facts": [fact for fact in story["facts"] if fact["label"] != "Address"]}
    return told


def _lists(replay: NotebookReplay, orders: OrderListView) -> pn.Column:
    """Return the moments, the order that is selected, the orders, and the events unless they are too many."""
    controller = replay.controller
    rows = [[replay.shown(MomentsView(controller)), replay.shown(OrderView(controller))], [replay.shown(orders)]]
    if has_feed(replay.timeline, controller.settings):
        feed = replay.shown(FeedView(controller))
        feed.groups = [group for group in feed.groups if group[0] in SAVED_GROUPS]
        rows[1].insert(0, feed)
    for view in (view for row in rows for view in row):
        view.param.update(height=LISTS_PX, sizing_mode="stretch_width")
    shown = (pn.Row(*row, sizing_mode="stretch_width", margin=(8, 0)) for row in rows)
    return pn.Column(*shown, sizing_mode="stretch_width", margin=0)


def _densities(timeline: Timeline) -> dict[str, Any]:
    theme = "dark" if is_dark() else "light"
    return {
        kind: density.message(timeline, kind, density.USUAL_MINUTES, timeline.window.end, theme)
        for kind in SAVED_DENSITIES
    }


def spells(timeline: Timeline, rows: Any) -> dict[str, list[list[float]]]:
    """Return by state when each of the orders `rows` is listed in it: [row, begin, until, since].

    `since` is when the order entered the state, which the list shows; it is before `begin` if it stalled and resumed.
    """
    window, enter = timeline.window, timeline.orders.enter
    found: dict[str, list[list[float]]] = {}
    for number, state in enumerate(STATES):
        some = timeline.membership.between(window.start, window.end, state)
        chosen = np.isin(some.order, rows)
        order, begin, end = some.order[chosen], some.begin[chosen], some.end[chosen]
        since = enter[number, order] if number < COMPLETED else begin
        until = np.where(np.isfinite(end), end, NEVER)
        found[state] = [
            list(row) for row in zip(*(part.tolist() for part in (order, begin, until, since)), strict=True)
        ]
    return found


def key_of(view: Component) -> str:
    """Return a view's name in the browser, its `class_name`; a saved page has one view of each class."""
    return type(view).__name__


def _recorded_params(view: Component) -> list[str]:
    """Return the Params that are recorded: plain values that the view shows, neither clock nor selection."""
    own = set(type(view).param) - set(Component.param)
    return sorted(name for name in own if isinstance(getattr(view, name), str | int | float | list | dict))


def _order_texts(timeline: Timeline, row: int) -> dict[str, Any]:
    orders = timeline.orders
    items = orders.items(row)
    brands = brand_names(items)
    whole = float(orders.delivered[row] - orders.created[row])
    name = str(orders.ids[row].as_py())
    return {
        "id": short_id(name),
        "name": name,
        "basket": ", ".join(brands[:BRANDS_SHOWN]),
        "items": items_text(items, ", ".join(brands)),
        "brands": brands_text(brands),
        "words": "\n".join(dict.fromkeys([*(item.name for item in items), *brands])).lower(),
        "began": float(orders.began[row]),
        "delivered": float(orders.delivered[row]) if np.isfinite(orders.delivered[row]) else None,
        "dated": bool(np.isfinite(orders.created[row])),
        "address": "",
        "whole": whole if np.isfinite(whole) else None,
    }


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "packed": base64.b64encode(message["packed"].tobytes()).decode()}


def _packed(recorded: dict[str, Any]) -> str:
    text = json.dumps(recorded, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _heading(timeline: Timeline) -> pn.pane.HTML:
    """Return what the page is about: the kitchen and the range, which no pane says."""
    zone, window = timeline.tz, timeline.window
    name = escape(timeline.location.label)
    span = escape(f"{zone.text(window.start)} – {zone.text(window.end)}")
    text = f'<h1 data-testid="saved-kitchen">{name} <small>{span}</small></h1>'
    return pn.pane.HTML(text, stylesheets=[HEADING_CSS], sizing_mode="stretch_width", margin=(0, 0, 8, 0))


def _html(page: pn.Column, title: str) -> bytes:
    """Return the page with every script and style sheet in it."""
    document = Document()
    root = page.get_root(document, Comm())
    for model in root.select({"type": UIElement}):
        assert isinstance(model, UIElement)
        model.stylesheets = [_inlined(sheet) for sheet in model.stylesheets]
    made = file_html(root, INLINE, title=title, template=FILE, template_variables={})
    head, script, rest = made.partition("<script")
    made = LINKED.sub("", head) + script + rest
    theme = "dark" if is_dark() else "light"
    return made.replace("<html", f'<html data-theme="{theme}"', 1).encode()


def _inlined(sheet: Any) -> Any:
    """Return a style sheet inline if it is Panel's own, which it links to a CDN; any other unchanged."""
    if not isinstance(sheet, ImportedStyleSheet) or not sheet.url.startswith(CDN_DIST):
        return sheet
    name = sheet.url.removeprefix(CDN_DIST).partition("?")[0]
    return InlineStyleSheet(css=(DIST_DIR / name).read_text("utf-8"))
