"""The command that serves the product: opens the source, then runs `panel serve` on the pages."""

import argparse
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from panel.command.serve import Serve

from twin.foundation.settings import Settings
from twin.hub import Hub
from twin.pages.operations.operations import operations_page  # noqa: F401  # the page's modules, imported before the first page
from twin.render.tiles import warm
from twin.server.process import process
from twin.views.map.figure import build_figure

APPS = Path(__file__).resolve().parent / "pages" / "apps"
"""The scripts that `panel serve` takes, as package data: an installed wheel has them, too."""


def serve(source: str | None, address: str, port: int, others: Sequence[str] = (), scenes: str | None = None) -> None:
    """Open the source, then run `panel serve` on the pages until interrupted; `others` are its own options.

    `scenes` is a file of scenes that wall screens show unless their address asks for a tour of its own.
    """
    settings = Settings.from_environment()
    show = Path(scenes).resolve() if scenes else settings.scenes
    process.configure(replace(settings, source=source or settings.source, scenes=show))
    # every asset from this server, none from a CDN: Bokeh's and Panel's own variable, which they read from nowhere else
    os.environ.setdefault("BOKEH_RESOURCES", "server")  # noqa: TID251
    hub = process.hub()
    process.rehearsed_show(hub)  # what is wrong in it is said now, not on the wall
    _warm(hub)
    pages = [str(page) for page in sorted(APPS.glob("*.py"))]
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
    parser = argparse.ArgumentParser(prog="twin serve")
    command = Serve(parser)
    command.invoke(parser.parse_args([*pages, *options, *others]))


def _warm(hub: Hub) -> None:
    """Compile what is compiled at its first use, so that the first page does not wait for it."""
    process.report("Warming up", 0.9)
    warm()
    first = hub.timeline(hub.locations[0].id)
    first.at(first.busiest())
    process.tileset(first.location.id)
    build_figure()
    # what aggregates read from is made beside the first page, not in front of it
    threading.Thread(target=partial(hub.source.query, "capacity", location=first.location.id), daemon=True).start()
