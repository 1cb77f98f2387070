"""A position in a location's log of events, written as `2025-10-17T18:50:00Z~2`: a time, and how many of its events are read.

It needs no key of the data, as the real ones are made anew at every write; and it can stand between events, so that a reader
who is cut off in a quiet hour goes on where the clock was.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from twin.api.instants import EXAMPLE, micros, parse, write_micros

MOST_AT_ONCE = 10_000_000
"""Events of one instant that a position may skip: more than any source has."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """After all events before `at` (microseconds since 1970) and the first `read` of those at that very time."""

    at: int
    read: int = 0

    def __str__(self) -> str:
        return f"{write_micros(self.at)}~{self.read}"


def read_position(value: Any) -> Position:
    """Return the position that a text names; a plain time stands before its events. Raises ValueError with a sentence.

    >>> str(read_position("2025-10-17T18:50:00Z~2"))
    '2025-10-17T18:50:00Z~2'
    """
    if isinstance(value, Position):
        return value
    moment, tilde, number = str(value).strip().partition("~")
    if tilde and not (number.isascii() and number.isdecimal() and len(number) <= 8 and int(number) <= MOST_AT_ONCE):
        raise ValueError(f"must be a time or a position as the answers give it, such as {EXAMPLE}~1")
    return Position(micros(parse(moment)), int(number) if tilde else 0)


POSITION = (
    BeforeValidator(lambda value: None if value is None else read_position(value)),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": [f"{EXAMPLE}~1", EXAMPLE]}),
)
