"""Opens sources in a process of its own, which a fault may end: `python -m tests.fuzz.opening`, a path per line of the input.

Writes a line of JSON when it begins with a path and another with the outcome: the counts, the sentence of a `TwinError`, or the
class of any other exception. The last line has the most memory that the process ever had.
"""

import faulthandler
import json
import resource
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from twin.foundation.errors import TwinError, UnknownTimeError
from twin.foundation.settings import Settings
from twin.hub import open_source
from twin.sources.changing_files import ChangingFiles

ADDRESSES = 16 << 30
"""Bytes of addresses that the process may take, so that a fault cannot end the machine's other processes."""


def outcome(path: str, settings: Settings) -> dict[str, Any]:
    """Open a source and ask everything that a page asks first."""
    try:
        source = open_source(path, settings)
        assert isinstance(source, ChangingFiles)
        try:
            quality = source.quality()
            place = source.locations()[0]
            with suppress(UnknownTimeError):  # there may be too many rows for one range
                for one in source.locations()[:3]:
                    source.window(one.id, one.start, one.end + 1)
            source.history(place.id, place.start, place.end + 1)
            source.volume(place.id)
            source.query("totals", location=place.id, from_ts=place.start, to_ts=place.end + 1)
            for dimension in ("brands", "items"):
                source.names(dimension)
        finally:
            source.close()
    except TwinError as error:
        return {"refused": str(error)}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    return {"read": quality.read, "used": quality.used, "rejected": dict(quality.rejected)}


def run(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what is written for each path."""
    settings = Settings.from_environment()
    for path in paths:
        yield {"begins": path}
        yield {"path": path, **outcome(path, settings)}
    # ru_maxrss would be the parent's, which a new program inherits
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    yield {"peak": int(status["VmHWM"].split()[0]) << 10}


if __name__ == "__main__":
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    for line in run([line.rstrip("\n") for line in sys.stdin]):
        print(json.dumps(line), flush=True)
