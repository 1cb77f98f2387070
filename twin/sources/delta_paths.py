"""How Delta tables and their versions are named: by users, and in the package.

In the package a table at a version has a path like a file's: `folder/_delta_log@v3`, or `@latest` or `@` a time as long as the
version is not looked up.
"""

import os
import re
from datetime import UTC, datetime

from twin.foundation.errors import SourceError

LOG = "_delta_log"
LATEST = "latest"
_ASKED = re.compile(r"(?P<folder>.+)@(?P<version>v\d{1,18}|\d{17}|\d{4}-\d\d-\d\d\S*( \d\d:\S*)?)/?", re.DOTALL)
"""A folder with a version: `@v3`, or a time as Delta writes it in paths (yyyyMMddHHmmssSSS) or in ISO 8601."""


def is_table(folder: str) -> bool:
    """Return whether a folder is a Delta table."""
    return os.path.isdir(os.path.join(folder, LOG))


def asked(source: str) -> tuple[str, str]:
    """Return the folder and the version that a source's name asks for, `LATEST` without one.

    A name is taken as it is written if it exists. Raises `SourceError` for a time that no calendar has.
    """
    found = _ASKED.fullmatch(source)
    if found is None or os.path.lexists(source) or not os.path.isdir(found["folder"]):
        return source, LATEST
    version = found["version"]
    if not version.startswith("v"):
        try:
            moment(version)
        except ValueError as error:
            raise SourceError(
                f"{source} asks for a version by a time that cannot be read, {version}: write it like @2025-10-13T18:00:00 "
                "(UTC, or with an offset), or name a version like @v12."
            ) from error
    return found["folder"], version


def path_at(folder: str, version: str) -> str:
    """Return the path by which a table at a version is known in the package."""
    return os.path.join(folder, f"{LOG}@{version}")


def is_path(path: str) -> bool:
    """Return whether a path is one of `path_at`."""
    return os.path.basename(path).startswith(f"{LOG}@")


def folder_of(path: str) -> str:
    """Return the folder of a table from its path."""
    return os.path.dirname(path)


def version_of(path: str) -> str:
    """Return the version that a path of `path_at` names."""
    return os.path.basename(path).partition("@")[2]


def moment(text: str) -> datetime:
    """Return the time that a version is asked for by, in UTC if it has no offset. Raises `ValueError`."""
    if re.fullmatch(r"\d{17}", text):
        return datetime.strptime(f"{text}000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
