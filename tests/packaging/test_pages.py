"""The pages as scripts: those of the top level, for `panel serve`, and the package's own, for `twin serve`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_packages_scripts_are_those_of_the_top_level() -> None:
    apps, dashboards = ROOT / "twin" / "pages" / "apps", ROOT / "dashboards"
    inside, outside = (
        {page.name: page.read_text("utf-8") for page in folder.glob("*.py")} for folder in (apps, dashboards)
    )
    assert inside == outside
    assert {"operations.py", "kiosk.py"} <= set(inside)
