"""Shared behaviour of the API's routes: login, errors as problem+json, request ids, allowed origins, logging and metrics."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from http.client import responses
from typing import Any, TypeVar

from bokeh.server.views.auth_request_handler import AuthRequestHandler
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from tornado.web import HTTPError

from twin.api.models import FieldError, Problem
from twin.foundation import counters, errand, telemetry
from twin.foundation.errors import SignInError, TwinError, UnknownNameError, UnknownTimeError
from twin.server.process import process

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
RETRY_S = 5
"""Seconds after which a client may retry while the source is down or too many streams are open."""
_SANE_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]{1,64}){1,8}", re.ASCII)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

Model = TypeVar("Model", bound=BaseModel)


class Refusal(TwinError):
    """A request is refused with an HTTP status; raised anywhere below a handler. `more` are further fields of `Problem`."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more


class ApiHandler(AuthRequestHandler):
    """Base of the API's handlers. `guarded` routes require the pages' login; on a server without a login all are open."""

    guarded = True
    route = "other"
    asks_as = "api"
    """Who asks the source (errand.py)."""
    methods = "GET, HEAD, OPTIONS"

    def initialize(self, **_: Any) -> None:
        """Set the request id: the caller's X-Request-ID if it is valid, so that logs can be joined."""
        self.began = time.perf_counter()
        given = self.request.headers.get("X-Request-ID", "")
        self.request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        self._etag: str | None = None
        self._error = ""
        self._span: telemetry.Span | None = None
        self.stream_task: asyncio.Task[None] | None = None
        """What sends the answer, of a handler that streams."""

    @property
    def prefix(self) -> str:
        """The server's path prefix, empty without one."""
        return str(getattr(self.application, "prefix", ""))

    @property
    def base_url(self) -> str:
        """The server's address as the client has it, path prefix included, for what is copied out of an answer.

        A proxy that ends TLS or takes a prefix away says so in X-Forwarded-Proto and X-Forwarded-Prefix. Nothing but these texts
        depends on it, so that a client that makes the headers up misleads itself alone.
        """
        headers = self.request.headers
        scheme = headers.get("X-Forwarded-Proto", "")
        taken = headers.get("X-Forwarded-Prefix", "").rstrip("/")
        return (
            f"{scheme if scheme in ('http', 'https') else self.request.protocol}://{self.request.host}"
            f"{taken if _SANE_PREFIX.fullmatch(taken) else ''}{self.prefix}"
        )

    def set_default_headers(self) -> None:
        """Forbid browsers to guess content types, and allow cross-origin reads from the allowed origins only."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        origin = self.request.headers.get("Origin", "")
        if allowed := process.settings_or_default.cors_origins:
            self.set_header("Vary", "Origin")
            if origin in allowed:
                self.set_header("Access-Control-Allow-Origin", origin)
                self.set_header("Access-Control-Allow-Credentials", "true")
                self.set_header("Access-Control-Expose-Headers", "ETag, X-Request-ID, Retry-After")

    async def prepare(self) -> None:
        """Refuse requests without a login, where the server has one."""
        self.set_header("X-Request-ID", self.request_id)
        errand.begin(page=self.asks_as)
        self._span = telemetry.begin_span(f"request {self.route}", current=True)
        await super().prepare()
        if self.guarded and self.request.method != "OPTIONS" and self.current_user is None:
            raise Refusal(403, f"Log in first, at {self.prefix}/login, and send the cookie that it sets.")

    def options(self, *_: str) -> None:
        """Answer a CORS preflight request."""
        self.set_header("Allow", self.methods)
        if "Access-Control-Allow-Origin" in self._headers:
            self.set_header("Access-Control-Allow-Methods", self.methods)
            self.set_header("Access-Control-Allow-Headers", "Last-Event-ID, X-Request-ID, If-None-Match")
            self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)

    def parameters(self, model: type[Model]) -> Model:
        """Return the query as a model. Raises `Refusal`: 400 for invalid UTF-8, 422 naming each invalid parameter."""
        given: dict[str, str] = {}
        for name, values in self.request.query_arguments.items():
            if len(values) > 1:
                raise Refusal(
                    422, f"{name} is given {len(values)} times.", errors=[FieldError(field=name, message="once only")]
                )
            try:
                given[name] = values[0].decode("utf-8")
            except UnicodeDecodeError:
                raise Refusal(
                    400, f"{name} is no UTF-8 text.", errors=[FieldError(field=name, message="must be UTF-8")]
                ) from None
        return _checked(model, lambda: model.model_validate(given))

    def body(self, model: type[Model]) -> Model:
        """Return the JSON of the body as a model. Raises `Refusal`: 400 for what is no JSON, 422 naming each invalid field."""
        return _checked(model, lambda: model.model_validate_json(self.request.body or b"{}", strict=True))

    def compute_etag(self) -> str | None:
        """Return the ETag of the answer, if it has one."""
        return self._etag

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log unexpected exceptions with their traceback; expected ones are in the request's log line."""
        if not isinstance(value, TwinError | HTTPError):
            log.error("request %s failed", self.request_id, exc_info=(typ, value, tb))

    def write_error(self, status_code: int, **more: Any) -> None:
        """Answer any failure as problem+json; details of unexpected ones are only in the log."""
        error = more.get("exc_info", (None, None, None))[1]
        refusal = _refusal(status_code, error)
        if refusal.status == 405:
            self.set_header("Allow", self.methods)
        for name, value in refusal.headers.items():
            self.set_header(name, value)
        self._error = refusal.detail
        self.set_status(refusal.status)
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("Content-Type", PROBLEM)
        problem = Problem(
            title=responses.get(refusal.status, "Unknown"),
            status=refusal.status,
            detail=refusal.detail,
            instance=f"urn:request:{self.request_id}",
            **refusal.more,
        )
        self.finish(problem.model_dump_json(exclude_none=True))

    def _log(self) -> None:
        """Log and count the request; Tornado calls this when the answer is complete."""
        took = time.perf_counter() - self.began
        method = self.request.method if self.request.method in self.SUPPORTED_METHODS else "other"
        counters.REQUESTS.labels(self.route, method, self.get_status()).inc()
        if self._span is not None:
            self._span.end(route=self.route, method=method, status=self.get_status())
        counters.REQUEST_SECONDS.labels(self.route).observe(took)
        facts = {
            "request": self.request_id,
            "method": method,
            "route": self.route,
            "path": self.request.path,
            "status": self.get_status(),
            "ms": round(took * 1e3, 1),
        }
        telemetry.log_request(**facts, **({"error": self._error} if self._error else {}))


class NothingHere(ApiHandler):
    """Answers unknown addresses under the API."""

    route = "none"

    def get(self) -> None:
        """404."""
        raise Refusal(404, f"There is no {self.request.path}; {self.prefix}/api/v1/docs lists what there is.")

    head = get


def _refusal(status: int, error: BaseException | None) -> Refusal:
    """Return an exception as a refusal with its HTTP status."""
    match error:
        case Refusal():
            return error
        case SignInError():
            return Refusal(401, str(error))
        case UnknownNameError():
            return Refusal(404, str(error), near=error.near or None)
        case UnknownTimeError():
            return Refusal(422, str(error))
        case TwinError():
            return Refusal(503, str(error), {"Retry-After": str(RETRY_S)})
        case HTTPError():
            return Refusal(error.status_code, error.log_message or responses.get(error.status_code, "Refused") + ".")
    return Refusal(status, "Something went wrong here; the server's log tells it under this request's id.")


def _checked(model: type[Model], validate: Callable[[], Model]) -> Model:
    try:
        return validate()
    except ValidationError as error:
        details = error.errors()
        if details[0]["type"] == "json_invalid":
            raise Refusal(400, "The body is no JSON.") from None
        errors = [_field_error(detail, model) for detail in details]
        raise Refusal(
            422, "; ".join(f"{wrong.field}: {wrong.message}" for wrong in errors) + ".", errors=errors
        ) from None


def _field_error(detail: ErrorDetails, model: type[BaseModel]) -> FieldError:
    """Return a parameter's error, for an unknown parameter with the allowed names."""
    name = ".".join(str(part) for part in detail["loc"]) or ("start, end" if "start" in model.model_fields else "body")
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        allowed = ", ".join(model.model_fields) or "none"
        message = f"no such parameter; there are: {allowed}" if len(detail["loc"]) == 1 else "no such field"
    return FieldError(field=name, message=message)
