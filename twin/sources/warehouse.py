"""Runs statements on a Databricks SQL warehouse over a small pool of connections.

A connection runs one statement at a time. If its session has expired, a new one is opened and the statement is executed once
more. A starting warehouse is waited for. After a failure no statement is sent for a while, so that ten viewers do not flood a
warehouse that is down.
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

from twin.foundation import errand, progress
from twin.foundation.errors import CancelledError, SourceError
from twin.foundation.version import VERSION
from twin.sources import query_tags

if TYPE_CHECKING:
    from databricks.sql.client import Connection, Cursor

log = logging.getLogger(__name__)

CONNECTIONS = 4
"""Most statements in parallel: a page sends several at once, and a small warehouse runs ten."""
SOCKET_S = 60.0
"""Timeout of one network response; a statement may take longer, because the connector polls its state."""
START_S = 600.0
"""Longest wait for a warehouse to start; a classic one takes five minutes, sometimes more."""
RETRY_S = 2.0
"""Time between two attempts while the warehouse starts."""
LOST_S = 60.0
"""Longest time in which all questions for the state of a running statement may be turned away or lost."""
REST_S = 15.0
"""Time without statements after a failure."""
STATEMENTS = 500
"""Statements after which a connection is replaced, because the connector stores something for each of them."""
RETRYABLE = re.compile(r"HTTP 503|HTTP 429|TEMPORARILY_UNAVAILABLE|RESOURCE_EXHAUSTED|max retry duration")
"""Error messages of the connector after which a retry makes sense: the service is starting or overloaded."""
SESSION_LOST = re.compile(r"Invalid (Session|Operation)Handle|INVALID_HANDLE|session .*(closed|expired)", re.IGNORECASE)
MOST_INT = 2**31 - 1
"""Largest whole number that SQL's INT holds."""
LOCAL = ("127.0.0.1", "localhost")

NO_CONNECTOR = (
    "A SQL warehouse needs the packages databricks-sql-connector and databricks-sdk, which are not installed: "
    "pip install 'caspers-twin[databricks]'."
)

Report = Callable[[str], None]


class ConnectionLost(Exception):
    """The connection or its session is lost; the statement may be executed again."""


class DownloadFailed(Exception):
    """A result lies in a storage that cannot be reached."""


class TagsRefused(Exception):
    """The warehouse takes no query tags; the statement was not executed."""


class Warehouse:
    """Runs statements. Thread-safe."""

    def __init__(
        self,
        http_path: str,
        cloud_fetch: bool = True,
        most: int = CONNECTIONS,
        query_tags: bool = True,
        token: Callable[[], str] | None = None,
    ) -> None:
        """`http_path` is where the warehouse is; host and credentials the SDK finds when a connection is opened.

        With `cloud_fetch`, large results may come as links to the workspace's storage. Where that cannot be reached, the
        statement is executed once more without, as are all after it. The same holds for `query_tags`, with which each statement
        says what it is for.

        `token()` returns the access token of the user whose rights count in place of this process's, and raises `SignInError`
        if there is none any more. It is called for each request, because tokens end before sessions do.
        """
        self._http_path = http_path
        self._cloud_fetch = cloud_fetch
        self._query_tags = query_tags
        self._token = token
        self._free: list[_Session] = []
        self._lock = threading.Lock()
        self._places = threading.Semaphore(most)
        self._probes = threading.Semaphore(1)
        self._config: Any = None
        self._configuring = threading.Lock()
        self._resting_until = 0.0
        self._last_failure = ""
        self._closed = False

    def query(
        self, sql: str, parameters: Mapping[str, Any], report: Report | None = None, is_probe: bool = False
    ) -> pa.Table:
        """Return the result of a statement. Raises SourceError with one sentence.

        `parameters` are texts, integers, floats or NumPy times (TIMESTAMP_NTZ). `report` is called with what the statement waits
        for, by default the current task's. A probe has a place of its own, so that it does not wait for what pages load.
        """
        if self._token is not None:
            self._token()
        with self._probes if is_probe else self._places:
            self._refuse_while_resting()
            lost = 0
            while True:
                with self._session(report or progress.current().waiting) as session:
                    try:
                        return session.execute(sql, parameters, self._tags())
                    except TagsRefused as error:
                        self._query_tags = False
                        log.warning("the warehouse takes no query tags (%s): statements go without from now on", error)
                    except DownloadFailed as error:
                        session.broken = True
                        self._fetch_directly(error)
                    except ConnectionLost as error:
                        session.broken = True
                        lost += 1
                        if lost == 2 and (theirs := self._explain_to_user(str(error))):
                            raise SourceError(theirs) from error
                        if lost == 2:
                            raise self._failure(
                                f"The SQL warehouse broke off twice ({error}). Try again in a minute."
                            ) from error
                        log.warning("a session of the warehouse is gone: the statement is executed again")

    def close(self) -> None:
        """Close all sessions."""
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
        if session is not None and not self._is_current(session):
            session.close()
            session = None
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

    def _is_current(self, session: "_Session") -> bool:
        """Return whether a session is of the kind that would be opened now: its connection holds on to its first token."""
        token = "" if self._token is None else self._token()
        return session.token == token and (self._cloud_fetch or not session.cloud_fetch)

    def _open(self, report: Report) -> "_Session":
        """Open a session, and wait if the warehouse is starting."""
        began = time.monotonic()
        while True:
            try:
                cloud_fetch = self._cloud_fetch
                token = "" if self._token is None else self._token()
                session = _Session(self._connect(cloud_fetch), cloud_fetch, token, self._explain)
            except SourceError:
                raise
            except Exception as error:  # the connector, the SDK and urllib3 share no class of errors
                message = _sentence(error)
                waited = time.monotonic() - began
                if not RETRYABLE.search(message) or waited > START_S:
                    if theirs := self._explain_to_user(message):  # no reason to rest: a fresh token may come at once
                        raise SourceError(theirs) from error
                    raise self._failure(self._explain(message)) from error
                report(f"Starting the SQL warehouse, {waited:.0f} s so far")
                time.sleep(RETRY_S)
            else:
                self._resting_until = 0.0
                return session

    def _connect(self, cloud_fetch: bool = True) -> "Connection":
        try:
            from databricks import sql  # noqa: PLC0415  # an optional package
            from databricks.sdk.core import Config  # noqa: PLC0415
        except ImportError as error:
            raise SourceError(NO_CONNECTOR) from error

        with self._configuring:  # it may send requests, for which those who have a session must not wait
            if self._config is None:
                # of a user only the host is taken from it; the token of each request is added below
                account: dict[str, Any] = (
                    {} if self._token is None else {"auth_type": "pat", "token": "of each request"}
                )
                self._config = Config(
                    **account,
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
            credentials_provider=lambda: config.authenticate if self._token is None else self._as_user,
            use_cloud_fetch=cloud_fetch,
            enable_telemetry=False,  # else a blocking call at every connect
            user_agent_entry="caspers-digital-twin",
            session_configuration={"timezone": "UTC"},
            _socket_timeout=SOCKET_S,
            _retry_stop_after_attempts_count=1,  # by default it retries for 15 minutes without a message
            _retry_stop_after_attempts_duration=SOCKET_S,
            **plain,
        )

    def _as_user(self) -> dict[str, str]:
        """Return the header that a request of a user needs."""
        assert self._token is not None
        return {"Authorization": f"Bearer {self._token()}"}

    def _tags(self) -> Mapping[str, str]:
        """Return the tags of the next statement of this context; none where they are switched off."""
        return query_tags.tags_for(errand.current()) if self._query_tags else {}

    def _fetch_directly(self, error: Exception) -> None:
        """Have all results come over the connections themselves from now on."""
        if self._cloud_fetch:
            self._cloud_fetch = False
            log.warning(
                "results in the workspace's storage cannot be fetched from here (%s): they come over the connection from now "
                "on. TWIN_CLOUD_FETCH=off saves the attempt.",
                error,
            )

    # -- failures ---------------------------------------------------------------------------------------------------------
    def _refuse_while_resting(self) -> None:
        left = self._resting_until - time.monotonic()
        if left > 0:
            raise SourceError(f"{self._last_failure} (Asked again in {left:.0f} s.)")

    def _explain(self, message: str) -> str:
        """Return the sentence for a message of the service, addressed to whose rights count."""
        return self._explain_to_user(message) or _explained(message, self._http_path)

    def _explain_to_user(self, message: str) -> str:
        """Return the sentence for a message about a user's own rights, "" for any other."""
        return "" if self._token is None else _explained_to_user(message)

    def _failure(self, message: str) -> SourceError:
        """Return the error for a warehouse that does not answer, and let the next statements fail at once with it."""
        self._last_failure = message
        self._resting_until = time.monotonic() + REST_S
        return SourceError(message)


class _Session:
    """One connection with its session."""

    def __init__(self, connection: "Connection", cloud_fetch: bool, token: str, explain: Callable[[str], str]) -> None:
        self._connection = connection
        self._explain = explain
        self.cloud_fetch = cloud_fetch
        self.token = token
        self.statements = 0
        self.broken = False
        self.is_idle = True

    def execute(self, sql: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> pa.Table:
        self.statements += 1
        self.is_idle = False
        cursor = self._connection.cursor()
        try:
            with progress.current().stopping(lambda: self._cancel(cursor)):
                given = [_parameter(name, value) for name, value in parameters.items()]
                self._run(cursor, sql, given, tags)
                table = cursor.fetchall_arrow()
        except CancelledError:
            self.is_idle = True
            raise
        except Exception as error:  # see `Warehouse._open`
            message = _sentence(error)
            if _is_download(error):
                raise DownloadFailed(message) from error
            if SESSION_LOST.search(message) or not _is_answer(error):
                raise ConnectionLost(message) from error
            self.is_idle = True
            if tags and query_tags.REFUSED.search(message):
                raise TagsRefused(message) from error
            raise SourceError(self._explain(message)) from error
        finally:
            with suppress(Exception):  # the session may be lost, and the cursor with it
                cursor.close()
        self.is_idle = True
        return table

    def _run(self, cursor: "Cursor", sql: str, parameters: list[Any], tags: Mapping[str, str]) -> None:
        """Execute a statement and wait until it has finished.

        The connector asks for its state again and again, and gives up when one such question is turned away (429, 503) or gets
        lost. The statement runs on all the same, and is not executed a second time for that: it is asked for again here.
        """
        try:
            cursor.execute(sql, parameters=parameters, query_tags=dict(tags))
            return
        except Exception as error:  # see `Warehouse._open`
            if cursor.active_command_id is None or not _is_lost_request(error):
                raise
            log.warning("a running statement is asked for again: %s", _sentence(error))
        until = time.monotonic() + LOST_S
        while True:
            time.sleep(RETRY_S)
            progress.current().check()
            try:
                if not cursor.is_query_pending():
                    cursor.get_async_execution_result()
                    return
                until = time.monotonic() + LOST_S
            except Exception as error:  # see `Warehouse._open`
                if time.monotonic() > until or not _is_lost_request(error):
                    raise

    def _cancel(self, cursor: "Cursor") -> None:
        """Cancel the cursor's statement, as soon as the service has returned its id."""
        deadline = time.monotonic() + SOCKET_S
        while cursor.active_command_id is None and not self.is_idle and time.monotonic() < deadline:
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
        case int() if abs(value) <= MOST_INT:  # LIMIT takes nothing wider
            return native.IntegerParameter(value=value, name=name)
        case int():
            return native.BigIntegerParameter(value=value, name=name)
        case float():
            return native.DoubleParameter(value=value, name=name)
        case str():
            return native.StringParameter(value=value, name=name)
    raise TypeError(f"no SQL parameter can be made of {name}, a {type(value).__name__}")


def _is_answer(error: Exception) -> bool:
    """Whether the warehouse itself rejected the statement, as opposed to a failed connection."""
    from databricks.sql.exc import RequestError, ServerOperationError  # noqa: PLC0415

    return isinstance(error, ServerOperationError) or (
        not isinstance(error, RequestError | OSError) and "DatabaseError" in type(error).__name__
    )


def _is_lost_request(error: Exception) -> bool:
    """Whether a request to the warehouse was turned away or lost, so that the session and its statement may live on."""
    from databricks.sql.exc import RequestError  # noqa: PLC0415

    return (
        isinstance(error, RequestError | OSError)
        and not _is_download(error)
        and not SESSION_LOST.search(_sentence(error))
    )


def _is_download(error: BaseException) -> bool:
    """Whether an error comes from fetching a result out of a storage: the connector has no class of errors for that."""
    frame = error.__traceback__
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).startswith("databricks.sql.cloudfetch"):
            return True
        frame = frame.tb_next
    return False


def _sentence(error: Exception) -> str:
    """Return the first line of an error with its HTTP status, without headers and tokens."""
    code = getattr(error, "context", {}).get("http-code")
    text = str(error).partition("\n")[0].strip() + (f" HTTP {code}" if code else "")
    text = re.sub(r"HTTPS?ConnectionPool\(.*", "the connection failed", text)  # the rest is addresses and class names
    return re.sub(r"(Bearer\s+|dapi|eyJ)[\w.\-]+", "…", text)[:500].rstrip(". ")


def _explained_to_user(message: str) -> str:
    """Return the sentence for a user about his own rights, "" if the message is not about them."""
    if re.search(r"required scopes", message):
        return f"The app may not query in your name: it needs the scope sql, and you to sign in anew ({message})."
    if re.search(r"INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED|does not have|Insufficient privileges", message):
        return f"You may not read these tables, or not use the SQL warehouse: ask for SELECT and CAN USE ({message})."
    if re.search(r"Invalid access token|HTTP 40[13]|token .*expired", message):
        return f"The workspace does not take your sign-in any more: reload the page to sign in again ({message})."
    return ""


def _explained(message: str, http_path: str = "") -> str:
    """Return the sentence for the user: what to do about a message of the service."""
    if re.search(r"INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED|does not have|Insufficient privileges", message):
        return f"The warehouse may not read the tables: grant USE SCHEMA and SELECT to the app ({message})."
    if re.search(r"TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|NO_SUCH_CATALOG", message):
        return f"The tables are not there: run the pipeline, or set CATALOG and LAKEFLOW_SCHEMA ({message})."
    if re.search(r"Invalid access token|HTTP 40[13]|default auth|cannot configure|invalid_client", message):
        return f"The workspace refused the credentials, or there are none: sign in anew, or check the app's secret ({message})."
    if re.search(r"RESOURCE_DOES_NOT_EXIST|HTTP 404", message):
        place = http_path or "this address"
        return f"There is no SQL warehouse at {place}: check DATABRICKS_WAREHOUSE_ID ({message})."
    if RETRYABLE.search(message):
        return f"The SQL warehouse did not start within {START_S / 60:.0f} minutes ({message})."
    return f"The SQL warehouse does not answer: {message}. Try again in a minute."
