"""What columns of one's own are taken for, on the shapes of public records."""

import random
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.sources.adapters import foreign
from tests.sources.adapters.foreign import Record
from twin.foundation.settings import Settings
from twin.sources.adapters import adapt
from twin.sources.adapters.adapt import Adaptation
from twin.sources.adapters.guess import Choices, Proposal

ANSWERED = Choices(day=date(2024, 3, 1))


def proposed(path: Path, choices: Choices = ANSWERED) -> Proposal:
    with closing(Adaptation(str(path))) as adaptation:
        return adaptation.propose(choices)


@pytest.fixture(scope="module", params=list(foreign.SHAPES))
def shape(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Proposal]:
    record = foreign.SHAPES[request.param]()
    return record, proposed(record.write(tmp_path_factory.mktemp("foreign")))


def roles(proposal: Proposal) -> dict[str, str]:
    return {guess.name: guess.role for guess in proposal.guesses if guess.role}


@pytest.mark.slow
def test_every_column_and_activity_is_what_it_is(shape: tuple[Record, Proposal]) -> None:
    record, proposal = shape
    truth = {name: role for name, role in {**record.roles, **record.events}.items() if role}
    assert roles(proposal) == truth
    assert proposal.shape == record.shape


def test_a_role_that_only_the_order_of_the_process_gives_is_never_called_sure(shape: tuple[Record, Proposal]) -> None:
    for guess in shape[1].guesses:
        if "alone" in guess.reason:
            assert guess.verdict == "unsure" or guess.confidence < 0.9


@pytest.mark.parametrize("seed", range(4))
def test_columns_without_names_are_told_apart_by_their_order_alone(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    record = foreign.opaque_wide(seed=seed)
    names = ["t1", "t2", "t3"]
    shuffled = random_.sample(names, 3)
    renamed = dict(zip(names, shuffled, strict=True))
    record.rows = [{renamed.get(key, key): value for key, value in row.items()} for row in record.rows]
    truth = {renamed[name]: role for name, role in record.roles.items() if name in renamed}
    assert {k: v for k, v in roles(proposed(record.write(tmp_path))).items() if k in names} == truth


def test_order_outweighs_names_that_are_the_wrong_way_round(tmp_path: Path) -> None:
    record = foreign.wide_shop()
    swapped = {
        "order_collected_date": "order_delivered_customer_date",
        "order_delivered_customer_date": "order_collected_date",
    }
    record.rows = [{swapped.get(key, key): value for key, value in row.items()} for row in record.rows]
    found = roles(proposed(record.write(tmp_path)))
    # the names say that orders are delivered before they are collected; which of the two is wrong, nothing says
    assert not (
        found.get("order_collected_date") == "driver_picked_up"
        and found.get("order_delivered_customer_date") == "delivered"
    )


def test_rows_that_contradict_are_counted(tmp_path: Path) -> None:
    record = foreign.wide_shop()
    for row in record.rows[:7]:
        row["order_collected_date"] = f"{foreign.START - timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    proposal = proposed(record.write(tmp_path))
    (picked_up,) = [guess for guess in proposal.guesses if guess.role == "driver_picked_up"]
    assert (picked_up.wrong, picked_up.orders) == (7, len(record.rows))
    assert picked_up.verdict != "sure"


def test_a_promised_time_is_no_milestone_whatever_its_order(tmp_path: Path) -> None:
    assert "order_estimated_delivery_date" not in roles(proposed(foreign.wide_shop().write(tmp_path)))


def test_planar_metres_are_recognised_and_said(tmp_path: Path) -> None:
    proposal = proposed(foreign.couriers_planar().write(tmp_path))
    (note,) = [note for note in proposal.notes if "metres" in note]
    assert note.startswith("x and y ")
    assert proposal.mapping.customer is None


def test_counted_minutes_ask_for_the_day(tmp_path: Path) -> None:
    proposal = proposed(foreign.couriers_planar().write(tmp_path), Choices())
    assert proposal.mapping is None
    (question,) = proposal.questions  # one answer is for all four
    assert (question.kind, question.column) == ("day", "placement_time")
    assert "counts minutes" in question.sentence
    assert question.sentence.endswith("The answer holds for 3 more columns.")


def test_choices_replace_guesses(tmp_path: Path) -> None:
    chosen = Choices(roles={"driver_picked_up": "order_approved_at", "kitchen": "customer_state", "price": ""})
    proposal = proposed(foreign.wide_shop().write(tmp_path), chosen)
    found = roles(proposal)
    assert (found["order_approved_at"], found["customer_state"]) == ("driver_picked_up", "kitchen")
    assert "store_id" not in found
    assert proposal.mapping.price is None
    assert {guess.verdict for guess in proposal.guesses if guess.name == "order_approved_at"} == {"chosen"}


def test_chosen_activities_replace_guesses(tmp_path: Path) -> None:
    path = foreign.platform_ticks().write(tmp_path)
    proposal = proposed(path, Choices(events={"FOOD_READY": "gk_finished", "TICK": ""}))
    assert proposal.mapping.events["FOOD_READY"] == "gk_finished"
    assert "TICK" not in proposal.mapping.events
    assert "gk_ready" not in proposal.mapping.events.values()


def test_the_setting_answers_day_or_month(tmp_path: Path) -> None:
    rows = [{"order_id": f"A{n}", "created": f"0{n % 9 + 1}/0{n % 7 + 1}/2024 10:00"} for n in range(30)]
    path = foreign.Record(rows, "wide", {}).write(tmp_path)
    with closing(Adaptation(str(path), Settings(dates="month-first"))) as adaptation:
        assert adaptation.propose().mapping.milestones["order_created"].format == "%m/%d/%Y %H:%M"
    assert proposed(path, Choices()).questions[0].kind == "day or month"


def test_a_row_beyond_those_that_are_looked_at_still_decides_between_day_and_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"order_id": f"A{n}", "created": f"0{n % 9 + 1}/0{n % 7 + 1}/2024 10:00"} for n in range(40)]
    rows.append({"order_id": "last", "created": "31/01/2024 10:00"})
    path = foreign.Record(rows, "wide", {}).write(tmp_path)
    monkeypatch.setattr(adapt, "MOST_ROWS", 30)
    assert proposed(path).mapping.milestones["order_created"].format == "%d/%m/%Y %H:%M"


def test_one_value_against_all_others_does_not_decide_but_asks(tmp_path: Path) -> None:
    rows = [{"order_id": f"A{n}", "created": f"0{n % 9 + 1}/0{n % 7 + 1}/2024 10:00"} for n in range(200)]
    rows += [{"order_id": "B", "created": "31/01/2024 10:00"}, {"order_id": "C", "created": "01/31/2024 10:00"}]
    proposal = proposed(foreign.Record(rows, "wide", {}).write(tmp_path))
    assert [question.kind for question in proposal.questions] == ["day or month"]
