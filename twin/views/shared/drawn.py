"""Figures that HoloViews or GeoViews draws once, and of which every session shows a copy.

Drawing one takes a tenth of a second and more, and what draws takes 100 MB of memory. So a server has another process draw, which
ends then, and stores what it drew on the disk, where the next server finds it (`prepare`). Elsewhere, as in a notebook, the first
copy is drawn by the process that wants it.
"""

import hashlib
import json
import logging
import subprocess
import sys
import threading
from functools import cache, partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bokeh.core.property.validation import validate
from bokeh.core.serialization import Deserializer, Serializer
from bokeh.plotting import figure as Figure

from twin.foundation.disk_cache import DiskCache
from twin.foundation.settings import Settings
from twin.views.shared.lean import lean_copy

log = logging.getLogger(__name__)

ENDING = ".figure"
LONGEST_S = 120.0
"""Seconds after which the other process is given up; it takes some three of CPU."""
_VIEWS = Path(__file__).resolve().parent.parent


class Drawn:
    """The figures that the function `draw` of a module returns, by name; that module is imported only in order to draw."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._drawing = threading.Lock()
        self._figures: dict[str, Any] | None = None
        self._models: dict[str, Figure] = {}
        _ALL.append(self)

    def copy(self, name: str) -> Figure:
        """Return a new figure; every session needs its own, because Bokeh models belong to one document."""
        with self._drawing:
            if self._figures is None:
                self._figures = self.draw()
            if name not in self._models:
                self._models[name] = lean_copy(loaded(self._figures[name]))  # which is copied in turn with less work
            return lean_copy(self._models[name])

    def draw(self) -> dict[str, Any]:
        """Return the figures as Bokeh serializes them, drawn by this process."""
        figures: dict[str, Figure] = import_module(self.module).draw()
        return {name: Serializer().serialize(figure).content for name, figure in figures.items()}

    @property
    def is_known(self) -> bool:
        """Whether copies can be made without drawing."""
        return self._figures is not None

    @property
    def key(self) -> object:
        """What the figures depend on, for the name of their file."""
        return self.module, _code(), *(version(name) for name in ("bokeh", "holoviews", "geoviews"))

    def put(self, figures: dict[str, Any] | None) -> None:
        """Take the figures that another process has drawn; None: forget them."""
        self._figures = figures
        self._models.clear()


def loaded(content: Any) -> Figure:
    """Return a serialized figure."""
    with validate(False):  # what it was written from is checked
        figure: Figure = Deserializer().deserialize(content)
    return figure


_ALL: list[Drawn] = []
"""What the modules imported so far show."""


def prepare(settings: Settings) -> None:
    """Make all figures of the views imported so far known, without drawing in this process.

    If that fails the log says why, and each is drawn here when it is first shown.
    """
    files = DiskCache(settings.cache_folder, settings.cache_bytes)
    missing = [one for one in _ALL if not one.is_known and not _found(one, files)]
    if not missing:
        return
    command = [sys.executable, "-m", __spec__.name, *(one.module for one in missing)]
    try:
        # from where this package is, which need not be installed
        done = subprocess.run(command, capture_output=True, check=True, timeout=LONGEST_S, cwd=_VIEWS.parent.parent)  # noqa: S603
        drawn = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log.warning("figures are drawn when they are first shown: %s", error)
        return
    for one, figures in zip(missing, drawn, strict=True):
        one.put(figures)
        files.store(one.key, ENDING, partial(_write, json.dumps(figures)))


def _write(text: str, path: Path) -> None:
    path.write_text(text, "utf-8")


def _found(one: Drawn, files: DiskCache) -> bool:
    path = files.find(one.key, ENDING)
    try:
        if path is not None:
            one.put(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        log.warning("figures on the disk cannot be read, and are drawn anew: %s", error)
    return one.is_known


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(_VIEWS.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _main() -> None:
    print(json.dumps([Drawn(module).draw() for module in sys.argv[1:]]))


if __name__ == "__main__":
    _main()
