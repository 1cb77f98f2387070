"""Rules tried on a kitchen's past: what is read for it is read once, for all that are tried."""

from twin.alerts.watch import history_of, promises_of
from twin.analysis.alerts import Evaluation, Rule
from twin.analysis.alerts.backtest import Backtest, Progress, backtest, hindsight, range_of
from twin.foundation import errand
from twin.hub import Hub


class Trial:
    """The past of a kitchen, as far as a backtest goes back from its live edge. Making one reads the source."""

    def __init__(self, hub: Hub, location: str) -> None:
        """Raises `UnknownLocationError`, and `SourceError` if it cannot be read."""
        self.location = location
        self._window = range_of(hub.location(location).start, hub.edge(location))
        self._promises = promises_of(hub)
        with errand.on(page="alerts"):
            self._history = history_of(hub, location, self._window.start, self._window.end)
        self._moments = hindsight(self._history, location, self._window, self._promises)

    def of(self, rule: Rule, progress: Progress | None = None) -> Backtest:
        """Return what a rule would have done; see `backtest` for `progress`. May be called in several threads."""
        evaluation = Evaluation(self._history, self.location, self._promises)
        return backtest(evaluation, rule, self._window, self._moments, progress)
