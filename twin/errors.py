"""The product's own exceptions: every message says what was wrong, where, and what to do."""


class TwinError(Exception):
    """Base of all errors that a user can do something about; shown as one sentence, never as a traceback."""


class SourceError(TwinError):
    """A source cannot be read: missing, empty, without a usable column, or with no usable row."""


class UnknownLocationError(TwinError):
    """The source has no such location."""


class UnknownOrderError(TwinError):
    """The timeline has no such order."""


class ConfigError(TwinError):
    """A setting or a generator configuration is wrong."""
