"""What a browser may send: plain JSON of a size that a page of ours sends. Whatever comes over a socket may be anybody's."""

import math
from typing import Any

LARGEST = float(2**53)
"""A browser's integers are exact up to this, and no time, place or number of ours is larger."""
LONGEST_TEXT = 10_000
MOST_PARTS = 1_000
"""Numbers, texts and containers in one message; a page's largest has twenty."""
MOST_DEPTH = 8


def is_plain(message: Any) -> bool:
    """Return whether a message holds nothing but texts, finite numbers, and lists and dicts of them, all of a sensible size.

    >>> is_plain({"verb": "seek", "t": 1.5, "box": [0, 1, None, True]})
    True
    >>> is_plain({"t": float("nan")}), is_plain({"t": 10**400}), is_plain({1: "a"}), is_plain({"t": b"1"})
    (False, False, False, False)
    """
    parts, level = 0, [message]
    for _ in range(MOST_DEPTH):
        parts += len(level)
        if parts > MOST_PARTS or not all(map(_is_plain_part, level)):
            return False
        level = [
            inner
            for part in level
            for inner in (part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
        ]
    return not level


def _is_plain_part(part: Any) -> bool:
    match part:
        case None | bool() | list():
            return True
        case str():
            return len(part) <= LONGEST_TEXT
        case int() | float():
            return abs(part) <= LARGEST and not math.isnan(part)
        case dict():
            return all(isinstance(name, str) and len(name) <= LONGEST_TEXT for name in part)
    return False
