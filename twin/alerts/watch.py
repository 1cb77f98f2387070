"""Watches the kitchens that have rules while their record grows, in one thread of the process."""

import logging
import math
import threading
from collections.abc import Sequence

from twin.alerts.sender import Sender
from twin.alerts.store import Store
from twin.analysis.alerts import Evaluation, Rule
from twin.analysis.alerts.evaluation import LEAD_S, STEP_S, Promises
from twin.analysis.baseline import MOST_DAYS, History
from twin.foundation import errand
from twin.foundation.cache import ByteCache
from twin.foundation.errors import TwinError
from twin.foundation.times import DAY
from twin.hub import Hub

log = logging.getLogger(__name__)

LONGEST_CATCH_UP_S = DAY
"""What a process that was not there has missed beyond that is not told any more."""
PAUSE_S = 5.0
"""Seconds between two looks at least, however often rows arrive."""
KEPT_BYTES = 64 << 20
"""Bytes of orders of the last looks at all kitchens, so that the next ones need not learn anew what is usual there."""


def history_of(hub: Hub, location: str, begin: float, end: float) -> History:
    """Return the orders that rules need to be judged in (begin, end], data seconds: with those of the 28 days before."""
    first = begin - MOST_DAYS * DAY - LEAD_S
    return History.from_rows(hub.source.history(location, first, end), hub.location(location).tz)


def promises_of(hub: Hub) -> Promises:
    """Return what the settings of a hub promise."""
    settings = hub.settings
    return Promises(settings.delivery_target_s, settings.late_after_s, settings.cold_after_s)


class Watch:
    """Judges the rules of a store at the live edge of a hub's kitchens. `look` may be called without its thread."""

    def __init__(self, hub: Hub, store: Store, senders: Sequence[Sender] = (), pause: float = PAUSE_S) -> None:
        self._hub, self._store, self._senders, self._pause = hub, store, senders, pause
        self._changed, self._ended = threading.Event(), threading.Event()
        self._last: ByteCache[Evaluation] = ByteCache(KEPT_BYTES, lambda one: one.nbytes, hub.budget)
        self._end = hub.on_change(self._changed.set)

    def start(self) -> None:
        """Begin to watch."""
        self._changed.set()
        threading.Thread(target=self._run, name="alerts", daemon=True).start()

    def stop(self) -> None:
        """End it."""
        self._end()
        self._ended.set()
        self._changed.set()

    def wake(self) -> None:
        """Look now, as after a change of the rules."""
        self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait()
            if self._ended.is_set():
                return
            self._changed.clear()
            self.look()
            self._ended.wait(self._pause)

    def look(self) -> list[str]:
        """Judge all rules up to the live edge; return the ids of new alerts. What fails at one kitchen is logged."""
        new: list[str] = []
        try:
            with errand.on(page="alerts"):
                rules = self._store.rules()
                for place in self._hub.locations if rules else []:
                    here = [rule for rule in rules if rule.watches(place.id)]
                    if here:
                        new += self._look_at(place.id, here)
        except TwinError as error:
            log.warning("alerts: the kitchens cannot be judged: %s", error)
        except Exception:  # data that nobody foresaw must not end the watch
            log.exception("alerts: judging the kitchens failed")
        for sender in self._senders:
            sender.wake()
        return new

    def _look_at(self, location: str, rules: list[Rule]) -> list[str]:
        edge = math.floor(self._hub.edge(location) / STEP_S) * STEP_S
        machines = {rule.id: self._store.machine(rule.id, location) for rule in rules}
        due = [rule for rule in rules if not machines[rule.id].t >= edge]  # NaN: never judged
        if not due:
            return []
        begins = {
            rule.id: max(edge - LONGEST_CATCH_UP_S, machines[rule.id].t)
            if math.isfinite(machines[rule.id].t)
            else edge - rule.for_s - STEP_S
            for rule in due
        }
        history = history_of(self._hub, location, min(begins.values()), edge)
        evaluation = Evaluation(history, location, promises_of(self._hub), self._last.get(location))
        new: list[str] = []
        channels = [sender.channel for sender in self._senders]
        for rule in due:
            machine, changes = evaluation.run(rule, machines[rule.id], begins[rule.id], edge)
            new += self._store.advance(rule, location, machine, changes, channels)
        self._last.put(location, evaluation)
        return new
