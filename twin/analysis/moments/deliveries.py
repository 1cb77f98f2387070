"""Deliveries that take long without a cause that another detector found."""

from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.moment import Finding, Moment, Rows
from twin.analysis.moments.phrases import busiest, count, minutes, severity
from twin.analysis.moments.slowness import SlowRun, slow_runs


def troubles(evidence: Evidence, explained: Rows) -> list[Finding]:
    """Return the moments of slow deliveries among the orders that no other moment explains."""
    return [(_slow(evidence, run), run.rows) for run in slow_runs(evidence, "total", without=explained)]


def _slow(evidence: Evidence, run: SlowRun) -> Moment:
    at = busiest(evidence, "total", run.rows, run.start, run.end)
    usually = evidence.shown_usual_delivery(at if evidence.now is None else evidence.now)
    usually = run.usually if usually is None else usually
    return Moment(
        kind="unusual_deliveries",
        start=run.start,
        end=run.end,
        at=at,
        severity=severity(evidence, run.excess),
        title="Deliveries take long",
        sentence=f"{count(len(run.affected), 'order')} took {minutes(run.took)} min to the customer against "
        f"{minutes(usually)} usually",
        figures={
            "orders": float(len(run.affected)),
            "delivery_minutes": run.took / 60,
            "usual_delivery_minutes": usually / 60,
            "lost_minutes": run.excess / 60,
        },
    )
