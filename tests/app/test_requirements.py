"""requirements.txt, which is all that the platform installs from: complete, consistent, for Python 3.11 on Linux."""

from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.app.files import ROOT
from tests.packaging.declared import requirements

PLATFORM = {
    "python_version": "3.11",
    "python_full_version": "3.11.9",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "os_name": "posix",
}
"""A Databricks app's container, in the terms of environment markers."""


def pins(*files: str) -> dict[str, Requirement]:
    """What requirements.txt pins, or `files` together, by canonical name."""
    text = "\n".join((ROOT / name).read_text() for name in files or ("requirements.txt",))
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    requirements = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def pinned_version(requirement: Requirement) -> Version:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


def wanted_by(name: str, extras: set[str]) -> list[Requirement]:
    """What the installed `name` needs on the platform, its own `extras` included."""
    found = [Requirement(text) for text in distribution(name).requires or []]
    return [
        one
        for one in found
        if one.marker is None or any(one.marker.evaluate({**PLATFORM, "extra": extra}) for extra in {"", *extras})
    ]


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        (("requirements.txt",), ("databricks", "telemetry")),  # an app reads a warehouse, and sends its telemetry
        (("requirements.txt", "requirements-test.txt"), ("test",)),
    ],
    ids=["app", "tests"],
)
def test_every_requirement_of_the_code_and_of_its_packages_is_pinned_within_its_range(
    files: tuple[str, ...], extras: tuple[str, ...]
) -> None:
    exact = pins(*files)
    todo = requirements(*extras)
    reached: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        assert name in exact, f"{wanted} is needed and not pinned"
        version = pinned_version(exact[name])
        assert wanted.specifier.contains(version, prereleases=True), f"{name} {version} is outside {wanted}"
        if (key := (name, frozenset(wanted.extras))) not in reached:
            reached.add(key)
            todo += wanted_by(name, wanted.extras)
    assert set(exact) == {name for name, _ in reached}, "pinned and needed by nothing"


def test_the_pins_are_what_is_tested_here() -> None:
    for name, requirement in pins("requirements.txt", "requirements-test.txt").items():
        try:
            assert Version(distribution(name).version) == pinned_version(requirement), name
        except PackageNotFoundError as error:
            raise AssertionError(f"{name} is pinned and not installed") from error


def test_nothing_in_it_names_an_address() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert "://" not in text
    assert "--" not in text
