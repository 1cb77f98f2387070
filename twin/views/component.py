"""The base of the product's own browser components: one plain ES module each, over one shared prelude."""

import json
from pathlib import Path
from typing import Any, ClassVar

from panel.custom import JSComponent

from twin.views import theme

_HERE = Path(__file__).parent


def module_source(*names: str) -> str:
    """Return the JavaScript of a view: the shared prelude followed by the view's own files, which become one module.

    A component's module reaches the browser as text, without a URL to import siblings from (a notebook or a saved page
    has no server), so what views share is put in front of each; the prelude keeps its state once per page.
    """
    tokens = f"const TOKENS_CSS = {json.dumps(theme.css())};\n"
    return tokens + "".join((_HERE / name).read_text("utf-8") for name in ("prelude.js", *names))


def style_source(name: str) -> str:
    """Return the style sheet `name` of a view, preceded by the rules that every view shares."""
    return (_HERE / "shared.css").read_text("utf-8") + (_HERE / name).read_text("utf-8")


def style_text(name: str) -> str:
    """Return the style sheet `name` alone, for a layout that shows nothing itself."""
    return (_HERE / name).read_text("utf-8")


class Component(JSComponent):
    """A `JSComponent` whose module may use the prelude (tokens, clock, icons, formats)."""

    __abstract = True

    _stylesheets: ClassVar[list[Any]] = []
