"""Every public name of `twin` has an example, and every example in a docstring is true."""

import doctest
import functools
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import twin

cached_open = functools.cache(twin.open)
"""Every example opens the demo anew; a reader does it once."""

PACKAGE = Path(twin.__file__).parent
MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>>" in path.read_text("utf-8")
]


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


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DEMO", str(demo))
    monkeypatch.setattr(twin, "open", cached_open)
    module = import_module(name)
    names = {**vars(module), "twin": twin}  # as after `import twin`
    results = [
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, globs=names)
    ]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
