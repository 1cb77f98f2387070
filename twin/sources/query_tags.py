"""Query tags: what a statement was for, in the warehouse's query history and its bill (`system.query.history`).

Tags are stored as plain text and may be replicated beyond the workspace's region, so they name parts of the product, queries
and kitchens' ids, and no person. A warehouse takes at most 20 tags, and 128 characters of a value as it is escaped.
"""

import re
from collections.abc import Mapping

from twin.foundation.errand import Errand

APP = "caspers-digital-twin"
LONGEST = 128
"""Characters of an escaped value."""
REFUSED = re.compile(r"query_tags", re.IGNORECASE)
"""In the message of a warehouse that does not know tags, or not these."""


def tags_for(errand: Errand) -> Mapping[str, str]:
    """Return the tags of a statement, unescaped, as the connector takes them.

    >>> tags_for(Errand("kiosk", "chicago", "window"))
    {'app': 'caspers-digital-twin', 'page': 'kiosk', 'purpose': 'window', 'kitchen': 'chicago'}
    """
    named = {"app": APP, "page": errand.page, "purpose": errand.purpose, "kitchen": errand.kitchen}
    return {name: value for name, text in named.items() if (value := _value(text))}


def _value(text: str) -> str:
    """Return a text without what is no letter of any script, cut to what a tag holds once it is escaped."""
    text = "".join(one if one.isprintable() else " " for one in text).strip()
    size, end = 0, 0
    for end, one in enumerate(text, 1):
        size += 2 if one in "\\,:" else 1
        if size > LONGEST:
            return text[: end - 1].strip()
    return text[:end]
