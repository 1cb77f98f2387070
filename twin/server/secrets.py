"""The secret of this installation, from which the keys that sign sessions and login cookies are derived.

Without one, Bokeh does not sign session tokens and Panel's login answers 500. So the first server that starts makes one, in a
file that only its owner can read. All processes of that user share it: open pages go on after a restart, and a login holds.
"""

import hashlib
import hmac
import logging
import os
import secrets
import stat
from functools import cache
from pathlib import Path

from twin.foundation.errors import ConfigError

log = logging.getLogger(__name__)

FILE = "secret"
BYTES = 32
SESSIONS, COOKIES = "sessions", "cookies"
"""What keys are for: signing session tokens, and login cookies."""


@cache
def key(folder: Path, purpose: str) -> bytes:
    """Return the key for a purpose, 64 hexadecimal digits; the secret is made in `folder` where there is none.

    Where the folder cannot be written, the secret lives as long as this process, which is logged. Raises `ConfigError` if others
    can read or could have written the file.
    """
    return hmac.new(_secret(folder), purpose.encode(), hashlib.sha256).hexdigest().encode()


@cache
def _secret(folder: Path) -> bytes:
    file = folder / FILE
    try:
        return _read(file)
    except FileNotFoundError:
        pass
    try:
        made = _make(file)
    except OSError as error:
        log.warning(
            "No secret can be kept in %s (%s): logins and open pages end with this process. Name a folder that can be "
            "written, with TWIN_SECRETS.",
            folder,
            error.strerror,
        )
        return secrets.token_bytes(BYTES)
    if made:
        log.warning("Made a secret that signs sessions and logins: %s, readable by its owner only.", file)
    return _read(file)


def _make(file: Path) -> bool:
    """Write a new secret as a whole, unless another process was faster; return whether it is ours."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f".{FILE}-{os.getpid()}-{secrets.token_hex(4)}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
        stream.write(secrets.token_hex(BYTES).encode())
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(part, file)  # unlike a rename, this never replaces a secret that another process uses already
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def _read(file: Path) -> bytes:
    """Return the secret in a file. Raises FileNotFoundError, and ConfigError for a file that is not private or not whole."""
    try:
        stream = open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb")  # noqa: SIM115  # closed below
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(file) from error
    except OSError as error:
        raise ConfigError(f"The secret in {file} cannot be read: {error.strerror}. Mend that, or delete it.") from error
    with stream:
        facts = os.fstat(stream.fileno())
        if facts.st_uid != os.getuid() or not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077:
            raise ConfigError(
                f"{file} is not this user's alone. Delete it (everybody logs in again), or: chmod 600 {file}"
            )
        text = stream.read(4 * BYTES)
    if len(text) != 2 * BYTES:
        raise ConfigError(
            f"{file} is no secret: {len(text)} bytes in place of {2 * BYTES}. Delete it; a new one is made."
        )
    return text
