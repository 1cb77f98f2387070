"""The JavaScript's own tests, in Node: everything that needs no page."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import twin
from scripts import javascript
from tests.javascript import vectors

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_the_javascript_in_node(demo: Path) -> None:
    node = shutil.which(os.environ.get("NODE", "node"))
    assert node, "the JavaScript is tested in Node: scripts/node installs it, or says what is missing"
    source = twin.open(str(demo))
    place = source.locations[0]
    timeline = source.timeline(place.id, place.start, place.end)
    javascript.write()
    told = {
        "clocks": vectors.clocks(),
        "alignments": vectors.alignments(),
        "windows": vectors.windows(timeline),
        "pins": vectors.pins(timeline),
        "texts": vectors.texts(),
        "filters": vectors.filters(),
        "zones": vectors.zones(),
    }
    assert sum(len(moment["drivers"]) for window in told["windows"] for moment in window["moments"]) > 50
    (javascript.FOLDER / "vectors.json").write_text(json.dumps(told, allow_nan=False), "utf-8")
    files = sorted(str(path.relative_to(ROOT)) for path in HERE.glob("*.test.js"))
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    faults = [part for part in done.stdout.split("# Subtest: ") if "\nnot ok" in part]
    assert done.returncode == 0, "\n".join(faults) + done.stderr[-2000:]
    assert "\n# pass 0\n" not in done.stdout
