"""A position in a location's event log, written as `2025-10-17T18:50:00Z~2`: a time, and how many of its events are read.

It contains no event id, because the lakehouse generates new ids at every write. It can lie between events, so that a client
that is disconnected in a quiet hour resumes where the clock was.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from twin.api.instants import EXAMPLE, micros, parse, write_micros

MOST_AT_ONCE = 10_000_000
"""Most events at one time that a position may skip: more than any source has."""


@dataclass(frozen=True, slots=True, order=True)
class StreamPosition:
    """After all events before `at` (microseconds since 1970) and the first `read` of those at exactly that time."""

    at: int
    read: int = 0

    def __str__(self) -> str:
        return f"{write_micros(self.at)}~{self.read}"


def parse_position(value: Any) -> StreamPosition:
    """Parse a position; a plain time lies before its events. Raises ValueError with a message for the client.

    >>> str(parse_position("2025-10-17T18:50:00Z~2"))
    '2025-10-17T18:50:00Z~2'
    """
    if isinstance(value, StreamPosition):
        return value
    time, tilde, number = str(value).strip().partition("~")
    if tilde and not (number.isascii() and number.isdecimal() and len(number) <= 8 and int(number) <= MOST_AT_ONCE):
        raise ValueError(f"must be a time or a position as the answers give it, such as {EXAMPLE}~1")
    return StreamPosition(micros(parse(time)), int(number) if tilde else 0)


POSITION = (
    BeforeValidator(lambda value: None if value is None else parse_position(value)),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": [f"{EXAMPLE}~1", EXAMPLE]}),
)
