"""POST /events: takes events over HTTP into the inbox, which is a source like any other (twin/sources/inbox.py)."""

import hmac
import math
from functools import partial
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.web import stream_request_body

from twin.api import models
from twin.api.handler import ApiHandler, Refusal
from twin.server import threads
from twin.server.admission import TRUSTS_PROXY
from twin.server.clients import client_of
from twin.server.login import Attempts
from twin.server.process import process
from twin.sources.inbox import Receipt

MOST_BYTES = 8 << 20
"""Bytes of a request: some 20,000 events."""
MOST_EVENTS = 20_000
"""Events of a request, which are judged and written in half a second."""
BODY_S = 60.0
"""Seconds in which a request has to have arrived."""
OWN_HEADER = "X-Inbox-Token"
"""Takes the token where a proxy keeps Authorization for itself, as a Databricks app's does."""
_BEARER = "Bearer "
attempts = Attempts()
"""Wrong tokens, by client."""


@stream_request_body
class InboxHandler(ApiHandler):
    """POST /events: JSON lines, each an event; 202 once they are on the disk, with what became of them.

    Its own token opens it, not the pages' login: what sends events need not see them. A page of another site cannot send one.
    """

    guarded = False
    route = asks_as = "inbox"
    methods = "POST, OPTIONS"

    async def prepare(self) -> None:
        """Refuse whoever has not the token, before anything of the request is read."""
        self._body = bytearray()
        await super().prepare()
        if self.request.method != "POST":
            return
        self._check_token()
        if self.request.headers.get("Content-Encoding", "identity") != "identity":
            raise Refusal(415, "Send the events uncompressed.")
        length = self.request.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > MOST_BYTES:
            raise _too_large()
        connection = cast(HTTP1Connection, self.request.connection)
        connection.set_max_body_size(MOST_BYTES)
        connection.set_body_timeout(BODY_S)

    def data_received(self, chunk: bytes) -> None:
        """Collect a part of the body."""
        self._body += chunk

    def check_xsrf_cookie(self) -> None:
        """The token is in a header, which no form of another site can set."""

    async def post(self) -> None:
        """Take the events."""
        try:
            lines = self._body.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise Refusal(400, "The body is no UTF-8 text: send JSON lines.") from None
        lines = [line.removesuffix("\r") for line in lines]
        if lines[-1] == "":
            lines.pop()
        if not lines:
            raise Refusal(422, "There is no event in the body: send JSON lines, an event each.")
        if len(lines) > MOST_EVENTS:
            raise _too_large()
        receipt = await threads.inbox.run(partial(_append, lines))
        if receipt.accepted:
            process.events_arrived()
        examples = [models.RejectedLine(line=one.line, reason=one.reason) for one in receipt.examples]
        answer = models.Receipt(
            accepted=receipt.accepted, repeated=receipt.repeated, rejected=receipt.rejected, examples=examples
        )
        self.set_status(202)
        self.set_header("Content-Type", "application/json")
        self.finish(answer.model_dump_json())

    def _check_token(self) -> None:
        expected = process.settings_or_default.inbox_token
        if not expected:
            raise Refusal(404, "This server takes no events: TWIN_INBOX and TWIN_INBOX_TOKEN are not set.")
        client = client_of(self.request, bool(self.settings.get(TRUSTS_PROXY))) or "behind a proxy"
        if wait := attempts.wait_s(client):
            seconds = math.ceil(wait)
            raise Refusal(429, f"Too many wrong tokens. Try again in {seconds} s.", {"Retry-After": str(seconds)})
        headers = self.request.headers
        given = headers.get(OWN_HEADER) or headers.get("Authorization", "").removeprefix(_BEARER)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            attempts.failed(client)
            raise Refusal(
                401,
                f"Send the token of the inbox, TWIN_INBOX_TOKEN, as Authorization: Bearer … or {OWN_HEADER}.",
                {"WWW-Authenticate": "Bearer"},
            )
        attempts.succeeded(client)


def _append(lines: list[str]) -> Receipt:
    return process.inbox().append(lines)


def _too_large() -> Refusal:
    return Refusal(413, f"Send at most {MOST_EVENTS:,} events and {MOST_BYTES >> 20} MB at once.")
