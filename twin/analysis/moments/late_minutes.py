"""What made orders late in a trouble: the delay ledger's sentence of the orders that began while it went on."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from twin.analysis.baseline import Baseline
from twin.analysis.ledger import Ledger, ledger_of
from twin.analysis.moments.moment import TROUBLES, Moment
from twin.foundation.stages import CREATED
from twin.timeline.orders import began
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)


class LateMinutes:
    """Writes the ledger's sentence into troubles. Refers to no timeline, only to columns of one."""

    def __init__(self, timeline: Timeline, baseline: Baseline, target: float) -> None:
        """`target` is the promised delivery time, seconds."""
        orders = timeline.orders
        self._milestones, self._delivered = orders.milestones, orders.delivered
        self._began = began(orders.created, orders.enter[CREATED])
        self._baseline, self._tz, self._target = baseline, timeline.tz, target
        self._shared = ledger_of(timeline, baseline, target)

    def said(self, moments: Iterable[Moment], known_at: float | None = None) -> list[Moment]:
        """Return the moments, troubles with `why`: of what was delivered by `known_at` (data seconds), None: of all.

        It is empty where no order was late. A ledger that fails is in the log, and the moments are as they were.
        """
        said = []
        for moment in moments:
            try:
                why = self._why(moment, known_at) if moment.kind in TROUBLES else ""
            except Exception:  # data that nobody foresaw must not take the moments along
                log.exception("moments: the ledger of %r from %s failed", moment.kind, moment.start)
                why = ""
            said.append(replace(moment, why=why) if why else moment)
        return said

    def _why(self, moment: Moment, known_at: float | None) -> str:
        among = (self._began >= moment.start) & (self._began < moment.end)
        ledger = self._shared
        if known_at is not None:
            among &= self._delivered <= known_at
            if self._baseline.history is None:  # then usual is what the range's own orders took: those until then
                with np.errstate(invalid="ignore"):
                    past = np.where(self._milestones <= known_at, self._milestones, np.nan)
                ledger = Ledger(past, self._baseline, self._tz, self._target)
        account = ledger.account(among)
        return account.sentence if account.late else ""
