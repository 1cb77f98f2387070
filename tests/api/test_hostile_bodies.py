"""No byte leaves the API that a strict parser refuses, whatever the record holds: over HTTP, every endpoint and the stream."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import twin
from tests import hostile_bodies as hostile
from tests.api.serving import fetch
from tests.fuzz.readers import strictly
from tests.raw_orders import WHOLE, rows_of
from twin.api.endpoints import BASE, ENDPOINTS
from twin.server.process import process

pytestmark = pytest.mark.slow

RANGE = "start=2025-10-16T00:00:00Z&end=2025-10-17T00:00:00Z"
NODE = """
let count = 0;
for (const line of require("fs").readFileSync(0, "utf8").split("\\n")) if (line) JSON.parse(line), count++;
console.log(count);
"""


@pytest.fixture(scope="module")
def odd_server(routes: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The routes, telling of a record in which every field holds every odd value."""
    process.use(twin.open(hostile.write(hostile.record(), tmp_path_factory.mktemp("hostile") / "events.jsonl")))
    yield routes
    process.use(None)


def test_a_kitchen_and_an_order_with_long_ids_are_found(routes: str, tmp_path: Path) -> None:
    """What is listed can be asked for, whatever a system writes where others have a short id."""
    kitchen, order = "Second Floor, Rear Entrance, " * 20 + "Köln", "order " * 100 + "1"
    rows = [{**row, "location": kitchen} for row in rows_of(order, WHOLE)]
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    process.use(twin.open(path))
    try:
        (listed,) = json.loads(fetch(routes + BASE + "/locations").body)["locations"]
        assert listed["location_name"] == kitchen
        for endpoint in ENDPOINTS:
            address = endpoint.path.format(location=quote(kitchen, safe=""), order_id=quote(order, safe=""))
            assert fetch(f"{routes}{BASE}{address}").status == 200, endpoint.name
    finally:
        process.use(None)


def test_every_answer_is_strict_json(odd_server: str) -> None:
    texts = []
    for endpoint in ENDPOINTS:
        address = odd_server + BASE + endpoint.path.format(location="sf", order_id="odd-3")
        ranged = "start" in endpoint.query.model_fields
        answer = fetch(f"{address}?{RANGE}" if ranged else address)
        assert answer.status == 200, endpoint.name
        texts.append(answer.body.decode())
    cursor = ""
    while cursor is not None:  # every event
        page = fetch(f"{odd_server}{BASE}/locations/sf/events?{RANGE}&limit=1000{cursor}")
        assert page.status == 200
        texts.append(page.body.decode())
        following = strictly(texts[-1])["next_cursor"]
        cursor = None if following is None else f"&cursor={following}"
    stream = fetch(f"{odd_server}{BASE}/locations/sf/replay?{RANGE}&speed=0").body.decode()
    for line in stream.split("\n"):
        assert line.partition(": ")[0] in ("event", "id", "data", "retry", ""), line[:100]
        if line.startswith("data: "):
            texts.append(line.removeprefix("data: "))
    assert len(texts) > 5_000
    for text in texts:
        assert "\n" not in text
        strictly(text)
    node = shutil.which(os.environ.get("NODE", "node"))
    assert node, "a browser's JSON.parse is tried in Node: scripts/node installs it, or says what is missing"
    done = subprocess.run(
        [node, "-e", NODE], input="\n".join(texts), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (str(len(texts)), "")
