"""Recognises the columns of events however their names are spelled: `order_id`, `orderId`, `Order ID`, `ORDER-ID`."""

import re
from collections.abc import Iterable

_SEPARATORS = re.compile("[\\s_.\\-\u200b-\u200f\u2060\ufeff]+")
"""Between words or around names; the last ones are invisible, and come with what is copied from a web page."""
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def plain(name: str) -> str:
    """Return a name in lower case, with underscores between its words.

    >>> [plain(name) for name in ("brandId", "Brand ID", " BRAND-ID ", "brand_id")]
    ['brand_id', 'brand_id', 'brand_id', 'brand_id']
    """
    return _SEPARATORS.sub("_", _CAPITAL.sub("_", name.strip())).strip("_").lower()


def recognised(names: Iterable[str], wanted: Iterable[str]) -> dict[str, list[str]]:
    """Return, by each wanted name, the names that stand for it.

    What differs only in case and in spaces around it goes before other spellings, so that a file which has both `order_id` and
    `Order ID` means the first.

    >>> recognised(["orderId", "TS", "Event Type", "eventtype"], ["order_id", "ts", "event_type"])
    {'order_id': ['orderId'], 'ts': ['TS'], 'event_type': ['Event Type', 'eventtype']}
    """
    written = list(names)
    found: dict[str, list[str]] = {}
    for name in wanted:
        exact = [one for one in written if one.strip().lower() == name]
        letters = name.replace("_", "")
        chosen = exact or [one for one in written if _SEPARATORS.sub("", one).lower() == letters]
        if chosen:
            found[name] = chosen
    return found
