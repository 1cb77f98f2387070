"""When silence is worth a word: by the last hour, and by the day before at the same time."""

import math

import numpy as np
import pytest

from twin.analysis.silence import MISSED, Rhythm, rhythm
from twin.foundation.times import HOUR

LAST = 1_760_640_000.0
EVEN = LAST - np.arange(3600, -1, -20.0)
"""An event every 20 seconds for an hour."""
MINUTE = 60.0


def test_ten_missed_events_are_worth_a_word():
    told = rhythm(EVEN, LAST + np.arange(20.0, 4 * HOUR, 20.0), LAST)
    assert told.gap == pytest.approx(20.0)
    assert [told.is_silent(s) for s in (0, 190, 210, 4 * MINUTE, 3 * HOUR)] == [False, False, True, True, True]


def test_a_few_events_say_nothing():
    assert math.isnan(rhythm(EVEN[-10:], EVEN, LAST).gap)
    assert not Rhythm().is_silent(1e9)


def test_busy_moments_among_them_do_not_shorten_what_is_usual():
    bursts = np.sort(np.concatenate([EVEN + k / 10 - 1 for k in range(10)]))
    assert rhythm(bursts, np.empty(0), LAST).after >= 60


@pytest.mark.parametrize(("closes", "silent"), [(0.0, False), (3 * MINUTE, False), (40 * MINUTE, True)])
def test_who_closed_at_this_time_the_day_before_is_not_silent(closes, silent):
    """The kitchen's last event of the day before lies `closes` seconds after the time of today's last."""
    before = LAST + np.concatenate((np.arange(-600.0, closes + 1, 20.0), np.arange(10 * HOUR, 11 * HOUR, 20.0)))
    told = rhythm(EVEN, before, LAST)
    assert told.is_silent(5 * MINUTE) is silent
    assert not told.is_silent(2 * HOUR)


def test_a_quieter_hour_to_come_makes_silence_longer_before_it_is_said():
    told = rhythm(EVEN, LAST + np.arange(120.0, 4 * HOUR, 120.0), LAST)
    assert told.after == MISSED * 120.0


def test_without_a_day_before_it_is_said_for_two_hours():
    told = rhythm(EVEN, np.empty(0), LAST)
    assert [told.is_silent(s) for s in (5 * MINUTE, HOUR, 3 * HOUR)] == [True, True, False]
