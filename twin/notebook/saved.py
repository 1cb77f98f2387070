"""A replay as one HTML file that plays without server or network.

The browser runs the clock and moves the drivers by itself, in a saved page as in a served one. What a served page is told
at its ticks is recorded: the views' own `show` is asked for every step of the range, and what it would have sent is kept
where it differs from the step before; recording.js sets it again by time. What a view asks (trips, customers, the orders of
a stage) is answered from the same functions' answers for the whole range. So there is no second definition of any figure.

Left out are the event feed, one order's life, and customers' addresses: a file that is mailed around needs none of them.
"""

import base64
import gzip
import json
import re
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

from twin.analysis.wording import short_id
from twin.foundation.stages import COMPLETED, STAGE_LABELS, STATES
from twin.foundation.times import midnight
from twin.hub import Hub
from twin.notebook.panes import Replay, is_dark
from twin.timeline.timeline import Timeline
from twin.views.map import answers as map_answers
from twin.views.map import density, messages, wire
from twin.views.map.map import MapFrame
from twin.views.shared.component import Component, module_source

MOST_BYTES = 15_000_000
"""A larger file is refused: mail servers take some 20 MB, as does a Databricks notebook's `displayHTML`."""
MOST_STEPS = 1500
"""A day in minutes; a longer range is recorded in longer steps."""
STEPS = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds of data between two recorded states."""
LINKED = re.compile(r'<link rel="stylesheet"[^>]*>')
"""Style sheets of other libraries that are imported somewhere: Panel names them on every page; no view of ours uses them."""
SAVED_DENSITIES = ("orders", "waits")
"""Layers of density whose picture is the same for the whole range; the others would need one for every minute."""

NEVER = 1e15
"""A time after all others, seconds: JSON has no infinity."""

FULL_DETAIL = 5000
"""Up to so many orders, trips keep every turn (1 m); beyond, they are simplified to 12 m."""


class Recording(Component):
    """What stands in for the server in the browser."""

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
    with pn.config.set(design=None):  # Material UI's, in force since its import, would load its scripts from a server
        replay = Replay(hub, timeline)
        page = replay.dashboard(feed=False)
        views = [view for view in page.select(Component) if view.clock]
        for frame in page.select(MapFrame):
            frame.densities = list(SAVED_DENSITIES)
        recorded = record(replay, views, chosen)
        replay.controller.seek(playhead)
        player = Recording(width=0, height=0, margin=0, recording=_packed(recorded))
        player.join(replay.controller)
        page.insert(0, player)  # before those who ask
        made = _html(page, f"{timeline.location.display_name} · Casper’s Kitchens")
    if len(made) > MOST_BYTES:
        raise ValueError(
            f"The file would have {len(made) / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}: save a shorter range."
        )
    target = Path(path)
    target.write_bytes(made)
    return target


def record(replay: Replay, views: list[Component], step: float) -> dict[str, Any]:
    """Return what the views of a replay are told over its range, and what they are answered, as plain JSON.

    changes: by view's key and Param, [[step number, value], …] where the value differs from the one before.
    """
    timeline = replay.timeline
    start, end = timeline.window.start, timeline.window.end
    changes: dict[str, dict[str, list[list[Any]]]] = {}
    kept = {(view, name): None for view in views for name in _told(view)}
    for number, t in enumerate(np.arange(start, end + step, step).tolist()):
        replay.controller.seek(min(t, end))  # the session shows this moment in every view at once
        for view, name in kept:
            value = getattr(view, name)
            if number == 0 or value != kept[view, name]:
                kept[view, name] = value
                changes.setdefault(key_of(view), {}).setdefault(name, []).append([number, value])
    changing = {
        view: {name: values for name, values in of_view.items() if len(values) > 1} for view, of_view in changes.items()
    }
    return {
        "start": start,
        "step": step,
        "changes": {view: of_view for view, of_view in changing.items() if of_view},
        **answers(timeline),
    }


def answers(timeline: Timeline) -> dict[str, Any]:
    """Return the answers to what views ask, for all moments of the range.

    motion: all trips, one window. pins: the customers of each state. spells: by state, the orders listed in it,
    see `spells`. places: where each order belongs; words: what is said of it, by row.
    """
    start, end = timeline.window.start, timeline.window.end
    orders = timeline.orders
    among = (orders.first < end) & (orders.last >= midnight(start))
    among[timeline.membership.between(start, end).order] = True  # also who stalled today, silent since yesterday
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
        "words": {str(row): _words(timeline, row) for row in rows.tolist()},
        "labels": STAGE_LABELS,
        "densities": _densities(timeline),
    }


def _densities(timeline: Timeline) -> dict[str, Any]:
    theme = "dark" if is_dark() else "light"
    return {
        kind: density.message(timeline, kind, density.USUAL_MINUTES, timeline.window.end, theme)
        for kind in SAVED_DENSITIES
    }


def spells(timeline: Timeline, rows: Any) -> dict[str, list[list[float]]]:
    """Return by state when each of some orders (row numbers) is listed in it: [row, begin, until, since].

    `since` is what the list says: when it entered the state, which is before `begin` where it stalled and went on.
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
    """Return how the browser knows a view, of which a saved page has one of each kind: its `class_name`."""
    return type(view).__name__


def _told(view: Component) -> list[str]:
    """Return the Params by which Python tells a view what to show: plain values, neither clock nor selection."""
    own = set(type(view).param) - set(Component.param)
    return sorted(name for name in own if isinstance(getattr(view, name), str | int | float | list | dict))


def _words(timeline: Timeline, row: int) -> dict[str, Any]:
    orders = timeline.orders
    items = orders.items(row)
    brands = list(dict.fromkeys(item.brand for item in items if item.brand))
    count = int(sum(item.qty for item in items))
    whole = float(orders.delivered[row] - orders.created[row])
    name = str(orders.ids[row].as_py())
    return {
        "id": short_id(name),
        "name": name,
        "basket": ", ".join(brands[:2]),
        "items": f"{count} item{'s' * (count != 1)} from {', '.join(brands)}" if count else "",
        "address": "",
        "whole": whole if np.isfinite(whole) else None,
    }


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "packed": base64.b64encode(message["packed"].tobytes()).decode()}


def _packed(recorded: dict[str, Any]) -> str:
    text = json.dumps(recorded, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


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
    """Return a style sheet of Panel's, which it addresses at its CDN, as text."""
    if not isinstance(sheet, ImportedStyleSheet) or not sheet.url.startswith(CDN_DIST):
        return sheet
    name = sheet.url.removeprefix(CDN_DIST).partition("?")[0]
    return InlineStyleSheet(css=(DIST_DIR / name).read_text("utf-8"))
