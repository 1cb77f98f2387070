"""Under which names a server answers, and from which pages it accepts a WebSocket."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from bokeh.models.widgets import Div
from bokeh.server.auth_provider import AuthModule
from bokeh.settings import settings as bokeh_settings

import twin.api as api
from tests.api.serving import Answer, fetch, served
from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings
from twin.server.hosting import opening_words
from twin.server.process import process

WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@contextmanager
def open_server(settings: Settings, **options: Any) -> Iterator[str]:
    before, process._settings = process._settings, settings
    try:
        with served(
            lambda doc: doc.add_root(Div(text="page")), extra_patterns=list(api.ROUTES), prefix="/under", **options
        ) as address:
            yield address
    finally:
        process._settings = before
        process.refused_hosts.clear()
        bokeh_settings.allowed_ws_origin.unset_value()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    hosts = ("twin.example", "kitchen.example:8443")
    # a source that is missing, because /readyz makes the demo where there is none
    with open_server(replace(Settings(), hosts=hosts, source="none.csv")) as address:
        yield address


def under(server: str, host: str, path: str = "/page") -> Answer:
    return fetch(server + path, {"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:5006", "localhost.evil.example", "127.0.0.1.evil.example", "twin.example.evil.example",
        "0x7f.1", "2130706433", "127.1", "localhost.", "EVIL.example", "a<b>.example", "[::1].evil.example",
        "127.0.0.1, evil.example",
    ],
)  # fmt: skip
def test_a_strange_name_gets_nothing_but_a_sentence_that_says_which_setting(server: str, host: str) -> None:
    for path in ("/page", "/api/v1/locations", "/static/js/bokeh.min.js", "/tiles/sf/dark/1/1/1.png", "/", "/page/ws"):
        answer = under(server, host, path)
        assert answer.status in (400, 403)
        assert answer.status == 400 or b"TWIN_HOSTS" in answer.body
        assert b"<" not in answer.body or answer.status == 400


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:5006", "LocalHost", "127.0.0.1", "127.0.0.1:1", "[::1]:5006", "10.1.2.3:5006", "[fe80::1]",
        "twin.example", "twin.example:99", "TWIN.example", "kitchen.example:8443", "kitchen.example",
    ],
)  # fmt: skip
def test_its_own_names_and_plain_addresses_are_answered(server: str, host: str) -> None:
    assert under(server, host).status == 200


def test_probes_are_answered_under_any_name(server: str) -> None:
    for base in ("", "/api/v1"):
        assert under(server, "10-0-0-7.pods.cluster.local", f"{base}/healthz").status == 200
    for base in ("", "/api/v1"):  # these open the source, which is none
        assert under(server, "10-0-0-7.pods.cluster.local", f"{base}/readyz").status in (200, 503)
        assert under(server, "10-0-0-7.pods.cluster.local", f"{base}/metrics").status == 403


def test_a_strange_name_is_logged_once_and_a_scan_is_not(server: str, caplog: pytest.LogCaptureFixture) -> None:
    process.refused_hosts.clear()
    for n in range(60):
        under(server, f"host{n % 30}.example")
    assert 1 <= len([record for record in caplog.records if "TWIN_HOSTS" in record.message]) <= 20


def test_where_there_is_a_login_no_name_is_refused(tmp_path) -> None:
    module = tmp_path / "login.py"
    module.write_text("def get_user(handler):\n    return None\n\ndef get_login_url(handler):\n    return '/login'\n")
    with open_server(Settings(), auth_provider=AuthModule(str(module))) as address:
        assert under(address, "any.example").status == 302


def test_behind_a_databricks_apps_proxy_no_name_is_refused() -> None:
    with open_server(replace(Settings(), app_name="twin")) as address:
        assert under(address, "twin-123.aws.databricksapps.com").status == 200


def handshake(server: str, origin: str) -> int:
    """The status with which a page's WebSocket is answered; 101 has no body, so the answer is left at its headers."""
    token = re.findall(r'"token":"([^"]+)"', fetch(server + "/page").body.decode())[0]
    with (
        httpx.Client(trust_env=False, timeout=20) as client,
        client.stream(
            "GET",
            f"{server}/page/ws",
            headers={**WEBSOCKET, "Origin": origin, "Sec-WebSocket-Protocol": f"bokeh, {token}"},
        ) as answer,
    ):
        return answer.status_code


def may_connect(server: str, origin: str) -> bool:
    allowed = json.loads(fetch(f"{server}/connection?origin={origin}").body)["allowed"]
    assert (handshake(server, origin) == 101) == allowed, "what a page is told is what Bokeh does"
    return bool(allowed)


def test_every_name_of_this_machine_may_connect_on_the_servers_port(server: str) -> None:
    port = server.split(":")[2].split("/")[0]
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert may_connect(server, f"http://{name}:{port}")
        assert not may_connect(server, f"http://{name}:{int(port) - 1}")


def test_named_hosts_may_connect_over_tls_too_and_others_may_not(server: str) -> None:
    for origin in (
        "http://twin.example",
        "https://twin.example",
        "https://twin.example:8443",
        "https://kitchen.example:8443",
    ):
        assert may_connect(server, origin)
    for origin in (
        "https://evil.example",
        "https://kitchen.example:9",
        "https://twin.example.evil.example",
        "null",
        "",
    ):
        assert not may_connect(server, origin)


def test_bokehs_own_list_stands_and_the_named_hosts_join_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "app.example,localhost:5006")
    with open_server(replace(Settings(), hosts=("twin.example",))) as address:
        for host in ("app.example", "twin.example"):
            assert under(address, host).status == 200
            assert may_connect(address, f"https://{host}")
        assert may_connect(address, "http://127.0.0.1:5006")
        assert not may_connect(address, "https://other.example")


def test_what_is_printed_says_under_which_names_other_machines_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOKEH_ALLOW_WS_ORIGIN", raising=False)
    assert opening_words("127.0.0.1", 5006, Settings()) == "Open http://localhost:5006/ (Ctrl+C stops)"
    assert "[::1]:7/" in opening_words("::1", 7, Settings())
    assert "TWIN_HOSTS=twin.example" in opening_words("0.0.0.0", 5006, Settings())
    assert "answers to localhost, twin.example and" in opening_words(
        "0.0.0.0", 5006, replace(Settings(), hosts=("twin.example",))
    )


@pytest.mark.parametrize(
    "text", ["*", "*.example", "https://twin.example", "twin example", "twin.example:port", "a;b", "-a"]
)
def test_what_is_no_host_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ConfigError, match="TWIN_HOSTS"):
        Settings.from_environment({"TWIN_HOSTS": text})


@pytest.mark.parametrize("name", ["TWIN_EMBED_ORIGINS", "TWIN_LOGO_ORIGINS"])
@pytest.mark.parametrize(
    "text", ["*", "wiki.example", "https://a b", "https://a;script-src", "https://a'", "ftp://a", "https://a/b"]
)
def test_what_is_no_origin_is_refused_with_its_name(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings.from_environment({name: text})


def test_hosts_and_origins_are_lists() -> None:
    given = {
        "TWIN_HOSTS": " Twin.example, 10.0.0.5:8080,[::1]:7,",
        "TWIN_LOGO_ORIGINS": "https://cdn.example/, http://a.example:8",
    }
    settings = Settings.from_environment(given)
    assert settings.hosts == ("twin.example", "10.0.0.5:8080", "[::1]:7")
    assert settings.logo_origins == {"https://cdn.example", "http://a.example:8"}
    assert Settings.from_environment({}).hosts == ()
