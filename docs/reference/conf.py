"""How the API reference is made of the docstrings of `import twin`: `make docs` writes it to build/reference."""

from typing import Any

import twin
from twin.hub import Hub

project, author, release = "caspers-twin", "The maintainers of caspers-twin", twin.__version__
extensions = ["sphinx.ext.autodoc", "numpydoc"]
default_role = "py:obj"  # `k.orders` in a docstring: a link where it names something, else code
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say what is taken, in fewer words than the types of all forms of a time
numpydoc_show_class_members = False  # every member is on its class's page anyway
numpydoc_validation_checks = {"PR01", "PR02", "PR03", "SS06"}
OF_THE_ENGINE = "|".join(name for name in vars(Hub) if name not in vars(twin.Twin))
numpydoc_validation_exclude = {rf"\.Twin\.({OF_THE_ENGINE})$", r"\.[A-Z]\w+$"}  # and classes, which have fields
html_theme = "furo"
html_title = f"caspers-twin {release}"
html_copy_source = html_show_sourcelink = html_show_copyright = False


def with_headings(_app: Any, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Put the heading above the examples of docstrings that are too short to have headings of their own."""
    first = next((number for number, line in enumerate(lines) if line.startswith(">>>")), None)
    if first is not None and "Examples" not in lines:
        lines[first:first] = ["Examples", "--------"]


def without_constructor(_app: Any, what: str, *_more: object) -> tuple[str, None] | None:
    """Leave out what constructors take: functions make these objects."""
    return ("", None) if what == "class" else None


def setup(app: Any) -> None:
    """Have both called, the headings before numpydoc reads the docstrings."""
    app.connect("autodoc-process-signature", without_constructor)
    app.connect("autodoc-process-docstring", with_headings, priority=100)
