"""Reading and writing data time."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.times import seconds, text

HALF_PAST_SIX = 1_760_639_400.0
"""2025-10-16 18:30 UTC, worked out as 20,377 days and 18.5 hours."""


def test_the_constant_of_this_test_is_what_it_says():
    assert HALF_PAST_SIX == 20_377 * 86_400 + 18.5 * 3600


@pytest.mark.parametrize(
    "value",
    [
        HALF_PAST_SIX,
        int(HALF_PAST_SIX),
        np.float64(HALF_PAST_SIX),
        np.int64(HALF_PAST_SIX),
        "2025-10-16 18:30",
        " 2025-10-16T18:30:00 ",
        "2025-10-16T18:30:00Z",
        "2025-10-16T13:30:00-05:00",
        dt.datetime(2025, 10, 16, 18, 30),  # noqa: DTZ001 - naive is data time
        dt.datetime(2025, 10, 16, 20, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        np.datetime64("2025-10-16T18:30"),
        np.datetime64("2025-10-16T18:30:00.000000000"),
        pd.Timestamp("2025-10-16 18:30"),
        pd.Timestamp("2025-10-16 11:30", tz="America/Los_Angeles"),
    ],
)
def test_every_form_of_a_moment_is_the_same_moment(value):
    assert seconds(value) == HALF_PAST_SIX


def test_a_date_is_its_midnight():
    assert seconds(dt.date(2025, 10, 16)) == seconds("2025-10-16") == HALF_PAST_SIX - 18.5 * 3600


@pytest.mark.parametrize(
    "value",
    ["half past six", "", "25:00", float("nan"), float("inf"), 1_760_639_400_000, None, True, [1.0],
     np.datetime64("NaT"), pd.NaT],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_a_sentence(value):
    with pytest.raises(ValueError, match=r"is no time: .*\.$"):
        seconds(value)


@given(st.integers(-(10**9), 10**11), st.floats(0, 0.999))
def test_text_reads_back_as_the_whole_second(whole, fraction):
    assert seconds(text(whole + fraction)) == whole
