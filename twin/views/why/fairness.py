"""Was the promise fair? The rows of the card: what was promised, what it took, and what was to be expected by what was known."""

from typing import Any

from twin.analysis.promise import ENOUGH, FAIR, MADE, Bools, PromiseBook

MINUTE = 60.0


def promise_rows(book: PromiseBook, among: Bools) -> list[dict[str, Any]]:
    """Return a row for each kind of promise that the delivered orders `among` (n,) had been made.

    Minutes are means, shares are percent. `fair` and `doomed` are None where too few earlier orders were known.
    """
    rows = []
    for kind in (one.fairness(among) for one in book.kinds):
        n, judged = kind.orders, kind.judged
        if not n:
            continue
        rows.append(
            {
                "kind": kind.kind,
                "label": MADE[kind.kind],
                "orders": n,
                "promised": round(kind.promised / n / MINUTE, 1),
                "took": round(kind.took / n / MINUTE, 1),
                "kept": round(100 * kind.kept / n),
                "judged": judged,
                "fair": round(kind.fair / judged / MINUTE, 1) if judged else None,
                "doomed": round(100 * kind.doomed / judged) if judged else None,
            }
        )
    return rows


HOW = (
    f"Fair: what {100 * FAIR:.0f} % of the orders of that hour would have kept that had about as many others open, of those "
    "delivered by the beginning of the hour. Doomed: fewer than half of them would have kept what was promised. At pick-up "
    f"they are compared by how drive and estimate differed. With fewer than {ENOUGH} such orders nothing is said."
)
