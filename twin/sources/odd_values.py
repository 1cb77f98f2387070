"""Values that conditions on a raw table must not miss: whether there are any is learnt once, when the table is opened.

A warehouse skips files by the smallest and largest value of each column, but only for plain comparisons: one function, cast or
negation in a condition, and it reads them all. So the slow conditions are added only for a table that needs them.
"""

from dataclasses import dataclass

from twin.sources.queries.times import Reading

ISO_DATE = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}'"
"""How texts begin that sort by their day, as a literal of SQL."""
LONGEST_TIME = 80
"""Most characters of a text that is read as a time; as in queries/timed.sql."""
LIKE_TIME = "'^([0-9]{1,4}[-/.]|[0-9]{9}|[0-9]+[.eE])'"
"""How texts begin that may be read as a time, but for blanks: with a part of a date or a number since 1970."""


@dataclass(frozen=True, slots=True)
class OddValues:
    """What the raw columns of an event table hold besides the usual. By default all of it, which is slow and always right."""

    times: bool = True
    """Texts that are read as times and do not begin with an ISO date, so that no range of texts has them."""
    other_days: bool = True
    """Texts that begin with another date than the time that they stand for has, by a day at most: because of a zone, or 24:00."""
    orders: bool = True
    """Order ids with blanks around them."""

    @classmethod
    def found(cls, reading: Reading, odd_times: int, odd_orders: int) -> "OddValues":
        """Return what there is, from how many rows `odd_time` and `odd_order` find and how the times are read in the end.

        A source reads only plain texts if it has found that no other text in the table is a time (`Reading.only_plain`).
        """
        return cls(
            times=odd_times > 0 and not reading.only_plain,
            other_days=not reading.only_plain,
            orders=odd_orders > 0,
        )


def odd_time(ts: str) -> str:
    """Return the condition whether a text (a column of SQL) may be read as a time though it does not begin with an ISO date."""
    return f"(NOT {ts} RLIKE {ISO_DATE} AND length({ts}) <= {LONGEST_TIME} AND trim({ts}) RLIKE {LIKE_TIME})"


def odd_order(order_id: str) -> str:
    """Return the condition whether an order id (a column of SQL with texts) has blanks around it."""
    return f"({order_id} <> trim({order_id}))"
