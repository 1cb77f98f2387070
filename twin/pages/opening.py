"""What a page says while it is not alive, and why it will not be: for the templates of all our pages.

A browser that is refused a WebSocket, a module or a script leaves a page as it was served: a skeleton. It does not tell the page
why, so the script collects what it can see, asks the server over plain HTTP, and names the likely cause.
"""

import functools
from pathlib import Path

import jinja2
import panel as pn

from twin.pages.few_models import models_url
from twin.server.assets import publish
from twin.views.shared.modules import without_comments
from twin.views.shared.typeface import head

FOLDER = Path(__file__).parent


def opening(kind: str, mounted: bool) -> dict[str, str]:
    """Return the variables for a page's template; `kind` is "page", or "wall" for a page that only holds frames.

    `mounted`: whether the page's server serves our routes. Elsewhere (a plain Bokeh server, a test) there is nothing to say.
    """
    names = ("opening_script", "opening_style", "opening_bar", "opening_font", "models")
    if not mounted:
        return dict.fromkeys(names, "")
    base = pn.state.rel_path or "."
    script = publish(without_comments(_text("opening.js")))
    bar = _bar().render(kind=kind, connection=f"{base}/connection")
    models = models_url() if kind == "page" else ""
    values = (f"{base}/{script}", _text("opening.css"), bar, head(base), models and f"{base}/{models}")
    return dict(zip(names, values, strict=True))


@functools.cache
def _bar() -> jinja2.Template:
    return jinja2.Environment(autoescape=True).from_string(_text("opening.html"))


@functools.cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")
