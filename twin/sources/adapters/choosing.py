"""What a person corrects in a proposal, for the command line and the page."""

from dataclasses import replace
from datetime import date

from twin.foundation.errors import ConfigError
from twin.sources.adapters.guess import Choices

_ANSWERS = {
    "day or month": "day or month",
    "day": "a date such as 2024-03-01",
    "year": "a year from 1990 to 2099",
}


def assign(choices: Choices, column: str, role: str) -> Choices:
    """Return the choices with a column in a role, which it takes from any other; "": in none.

    >>> assign(Choices(), "packed_at", "gk_ready").roles
    {'gk_ready': 'packed_at'}
    """
    roles = {other: name for other, name in choices.roles.items() if name != column}
    if role:
        return replace(choices, roles={**roles, role: column}, unused=choices.unused - {column})
    return replace(choices, roles=roles, unused=choices.unused | {column})


def answered(choices: Choices, kind: str, column: str, answer: str) -> Choices:
    """Return the choices with the answer to a question. Raises `ConfigError` for one that makes no sense.

    >>> answered(Choices(), "day or month", "placed", "day").day_first
    {'placed': True}
    """
    words = answer.strip().lower()
    try:
        match kind:
            case "day or month":
                first = {"d": True, "m": False}[words[:1]]
                return replace(choices, day_first={**choices.day_first, column: first})
            case "day":
                return replace(choices, day=date.fromisoformat(words))
            case _:
                year = int(words)
                if not 1990 <= year <= 2099:  # as in a mapping
                    raise ValueError
                return replace(choices, year=year)
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{answer[:40]!r} is not {_ANSWERS.get(kind, 'an answer')}.") from error
