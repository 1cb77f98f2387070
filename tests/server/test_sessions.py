"""Nobody chooses another visitor's session, and a page's token holds nothing of the request's headers."""

import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from bokeh.document import Document
from bokeh.io.doc import patch_curdoc
from bokeh.models.widgets import Div
from bokeh.util.token import generate_jwt_token, get_session_id, get_token_payload
from tornado.web import RequestHandler

import twin.api as api
from tests.api.serving import Answer, fetch
from tests.server.open_servers import Visitor, guarded, handshake, token_in, unguarded
from twin.server.process import process


def page(doc: Document) -> None:
    doc.add_root(Div(text="mine"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with guarded(page) as address:
        yield address


def takes_over(address: str, token: str, victim: Answer) -> bool:
    """Whether who holds a token can write into the page of a victim that got this answer."""
    if victim.status != 200:
        return False
    attacker = Visitor(address, token)
    attacker.shown.text = "<script>"
    attacker.force_roundtrip()
    hit = Visitor(address, token_in(victim.body))
    attacker.close()
    hit.close()
    return hit.shown.text == "<script>"


def made_up(session_id: str) -> str:
    """A token such as anybody can write."""
    arguments = {"made": [b"up"]}
    return generate_jwt_token(
        session_id, signed=False, extra_payload={"headers": {}, "cookies": {}, "arguments": arguments}
    )


NAMED = {
    "in the address": lambda told: (f"?bokeh-session-id={get_session_id(told)}", {}),
    "in a header": lambda told: ("", {"Bokeh-Session-Id": get_session_id(told)}),
    "by its token": lambda told: (f"?bokeh-token={told}", {}),
    "among others": lambda told: (f"?theme=dark&bokeh-session-id={get_session_id(told)}", {}),
}


@pytest.mark.parametrize("way", NAMED)
def test_a_session_that_an_attacker_chose_is_refused(server: str, way: str) -> None:
    token = made_up("0123456789")
    query, headers = NAMED[way](token)
    with unguarded(page) as address:
        assert takes_over(address, token, fetch(f"{address}/page{query}", headers)), "so it is without a guard"
    answer = fetch(f"{server}/page{query}", headers)
    assert answer.status == 400
    assert b"It names a session" in answer.body
    assert b'href="/page"' in answer.body, "and leads to a page of one's own"
    assert handshake(f"{server}/page", token) == 403


@pytest.mark.parametrize("way", NAMED)
def test_a_signed_session_that_an_attacker_was_given_is_refused_too(server: str, way: str) -> None:
    with unguarded(page, secret_key=b"a secret of the server", sign_sessions=True) as address:
        token = token_in(fetch(f"{address}/page").body)
        query, headers = NAMED[way](token)
        assert takes_over(address, token, fetch(f"{address}/page{query}", headers)), "signing alone changes nothing"
    query, headers = NAMED[way](token_in(fetch(f"{server}/page").body))
    assert fetch(f"{server}/page{query}", headers).status == 400


def test_a_token_in_an_address_is_not_logged(server: str, caplog) -> None:
    token = token_in(fetch(f"{server}/page").body)
    for path in ("/page", "/page/autoload.js"):
        fetch(f"{server}{path}?bokeh-token={token}")
        fetch(f"{server}{path}?bokeh-session-id={get_session_id(token)}")
    assert "/page/autoload.js that names a session" in caplog.text
    assert token not in caplog.text
    assert get_session_id(token) not in caplog.text


def test_a_page_of_ones_own_connects_and_is_not_shared(server: str) -> None:
    first, second = (fetch(f"{server}/page") for _ in range(2))
    assert takes_over(server, token_in(first.body), first), "it is the visitor's own"
    assert not takes_over(server, token_in(first.body), second)


def test_a_token_that_was_changed_is_refused(server: str) -> None:
    token, _, signature = token_in(fetch(f"{server}/page").body).partition(".")
    assert handshake(f"{server}/page", f"{token}.{signature}") == 101
    for other in (
        f"{made_up(get_session_id(token))}.{signature}",
        token,
        f"{token}.",
        f"{token}.x",
        "x",
        "x.y",
        ".",
        "é",
    ):
        assert handshake(f"{server}/page", other) == 403, other


TOLD = {
    "Cookie": "user=mira; id_token=confidential; theme=dark",
    "Authorization": "Bearer confidential",
    "X-Forwarded-Email": "mira@example.com",
    "X-Forwarded-Access-Token": "confidential",
    "X-Own": "confidential",
}
"""What a browser and a proxy send with a request for a page."""

PAYLOAD = {"headers", "cookies", "arguments", "app_path", "session_expiry"}
"""Everything that a token may have besides the session's id."""


def test_a_pages_token_holds_nothing_of_headers_and_cookies(server: str) -> None:
    with unguarded(page) as address:
        leaked = get_token_payload(token_in(fetch(f"{address}/page", TOLD).body))
        assert leaked["cookies"]["id_token"] == "confidential", "so it is without a guard"
        assert leaked["headers"]["X-Forwarded-Email"] == "mira@example.com"
    payload = get_token_payload(token_in(fetch(f"{server}/page?range=day", TOLD).body))
    assert set(payload) == PAYLOAD - {"app_path"}, "which Panel adds for pages that are files: see test_all_routes.py"
    assert (payload["headers"], payload["cookies"]) == ({}, {})
    assert payload["arguments"] == {"range": [b"day"]}


EMBED = "/page/autoload.js?bokeh-autoload-element=x&bokeh-app-path=/page&bokeh-absolute-url=http://here.example/page"
READ_BY = (
    {},
    {"Origin": "https://other.example"},
    {"Origin": "null"},
    {"Origin": "https://other.example", "Cookie": "user=mira"},
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script"},
)
"""Requests of other sites, of sandboxed frames, with cookies, and by a <script> on another port of this host."""


@pytest.mark.parametrize("headers", READ_BY)
def test_no_other_site_reads_a_page(server: str, headers: dict[str, str]) -> None:
    with unguarded(page) as address:
        answer = fetch(address + EMBED, headers)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*"), "so it is without a guard"
        assert token_in(answer.body)
    answer = fetch(server + EMBED, headers)
    assert answer.status == 404
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert fetch(server + EMBED, headers, method="OPTIONS").status == 404


def test_a_named_origin_embeds_a_page_and_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_EMBED_ORIGINS", "https://Wiki.example/ ,http://intranet.example:8080")
    process.use(None)
    try:
        with guarded(page) as address:
            for origin in ("https://wiki.example", "http://intranet.example:8080"):
                answer = fetch(address + EMBED, {"Origin": origin})
                assert answer.status == 200
                assert answer.headers["access-control-allow-origin"] == origin
                assert token_in(answer.body)
                assert fetch(address + EMBED + "&bokeh-session-id=1", {"Origin": origin}).status == 400
                assert handshake(f"{address}/page", token_in(answer.body), Origin=origin) == 101
                assert handshake(f"{address}/page", token_in(answer.body), Origin="https://other.example") == 403
            for origin in ("https://other.example", "http://wiki.example", "https://wiki.example.other.example"):
                assert fetch(address + EMBED, {"Origin": origin}).status == 404
    finally:
        process.use(None)


def test_under_a_plain_server_the_first_page_closes_all_of_it() -> None:
    def plain(doc: Document) -> None:
        page(doc)
        with patch_curdoc(doc):
            api.mount()

    token = made_up("0123456789")
    with unguarded(plain) as address:
        answer = fetch(f"{address}/page?bokeh-session-id=0123456789")
        assert (answer.status, answer.headers["location"]) == (302, "/page"), "even where it is the first page of all"
        for way in NAMED.values():
            query, headers = way(token)
            assert fetch(f"{address}/page{query}", headers).status == 400
        payload = get_token_payload(token_in(fetch(f"{address}/page", TOLD).body))
        assert (payload["headers"], payload["cookies"]) == ({}, {})
        assert fetch(address + EMBED).status == 404
        Visitor(address, token_in(fetch(f"{address}/page").body)).close()


class Rush:
    """Many pages that are asked for while the first one is being opened."""

    def __init__(self) -> None:
        self.opened = 0
        """Sessions that were opened."""
        self.opened_before = 0
        """Sessions that were opened when the other request was answered."""
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def page(self, doc: Document) -> None:
        self.opened += 1
        self.begun.set()
        assert self.goes_on.wait(30)
        page(doc)

    def handler(rush) -> type[RequestHandler]:
        class Other(RequestHandler):
            def get(self) -> None:
                rush.opened_before = rush.opened
                self.write("other")

        return Other


def asked(address: str, path: str) -> socket.socket:
    """Return a connection on which a request was sent."""
    where = urlsplit(address)
    connection = socket.create_connection((where.hostname, where.port or 80), timeout=30)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
    return connection


def answered(connection: socket.socket) -> bytes:
    """Return the first line of an answer."""
    with connection, connection.makefile("rb") as answer:
        line = answer.readline().strip()
        answer.read()
    return line


def test_others_are_served_between_pages_that_all_open_at_once() -> None:
    rush = Rush()
    with guarded(rush.page, [("/other", rush.handler())]) as address:
        pages = [asked(address, "/page")]
        assert rush.begun.wait(30)
        pages += [asked(address, "/page") for _ in range(9)]
        other = asked(address, "/other")
        rush.goes_on.set()
        assert b"200" in answered(other)
        assert [b"200" in answered(one) for one in pages] == [True] * 10
    assert rush.opened == 10
    assert rush.opened_before <= 4


def test_no_session_is_opened_for_who_has_gone() -> None:
    rush = Rush()
    with guarded(rush.page, [("/other", rush.handler())]) as address:
        first = asked(address, "/page")
        assert rush.begun.wait(30)
        waiting = [asked(address, "/page") for _ in range(9)]
        for one in waiting[:8]:
            one.close()
        rush.goes_on.set()
        assert b"200" in answered(first)
        assert b"200" in answered(waiting[8])
    assert rush.opened <= 4  # who goes just when it is his turn gets one
