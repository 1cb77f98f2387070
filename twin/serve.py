"""The server's side of the product: one source per process, shared by every session, and the command that serves it.

A page asks `current()`; under `twin serve` the source was opened before the port, under a plain `panel serve
dashboards/*.py` it opens with the first page.
"""

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import twin
from twin import api
from twin.errors import SourceError, TwinError
from twin.render.streets import Streets
from twin.render.tiles import TileSet, warm
from twin.show import Show, scenefile
from twin.twin import Twin

DASHBOARDS = Path(__file__).resolve().parent.parent / "dashboards"
MOST_TILESETS = 32
"""Base maps kept ready per process; their pictures are capped by bytes in the renderer's own cache."""

_lock = threading.Lock()
_twin: Twin | None = None
_failure: TwinError | None = None
_stage = ""
_tilesets: OrderedDict[str, TileSet] = OrderedDict()


def current() -> Twin:
    """Return the process's open source, opening what TWIN_SOURCE names (else the demo) at the first call.

    Raises the `TwinError` that opening ended with; the next call tries again.
    """
    global _twin, _failure
    with _lock:
        if _twin is None:
            try:
                _twin = twin.open(progress=_say)
            except TwinError as error:
                _failure = error
                raise
            _failure = None
            # a plain `panel serve` did not warm up: the renderer compiles while the first page is being drawn
            threading.Thread(target=warm, name="warm-tiles", daemon=True).start()
        return _twin


def is_open() -> bool:
    """Return whether the source is open, so that `current` answers at once."""
    return _twin is not None


def stage() -> str:
    """Return what opening the source is at, in words; "" before it begins."""
    return _stage


def tileset(location: str) -> TileSet:
    """Return a location's base map. Raises `UnknownLocationError`."""
    source = current()
    source.location(location)
    with _lock:
        if location not in _tilesets:
            _tilesets[location] = TileSet(Streets(*source.streets(location)))
            while len(_tilesets) > MOST_TILESETS:
                _tilesets.popitem(last=False)
        _tilesets.move_to_end(location)
        return _tilesets[location]


def has_tileset(location: str) -> bool:
    """Return whether a location's base map is ready, so that `tileset` answers at once."""
    return location in _tilesets


def script(source: Twin) -> Show | None:
    """Return the rehearsed show that TWIN_SCENES names, None where it names none. Raises `ConfigError`."""
    path = os.environ.get("TWIN_SCENES")
    return scenefile.load(path, source) if path else None


def health() -> str | None:
    """Return what keeps the page from being served, None when nothing does."""
    return None if _failure is None else str(_failure)


api.set_source(current)
api.set_tilesets(tileset)
api.set_health(health)


def serve(source: str | None, address: str, port: int, others: Sequence[str] = (), scenes: str | None = None) -> None:
    """Open the source, then run `panel serve` on the dashboards until interrupted; `others` are its own options.

    `scenes` is a file of scenes that wall screens show unless their address asks for a tour of its own.
    """
    from panel.command import main

    if not DASHBOARDS.is_dir():
        raise SourceError(f"There are no pages to serve: {DASHBOARDS} is missing. Run `twin serve` from a checkout.")
    if source:
        os.environ["TWIN_SOURCE"] = source
    if scenes:
        os.environ["TWIN_SCENES"] = str(Path(scenes).resolve())
    os.environ.setdefault("BOKEH_RESOURCES", "server")  # every asset from this server, none from a CDN
    opened = current()
    script(opened)  # what is wrong in it is said now, not on the wall
    _warm(opened)
    pages = [str(page) for page in sorted(DASHBOARDS.glob("*.py"))]
    print(
        f"Open http://{'localhost' if address in ('0.0.0.0', '127.0.0.1') else address}:{port}/ (Ctrl+C stops)",
        flush=True,
    )
    options = ["--address", address, "--port", str(port), "--index", "operations", "--plugins", "twin.api"]
    options += [
        "--unused-session-lifetime",
        "60000",
        "--exclude-headers",
        "Authorization",
        "Cookie",
        "X-Forwarded-Access-Token",
    ]
    sys.argv = ["panel", "serve", *pages, *options, *others]
    main()


def _warm(source: Twin) -> None:
    """Compile what is compiled at its first use, so that the first page does not wait for it."""
    _say("Warming up", 0.9)
    warm()
    first = source.timeline(source.locations[0].id)
    first.at(first.busiest())
    tileset(first.location.id)
    from twin.views.mapfigure import build_figure  # the page's modules, and the first figure that GeoViews draws
    from twin.views.operations import operations_page  # noqa: F401

    build_figure()
    # what aggregates read from is made beside the first page, not in front of it
    threading.Thread(target=partial(source.source.ask, "capacity", location=first.location.id), daemon=True).start()


def _say(message: str, share: float) -> None:
    global _stage
    _stage = message
    print(f"{message} … {share:.0%}", flush=True)
