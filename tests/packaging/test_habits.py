"""What contributors work with: hooks that fetch nothing and run pinned tools, and a changelog that has the version."""

import re
from pathlib import Path

import pytest
import yaml

from twin.cli import main
from twin.foundation.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
NODE_TOOLS = {"biome"}


def test_every_hook_is_local_and_runs_a_tool_that_is_pinned() -> None:
    assert [repository["repo"] for repository in HOOKS] == ["local"]
    pinned = {line.split("==")[0] for line in (ROOT / "requirements-test.txt").read_text("utf-8").splitlines()}
    for hook in HOOKS[0]["hooks"]:
        runner, tool, *_ = hook["entry"].split()
        assert (ROOT / runner).stat().st_mode & 0o100, f"{runner} cannot be run"
        assert hook["language"] == "system"
        assert tool in pinned | NODE_TOOLS
    assert all(f'"@biomejs/{tool}"' in (ROOT / "package.json").read_text("utf-8") for tool in NODE_TOOLS)


def test_the_changelog_begins_with_what_is_unreleased_and_then_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[:2] == ["Unreleased", VERSION]


def test_the_command_says_the_version(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"twin {VERSION}\n"


def test_nothing_here_names_a_host_of_a_registry() -> None:
    files = [*ROOT.glob("*.toml"), *ROOT.glob("*.txt"), *ROOT.glob("*.yml"), *ROOT.glob("*.yaml"), ROOT / "Makefile"]
    files += [*ROOT.glob("package*.json"), ROOT / ".pre-commit-config.yaml", *(ROOT / "scripts").iterdir()]
    texts = {file.name: file.read_text("utf-8") for file in files if file.is_file()}
    words = ("pypi" + ".", "registry.npm" + "js", "index-url", "pythonhosted")
    assert {name: word for name, text in texts.items() for word in words if word in text} == {}
