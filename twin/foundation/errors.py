"""The product's own exceptions: every message says what was wrong, where, and what to do."""

from collections.abc import Sequence


class TwinError(Exception):
    """Base of all errors that a user can do something about; shown as one sentence, never as a traceback."""


class SourceError(TwinError):
    """A source cannot be read: missing, empty, without a usable column, or with no usable row."""


class CancelledError(TwinError):
    """Nobody waits any more for what was being done, see `twin.foundation.progress`."""


class UnknownNameError(TwinError):
    """What was asked for does not exist; `near` are names like it."""

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = list(near)


class UnknownLocationError(UnknownNameError):
    """The source has no such location."""


class UnknownOrderError(UnknownNameError):
    """The timeline, or the source, has no such order."""


class UnknownTimeError(TwinError):
    """A time or range that cannot be answered for: outside the data, or too long for the question."""


class ConfigError(TwinError):
    """A setting or a generator configuration is wrong."""
