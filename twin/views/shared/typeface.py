"""The page's typeface, shipped with it: figures of one width, and the same look on every machine.

It is that of `twin.render.lettering`. What it has no letter for, and a saved file, which carries no font, falls back to the
fonts of the system.
"""

import functools

from twin.render.lettering import FILE
from twin.server.assets import publish

FAMILY = "Inter"
"""The first name in `theme.FONT`."""


@functools.cache
def _address() -> str:
    return publish(FILE.read_bytes(), "woff2")


def head(base: str) -> str:
    """Return the HTML that loads the font before the first text is drawn; `base` leads from the page to the server's prefix.

    It belongs into the document's head: a shadow root ignores `@font-face`. Until it is there, or if it never
    comes, text is drawn in the system's font.
    """
    address = f"{base}/{_address()}"
    face = f'font-family:"{FAMILY}";font-weight:400 700;font-display:swap;src:url("{address}") format("woff2")'
    preload = f'<link rel="preload" as="font" type="font/woff2" href="{address}" crossorigin>'
    return f"{preload}<style>@font-face{{{face}}}</style>"
