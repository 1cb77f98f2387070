"""A mapping as a source of files uses it."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from pathlib import Path

from twin.sources.adapters import mapping as mappings
from twin.sources.adapters import sql
from twin.sources.adapters.mapping import Mapping


@dataclass(frozen=True, slots=True)
class MappingAdapter:
    """Reads files by a mapping: `twin.sources.event_files.Adapter`."""

    mapping: Mapping

    def columns(self) -> tuple[str, ...]:
        return self.mapping.columns()

    def bronze(self, reader: str, types: Dictionary[str, str], rows_name: str) -> str:
        return sql.bronze(self.mapping, reader, types, rows_name)


def load(path: Path) -> MappingAdapter:
    """Return the adapter in a YAML file. Raises `ConfigError`."""
    return MappingAdapter(mappings.read(path))
