"""The version of the product, defined only here; pyproject.toml reads it."""

import hashlib
from functools import cache
from pathlib import Path

VERSION = "0.2.0"
"""CHANGELOG.md lists the changes of each version."""


@cache
def code() -> str:
    """Return what changes with whatever makes timelines of rows, for the names of files that hold what it has made."""
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in ("foundation", "sources", "timeline"):
        for path in sorted((package / folder).rglob("*")):
            if path.suffix in (".py", ".sql"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
