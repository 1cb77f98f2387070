"""A SQL warehouse on loopback: Databricks' Thrift protocol and login over HTTP, statements executed by DuckDB.

The genuine connector talks to it, unpatched. What a real service does wrong can be switched on, and every statement is kept.
"""

import datetime as dt
import functools
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from sqlglot import exp
from thrift.protocol import TBinaryProtocol
from thrift.transport import TTransport

from tests.warehouse.pipelines import transpiled
from twin.sources.queries import json_bodies

TOKEN = "dapi-the-apps-own-token"
CLIENT_SECRET = "the-client-secret-of-the-app"
WAREHOUSE = "warehouse-1"
HTTP_PATH = f"/sql/1.0/warehouses/{WAREHOUSE}"

OK = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)
DONE = ttypes.TGetOperationStatusResp(status=OK, operationState=ttypes.TOperationState.FINISHED_STATE)

RESULTS = "/results/"
HISTORY = re.compile(r"DESCRIBE HISTORY (\S+) LIMIT 1")
EVENTS = "`caspers`.`lakeflow`.`all_events`"

POLL_S = 0.05
"""A question for the state of a running statement is answered after so long, as a real service holds it back for a while."""

TRUNCATED = re.compile(r"date_trunc\((?:[^()]|\([^()]*\))*\)", re.IGNORECASE)
"""Databricks' date_trunc returns a TIMESTAMP, which has a zone, also of a TIMESTAMP_NTZ; DuckDB's returns what it was given."""

KINDS = {
    pa.types.is_boolean: ttypes.TTypeId.BOOLEAN_TYPE,
    pa.types.is_integer: ttypes.TTypeId.BIGINT_TYPE,
    pa.types.is_floating: ttypes.TTypeId.DOUBLE_TYPE,
    pa.types.is_timestamp: ttypes.TTypeId.TIMESTAMP_TYPE,
    pa.types.is_date: ttypes.TTypeId.DATE_TYPE,
}


@dataclass
class Faults:
    """What goes wrong; counts are used up one by one."""

    starting_s: float = 0.0
    """Until so long after the first request the warehouse starts: HTTP 503."""
    unavailable: int = 0
    """Requests that are answered 503."""
    refused_polls: int = 0
    """Questions for the state of a running statement that are turned away: by turns 503 and 429."""
    dead_sessions: int = 0
    """Statements that find their session gone."""
    torn_results: int = 0
    """Results of which the connection breaks in the middle."""
    no_query_tags: bool = False
    """The warehouse is of a version that knows no query tags."""
    no_storage: bool = False
    """The storage to which results are linked cannot be reached, as from many an app."""
    denied: bool = False
    """The service principal may not read the tables."""
    no_history: bool = False
    """The table of events is a view, which has no versions."""
    latency_s: float = 0.0
    """Added to every statement."""
    down: bool = False
    """Connections are closed without an answer."""
    hold: threading.Event | None = None
    """Statements run until it is set, or until they are cancelled."""
    holds: "Callable[[Statement], bool]" = lambda _: True
    """Which statements `hold` is for."""


@dataclass(frozen=True)
class User:
    """Who reads with his own rights: the row filter of the table of events lets the rows through for which `rows` is true."""

    name: str
    rows: str


@dataclass
class Statement:
    """What was executed."""

    sql: str
    parameters: dict[str, Any]
    types: dict[str, str]
    """The declared type of each parameter, as Databricks writes it: INT, BIGINT, TIMESTAMP_NTZ …"""
    tags: dict[str, str]
    """Its query tags, as they arrived: a value is without its escapes."""
    user: str
    """Who executed it; "" for the app."""
    rows: int = 0
    """How many rows it returned."""


@dataclass
class Warehouse:
    """The running double. `address` is what DATABRICKS_HOST names."""

    connection: duckdb.DuckDBPyConnection
    faults: Faults = field(default_factory=Faults)
    statements: list[Statement] = field(default_factory=list)
    sessions: set[bytes] = field(default_factory=set)
    most_sessions: int = 0
    cancelled: int = 0
    logins: int = 0
    users: dict[str, User] = field(default_factory=dict)
    """Users by access token; one that is taken out has ended."""
    strangers: int = 0
    """Requests for a session that another one opened."""
    downloads: int = 0
    """Results that were fetched from the storage."""
    stored: dict[str, bytes] = field(default_factory=dict)
    """The storage: Arrow files by name."""
    address: str = ""
    rows_per_batch: int = 20_000
    linked_bytes: int = 1 << 20
    """Larger results come as links to a storage (CloudFetch) for a client that says that it can download them."""
    _results: dict[bytes, Iterator[tuple[int, Any]]] = field(default_factory=dict)
    _schemas: dict[bytes, pa.Schema] = field(default_factory=dict)
    _running: dict[bytes, Any] = field(default_factory=dict)
    _versions: dict[Any, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begun: float | None = None
    _owners: dict[bytes, str] = field(default_factory=dict)
    _caller: threading.local = field(default_factory=threading.local)

    @property
    def held(self) -> int:
        """Statements that run now."""
        return len(self._running)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables with which the product finds this warehouse."""
        return {
            "DATABRICKS_HOST": self.address,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_WAREHOUSE_ID": WAREHOUSE,
            "CATALOG": "caspers",
            "LAKEFLOW_SCHEMA": "lakeflow",
            "SIMULATOR_SCHEMA": "simulator",
            **more,
        }

    @property
    def asked(self) -> list[str]:
        """The statements so far, as text."""
        return [statement.sql for statement in self.statements]

    def admit(self, authorization: str) -> bool:
        """Whether a request is by the app or a user, whom the thread that answers it then knows."""
        token = authorization.removeprefix("Bearer ")
        self._caller.user = self.users.get(token)
        return token == TOKEN or self._caller.user is not None

    @property
    def _user(self) -> str:
        return self._caller.user.name if self._caller.user else ""

    def is_starting(self) -> bool:
        now = time.monotonic()
        self._begun = self._begun or now
        return now - self._begun < self.faults.starting_s

    def take(self, fault: str) -> bool:
        """Use up one of a counted fault."""
        with self._lock:
            left: int = getattr(self.faults, fault)
            if left:
                setattr(self.faults, fault, left - 1)
            return bool(left)

    # -- TCLIService ------------------------------------------------------------------------------------------------------
    def OpenSession(self, req: Any) -> Any:
        name = uuid.uuid4().bytes
        with self._lock:
            self.sessions.add(name)
            self._owners[name] = self._user
            self.most_sessions = max(self.most_sessions, len(self.sessions))
        protocol = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8
        handle = ttypes.TSessionHandle(ttypes.THandleIdentifier(guid=name, secret=name), protocol)
        return ttypes.TOpenSessionResp(
            status=OK, serverProtocolVersion=protocol, sessionHandle=handle, canUseMultipleCatalogs=True
        )

    def CloseSession(self, req: Any) -> Any:
        with self._lock:
            self.sessions.discard(req.sessionHandle.sessionId.guid)
        return ttypes.TCloseSessionResp(status=OK)

    def ExecuteStatement(self, req: Any) -> Any:
        if self.take("dead_sessions"):
            with self._lock:
                self.sessions.discard(req.sessionHandle.sessionId.guid)
        if req.sessionHandle.sessionId.guid in self.sessions:
            self.strangers += self._owners[req.sessionHandle.sessionId.guid] != self._user
        if self.strangers or req.sessionHandle.sessionId.guid not in self.sessions:
            return ttypes.TExecuteStatementResp(
                status=_failed("Invalid SessionHandle: the session was closed or has expired")
            )
        given = {one.name: _value(one) for one in req.parameters or []}
        types = {one.name: one.type.upper() for one in req.parameters or []}
        name = uuid.uuid4().bytes
        handle = ttypes.TOperationHandle(
            ttypes.THandleIdentifier(guid=name, secret=name), ttypes.TOperationType.EXECUTE_STATEMENT, True
        )
        serialized = (req.confOverlay or {}).get("query_tags", "")
        try:
            if serialized and self.faults.no_query_tags:
                raise ValueError("Configuration query_tags is not available.")
            tags = _query_tags(serialized)
        except ValueError as error:
            return _refused(handle, f"[CONFIG_NOT_AVAILABLE] {error} SQLSTATE: 42K0I")
        statement = Statement(req.statement, given, types, tags, self._user)
        self.statements.append(statement)
        time.sleep(self.faults.latency_s)
        try:
            _check_limits(req.statement, types)
            table = self._execute(req.statement, given)
        except TypeError as error:
            return _refused(handle, f"[INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE] {error} SQLSTATE: 42K0E")
        except _IsViewError as error:
            return _refused(handle, f"[EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE] {error} SQLSTATE: 42809")
        except PermissionError as error:
            return _refused(handle, f"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: {error} SQLSTATE: 42501")
        except duckdb.CatalogException as error:
            return _refused(handle, f"[TABLE_OR_VIEW_NOT_FOUND] The table or view cannot be found. {error}")
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            return _refused(handle, f"[PARSE_SYNTAX_ERROR] {error}")
        statement.rows = table.num_rows
        batches = table.combine_chunks().to_batches(self.rows_per_batch)
        self._results[name] = iter(
            [*zip(itertools.accumulate([0, *(len(one) for one in batches)]), batches, strict=False)]
        )
        self._schemas[name] = table.schema
        if req.canDownloadResult and table.nbytes > self.linked_bytes:
            self._results[name] = iter([(0, self._link(table))])
            batches = []
        if self.faults.hold is not None and self.faults.holds(statement):
            self._running[name] = ttypes.TOperationState.RUNNING_STATE
            running = ttypes.TGetOperationStatusResp(status=OK, operationState=self._running[name])
            return ttypes.TExecuteStatementResp(
                status=OK, operationHandle=handle, directResults=ttypes.TSparkDirectResults(operationStatus=running)
            )
        direct = ttypes.TSparkDirectResults(
            operationStatus=DONE,
            resultSetMetadata=_metadata(table.schema, linked=not batches and table.num_rows > 0),
            resultSet=self._next(name, len(batches) > 1),
        )
        return ttypes.TExecuteStatementResp(status=OK, operationHandle=handle, directResults=direct)

    def FetchResults(self, req: Any) -> Any:
        name = req.operationHandle.operationId.guid
        return self._next(name, True)

    def GetResultSetMetadata(self, req: Any) -> Any:
        return _metadata(self._schemas[req.operationHandle.operationId.guid])

    def GetOperationStatus(self, req: Any) -> Any:
        name = req.operationHandle.operationId.guid
        if name not in self._running:
            return DONE
        let_go = self.faults.hold is None or self.faults.hold.wait(POLL_S)
        if let_go and self._running[name] == ttypes.TOperationState.RUNNING_STATE:
            del self._running[name]
            return DONE
        return ttypes.TGetOperationStatusResp(status=OK, operationState=self._running[name])

    def CancelOperation(self, req: Any) -> Any:
        self.cancelled += 1
        self._running[req.operationHandle.operationId.guid] = ttypes.TOperationState.CANCELED_STATE
        return ttypes.TCancelOperationResp(status=OK)

    def CloseOperation(self, req: Any) -> Any:
        self._results.pop(req.operationHandle.operationId.guid, None)
        self._schemas.pop(req.operationHandle.operationId.guid, None)
        return ttypes.TCloseOperationResp(status=OK)

    # -- results ----------------------------------------------------------------------------------------------------------
    def _link(self, table: pa.Table) -> Any:
        """Put a result into the storage; return the link to it."""
        name, sink = uuid.uuid4().hex, pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        self.stored[name] = sink.getvalue().to_pybytes()
        storage = "http://127.0.0.1:9" if self.faults.no_storage else self.address  # nobody listens on port 9
        return ttypes.TSparkArrowResultLink(
            fileLink=f"{storage}{RESULTS}{name}",
            expiryTime=int(time.time()) + 600,
            startRowOffset=0,
            rowCount=table.num_rows,
            bytesNum=len(self.stored[name]),
            httpHeaders={},
        )

    def _next(self, name: bytes, more: bool) -> Any:
        start, batch = next(self._results[name], (0, None))
        if isinstance(batch, ttypes.TSparkArrowResultLink):
            linked = ttypes.TRowSet(startRowOffset=0, rows=[], resultLinks=[batch])
            metadata = _metadata(self._schemas[name], linked=True)
            return ttypes.TFetchResultsResp(status=OK, hasMoreRows=False, results=linked, resultSetMetadata=metadata)
        batches = [] if batch is None else [ttypes.TSparkArrowBatch(batch.serialize().to_pybytes(), batch.num_rows)]
        rows = ttypes.TRowSet(startRowOffset=start, rows=[], arrowBatches=batches)
        return ttypes.TFetchResultsResp(
            status=OK,
            hasMoreRows=more and batch is not None,
            results=rows,
            resultSetMetadata=_metadata(self._schemas[name]),
        )

    def _execute(self, sql: str, given: dict[str, Any]) -> pa.Table:
        if self.faults.denied and re.search("(FROM|HISTORY) `caspers`", sql, re.IGNORECASE):
            raise PermissionError("the app's service principal has no SELECT on the table.")
        if user := getattr(self._caller, "user", None):
            sql = sql.replace(EVENTS, f"(SELECT * FROM {EVENTS} WHERE {user.rows})")
        with self.connection.cursor() as cursor:
            if described := HISTORY.fullmatch(sql):
                return self._history(cursor, described[1])
            # DuckDB has one information_schema for all catalogs
            one_for_all = re.sub(r"`caspers`\.information_schema", "information_schema", sql, flags=re.IGNORECASE)
            translated = transpiled(TRUNCATED.sub(r"CAST(\g<0> AS TIMESTAMP)", one_for_all))
            table = cursor.sql(translated, params=given).to_arrow_table()
        return _as_spark_does(table)

    def _history(self, cursor: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
        """Return the latest version of a Delta table: another one whenever its rows are others."""
        if self.faults.no_history:
            raise _IsViewError(f"'DESCRIBE HISTORY' expects a table but {table} is a view.")
        name = table.replace("`", '"')
        state = (name, *cursor.sql(f"SELECT count(*), sum(hash(one)::HUGEINT) FROM {name} AS one").fetchall())
        latest = {"version": len(self._versions), "timestamp": dt.datetime.now(dt.UTC), "operation": "WRITE"}
        return pa.Table.from_pylist([self._versions.setdefault(state, latest)])


class _IsViewError(Exception):
    """A statement wants a table where there is a view."""


def _query_tags(serialized: str) -> dict[str, str]:
    """Return the tags of a statement. Raises ValueError for what Databricks refuses: too many, too long, not well written."""
    tags: dict[str, str] = {}
    for tag in re.split(r"(?<!\\)(?:\\\\)*,", serialized) if serialized else []:
        key, _, value = tag.partition(":")
        if not re.fullmatch(r"[A-Za-z0-9_@]{1,128}", key) or key in tags:
            raise ValueError(f"query_tags: {key!r} is no key, or given twice.")
        if not re.fullmatch(r"(?:\\[\\,:]|[^\\,:])*", value) or not value.isprintable():
            raise ValueError(f"query_tags: {value!r} is not escaped, or not printable.")
        if len(value) > 128:
            raise ValueError(f"query_tags: the value of {key} has over 128 characters.")
        tags[key] = re.sub(r"\\(.)", r"\1", value).strip()
    if len(tags) > 20:
        raise ValueError("query_tags: there are more than 20.")
    return tags


def _check_limits(sql: str, types: dict[str, str]) -> None:
    """Raise TypeError for a LIMIT or OFFSET that is no INT: Spark and Databricks cast none."""
    for name in _limits(sql):
        if (declared := types[name]) != "INT":
            raise TypeError(
                f'The limit like expression ":{name}" is invalid. It must be integer type, but got "{declared}".'
            )


@functools.cache
def _limits(sql: str) -> tuple[str, ...]:
    """Return the parameters in a statement's LIMIT and OFFSET."""
    if not re.search("limit|offset", sql, re.IGNORECASE) or HISTORY.fullmatch(sql):
        return ()
    found = sqlglot.parse_one(sql, dialect="databricks").find_all(exp.Limit, exp.Offset)
    return tuple(one.name or one.this.name for limit in found for one in limit.find_all(exp.Placeholder, exp.Parameter))


def _as_spark_does(table: pa.Table) -> pa.Table:
    """Return a result in the types of Databricks: DuckDB's sums of integers are 128 bits wide."""
    for index, field_ in enumerate(table.schema):
        if pa.types.is_decimal(field_.type) and field_.type.scale == 0:
            table = table.set_column(index, field_.name, table.column(index).cast(pa.int64()))
    return table


def _metadata(schema: pa.Schema, linked: bool = False) -> Any:
    columns = [
        ttypes.TColumnDesc(
            columnName=one.name,
            position=place,
            typeDesc=ttypes.TTypeDesc(
                [
                    ttypes.TTypeEntry(
                        primitiveEntry=ttypes.TPrimitiveTypeEntry(
                            next((kind for test, kind in KINDS.items() if test(one.type)), ttypes.TTypeId.STRING_TYPE)
                        )
                    )
                ]
            ),
        )
        for place, one in enumerate(schema, 1)
    ]
    return ttypes.TGetResultSetMetadataResp(
        status=OK,
        schema=ttypes.TTableSchema(columns),
        resultFormat=ttypes.TSparkRowSetType.URL_BASED_SET if linked else ttypes.TSparkRowSetType.ARROW_BASED_SET,
        lz4Compressed=False,
        arrowSchema=schema.serialize().to_pybytes(),
    )


def _failed(message: str) -> Any:
    return ttypes.TStatus(
        statusCode=ttypes.TStatusCode.ERROR_STATUS, errorMessage=message, displayMessage=message, sqlState="HY000"
    )


def _refused(handle: Any, message: str) -> Any:
    status = ttypes.TGetOperationStatusResp(
        status=OK, operationState=ttypes.TOperationState.ERROR_STATE, errorMessage=message, displayMessage=message
    )
    return ttypes.TExecuteStatementResp(
        status=OK, operationHandle=handle, directResults=ttypes.TSparkDirectResults(operationStatus=status)
    )


def _value(given: Any) -> Any:
    text = None if given.value is None else given.value.stringValue
    if text is None:
        return None
    readers: dict[str, Callable[[str], Any]] = {"BIGINT": int, "INT": int, "DOUBLE": float, "FLOAT": float}
    if given.type.startswith("TIMESTAMP"):
        return dt.datetime.fromisoformat(text.removesuffix("Z"))
    return readers.get(given.type, str)(text)


def _method(body: bytes) -> str:
    """Return the name of the method that a request calls; "" for one that is none of the protocol."""
    if not body:
        return ""
    name, _, _ = TBinaryProtocol.TBinaryProtocol(TTransport.TMemoryBuffer(body)).readMessageBegin()
    return str(name)


# -- HTTP ---------------------------------------------------------------------------------------------------------------------
class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    warehouse: Warehouse

    def do_GET(self) -> None:
        if self.path == "/.well-known/databricks-config":
            self._json(200, {"oidc_endpoint": f"{self.warehouse.address}/oidc"})
        elif self.path.startswith("/oidc/.well-known"):
            endpoints = {
                name: f"{self.warehouse.address}/oidc/v1/{name.split('_')[0]}"
                for name in ("token_endpoint", "authorization_endpoint")
            }
            self._json(200, endpoints)
        elif stored := self.warehouse.stored.get(self.path.removeprefix(RESULTS)):
            self.warehouse.downloads += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(stored)))
            self.end_headers()
            self.wfile.write(stored)
        else:
            self._json(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": self.path})

    def do_POST(self) -> None:
        warehouse = self.warehouse
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if warehouse.faults.down:
            self.close_connection = True
            return
        if self.path.startswith("/oidc/v1/token"):
            warehouse.logins += 1
            self._json(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})
        elif not warehouse.admit(self.headers.get("Authorization", "")):
            self._json(403, {"error_code": 403, "message": "Invalid access token."})
        elif warehouse.is_starting() or warehouse.take("unavailable"):
            self._turn_away(503, "TEMPORARILY_UNAVAILABLE: the warehouse is starting")
        elif _method(body) == "GetOperationStatus" and warehouse.take("refused_polls"):
            self._turn_away(429 if warehouse.faults.refused_polls % 2 else 503, "TEMPORARILY_UNAVAILABLE: too busy")
        elif self.path.startswith(HTTP_PATH):
            self._thrift(body)
        else:
            self._json(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "There is no such warehouse."})

    def _turn_away(self, status: int, reason: str) -> None:
        self.send_response(status)
        self.send_header("Retry-After", "1")
        self.send_header("X-Thriftserver-Error-Message", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _thrift(self, body: bytes) -> None:
        out = TTransport.TMemoryBuffer()
        TCLIService.Processor(self.warehouse).process(
            TBinaryProtocol.TBinaryProtocol(TTransport.TMemoryBuffer(body)), TBinaryProtocol.TBinaryProtocol(out)
        )
        answer = out.getvalue()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-thrift")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if len(answer) > 2_000 and self.warehouse.take("torn_results"):
            self.wfile.write(answer[: len(answer) // 2])
            self.close_connection = True
            return
        self.wfile.write(answer)

    def _json(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(connection: duckdb.DuckDBPyConnection) -> Iterator[Warehouse]:
    """Run a warehouse over a DuckDB that has a catalog `caspers` with the schemas `lakeflow` and `simulator`."""
    warehouse = Warehouse(connection)
    handler = type("Handler", (_Handler,), {"warehouse": warehouse})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    warehouse.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="warehouse")
    thread.start()
    try:
        yield warehouse
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def filled(files: dict[str, Path | str]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB with tables by name ("lakeflow.all_events"), each a SELECT or a Parquet or CSV file, all texts.

    Names are stored in lower case, as Unity Catalog stores them; what compares them as text has to know that.
    """
    connection = duckdb.connect()
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # as the product's sessions ask for
    json_bodies.register(connection)
    connection.execute("ATTACH ':memory:' AS caspers")
    for schema in ("lakeflow", "simulator"):
        connection.execute(f"CREATE SCHEMA caspers.{schema}")
    for name, origin in files.items():
        if isinstance(origin, Path):
            reader = "read_parquet" if origin.suffix == ".parquet" else "read_csv"
            origin = f"SELECT COLUMNS(*)::VARCHAR FROM {reader}({exp.Literal.string(str(origin)).sql('duckdb')}" + (
                ")" if reader == "read_parquet" else ", all_varchar=true)"
            )
        connection.execute(f"CREATE TABLE caspers.{name.lower()} AS {origin}")
    return connection
