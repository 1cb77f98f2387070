"""A race in a notebook: its table is a count, its figure has a line for each lane."""

from pathlib import Path

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

import twin


def test_a_race_counts_the_deliveries_of_each_day(demo: Path) -> None:
    t = twin.open(demo)
    days = [t.kitchen("sanfrancisco", day=day) for day in ("2025-10-16", "2025-10-17")]
    race = twin.race(*days, figure="delivered")
    assert len(race.table) == 24 * 60 + 1
    for column, k in zip(race.table.columns, days, strict=True):
        orders, start = k.data.orders, k.data.window.start
        took = orders.delivered - orders.created
        done = orders.delivered[(took >= 0) & (took <= 4 * 3600)]
        for hour in (9, 13, 18, 24):
            expected = int(
                np.count_nonzero((done >= start) & (done <= start + 3600 * hour) & (done < k.data.window.end))
            )
            assert race.table.loc[pd.Timedelta(hours=hour), column] == expected
    assert [curve.label for curve in race.curves] == list(race.table.columns)
    values, leads = race.table, race.leads
    for row in leads.itertuples():
        at = row.clock.ceil("min")
        others = values.loc[at].drop(row.leader)
        assert values.loc[at, row.leader] >= others.max() - 1, "who takes the lead has it, within the minute"
    drawn = hv.render(race.curves, backend="bokeh")
    assert len(drawn.renderers) == 2


def test_two_kitchens_of_different_size_are_raced_by_their_usual(demo: Path) -> None:
    t = twin.open(demo)
    lanes = [t.kitchen(name, day="2025-10-17") for name in ("sanfrancisco", "chicago")]
    table = twin.race(*lanes, relative=True).table
    assert np.all((table.iloc[-1] > 0.3) & (table.iloc[-1] < 3)), "a usual day is 1"
    with pytest.raises(ValueError, match="2 to 6 lanes"):
        twin.race(lanes[0])
