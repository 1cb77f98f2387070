"""Event files that change while they are served: files that grow, are replaced, come and go."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.sources import file_paths, file_states
from twin.sources.arrivals import Arrivals
from twin.sources.base import Location, Quality, Times, Volume
from twin.sources.event_files import Adapter
from twin.sources.file_paths import Found
from twin.sources.files import FileSource, Progress
from twin.sources.tails import OtherwiseError

log = logging.getLogger(__name__)

REST_S = 15.0
"""Time after a failed look without another, seconds: whoever needs the data asks at every tick."""


class ChangingFiles:
    """A `FileSource` that reads what has been added to its files, and is opened anew when they have changed otherwise.

    A look costs one call of the system for each file. Until a new one is open, the old one answers, and both take their memory.
    """

    def __init__(
        self,
        source: str | Path,
        progress: Progress | None = None,
        settings: Settings | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        self._adapter = adapter
        self._settings = settings or Settings()
        self.name = str(source)
        self.as_of: float | None = time.time()
        self.metered = False
        self.watched: tuple[str, ...] = (file_paths.watched(self.name),)
        self._opened = FileSource(source, progress, self._settings, adapter)
        self._failure = ""
        self._failed_at = -REST_S
        self._arrivals = Arrivals()

    # -- the Source protocol ---------------------------------------------------------------------------------------------
    @property
    def times(self) -> Times:
        return self._opened.times

    @property
    def content(self) -> str:
        return self._opened.content

    @property
    def mark(self) -> int:
        return self._arrivals.mark

    def arrived(self, location: str, after: int) -> pa.Table | None:
        return self._arrivals.of(location, after)

    def refresh(self) -> bool:
        """Open the files anew if any has changed, come or gone; return whether one has. Raises `SourceError`."""
        if self._failure and time.monotonic() - self._failed_at < REST_S:
            raise SourceError(self._failure)
        now, opened = time.time(), self._opened
        try:
            found = file_paths.find(self.name, self._settings.max_files)
            changed = self._grown(opened, found)
            if changed is None:
                self._opened = FileSource(
                    self.name, None, self._settings, self._adapter, previous=opened
                )  # one assignment: others read it
                self._arrivals.restart(self._opened.rows - opened.rows)
        except SourceError as error:
            self._failure = (
                f"The files have changed and cannot be read again, so what was read before is shown: {error}"
            )
            self._failed_at = time.monotonic()
            raise SourceError(self._failure) from error
        self._failure = ""
        self.as_of = now
        return changed is not False

    def _grown(self, opened: FileSource, found: Found) -> bool | None:
        """Read what is new in the files by itself; return whether there was any, None if everything has to be read again."""
        states = file_states.of(found.paths)
        # where its end is not watched, a line that was half-written at the last look, and still is, is read as it is
        if states == opened.states and not opened.waits:
            return None if opened.half_lines and not opened.grows else False
        try:
            before, news = opened.states, opened.look(found, states)
            if not news.changed:
                opened.note(news)
                return opened.states != before
            used, read = opened.grow(news)
        except OtherwiseError as why:
            log.info("%s is read again as a whole: %s.", Path(self.name).name, why)
            return None
        if read:
            self._arrivals.add(used, read)
        return bool(read) or opened.states != before

    def locations(self) -> list[Location]:
        return self._opened.locations()

    def quality(self, location: str | None = None) -> Quality:
        return self._opened.quality(location)

    def volume(self, location: str) -> Volume:
        return self._opened.volume(location)

    def window(self, location: str, start: float, end: float) -> pa.Table:
        return self._opened.window(location, start, end)

    def history(self, location: str, start: float, end: float) -> pa.Table:
        return self._opened.history(location, start, end)

    def begun(self, start: float, end: float) -> pa.Table:
        return self._opened.begun(start, end)

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        return self._opened.query(name, **parameters)

    def routes(self, location: str, most: int) -> pa.Table:
        return self._opened.routes(location, most)

    def gold(self) -> Mapping[str, int]:
        return self._opened.gold()

    def names(self, dimension: str) -> Mapping[str, str]:
        return self._opened.names(dimension)

    def close(self) -> None:
        self._opened.close()
