"""What a served demo takes: four kitchens, of each of which a browser has shown the page."""

import json
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks import data
from benchmarks.browser import chromium, new_page, open_page
from benchmarks.served import Served, serving
from benchmarks.table import Row, spread
from twin.simulator import write_demo

MOST_BYTES = 500e6
SEEN_MS = 3000
"""Milliseconds for which each page is seen once it is usable: until its tiles are there."""
REST_S = 1.0
"""A server that uses less than a tenth of a core for so long has done all that it does by itself."""


def measure(quick: bool) -> list[Row]:
    """Return the row of a server's resident memory, when the demo is opened for the first time and again."""
    source = data.made("demo", write_demo)
    firsts, again = list[float](), list[float]()
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory() as cache:
            firsts.append(_seen(source, cache))
            again.append(_seen(source, cache))
    most = max(sorted(taken)[len(taken) // 2] for taken in (firsts, again))
    measured = f"{spread(firsts, 'MB')}; the same files again {spread(again, 'MB')}"
    what = "a served demo of four kitchens, each seen in a browser: resident"
    return [Row(what, f"≤ {MOST_BYTES / 1e6:.0f} MB", measured, most <= MOST_BYTES / 1e6, most)]


def _seen(source: Path, cache: str) -> float:
    """Return the megabytes that a server has after the pages of all kitchens were seen and are closed."""
    with serving(source, TWIN_CACHE=cache) as server, chromium() as browser:
        with urllib.request.urlopen(f"{server.address}/api/v1/locations", timeout=60) as answer:
            places = [place["location_name"] for place in json.load(answer)["locations"]]
        for place in places:
            page = new_page(browser)
            open_page(page, server.page(location=place))
            page.wait_for_timeout(SEEN_MS)
            page.context.close()
        _rest(server)
        return server.resident() / 1e6


def _rest(server: Served) -> None:
    used = server.cpu()
    while True:
        time.sleep(REST_S)
        if server.cpu() - used < REST_S / 10:
            return
        used = server.cpu()
