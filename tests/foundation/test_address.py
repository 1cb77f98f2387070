"""What makes no sense in an address is left out and said in plain words; what others add to it is nobody's slip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.address import LONGEST_QUOTE, MOST_REMARKS, Address, notice, suggestion


@pytest.mark.parametrize(("text", "value"), [("60", 60.0), (" 1e2 ", 100.0), ("0.1", 0.1), ("1000", 1000.0)])
def test_a_number_within_its_bounds_is_taken(text: str, value: float) -> None:
    address = Address({"speed": text})
    assert (address.number("speed", 0.1, 1000), address.remarks) == (value, [])


@pytest.mark.parametrize("text", ["fast", "nan", "inf", "1e400", "-1", "1000.1", "٣x"])
def test_any_other_is_left_out_and_said(text: str) -> None:
    address = Address({"speed": text})
    assert address.number("speed", 0.1, 1000) is None
    assert address.remarks == [f"“{text}” for “speed” is not a number from 0.1 to 1000: the usual one is used."]


@pytest.mark.parametrize(("text", "bound"), [("-1", 0.1), ("5000", 1000.0)])
def test_where_the_nearest_one_is_taken_that_is_said(text: str, bound: float) -> None:
    address = Address({"speed": text})
    assert address.number("speed", 0.1, 1000, nearest=True) == bound
    assert address.remarks[0].endswith(f": {bound:g} is used.")


def test_what_is_absent_or_empty_needs_no_word() -> None:
    address = Address({"speed": "", "t": " "})
    assert (address.number("speed", 0, 1), address.time("t"), address.one_of("tab", ["a"])) == (None, None, None)
    assert address.some_of("layers", ["a"], "layer") == []
    assert address.remarks == []


def test_a_time_that_is_none_is_said_with_how_to_write_it() -> None:
    address = Address({"t": "noon"})
    assert address.time("t") is None
    assert address.remarks == ["“noon” is no time for “t”: write it like 2025-10-16T18:30."]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("sped", "speed"), ("Speed", "speed"), ("locations", "location"), ("tabs", "tab"), ("orders", "order")],
)
def test_for_a_mistyped_name_the_one_meant_is_offered(name: str, meant: str) -> None:
    address = Address({name: "1"})
    address.only("location", "speed", "tab", "order")
    assert address.remarks == [f"There is no parameter “{name}”. Did you mean “{meant}”?"]


@pytest.mark.parametrize("name", ["o", "utm_source", "fbclid", "bokeh-session-id", "_"])
def test_what_hosts_and_mail_programs_add_is_nobodys_slip(name: str) -> None:
    address = Address({name: "1"})
    address.only("location")
    assert address.remarks == []


def test_a_slip_is_said_once_and_many_in_one_notice() -> None:
    address = Address({"layers": ",".join(f"x{n}" for n in range(9)) + ",x0"})
    address.some_of("layers", ["routes"], "layer")
    address.some_of("layers", ["routes"], "layer")
    assert len(address.remarks) == 9
    assert notice(address.remarks).count("There is no layer") == MOST_REMARKS
    assert notice(address.remarks).endswith("And 6 more.")
    assert notice([]) == ""


@given(st.dictionaries(st.text(max_size=80), st.text(max_size=400), max_size=5))
def test_no_address_breaks_it_or_makes_a_long_sentence(query: dict[str, str]) -> None:
    address = Address({**query, "t": "".join(query.values()), "tab": "".join(query)})
    address.only("location", "t", "tab")
    address.time("t")
    address.number("t", 0, 1)
    address.one_of("tab", ["events", "orders"])
    address.some_of("tab", ["events", "orders"], "tab")
    assert all(len(remark) < 150 + 2 * LONGEST_QUOTE for remark in address.remarks)


def test_of_many_values_only_some_are_listed() -> None:
    assert suggestion("???", [f"value{n}" for n in range(99)]).count("value") < 10
