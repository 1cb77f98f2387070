"""Of two equal names in one JSON object the first counts: one answer for all code that reads a body.

RFC 8259 leaves it open. DuckDB and Spark take the first, Python and browsers the last: so an order could have one price in its
figures and another one in its panel, and a client of the API a third opinion.
"""

import json
from typing import Any


class _Repeated(Exception):
    """Two names of one object are equal."""


def parse(text: str) -> Any:
    """Return what a JSON text says; of two equal names in one object the first counts. Raises ValueError, RecursionError.

    >>> parse('{"qty": 1, "qty": 2}')
    {'qty': 1}
    """
    return json.loads(text, object_pairs_hook=_first_of_each)


def without_repeats(text: str) -> str:
    """Return a JSON text in which no object has a name twice: itself if that is so. Raises ValueError, RecursionError.

    >>> without_repeats('{"qty":1, "qty":2}')
    '{"qty":1}'
    >>> without_repeats('{ "qty":1 }')
    '{ "qty":1 }'
    """
    try:
        json.loads(text, object_pairs_hook=_none_repeated)
    except _Repeated:
        return json.dumps(parse(text), ensure_ascii=False, separators=(",", ":"))
    return text


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        made.setdefault(name, value)
    return made


def _none_repeated(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Repeated
