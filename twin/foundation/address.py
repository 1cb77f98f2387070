"""Reads a page's address: what makes no sense in it is left out and reported in a sentence, and all the rest still works.

An address is typed, shortened in a mail, or written by another program. Without a word about a slip, a person looks at the usual
values and takes them for those that were asked for.
"""

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from twin.foundation.zones import NAIVE, Zone

LONGEST_ID = 1_000
"""Characters of a kitchen's or an order's id that are read from an address; most have 32, but some systems write names there."""
LONGEST_QUOTE = 40
"""Characters of a value that a sentence quotes."""
MOST_REMARKS = 3
"""Sentences of one notice; the number of the others is given."""
MOST_COUNTED = 50
"""Remarks on one address; what an address of thousands of names would say beyond is not worth its computation."""
OTHERS_NAMES = ("o", "fbclid", "gclid", "msclkid")
OTHERS_PREFIXES = ("utm_", "bokeh-", "_")
"""Parameters that hosts (Databricks: `o`), mail programs and Bokeh add to addresses: nobody mistyped them."""


_LOST_PLUS = re.compile(r"(?<=[\d.]\d) (?=\d\d:?\d\d$)")


class Address:
    """The parameters of one address. Every reading method returns None for what is absent or makes no sense.

    >>> address = Address({"speed": "fast", "stage": "reday", "sped": "60"})
    >>> address.number("speed", 0.1, 1000), address.one_of("stage", ("created", "ready"))
    (None, None)
    >>> address.only("speed", "stage")
    >>> for remark in address.remarks:
    ...     print(remark)
    “fast” for “speed” is not a number from 0.1 to 1000: the usual one is used.
    There is no stage “reday”. Did you mean “ready”?
    There is no parameter “sped”. Did you mean “speed”?
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.query = dict(query)
        self.remarks: list[str] = []
        """What was left out or changed, a sentence each."""

    def remark(self, sentence: str) -> None:
        """Add a sentence, once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def text(self, name: str) -> str:
        """Return a parameter without spaces around it, empty if it is absent."""
        return self.query.get(name, "").strip()

    def time(self, name: str, tz: Zone = NAIVE) -> float | None:
        """Return a time in data seconds; one without an offset is what the clock of `tz` shows."""
        return self._read(
            name,
            lambda text: tz.seconds(with_plus(text)),
            f"is no time for “{name}”: write it like 2025-10-16T18:30.",
        )

    def number(self, name: str, least: float, most: float, nearest: bool = False) -> float | None:
        """Return a number of [least, most]; with `nearest`, one beyond it becomes the bound."""
        problem = f"for “{name}” is not a number from {least:g} to {most:g}: "
        value = self._read(name, _finite, f"{problem}the usual one is used.")
        if value is None or least <= value <= most:
            return value
        bound = min(max(value, least), most)
        self.remark(f"{quoted(self.text(name))} {problem}{f'{bound:g}' if nearest else 'the usual one'} is used.")
        return bound if nearest else None

    def one_of(self, name: str, values: Collection[str], lower: bool = False) -> str | None:
        """Return a value out of several; with `lower`, capitals make no difference."""
        text = self.text(name).lower() if lower else self.text(name)
        if not text or text in values:
            return text or None
        self._unknown(name, text, values)
        return None

    def some_of(self, name: str, values: Collection[str], what: str, lower: bool = False) -> list[str]:
        """Return the values of a list with commas, in its order; `what` is the word for one of them. `lower` as in `one_of`."""
        text = self.text(name).lower() if lower else self.text(name)
        named = [part.strip() for part in text.split(",") if part.strip()]
        for part in dict.fromkeys(named):
            if part not in values:
                self._unknown(what, part, values)
        return [part for part in named if part in values]

    def only(self, *names: str) -> None:
        """Report parameters of other names."""
        for name in self.query:
            if name not in names and name not in OTHERS_NAMES and not name.startswith(OTHERS_PREFIXES):
                self._unknown("parameter", name, names)

    def _unknown(self, what: str, text: str, values: Collection[str]) -> None:
        """Remark that there is no such value, with the one that was most likely meant."""
        if len(self.remarks) < MOST_COUNTED:
            self.remark(f"There is no {what} {quoted(text)}. {suggestion(text, values)}")

    def _read(self, name: str, parse: Callable[[str], float], problem: str) -> float | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError:
            self.remark(f"{quoted(text)} {problem}")
            return None


def with_plus(text: str) -> str:
    """Return a time with the plus sign of its offset, which arrives as a space where it was not encoded.

    >>> with_plus("2025-11-02T14:15 05:45"), with_plus("2025-11-02 14:15")
    ('2025-11-02T14:15+05:45', '2025-11-02 14:15')
    """
    return _LOST_PLUS.sub("+", text) if "T" in text.upper() else text


def notice(remarks: Iterable[str]) -> str:
    """Return remarks as the text of one notice, empty without any.

    >>> notice(["A.", "B.", "C.", "D.", "E."])
    'A. B. C. And 2 more.'
    """
    sentences = list(remarks)
    more = [f"And {len(sentences) - MOST_REMARKS} more."] if len(sentences) > MOST_REMARKS else []
    return " ".join([*sentences[:MOST_REMARKS], *more])


def suggestion(text: str, values: Collection[str]) -> str:
    """Return a question for the value that was most likely meant, else a sentence that lists the first ones.

    >>> suggestion("Chicgo", ("chicago", "sanfrancisco")), suggestion("?", ("a", "b"))
    ('Did you mean “chicago”?', 'There are “a”, “b”.')
    """
    by_case = {value.casefold(): value for value in values}
    near = difflib.get_close_matches(text.casefold()[:LONGEST_QUOTE], by_case, n=1)
    if near:
        return f"Did you mean {quoted(by_case[near[0]])}?"
    return f"There are {', '.join(map(quoted, list(values)[:8]))}."


def quoted(text: str) -> str:
    """Return a text in quotation marks, shortened.

    >>> quoted("x" * 99)
    '“xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…”'
    """
    return f"“{text}”" if len(text) <= LONGEST_QUOTE else f"“{text[: LONGEST_QUOTE - 1]}…”"


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number.")
    return value
