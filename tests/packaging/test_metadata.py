"""What the package says of itself is one thing wherever it is said."""

import tomllib
from pathlib import Path

import pytest
import yaml

import twin
from twin import cli
from twin.foundation.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_version_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"twin {VERSION}\n"
    assert twin.__version__ == VERSION
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert (cited["version"], cited["license"]) == (VERSION, PROJECT["license"])


def test_every_python_that_is_classified_is_one_that_is_required() -> None:
    minors = [
        int(one.rpartition(".")[2])
        for one in PROJECT["classifiers"]
        if one.startswith("Programming Language :: Python :: 3.")
    ]
    assert PROJECT["requires-python"] == f">=3.{min(minors)},<3.{max(minors) + 1}"
    assert minors == list(range(min(minors), max(minors) + 1))
