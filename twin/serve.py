"""Serves the dashboards: opens the source, then runs `panel serve` on the pages."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from panel.command.serve import Serve

from twin.foundation import memory
from twin.foundation.errors import ForeignColumnsError, SourceError
from twin.foundation.settings import Settings
from twin.hub import Hub
from twin.pages.few_models import models_url
from twin.pages.operations.operations import operations_page  # noqa: F401  # the page's modules, imported before the first page
from twin.render.tiles import warm
from twin.server import otlp
from twin.server.guard import use_own_keys
from twin.server.hosting import opening_words
from twin.server.limits import apply_limits
from twin.server.process import process
from twin.views.map.figure import build_figure
from twin.views.shared import drawn

APPS = Path(__file__).resolve().parent / "pages" / "apps"
"""The scripts for `panel serve`. They are package data, so that an installed wheel has them, too."""


def serve(
    source: str | None,
    address: str,
    port: int,
    others: Sequence[str] = (),
    scenes: str | None = None,
    adapter: Path | None = None,
) -> None:
    """Open the source, then run `panel serve` on the pages until interrupted; `others` are further options of `panel serve`.

    `scenes` is the scene file of the wall screens' show; a screen's address can choose a tour instead.
    """
    settings = Settings.from_environment()
    show = Path(scenes).resolve() if scenes else settings.scenes
    chosen = adapter or settings.adapter
    process.configure(replace(settings, source=source or settings.source, scenes=show, adapter=chosen))
    # every asset from this server, none from a CDN; Bokeh and Panel read this from the environment only
    os.environ.setdefault("BOKEH_RESOURCES", "server")  # noqa: TID251
    # Bokeh looks through every session's models for what a developer may have got wrong
    os.environ.setdefault("BOKEH_VALIDATE_DOC", "no")  # noqa: TID251
    drawing = threading.Thread(target=drawn.prepare, args=(process.settings,), name="prepare-figures", daemon=True)
    drawing.start()  # another process draws them while the source is opened
    try:
        hub = None if process.settings.on_behalf_of_user else process.hub()  # else nobody's rights are known yet
    except ForeignColumnsError as error:  # the page at /adapt finds out what they mean, and opens it
        print(f"twin: {error}\nThe page at /adapt shows what they probably mean.", file=sys.stderr, flush=True)
    except SourceError as error:
        if process.settings.inbox is None or process.inbox().has_events:
            raise
        print(f"twin: {error}", file=sys.stderr, flush=True)  # the first events open it
        warm()
    else:
        if hub is None:
            warm()
        else:
            process.rehearsed_show(hub)  # an invalid scene file fails here, not on the wall screens
            _warm(hub)
    drawing.join()
    build_figure()
    memory.release()
    pages = [str(page) for page in sorted(APPS.glob("*.py"))]
    print(opening_words(address, port, process.settings), flush=True)
    options = ["--address", address, "--port", str(port), "--index", "operations", "--plugins", "twin.api"]
    options += ["--unused-session-lifetime", "60000"]
    apply_limits()
    otlp.start(process.settings)
    parser = argparse.ArgumentParser(prog="twin serve")
    command = Serve(parser)
    given = parser.parse_args([*pages, *options, *others])
    use_own_keys(given.cookie_secret)
    memory.keep()
    command.invoke(given)


def _warm(hub: Hub) -> None:
    """Trigger compilation and caches before the first page, which would otherwise wait for them."""
    process.report("Warming up", 0.9)
    warm()
    first = hub.timeline(hub.locations[0].id)
    first.at(first.busiest())
    process.tileset(hub, first.location.id)
    models_url()
    # the first aggregate query prepares a table; in a thread, it does not delay the first page
    threading.Thread(target=partial(hub.source.query, "capacity", location=first.location.id), daemon=True).start()
