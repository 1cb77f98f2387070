"""A saved page's feed and list of orders answer in the browser what the served ones answer in Python."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twin
from scripts import javascript
from twin.foundation.stages import STATES
from twin.notebook.saved import answers
from twin.notebook.saved_lists import lists
from twin.replay.controller import ReplayController
from twin.views.feed.feed import FeedView
from twin.views.order_list.order_list import OrderListView

ROOT = Path(__file__).parents[2]
QUERIES = ("", "types=driver,problem", "only", "text=Pho", "types=problem;text=burger")
SORTS = ("since", "-since", "age", "-age", "stage", "-stage", "id", "-id")
SCRIPT = """
import { readFileSync } from "node:fs";
import { SavedLists } from "%s/twin/notebook/saved_lists.js";
const { recording, questions } = JSON.parse(readFileSync("%s", "utf8"));
const within = (state, t) => (recording.spells[state] ?? []).filter(([, from, until]) => from <= t && t < until);
const lists = new SavedLists(recording, within);
const answer = ({ page, orders }) => page ? lists.page(page) : (lists.forget(), lists.orders(...orders));
console.log(JSON.stringify(questions.map(answer)));
"""


@pytest.mark.slow
def test_every_page_of_the_feed_and_every_list_is_what_the_server_answers(demo: Path, tmp_path: Path) -> None:
    hub = twin.open(demo)
    timeline = hub.timeline("sanfrancisco", "2025-10-16 17:00", "2025-10-16 21:00")
    controller = ReplayController(timeline, settings=hub.settings)
    feed, orders, random = FeedView(controller), OrderListView(controller), np.random.default_rng(5)
    window = timeline.window
    questions: list[dict[str, Any]] = []
    expected: list[dict[str, Any]] = []
    for number, t in enumerate(random.uniform(window.start, window.end, 40).round(1).tolist()):
        stage = ["", *STATES][number % 8]
        page = {
            "query": QUERIES[number % 5],
            "stage": stage if number % 3 else "",
            "row": int(random.integers(300)),
            "t": t,
        }
        page |= {"serial": number, "version": 1} | ({"first": int(random.integers(400))} if number % 4 == 0 else {})
        questions.append({"page": page})
        expected.append({"tell": "feed", "serial": number, **feed._page(timeline, page), "version": 1})
        controller.selection.filter(stage if stage != controller.selection.stage else "")
        orders.sort = SORTS[number % 8]
        orders.reset()
        orders.show(timeline.at(t))
        controller.seek(t)
        questions.append({"orders": [t, controller.selection.stage, orders.sort]})
        expected.append(dict(orders.__panel__().state))
    recording = {**answers(timeline), "lists": lists(timeline, hub.settings)}
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"recording": recording, "questions": questions}, allow_nan=False), "utf-8")
    made = _answers(SCRIPT % (ROOT, given))
    for question, one, other in zip(questions, made, expected, strict=True):
        assert _comparable(one) == _comparable(json.loads(json.dumps(other))), question
    assert sum(one["total"] > 0 for one in made if "total" in one) > 20
    assert sum(len(one["rows"]) > 0 for one in made if "stages" in one) > 20


def _answers(script: str) -> list[dict[str, Any]]:
    javascript.write()
    node = shutil.which(os.environ.get("NODE", "node"))
    assert node
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its rows read, and texts by order: which of them are new depends on what was told before."""
    if "texts" not in answer:
        return {**answer, "rows": json.loads(answer["rows"])}
    texts = answer["texts"]
    rows = {row: [values[i] for values in texts.values()] for i, row in enumerate(texts["row"])}
    return {**answer, "texts": rows, "since": [round(since, 1) for since in answer["since"]]}
