"""Mutated event files: each opens with every row accounted for, or is refused with one sentence; the process lives."""

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.mutations import FORMATS, MUTATIONS

SEEDS = int(os.environ.get("TWIN_FUZZ_SEEDS", "1"))
"""Files made by each mutation of each format; more take longer and find more: `make soak` has ten."""
MEMORY = 768 << 20
"""Bytes that the process may take, its libraries included."""
BOUNDED_S = 300 * SEEDS
"""Seconds after which the run counts as stuck, on however busy a machine."""

Outcomes = dict[str, dict[str, Any]]


def opened(paths: Sequence[str], **environment: str) -> tuple[Outcomes, int]:
    """Open sources one after the other in a process of its own; return their outcomes and its most memory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.opening"], input="\n".join(paths), capture_output=True, text=True,
        timeout=BOUNDED_S, env={**os.environ, "TWIN_MEMORY": f"{MEMORY >> 20}MB", **environment},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        raise AssertionError(f"the process ended ({done.returncode}) at {lines[-1:]}: {done.stderr[-2_000:]}")
    return {line["path"]: line for line in lines if "path" in line}, lines[-1]["peak"]


@pytest.fixture(scope="module")
def mutated(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """The outcomes of all mutated files, by their paths."""
    folder = tmp_path_factory.mktemp("mutated")
    paths = []
    for form, make in FORMATS.items():
        data = make()
        for name, mutation in MUTATIONS.items():
            for seed in range(SEEDS):
                path = folder / form / f"{name.replace(' ', '-')}-{seed}" / f"events.{form}"
                path.parent.mkdir(parents=True)
                path.write_bytes(mutation(data, random.Random(f"{form} {name} {seed}")))
                paths.append(str(path))
    outcomes, peak = opened(paths)
    assert peak < MEMORY
    return outcomes


@pytest.mark.soak
@pytest.mark.parametrize("form", FORMATS)
def test_a_mutated_file_opens_with_all_rows_accounted_for_or_is_refused_in_a_sentence(
    mutated: Outcomes, form: str
) -> None:
    mine = {path: outcome for path, outcome in mutated.items() if path.endswith(f"/events.{form}")}
    assert len(mine) == len(MUTATIONS) * SEEDS
    for path, outcome in mine.items():
        if "refused" in outcome:
            sentence = outcome["refused"].replace(path, "SOURCE")
            assert sentence.endswith("."), path
            assert len(sentence) < 600, path
            assert not any(sign in sentence for sign in ("\n", "/", "nobody foresaw", "Error")), f"{path}: {sentence}"
        else:
            assert "fault" not in outcome, f"{path}: {outcome['fault']}"
            assert outcome["used"] + sum(outcome["rejected"].values()) == outcome["read"], path
            assert outcome["used"] > 0, path


def test_of_lines_that_are_doubled_left_out_or_torn_all_are_counted(tmp_path: Path) -> None:
    expected = {}
    for form in ("csv", "tsv", "jsonl", "csv.gz", "jsonl.gz"):
        data = FORMATS[form]()
        head, *lines = (gzip.decompress(data) if form.endswith("gz") else data).splitlines()
        for seed in range(SEEDS):
            chosen = random.Random(seed).choices([*lines, b"", b"x", b"{"], k=80)
            text = b"\n".join([head, *chosen]) + b"\n"
            path = tmp_path / f"{seed}-{form}" / f"events.{form}"
            path.parent.mkdir()
            path.write_bytes(gzip.compress(text) if form.endswith("gz") else text)
            expected[str(path)] = sum(map(bool, chosen)) + form.startswith("json")
    outcomes, _ = opened(list(expected))
    assert {path: outcome.get("read") for path, outcome in outcomes.items()} == expected
