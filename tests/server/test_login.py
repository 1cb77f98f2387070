"""The login page: slow for who guesses, safe cookies, no other host, no way to another site."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from bokeh.document import Document
from bokeh.models.widgets import Div
from panel.auth import BasicAuthProvider
from panel.config import config

from tests.api.serving import Answer, fetch
from tests.server.open_servers import guarded, unguarded
from twin.foundation.settings import Settings
from twin.server import login
from twin.server.login import FREE, LONGEST_S, Attempts
from twin.server.process import process

PASSWORD = "open sesame"


def page(doc: Document) -> None:
    doc.add_root(Div(text="mine"))


@contextmanager
def with_login(serve: Any, **options: Any) -> Iterator[str]:
    provider = BasicAuthProvider(login_endpoint="/login", logout_endpoint="/logout")
    with serve(page, auth_provider=provider, **options) as address:
        yield address


@pytest.fixture(scope="module", autouse=True)
def _password() -> Iterator[None]:
    config.basic_auth = PASSWORD
    yield
    config.basic_auth = config.cookie_secret = None


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """A server with Panel's own login."""
    with with_login(unguarded, cookie_secret="a test's secret") as address:
        yield address


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with with_login(guarded) as address:
        yield address


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(login, "attempts", Attempts(clock))
    return clock


def log_in(address: str, password: str = PASSWORD, query: str = "", **headers: str) -> Answer:
    body = urlencode({"username": "mira", "password": password}).encode()
    return fetch(
        f"{address}/login{query}", {name.replace("_", "-"): value for name, value in headers.items()}, "POST", body
    )


def is_let_in(address: str, answer: Answer) -> bool:
    return fetch(f"{address}/page", {"Cookie": "; ".join(answer.cookies)}).status == 200


@pytest.mark.slow
def test_who_guesses_waits_longer_and_longer_and_it_is_logged(plain: str, server: str, clock: Clock, caplog) -> None:
    for _ in range(100):
        assert not is_let_in(plain, log_in(plain, "wrong"))
    assert is_let_in(plain, log_in(plain)), "without a guard a hundred are looked at, as fast as they come"
    assert "wrong password" not in caplog.text
    with caplog.at_level(logging.WARNING):
        statuses = [log_in(server, f"wrong {number}").status for number in range(300)]
    assert statuses == [401] * FREE + [429] * (300 - FREE)
    right = log_in(server)
    assert (right.status, right.headers["retry-after"]) == (429, "2"), "nor is the right one looked at"
    assert not right.cookies
    assert b"Try again in 2 s" in right.body
    lines = [record.getMessage() for record in caplog.records if record.name == login.__name__]
    assert len(lines) == FREE, "a line for each password that was looked at, and none with it"
    assert all("127.0.0.1" in line and PASSWORD not in line and "mira" not in line for line in lines)
    looked_at = FREE
    for _ in range(100_000):
        clock.now += 0.1
        looked_at += log_in(server, "wrong").status == 401 if clock.now % 5 < 0.1 else 0
        if clock.now > 700:
            break
    assert looked_at <= FREE + 16, "ten minutes later"
    clock.now += LONGEST_S
    assert is_let_in(server, log_in(server)), "who waits is let in"
    assert log_in(server, "wrong").status == 401, "and begins anew"


def test_waits_double_to_a_minute_and_are_each_clients_own(clock: Clock) -> None:
    attempts = Attempts(clock)
    waits = []
    for _ in range(FREE + 12):
        attempts.failed("a")
        waits.append(attempts.wait_s("a"))
        clock.now += waits[-1]
    assert waits == [0.0] * (FREE - 1) + [1.0, 2.0, 4.0, 8.0, 16.0, 32.0] + [LONGEST_S] * 7
    assert attempts.wait_s("b") == 0
    clock.now += 3600
    attempts.failed("a")
    assert attempts.wait_s("a") == 0, "forgotten after an hour"


def test_a_million_clients_do_not_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MOST_CLIENTS", 50)
    attempts = Attempts(clock)
    for number in range(1000):
        attempts.failed(f"client {number}")
    assert len(attempts._wrong) == 50


def test_who_pretends_to_be_behind_a_proxy_waits_too(server: str, clock: Clock) -> None:
    statuses = [log_in(server, "wrong", X_Forwarded_For=f"198.51.100.{number}").status for number in range(FREE + 3)]
    assert statuses == [401] * FREE + [429] * 3
    assert is_let_in(server, log_in(server)), "but keeps nobody else waiting"


def cookies_of(address: str, path: str, method: str = "GET", data: bytes | None = None, **headers: str) -> list[str]:
    """Return the Set-Cookie lines of an answer."""
    import http.client
    from urllib.parse import urlsplit

    host = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    host.request(method, path, data, {"Content-Type": "application/x-www-form-urlencoded", **headers})
    lines = host.getresponse().headers.get_all("Set-Cookie", [])
    host.close()
    return lines


FORM = urlencode({"username": "mira", "password": PASSWORD}).encode()


def test_cookies_are_for_no_script_and_no_other_site_and_secure_where_the_page_is(plain: str) -> None:
    before = cookies_of(plain, "/login", "POST", FORM)
    assert before
    assert not [line for line in before if "samesite" in line.lower() or "secure" in line.lower().split("; ")]
    with with_login(guarded, use_xheaders=True) as address:
        over_http = cookies_of(address, "/login", "POST", FORM)
        over_tls = cookies_of(address, "/login", "POST", FORM, **{"X-Forwarded-Proto": "https"})
        out = cookies_of(address, "/logout", "POST", b"", **{"X-Forwarded-Proto": "https"})
    for lines, secure in ((over_http, False), (over_tls, True), (out, True)):
        assert {line.partition("=")[0] for line in lines} >= {"user", "id_token"}
        for line in lines:
            flags = {flag.strip().lower() for flag in line.split(";")[1:]}
            assert {"httponly", "samesite=lax"} <= flags
            assert ("secure" in flags) is secure


def test_in_a_named_frame_the_cookie_is_sent_but_only_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_settings", Settings(embed_origins=frozenset({"https://wiki.example"})))
    with with_login(guarded, use_xheaders=True) as address:
        over_tls = cookies_of(address, "/login", "POST", FORM, **{"X-Forwarded-Proto": "https"})
        assert over_tls
        assert all("SameSite=None" in line and "Secure" in line for line in over_tls)
        assert all("SameSite=Lax" in line for line in cookies_of(address, "/login", "POST", FORM))


OTHER_HOSTS = rb"""(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//"""


def test_no_page_of_the_login_asks_another_host(plain: str, server: str) -> None:
    assert re.search(OTHER_HOSTS, fetch(f"{plain}/login").body), "so it is without a guard"
    for answer in (fetch(f"{server}/login"), log_in(server, "wrong"), fetch(f"{server}/logout"), log_out(server)):
        assert b"<!DOCTYPE html>" in answer.body
        assert not re.search(OTHER_HOSTS, answer.body)
        assert b"<script" not in answer.body
        assert answer.headers["cache-control"] == "no-store"


AWAY = (
    "///other.example",
    "//other.example",
    "https://other.example",
    r"/\other.example",
    "/\t/other.example",
    "javascript:1",
)


@pytest.mark.parametrize("there", AWAY)
def test_the_login_leads_to_no_other_site(server: str, there: str) -> None:
    answer = log_in(server, query=f"?next={quote(there)}")
    assert (answer.status, answer.headers["location"]) == (302, "/")


def test_panels_login_leads_to_another_site(plain: str) -> None:
    shown = fetch(f"{plain}/login?next=///other.example")
    answer = log_in(plain, Cookie="; ".join(shown.cookies))
    assert answer.headers["location"] == "///other.example", "browsers read that as //other.example"


def test_the_login_leads_back_to_the_page(server: str) -> None:
    there = "/page?start=2025-10-17&theme=dark"
    refused = fetch(server + there)
    assert refused.status == 302
    form = refused.headers["location"]
    assert form == f"./login?next={quote(there, safe='')}"
    assert log_in(server, query=form.removeprefix("./login")).headers["location"] == there
    assert log_in(server, "wrong", query=form.removeprefix("./login")).status == 401


def test_a_login_or_logout_that_another_site_sends_is_refused(plain: str, server: str) -> None:
    foreign: tuple[dict[str, str], ...] = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://other.example"},
        {"Origin": "null"},
    )
    for headers in foreign:
        assert fetch(f"{plain}/login", headers, "POST", FORM).cookies, "so it is without a guard"
        answer = fetch(f"{server}/login", headers, "POST", FORM)
        assert (answer.status, answer.cookies) == (403, [])
        assert (out := fetch(f"{server}/logout", headers, "POST", b"")).status == 403
        assert not out.cookies
    host = server.removeprefix("http://")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{host}"}):
        assert fetch(f"{server}/login", headers, "POST", FORM).cookies


def log_out(address: str, method: str = "POST") -> Answer:
    return fetch(f"{address}/logout", method=method, data=b"" if method == "POST" else None)


def test_a_picture_on_another_site_logs_nobody_out(plain: str, server: str) -> None:
    assert "user=" in str(log_out(plain, "GET").cookies), "so it is without a guard"
    shown = log_out(server, "GET")
    assert (shown.status, shown.cookies) == (200, [])
    assert b'<form method="post">' in shown.body
    assert "user=" in str(log_out(server).cookies)


def test_without_a_cookie_secret_a_login_works_all_the_same(server: str) -> None:
    with with_login(unguarded) as address:
        assert fetch(f"{address}/page").status == 500, "so it is without a guard"
    assert is_let_in(server, log_in(server))


def test_the_name_stays_in_the_form_and_is_needed(server: str) -> None:
    body = urlencode({"username": 'mira">', "password": "wrong"}).encode()
    assert b'value="mira&#34;&gt;"' in fetch(f"{server}/login", method="POST", data=body).body
    nameless = fetch(f"{server}/login", method="POST", data=urlencode({"password": PASSWORD}).encode())
    assert (nameless.status, nameless.cookies) == (401, []), (
        "Panel forwards to the page, which asks for the login again"
    )


def test_a_text_from_the_address_is_not_shown(server: str) -> None:
    assert b"call 555" not in fetch(f"{server}/login?error=call+555").body


def test_an_operators_own_login_page_stays(tmp_path) -> None:
    (tmp_path / "own.html").write_text("<form>our house {{ errormessage }}</form>")
    provider = BasicAuthProvider(
        login_endpoint="/login", logout_endpoint="/logout", login_template=str(tmp_path / "own.html")
    )
    with guarded(page, auth_provider=provider) as address:
        assert fetch(f"{address}/login").body == b"<form>our house </form>"
        assert log_in(address, "wrong").body == b"<form>our house Wrong name or password.</form>"
