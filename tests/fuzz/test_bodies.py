"""Bodies mutated at will: every row is accounted for, every reader goes on, and good rows beside them are untouched."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import hostile_bodies as hostile
from tests.fuzz.readers import check

pytestmark = pytest.mark.slow

VALUES = [value for value in (*hostile.GOOD, *hostile.BAD) if len(value) < 2_000]
CHARACTERS = [*"{}[]\",:\\'+-.eE0123456789 \n\t\x00", "NaN", "null", "1e308", "\\ud800", ",}", ",]", "é", "🍜"]


@st.composite
def bodies(draw: st.DrawFn, kind: str) -> str:
    """A body of a type of event with odd values, then with odd characters."""
    body = hostile.WHOLE[kind]
    for _ in range(draw(st.integers(0, 2))):
        value = draw(st.sampled_from(VALUES) | st.floats().map(repr) | st.integers().map(str))
        match draw(st.integers(0, 3)):
            case 0 if kind == "order_created":
                body = draw(st.sampled_from(sorted(hostile.INSIDE.values()))) % value
            case 0 if kind == "driver_picked_up":
                body = hostile.POINT % value
            case 1:
                body = body[:-1] + f',"{draw(st.sampled_from(hostile.FIELDS[kind]))}":{value}}}'
            case _:
                body = hostile.with_value(kind, draw(st.sampled_from(hostile.FIELDS[kind])), value)
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        at, gone = draw(st.integers(0, len(body))), draw(st.integers(0, 2))
        body = body[:at] + draw(st.sampled_from(CHARACTERS)) + body[at + gone :]
    return body


orders = st.lists(
    st.fixed_dictionaries({}, optional={kind: bodies(kind) for kind in hostile.FIELDS}), min_size=3, max_size=12
)


@given(orders)
@settings(max_examples=25, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_no_body_breaks_a_reader(tmp_path: Path, orders: list[dict[str, str]]) -> None:
    rows = [row for number, odd in enumerate(orders) for row in hostile.order(f"odd-{number}", 3 * number, **odd)]
    rows += hostile.order("good", 7.5)
    opened = check(hostile.write(rows, tmp_path / "events.jsonl"), rows)
    timeline = opened.timeline("sf")
    good = timeline.order("good")
    assert (good.revenue, good.eta_mins, good.address) == (25.0, 10.0, "1 Main")
    assert [item.name for item in good.items] == ["Pho"]
    assert len(good.events) == len(hostile.WHOLE)


def test_every_odd_value_in_every_field(tmp_path: Path) -> None:
    rows = hostile.record()
    opened = check(hostile.write(rows, tmp_path / "events.jsonl"), rows)
    quality = opened.quality("sf")
    assert quality.rejected.keys() == {"broken JSON", "large body"} - {"large body"}
    used = sum(1 for row in rows if is_strict(row["body"]))
    assert quality.used == used
    for number in range(20):
        assert opened.timeline("sf").order(f"good-{number}").revenue == 25.0


def is_strict(body: str) -> bool:
    try:
        return isinstance(hostile.read_strictly(body), dict)
    except (ValueError, RecursionError):
        return False
