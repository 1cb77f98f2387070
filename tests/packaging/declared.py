"""What pyproject.toml declares, and what that brings along, as installed here."""

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OURS = "caspers-twin"

_project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = _project["optional-dependencies"]


def requirements(*extras: str) -> list[Requirement]:
    """What the base and `extras` declare, an extra that another one names in its place."""
    given = [Requirement(text) for text in _project["dependencies"]]
    for extra in extras:
        for requirement in map(Requirement, EXTRAS[extra]):
            given += requirements(*requirement.extras) if requirement.name == OURS else [requirement]
    return given


def declared(*extras: str) -> set[str]:
    """The names, canonical, that the base and `extras` declare themselves."""
    return {canonicalize_name(requirement.name) for requirement in requirements(*extras)}


def installed_with(*extras: str) -> set[str]:
    """The names of all distributions that installing the base and `extras` would bring here."""
    todo = [Requirement(name) for name in declared(*extras)]
    reached: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted = todo.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in reached:
            continue
        try:
            needs = [Requirement(text) for text in distribution(wanted.name).requires or []]
        except PackageNotFoundError:  # declared for another platform or Python by somebody else's marker
            continue
        reached.add(key)
        environments = [{"extra": extra} for extra in {"", *wanted.extras}]
        todo += [one for one in needs if one.marker is None or any(map(one.marker.evaluate, environments))]
    return {name for name, _ in reached}


@cache
def providers() -> dict[str, set[str]]:
    """For every top-level module that is installed, the distributions (canonical) that provide it; some seconds, once."""
    return {module: {canonicalize_name(name) for name in names} for module, names in packages_distributions().items()}


def importable(distributions: set[str]) -> set[str]:
    """The top-level modules that some of `distributions` provide."""
    return {module for module, names in providers().items() if names & distributions}
