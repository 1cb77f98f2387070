"""Modules that are loaded at their first use: what is compiled, and what draws, costs those nothing who do without it.

Why it is this, and not imports inside of functions: docs/decisions/0012.
"""

from importlib import import_module
from typing import Any


class _AtFirstUse:
    """Stands for a module until something of it is wanted. `import_module` makes that safe among threads."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)

    def __repr__(self) -> str:
        return f"<module {self._name!r}, loaded at its first use>"


def at_first_use(name: str) -> Any:
    """Return what stands for the module `name`, which is imported when an attribute of it is first asked for.

    Type checkers and the contracts of layers see an import below `if TYPE_CHECKING:`; this stands in its `else`.
    """
    return _AtFirstUse(name)
