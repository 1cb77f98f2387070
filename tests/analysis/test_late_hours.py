"""Late minutes by hour: an hour is what the last 60 minutes are at its end, and all hours are the range."""

from pathlib import Path

import numpy as np
import pytest

import twin
from twin.analysis.late_hours import CAUSES, late_hours
from twin.analysis.metrics import TRAILING
from twin.foundation.times import HOUR
from twin.hub import Hub


@pytest.mark.parametrize("shift", [0, 900])
def test_an_hour_is_the_last_60_minutes_at_its_end(demo: Path, shift: float) -> None:
    hub: Hub = twin.open(demo)
    place = hub.location("sanfrancisco")
    timeline = hub.timeline(place.id, place.end - 86_400 - shift, place.end - shift)
    ledger = hub.ledger(timeline)
    found = late_hours(timeline, ledger)
    delivered = timeline.orders.delivered

    assert (np.diff(found.edges) == HOUR).all()
    assert found.edges[0] <= timeline.window.start < found.edges[1]
    assert found.edges[-2] < timeline.window.end <= found.edges[-1]
    assert all(timeline.tz.local(edge) % HOUR == 0 for edge in found.edges.tolist())
    assert found.seconds.shape == (len(found.edges) - 1, len(CAUSES))
    for end, seconds in zip(found.edges[1:].tolist(), found.seconds, strict=True):
        causes = ledger.account((delivered <= end) & (delivered > end - TRAILING)).causes
        assert seconds == pytest.approx(causes, abs=1e-3)
    of_all = ledger.account((delivered > found.edges[0]) & (delivered <= found.edges[-1]))
    assert found.seconds.sum() == pytest.approx(of_all.late_s) != 0
