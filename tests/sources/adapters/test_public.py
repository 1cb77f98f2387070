"""The first guess on shapes of public records: nine columns of ten right, and none wrong that is called sure."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from tests.sources.adapters import public
from twin.sources.adapters.adapt import Adaptation
from twin.sources.adapters.guess import Choices, Guess, Proposal
from twin.sources.adapters.mapping import MILESTONES

pytestmark = pytest.mark.slow

RIGHT = 0.9


def proposed(folder: Path, name: str) -> tuple[public.Record, Proposal]:
    record = public.RECORDS[name](random.Random(name))
    # what is asked is answered, and is no matter of guessing
    choices = Choices(day=date(2024, 3, 1), year=2024, day_first={"": name != "meters"})
    with closing(Adaptation(str(record.write(folder)))) as adaptation:
        return record, adaptation.propose(choices)


def judged(record: public.Record, proposal: Proposal) -> Iterator[tuple[Guess, bool]]:
    for guess in proposal.guesses:
        truth = (record.events if guess.is_activity else record.roles).get(guess.name, "")
        yield guess, guess.role in truth.split(public.EITHER)


def test_nine_of_ten_columns_are_right_at_the_first_guess_and_none_is_surely_wrong(tmp_path: Path) -> None:
    right = mappable = 0
    for name in public.RECORDS:
        (folder := tmp_path / name).mkdir()
        record, proposal = proposed(folder, name)
        assert proposal.shape == record.shape, name
        assert proposal.mapping is not None, name
        for guess, is_right in judged(record, proposal):
            assert is_right or guess.verdict != "sure", (name, guess)
            if (record.events if guess.is_activity else record.roles).get(guess.name):
                mappable += 1
                right += is_right
    assert right >= RIGHT * mappable, f"{right} of {mappable}"


def test_what_never_happened_is_missing(tmp_path: Path) -> None:
    record, proposal = proposed(tmp_path, "dispatching")
    with closing(Adaptation(str(tmp_path / "orders.csv"))) as adaptation:
        check = adaptation.check(proposal.mapping)
    never = sum(row["fetch_time"] == 0 for row in record.rows)
    assert never > 0
    assert check.reached == {
        "order_created": len(record.rows), "driver_picked_up": len(record.rows) - never, "delivered": len(record.rows) - never,
    }  # fmt: skip


def test_no_end_is_made_up_from_a_way(tmp_path: Path) -> None:
    _, proposal = proposed(tmp_path, "traces")
    assert len(proposal.mapping.milestones) == 1
    assert set(proposal.mapping.milestones) < set(MILESTONES)


def test_shifts_are_said_to_be_shifts(tmp_path: Path) -> None:
    path = public.shifts(random.Random(1)).write(tmp_path)
    with closing(Adaptation(str(path))) as adaptation:
        proposal = adaptation.propose()
    assert proposal.mapping is None
    assert proposal.lacks.startswith("on_time and off_time are of shifts")
    assert any("planar metres" in note for note in proposal.notes)
