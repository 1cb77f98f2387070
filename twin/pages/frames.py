"""What all our pages begin with: Panel's extension, and the template that is the page's HTML before any script has run."""

import functools
from pathlib import Path

import jinja2
import panel as pn


def begin_panel() -> None:
    """Prepare Panel for the page of a new session."""
    # no reconnect: connection.js, or a wall's outer page, opens a new session instead; signatures are for who types in a notebook
    pn.extension(reconnect=False, apply_signatures=False)


@functools.cache
def frame(path: Path) -> jinja2.Template:
    """Return a template that extends Panel's own page. Given its text, Panel would compile it for every session."""
    # the options are Panel's own: its page puts in scripts as they are, and the frames escape what comes from outside
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    scripts = Path(__file__).with_name("scripts.html")
    return environment.from_string("{% extends base %}\n" + scripts.read_text("utf-8") + path.read_text("utf-8"))
