"""The product's exceptions. Every message states what is wrong, where, and what to do about it."""

from collections.abc import Sequence


class TwinError(Exception):
    """Base of all errors that a user can act on; pages and API show the message, never a traceback."""


class SourceError(TwinError):
    """A source cannot be read: missing, empty, without a usable column, or with no usable row."""


class SignInError(SourceError):
    """The source is read with the rights of who looks, and whose they are is not known, or no longer."""


class ForeignColumnsError(SourceError):
    """The files of a source can be read, but have other columns than events: an adapter may say what they mean."""


class CancelledError(TwinError):
    """The task was cancelled, see `twin.foundation.progress`."""


class UnknownNameError(TwinError):
    """A requested name does not exist; `near` holds similar names, or the first that exist if `similar` is false."""

    def __init__(self, message: str, near: Sequence[str] = (), similar: bool = True) -> None:
        super().__init__(message)
        self.near = list(near)
        self.similar = similar


class UnknownLocationError(UnknownNameError):
    """The source has no such location."""


class UnknownOrderError(UnknownNameError):
    """The timeline, or the source, has no such order."""


class UnknownTimeError(TwinError):
    """A time or range that cannot be served: outside the data, or too long for the request."""


class ConfigError(TwinError):
    """A setting or a generator configuration is invalid."""


class BusyError(TwinError):
    """Too much work is waiting already: the same request may be answered in a while."""
