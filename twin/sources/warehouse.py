"""A Databricks SQL warehouse: statements over a few connections, with the patience that a service needs and no more.

A connection carries one statement at a time and is kept for the next. A session that died is opened anew and its statement
executed once more; a warehouse that starts is waited for; one that does not answer is left alone for a while, so that ten
viewers do not hammer it.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from twin.foundation import progress
from twin.foundation.errors import CancelledError, SourceError
from twin.foundation.version import VERSION

if TYPE_CHECKING:
    from databricks.sql.client import Connection, Cursor

log = logging.getLogger(__name__)

CONNECTIONS = 4
"""Statements at once: a page's questions run side by side, and a small warehouse takes ten."""
SOCKET_S = 60.0
"""A single answer of the network may take so long; a statement may take longer, the connector asks for its state."""
START_S = 600.0
"""A classic warehouse takes five minutes to start, now and then more."""
RETRY_S = 2.0
"""Between two tries while it starts."""
REST_S = 15.0
"""So long nobody asks a warehouse that did not answer."""
STATEMENTS = 500
"""After so many a connection is replaced: the connector keeps a note of each."""
PATIENT = re.compile(r"HTTP 503|HTTP 429|TEMPORARILY_UNAVAILABLE|RESOURCE_EXHAUSTED|max retry duration")
"""What the connector says when a service asks to come again, which it may do once."""
DEAD = re.compile(r"Invalid (Session|Operation)Handle|INVALID_HANDLE|session .*(closed|expired)", re.IGNORECASE)
LOCAL = ("127.0.0.1", "localhost")

NO_CONNECTOR = (
    "A SQL warehouse needs the packages databricks-sql-connector and databricks-sdk, which are not installed: "
    "pip install 'caspers-twin[databricks]'."
)

Report = Callable[[str], None]


class Broken(Exception):
    """The connection or its session is gone; the statement may be executed again."""


class Warehouse:
    """Runs statements. Thread-safe; `close` ends all connections."""

    def __init__(self, http_path: str, most: int = CONNECTIONS) -> None:
        """`http_path` is where the warehouse is; host and credentials the SDK finds when a connection is opened."""
        self._http_path = http_path
        self._free: list[_Session] = []
        self._lock = threading.Lock()
        self._places = threading.Semaphore(most)
        self._config: Any = None
        self._resting_until = 0.0
        self._last_failure = ""
        self._closed = False

    def query(self, sql: str, parameters: Mapping[str, Any], report: Report | None = None) -> pa.Table:
        """Return a statement's result. Raises SourceError with one sentence.

        `parameters` are text, whole and real numbers, or NumPy times (TIMESTAMP_NTZ). `report` hears what is waited for.
        """
        with self._places:
            self._refuse_while_resting()
            for attempt in (1, 2):
                with self._session(report or progress.current().waiting) as session:
                    try:
                        return session.execute(sql, parameters)
                    except Broken as error:
                        session.broken = True
                        if attempt == 2:
                            raise self._failure(
                                f"The SQL warehouse broke off twice ({error}). Try again in a minute."
                            ) from error
                        log.warning("a session of the warehouse is gone: the statement is executed again")
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the sessions."""
        with self._lock:
            self._closed = True
            free, self._free, self._config = self._free, [], None
        for session in free:
            session.close()

    # -- sessions ---------------------------------------------------------------------------------------------------------
    @contextmanager
    def _session(self, report: Report) -> "Iterator[_Session]":
        with self._lock:
            session = self._free.pop() if self._free else None
        if session is None:
            session = self._open(report)
        try:
            yield session
        except BaseException:
            session.broken = session.broken or not session.is_idle
            raise
        finally:
            with self._lock:
                keep = not (session.broken or self._closed or session.statements >= STATEMENTS)
                if keep:
                    self._free.append(session)
            if not keep:
                session.close()

    def _open(self, report: Report) -> "_Session":
        """Open a session, waiting for a warehouse that starts."""
        began = time.monotonic()
        while True:
            try:
                session = _Session(self._connect())
            except SourceError:
                raise
            except Exception as error:  # the connector, the SDK and urllib3 share no class of errors
                words = _sentence(error)
                waited = time.monotonic() - began
                if not PATIENT.search(words) or waited > START_S:
                    raise self._failure(_explained(words, self._http_path)) from error
                report(f"Starting the SQL warehouse, {waited:.0f} s so far")
                time.sleep(RETRY_S)
            else:
                self._resting_until = 0.0
                return session

    def _connect(self) -> "Connection":
        try:
            from databricks import sql  # noqa: PLC0415  # an optional package
            from databricks.sdk.core import Config  # noqa: PLC0415
        except ImportError as error:
            raise SourceError(NO_CONNECTOR) from error

        with self._lock:
            if self._config is None:
                self._config = Config(
                    retry_timeout_seconds=20,
                    http_timeout_seconds=20,
                    product="caspers-digital-twin",
                    product_version=VERSION,
                )
            config = self._config
        host = urlsplit(config.host)
        plain: dict[str, Any] = {}
        if host.scheme == "http":
            if host.hostname not in LOCAL:
                raise SourceError("DATABRICKS_HOST begins with http://: credentials travel over https:// only.")
            plain["_connection_uri"] = config.host.rstrip("/") + self._http_path
        return sql.connect(
            server_hostname=host.hostname,
            http_path=self._http_path,
            credentials_provider=lambda: config.authenticate,
            enable_telemetry=False,  # else a blocking call at every connect
            user_agent_entry="caspers-digital-twin",
            session_configuration={"timezone": "UTC"},
            _socket_timeout=SOCKET_S,
            _retry_stop_after_attempts_count=1,  # its own patience is 15 minutes, silent
            _retry_stop_after_attempts_duration=SOCKET_S,
            **plain,
        )

    # -- failures ---------------------------------------------------------------------------------------------------------
    def _refuse_while_resting(self) -> None:
        left = self._resting_until - time.monotonic()
        if left > 0:
            raise SourceError(f"{self._last_failure} (Asked again in {left:.0f} s.)")

    def _failure(self, words: str) -> SourceError:
        """Note that the warehouse did not answer, so that the next ones are told at once."""
        self._last_failure = words
        self._resting_until = time.monotonic() + REST_S
        return SourceError(words)


class _Session:
    """One connection with its session."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.statements = 0
        self.broken = False
        self.is_idle = True

    def execute(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        self.statements += 1
        self.is_idle = False
        cursor = self._connection.cursor()
        try:
            with progress.current().stopping(lambda: self._cancel(cursor)):
                cursor.execute(sql, parameters=[_parameter(name, value) for name, value in parameters.items()])
                table = cursor.fetchall_arrow()
        except CancelledError:
            self.is_idle = True
            raise
        except Exception as error:  # see `Warehouse._open`
            words = _sentence(error)
            if DEAD.search(words) or not _is_answer(error):
                raise Broken(words) from error
            self.is_idle = True
            raise SourceError(_explained(words)) from error
        finally:
            with suppress(Exception):  # the session may be gone, with all that was in it
                cursor.close()
        self.is_idle = True
        return table

    def _cancel(self, cursor: "Cursor") -> None:
        """Cancel what the cursor executes, as soon as the service has told by which name."""
        given_up = time.monotonic() + SOCKET_S
        while cursor.active_command_id is None and not self.is_idle and time.monotonic() < given_up:
            time.sleep(0.05)
        if not self.is_idle:
            cursor.cancel()

    def close(self) -> None:
        with suppress(Exception):
            self._connection.close()


def _parameter(name: str, value: Any) -> Any:
    from databricks.sql.parameters import native  # noqa: PLC0415

    match value:
        case np.datetime64():
            return native.TimestampNTZParameter(value=value.astype("datetime64[us]").item(), name=name)
        case int():
            return native.BigIntegerParameter(value=value, name=name)
        case float():
            return native.DoubleParameter(value=value, name=name)
        case str():
            return native.StringParameter(value=value, name=name)
    raise TypeError(f"no SQL parameter can be made of {name}, a {type(value).__name__}")


def _is_answer(error: Exception) -> bool:
    """Whether the warehouse itself refused the statement, in contrast to a connection that failed."""
    from databricks.sql.exc import RequestError, ServerOperationError  # noqa: PLC0415

    return isinstance(error, ServerOperationError) or (
        not isinstance(error, RequestError | OSError) and "DatabaseError" in type(error).__name__
    )


def _sentence(error: Exception) -> str:
    """Return an error's first line with its HTTP status; never a header or a token."""
    code = getattr(error, "context", {}).get("http-code")
    text = str(error).partition("\n")[0].strip() + (f" HTTP {code}" if code else "")
    text = re.sub(r"HTTPS?ConnectionPool\(.*", "the connection failed", text)  # its rest is addresses and classes
    return re.sub(r"(Bearer\s+|dapi|eyJ)[\w.\-]+", "…", text)[:500].rstrip(". ")


def _explained(words: str, http_path: str = "") -> str:
    """Return what to do about the service's message."""
    if re.search(r"INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED|does not have|Insufficient privileges", words):
        return f"The warehouse may not read the tables: grant USE SCHEMA and SELECT to the app ({words})."
    if re.search(r"TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|NO_SUCH_CATALOG", words):
        return f"The tables are not there: run the pipeline, or set CATALOG and LAKEFLOW_SCHEMA ({words})."
    if re.search(r"Invalid access token|HTTP 40[13]|default auth|cannot configure|invalid_client", words):
        return f"The workspace refused the credentials, or there are none: sign in anew, or check the app's secret ({words})."
    if re.search(r"RESOURCE_DOES_NOT_EXIST|HTTP 404", words):
        place = http_path or "this address"
        return f"There is no SQL warehouse at {place}: check DATABRICKS_WAREHOUSE_ID ({words})."
    if PATIENT.search(words):
        return f"The SQL warehouse did not start within {START_S / 60:.0f} minutes ({words})."
    return f"The SQL warehouse does not answer: {words}. Try again in a minute."
