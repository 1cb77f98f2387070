"""Every public name of `twin` has an example, and the example is true."""

import doctest
import functools
import inspect
from pathlib import Path

import pytest

import twin
from twin.notebook import cards, door, given_times, kitchen, order_life, tables, trajectory_table

cached_open = functools.cache(twin.open)
"""Every example opens the demo anew; a reader does it once."""

MODULES = [twin, door, given_times, kitchen, order_life, cards, tables, trajectory_table]


def public_members() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in twin.__all__:
        thing = getattr(twin, name)
        found.append((name, thing))
        if inspect.isclass(thing):
            mine = [key for key in vars(thing) if not key.startswith("_")]
            found += [
                (f"{name}.{key}", member)
                for key in mine
                if isinstance(member := inspect.getattr_static(thing, key), property)
                or inspect.isfunction(member)
                or hasattr(member, "func")
            ]
    return found


@pytest.mark.parametrize(("name", "thing"), public_members(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_public_name_has_an_example(name: str, thing: object) -> None:
    assert ">>>" in (getattr(thing, "__doc__", None) or ""), f"{name} has no example"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_are_true(module: object, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DEMO", str(demo))
    monkeypatch.setattr(twin, "open", cached_open)
    names = {**vars(module), "twin": twin}  # as after `import twin`
    results = [
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, globs=names)
    ]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
