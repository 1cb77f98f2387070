"""Which texts and ids a plain comparison would miss."""

import re
from datetime import date, timedelta

import duckdb
import pytest

from twin.sources import queries
from twin.sources.odd_values import ISO_DATE, OddValues, odd_order, odd_time
from twin.sources.queries import times
from twin.sources.queries.times import Reading

DAYS = [
    "2025-10-13",
    "2025/3/9",
    "13/10/2025",
    "04.05.2025",
    "10-13-2025",
    "2025-10-3",
    "12025-10-13",
    " 2025-10-13",
    "x",
]
CLOCKS = [
    "",
    " 18:30",
    "T02:30:00",
    "T23:59:59.999999",
    "T23:59:59.999999999",
    " 24:00:00.5",
    " 12:05:06 AM",
    " 24:00:00",
    "junk",
]
ZONES = ["", "Z", "+14:00", " -1200", " PDT", "[Asia/Kathmandu]", " America/Los_Angeles"]
TEXTS = [
    *(day + clock + zone for day in DAYS for clock in CLOCKS for zone in ZONES),
    *("1760380200", "1760380200.25", "1760380200123", "1.76038e9", "176038e4", "631152000"),
    *("0000", "", "  ", "never", "\t2025-10-13 01:00:00", "9" * 100),
    "2025-10-13 01:00:00 " + "x" * 80,
]  # fmt: skip
READING = Reading(dates="day-first", zones=("America/Los_Angeles", "Asia/Kathmandu"))


@pytest.fixture(scope="module")
def read() -> list[tuple[str, bool, str | None, str | None]]:
    """Each text, whether it is odd, the date of the time that it is read as, and that with plain texts alone."""
    columns = "'' AS event_type, written AS ts, '' AS location, '' AS order_id, written AS sequence, '' AS body"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE texts AS SELECT unnest($texts) AS written", {"texts": TEXTS})

        def days(reading: Reading) -> dict[str, str | None]:
            sql = f"WITH bronze AS (SELECT {columns} FROM texts),\n{times.timed('text', reading)}\n"
            sql += "SELECT sequence, CAST(CAST(ts AS DATE) AS STRING) FROM timed"
            return dict(connection.execute(queries.transpile(sql)).fetchall())

        any_text, plain = days(READING), days(Reading(only_plain=True))
        found = connection.execute(queries.transpile(f"SELECT written, {odd_time('written')} FROM texts")).fetchall()
    return [(text, odd, any_text[text], plain[text]) for text, odd in found]


def test_a_text_that_is_read_as_a_time_sorts_by_its_day_or_is_odd(
    read: list[tuple[str, bool, str | None, str | None]],
) -> None:
    assert len(read) == len(TEXTS)
    usable = [(text, odd, day) for text, odd, day, _ in read if day is not None]
    assert sum(odd for _, odd, _ in usable) > 50
    assert sum(not odd for _, odd, _ in usable) > 30
    for text, odd, day in usable:
        assert odd is not bool(re.match(ISO_DATE.strip("'"), text)), text
        if not odd:
            apart = date.fromisoformat(day) - date.fromisoformat(text[:10])
            assert abs(apart) <= timedelta(days=1), text


def test_texts_that_are_no_times_do_not_make_a_table_odd(read: list[tuple[str, bool, str | None, str | None]]) -> None:
    odd = {text for text, odd, *_ in read if odd}
    assert not odd & {"", "  ", "never", "0000", "x", "12025-10-13", "9" * 100, "\t2025-10-13 01:00:00"}


def test_a_plain_text_begins_with_the_day_that_it_is_read_as(
    read: list[tuple[str, bool, str | None, str | None]],
) -> None:
    plain = [(text, day) for text, _, _, day in read if day is not None]
    assert plain
    assert all(text[:10] == day for text, day in plain)


def test_blanks_around_an_order_id_are_odd() -> None:
    ids = ["A", " A", "A ", "A B", "", "Ä"]
    with duckdb.connect() as connection:
        sql = queries.transpile(f"SELECT id FROM ids WHERE {odd_order('id')}")
        connection.execute("CREATE TABLE ids AS SELECT unnest($ids) AS id", {"ids": ids})
        assert [row[0] for row in connection.execute(sql).fetchall()] == [" A", "A "]


def test_what_is_found_says_which_conditions_are_needed() -> None:
    everything, plain = Reading(), Reading(only_plain=True)
    assert OddValues.found(plain, odd_times=7, odd_orders=0) == OddValues(times=False, other_days=False, orders=False)
    assert OddValues.found(everything, odd_times=0, odd_orders=1) == OddValues(
        times=False, other_days=True, orders=True
    )
    assert OddValues.found(everything, odd_times=7, odd_orders=0) == OddValues(
        times=True, other_days=True, orders=False
    )
