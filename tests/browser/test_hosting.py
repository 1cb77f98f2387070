"""docs/hosting.md: its configurations are the ones that are tried here, word for word but for ports and files."""

import datetime as dt
import ipaddress
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import ROOT, free_port, running
from tests.browser.operations import NUMBER, by_id, until
from tests.proxy import Manners, Proxy

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = (ROOT / "docs" / "hosting.md").read_text()
HOST, BELOW = re.findall(r"```nginx\n(.*?)```", TEXT, re.DOTALL)
(POLICY,) = re.findall(r"```\n(default-src.*?)\n```", TEXT)
ALIVE_MS = 60_000
WRAPPED = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  {block}
}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for twin.example that nobody but itself vouches for, and its key."""
    folder, key = tmp_path_factory.mktemp("certificate"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twin.example")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("twin.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "twin.pem", folder / "twin.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


@contextmanager
def nginx(block: str, upstream: int, certificate: tuple[Path, Path], folder: Path) -> Iterator[int]:
    """Run nginx with a block of the document; yields its port."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.fail("The tests of docs/hosting.md need nginx: scripts/nginx installs it.")
    port, pem, key = free_port(), *certificate
    for before, after in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/certs/twin.example.pem", str(pem)),
        ("/etc/ssl/private/twin.example.key", str(key)),
        ("127.0.0.1:5006", f"127.0.0.1:{upstream}"),
    ):
        assert block.count(before) == 1, before
        block = block.replace(before, after)
    (folder / "nginx.conf").write_text(WRAPPED.format(folder=folder, block=block))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 20
            while not (folder / "nginx.pid").exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait(20)


class Wiki(BaseHTTPRequestHandler):
    """A page of another site, with ours in a frame."""

    def do_GET(self) -> None:
        """Answer any request with it."""
        frame = (
            f'<iframe src="http://127.0.0.1:{self.path.split("=")[-1]}/operations" width="1200" height="800"></iframe>'
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(frame.encode())

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def wiki() -> Iterator[int]:
    """The port of that site, which is twin.example and localhost."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wiki)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def plain(demo: Path, wiki: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The server of the first configuration."""
    port, log = free_port(), tmp_path_factory.mktemp("plain") / "log"
    settings = {"TWIN_HOSTS": "twin.example", "TWIN_EMBED_ORIGINS": f"http://twin.example:{wiki}"}
    command = ["twin.cli", "serve", "--source", str(demo), "--port", str(port), "--use-xheaders"]
    with running(command, port, log, **settings):
        yield port


@pytest.fixture(scope="module")
def below(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The server of the second: below a path, with a login, whose cookies show whether it knows of TLS."""
    port, log = free_port(), tmp_path_factory.mktemp("below") / "log"
    command = [
        "twin.cli",
        "serve",
        "--source",
        str(demo),
        "--port",
        str(port),
        "--use-xheaders",
        "--prefix",
        "kitchens",
    ]
    command += ["--basic-auth", "open sesame"]
    with running(command, port, log, healthz="/kitchens/healthz", TWIN_HOSTS="twin.example"):
        yield port


@contextmanager
def page_of(browser: Browser) -> Iterator[Page]:
    """A page that fails at an error or a violation, and believes our certificate."""
    context = browser.new_context(ignore_https_errors=True)
    problems: list[str] = []
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
    yield context.new_page()
    context.close()
    assert problems == []


def comes_alive(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=sanfrancisco")
    expect(by_id(page, "stage-out_for_delivery-count")).to_have_text(NUMBER, timeout=ALIVE_MS)
    page.wait_for_function("() => [...globalThis.__twin.motion.values()][0]?.held", timeout=ALIVE_MS)
    icon = page.evaluate(
        "async () => (await fetch(document.querySelector('link[rel=icon]').href)).headers.get('content-type')"
    )
    assert icon == "image/x-icon"


def client() -> httpx.Client:
    return httpx.Client(trust_env=False, verify=False, timeout=60)  # noqa: S501  # it is our own certificate


def assert_addresses(address: str, to_copy: str, cookies: dict[str, str] | None = None) -> None:
    with client() as http:
        http.cookies.update(cookies or {})
        headers = {"Host": to_copy.split("//")[1].split("/")[0]}
        answer = http.get(f"{address}/api/v1/openapi.json", headers=headers)
        assert answer.json()["servers"] == [{"url": to_copy}]
        assert f"&#x27;{to_copy}/api/v1/locations&#x27;" in http.get(f"{address}/api/v1/docs", headers=headers).text
        stream = "/api/v1/locations/sanfrancisco/replay?start=2025-10-17T18:00:00Z&end=2025-10-17T19:00:00Z&speed=60"
        with http.stream("GET", address + stream, headers=headers) as events:
            assert next(events.iter_lines()).startswith(("event:", "id:", ":", "retry:"))


def test_nginx_with_tls(browser: Browser, plain: int, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    with nginx(HOST, plain, certificate, tmp_path) as port, page_of(browser) as page:
        comes_alive(page, f"https://twin.example:{port}")
        page.goto(f"https://twin.example:{port}/kiosk")
        page.wait_for_function("() => globalThis.__kiosk?.front", timeout=ALIVE_MS)
        assert_addresses(f"https://127.0.0.1:{port}", f"https://twin.example:{port}")


def test_nginx_below_a_path(browser: Browser, below: int, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    (whole,) = re.findall(r"    location / \{.*?\n    \}\n", HOST, re.DOTALL)
    with nginx(HOST.replace(whole, BELOW), below, certificate, tmp_path) as port, page_of(browser) as page:
        address = f"https://twin.example:{port}/kitchens"
        page.goto(f"{address}/operations")
        page.get_by_label(re.compile("name", re.IGNORECASE)).first.fill("mira")
        page.locator("input[type=password]").fill("open sesame")
        page.locator("button[type=submit], button").first.click()
        comes_alive(page, address)
        cookies = page.context.cookies()
        assert cookies
        assert all(cookie["secure"] and cookie["httpOnly"] for cookie in cookies)
        assert_addresses(
            f"https://127.0.0.1:{port}/kitchens", address, {cookie["name"]: cookie["value"] for cookie in cookies}
        )


def test_a_proxy_that_takes_the_path_away_and_ends_tls(
    browser: Browser, plain: int, certificate: tuple[Path, Path]
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    manners = Manners(prefix="/kitchens", request={"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/kitchens"})
    with Proxy(plain, manners, tls) as proxy, page_of(browser) as page:
        address = f"https://twin.example:{proxy.port}/kitchens"
        comes_alive(page, address)
        assert_addresses(f"{proxy.address}/kitchens", address)


def test_the_second_policy_of_the_document_lets_a_page_live(browser: Browser, plain: int) -> None:
    with Proxy(plain, Manners(answer={"Content-Security-Policy": POLICY})) as proxy, page_of(browser) as page:
        comes_alive(page, proxy.address)


def test_a_named_origin_may_frame_a_page_and_another_may_not(browser: Browser, plain: int, wiki: int) -> None:
    for name, may in (("twin.example", True), ("localhost", False)):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://{name}:{wiki}/?port={plain}")
        if may:
            expect(page.frame_locator("iframe").get_by_test_id("city-sanfrancisco")).to_be_visible(timeout=ALIVE_MS)
        else:
            until(page, lambda: any("chrome-error" in inside.url for inside in page.frames), "the browser refuses it")  # noqa: B023
            assert page.frame_locator("iframe").locator("#twin-opening, [data-testid]").count() == 0
        context.close()
