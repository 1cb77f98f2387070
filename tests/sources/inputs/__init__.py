"""Makers of the inputs in the table of docs/data.md, which tests/sources/test_inputs.py opens one by one.

A maker is registered under the text of its row's first column, and writes the input from rows of the simulator. All modules of
this folder are imported, so a new one needs no entry anywhere.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

Row = dict[str, Any]
"""A raw row: event_type, ts, location, order_id, sequence and body, all texts."""


@dataclass(frozen=True, slots=True)
class Made:
    """An input that was written: what to open, and what must come of it where that is not the outcome of the table alone.

    `rows` are those that must be used, None for all that the maker was given. `read` is the number of rows in the input, None
    if it is theirs. `environment` are settings as in `os.environ`, `within` is what holds while it is opened.
    """

    source: Path | str
    rows: list[Row] | None = None
    read: int | None = None
    environment: dict[str, str] = field(default_factory=dict)
    within: Callable[[], AbstractContextManager[object]] = nullcontext


Maker = Callable[[Path, list[Row]], Made]
MAKERS: dict[str, dict[str, Maker]] = {}
"""The makers by the first column of the table, and for each of them by the name of the variant."""


def makes(row: str, *variants: str) -> Callable[[Callable[..., Made | Path | str]], Callable[..., Made | Path | str]]:
    """Register a maker of a row of the table: called with an empty folder and the rows, and if there are any, a variant."""

    def register(make: Callable[..., Made | Path | str]) -> Callable[..., Made | Path | str]:
        for variant in variants or ("",):

            def maker(folder: Path, rows: list[Row], variant: str = variant) -> Made:
                made = make(folder, rows, variant) if variants else make(folder, rows)
                return made if isinstance(made, Made) else Made(made)

            assert variant not in MAKERS.setdefault(row, {}), f"{row} has two makers of {variant!r}"
            MAKERS[row][variant] = maker
        return make

    return register


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
