"""How a column's times are written: the forms that fit, and what only a person can say.

A form holds for a whole column and is judged by all of its values, never value by value: 01/06 and 13/06 of one column are the
same kind of date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_DATE = re.compile(
    r"(?P<a>\d{4}|\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?:(?P=sep)(?P<c>\d{4}|\d{2}))?(?P<rest>.*)", re.DOTALL
)
_NAMED = re.compile(
    r"(?:(?P<weekday>[A-Za-z]{3,9}),? )?(?:(?P<day>\d{1,2})(?P<s1>[ -])(?P<month>[A-Za-z]{3,9})|(?P<month2>[A-Za-z]{3,9}) "
    r"(?P<day2>\d{1,2}))(?P<comma>,?)(?P<s2>[ -])(?P<year>\d{4}|\d{2})(?P<rest>.*)", re.DOTALL
)  # fmt: skip
_CLOCK = re.compile(
    r"(?P<gap>[T ,]*)(?P<h>\d{1,2}):(?P<m>\d{2})(?P<s>:\d{2})?(?P<f>[.,]\d{1,9})?(?P<g> ?)(?P<p>[AaPp][Mm])?\s*"
)


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern of strptime, with what it says of the order of day and month: day, month, or "" where there is no doubt."""

    pattern: str
    first: Literal["day", "month", ""] = ""
    has_day: bool = True
    has_clock: bool = True
    has_year: bool = True


def candidates(samples: Sequence[str]) -> list[Form]:
    """Return the forms that the samples may be written in, those that fit most first; ISO is not among them.

    >>> [form.pattern for form in candidates(["03/04/2024 10:05"])]
    ['%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M']
    >>> [form.pattern for form in candidates(["10:05", "23:59"])], candidates(["soup"])
    (['%H:%M'], [])
    """
    found: dict[Form, int] = {}
    for sample in samples:
        for form in _of(sample.strip()):
            found[form] = found.get(form, 0) + 1
    return sorted(found, key=lambda form: -found[form])


def _of(text: str) -> list[Form]:
    if match := _CLOCK.fullmatch(text):
        return [Form(_clock(match), has_day=False, has_year=False)]
    if match := _DATE.fullmatch(text):
        return _numeric(match)
    if match := _NAMED.fullmatch(text):
        return _named(match)
    return []


def _numeric(match: re.Match[str]) -> list[Form]:
    first, second, third, sep = match["a"], match["b"], match["c"], match["sep"]
    clock = _after(match["rest"])
    if clock is None or (first == second and third is None):
        return []
    if len(first) == 4:  # the digits of a year
        return [] if third is None or len(third) > 2 else [Form(f"%Y{sep}%m{sep}%d{clock}", has_clock=bool(clock))]
    if third is None:
        if not clock:  # 10-22 alone may be anything
            return []
        year = ""
    else:
        year = f"{sep}%Y" if len(third) == 4 else f"{sep}%y"
    return [
        Form(f"%d{sep}%m{year}{clock}", "day", has_clock=bool(clock), has_year=bool(year)),
        Form(f"%m{sep}%d{year}{clock}", "month", has_clock=bool(clock), has_year=bool(year)),
    ]


def _named(match: re.Match[str]) -> list[Form]:
    clock = _after(match["rest"])
    if clock is None:
        return []
    name = match["month"] or match["month2"]
    month = "%b" if len(name) == 3 else "%B"  # Jan, January
    year = "%Y" if len(match["year"]) == 4 else "%y"
    day = f"%d{match['s1']}{month}" if match["day"] else f"{month} %d"
    weekday = match["weekday"] or ""
    before = f"{'%a' if len(weekday) == 3 else '%A'}{text[len(weekday)]} " if (text := match.string) and weekday else ""
    before = before.replace("  ", " ")
    return [Form(f"{before}{day}{match['comma']}{match['s2']}{year}{clock}", has_clock=bool(clock))]


def _after(rest: str) -> str | None:
    """Return the pattern of what follows a date; None if that is no time of day."""
    if not rest.strip():
        return ""
    match = _CLOCK.fullmatch(rest)
    return _clock(match) if match and match["gap"] else None


def _clock(match: re.Match[str]) -> str:
    hour = "%I:%M" if match["p"] else "%H:%M"
    seconds = ":%S" if match["s"] else ""
    fraction = f"{match['f'][0]}%f" if match["f"] else ""
    half = f"{match['g']}%p" if match["p"] else ""
    return f"{match['gap']}{hour}{seconds}{fraction}{half}"
