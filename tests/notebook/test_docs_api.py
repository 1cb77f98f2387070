"""The page of the notebook API names everything that is public."""

import inspect
from pathlib import Path

import twin

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "notebooks.md").read_text("utf-8")


def test_every_public_name_is_on_the_page() -> None:
    missing = [name for name in twin.__all__ if name not in ("open", "Twin", "Locations") and f"`{name}`" not in PAGE]
    for name in twin.__all__:
        thing = getattr(twin, name)
        if inspect.isclass(thing):
            members = [key for key in vars(thing) if not key.startswith("_")]
            fields = {"Instant": {"timeline", "snapshot"}, "OrderLife": {"timeline", "row", "of"}}.get(name, set())
            missing += [f"{name}.{key}" for key in members if key not in fields and f".{key}" not in PAGE]
    assert missing == []
