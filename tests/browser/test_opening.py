"""A page that cannot come alive says why: refused sockets, scripts, modules and frames, each by a proxy that does it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import free_port, running
from tests.proxy import Manners, Proxy

pytestmark = pytest.mark.browser

CSP = "Content-Security-Policy"
BAR = "#twin-opening"
OPERATIONS = "/operations?location=sanfrancisco"
LATE_MS = 60_000
"""Ten seconds are the page's; the rest is for a busy machine that opens them all at once."""
SANDBOXED = '<iframe sandbox="{}" src="{}" style="width: 1000px; height: 700px"></iframe>'


@dataclass(frozen=True)
class Case:
    """How a page is reached, and what it says then."""

    says: str | re.Pattern[str]
    manners: Manners = field(default_factory=Manners)
    name: str = "127.0.0.1"
    """The host in the browser's address."""
    sandbox: str | None = None
    """What the sandbox of a frame around it allows; None: no frame."""
    scripts: bool = True
    """Whether the browser runs scripts at all."""
    bar: str = BAR


CASES = {
    "a slow line": Case("Still loading …", Manners(slow=r"/assets/bokeh\.")),
    "a proxy without upgrade": Case(
        "A proxy between this browser and the server refuses WebSockets", Manners(upgrade=False)
    ),
    "a server spoken to in HTTP/1.0": Case("refuses WebSockets", Manners(version="HTTP/1.0", upgrade=False)),
    "a name that the server does not know": Case(
        "start it with TWIN_HOSTS=twin.example:", Manners(host="127.0.0.1"), name="twin.example"
    ),
    "a policy without inline scripts": Case(
        "A Content-Security-Policy that is not this server’s own blocks", Manners(answer={CSP: "default-src 'self'"})
    ),
    "a policy without scripts": Case(
        "The scripts of this page do not run here", Manners(answer={CSP: "script-src 'none'"})
    ),
    "a policy without connections": Case("(connect-src)", Manners(answer={CSP: "connect-src 'none'"})),
    "a path that is not passed on": Case(
        re.compile(r"The script /(assets|static/js)/bokeh\.\w+\.js did not come from the server"),
        Manners(missing=r"bokeh\.\w+\.js"),
    ),
    "a sandbox without an origin": Case("add allow-same-origin to the frame’s sandbox", sandbox="allow-scripts"),
    "a sandbox without scripts": Case("add allow-scripts and allow-same-origin", sandbox="", bar=f"{BAR}-noscript"),
    "a browser without scripts": Case("This page needs JavaScript", scripts=False, bar=f"{BAR}-noscript"),
}


@pytest.fixture(scope="module")
def port(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, log = free_port(), tmp_path_factory.mktemp("opening") / "log.txt"
    with running(["twin.cli", "serve", "--source", str(demo), "--port", str(port)], port, log):
        yield port


def open_case(stack: ExitStack, browser: Browser, case: Case, port: int, path: str) -> Page:
    proxy = stack.enter_context(Proxy(port, case.manners))
    context = browser.new_context(java_script_enabled=case.scripts)
    stack.callback(context.close)
    page = context.new_page()
    address = f"http://{case.name}:{proxy.port}{path}"
    if case.sandbox is None:
        page.goto(address, wait_until="commit")
        return page
    frame = SANDBOXED.format(case.sandbox, address)
    page.route("**/around", lambda route: route.fulfill(body=frame, content_type="text/html"))
    page.goto(f"http://{case.name}:{proxy.port}/around", wait_until="commit")
    return page


def test_the_operations_page_says_in_one_sentence_what_keeps_it(browser: Browser, port: int) -> None:
    with ExitStack() as stack:
        # the slow line first, as its page comes after all; while it takes its ten seconds, the others take theirs
        assert next(iter(CASES)) == "a slow line"
        pages = {name: open_case(stack, browser, case, port, OPERATIONS) for name, case in CASES.items()}
        for name, page in pages.items():
            case = CASES[name]
            inside = page if case.sandbox is None else page.frame_locator("iframe")
            expect(inside.locator(case.bar), name).to_contain_text(case.says, timeout=LATE_MS)
            expect(inside.locator(case.bar), name).to_be_visible(timeout=LATE_MS)
            if case.bar != BAR:
                expect(inside.locator(BAR), name).to_be_hidden()


def test_a_wall_screen_says_it_too(browser: Browser, port: int) -> None:
    told = {
        "a policy without scripts",
        "a sandbox without an origin",
        "a sandbox without scripts",
        "a browser without scripts",
    }
    with ExitStack() as stack:
        pages = {
            name: open_case(stack, browser, CASES[name], port, "/kiosk")
            for name in (
                *sorted(told), "a proxy without upgrade", "a name that the server does not know",
                "a policy without inline scripts", "a path that is not passed on",
            )
        }  # fmt: skip
        for name, page in pages.items():
            case = CASES[name]
            inside = page if case.sandbox is None else page.frame_locator("iframe").first
            shown = inside.locator(case.bar if name in told else "#notice").first
            expect(shown, name).to_contain_text(case.says, timeout=LATE_MS)
            expect(shown, name).to_be_visible(timeout=LATE_MS)


def test_a_page_that_comes_alive_says_nothing_and_leaves_nothing_behind(page: Page, port: int) -> None:
    page.add_init_script("globalThis.__socket = WebSocket")
    page.goto(f"http://127.0.0.1:{port}/operations?location=sanfrancisco")
    page.wait_for_function(
        "() => globalThis.__twin?.motion?.size && !document.getElementById('twin-opening')", timeout=LATE_MS
    )
    assert page.evaluate("WebSocket === globalThis.__socket")
    assert page.locator("text=Still loading …").count() == 0


def test_a_policy_without_blobs_keeps_nobody(browser: Browser, port: int) -> None:
    """The page's modules run as scripts of its own."""
    with ExitStack() as stack:
        manners = Manners(answer={CSP: "script-src 'self' 'unsafe-inline'"})
        page = open_case(stack, browser, Case("", manners), port, OPERATIONS)
        page.wait_for_function("() => globalThis.__twin?.motion?.size", timeout=LATE_MS)


def test_nothing_that_is_written_into_a_page_runs(browser: Browser, port: int) -> None:
    """The policy holds in the page's own world, for text as code and for scripts, handlers and addresses written into it."""
    context = browser.new_context()  # the fixture's page fails at any violation, and these are meant
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/operations")
    page.wait_for_function("() => globalThis.__twin")
    refused = page.evaluate(
        """() => new Promise((done) => {
          const seen = [];
          document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
          setTimeout(() => {
            let ran = [];
            globalThis.mark = (what) => ran.push(what);
            try { (0, eval)("mark('eval')"); } catch { /* refused */ }
            const script = document.createElement("script");
            script.textContent = "mark('script')";
            document.body.append(script);
            const box = document.createElement("div");
            box.innerHTML = "<img src='data:,' onerror=\\"mark('handler')\\"><a href=\\"javascript:mark('address')\\">x</a>";
            document.body.append(box);
            box.querySelector("a").click();
            const frame = document.createElement("iframe");
            frame.src = "https://evil.example/";
            document.body.append(frame);
            setTimeout(() => done({ ran, seen: [...new Set(seen)] }), 500);
          });
        })"""
    )
    context.close()
    assert refused["ran"] == []
    assert {"script-src", "script-src-elem", "script-src-attr", "frame-src"} <= set(refused["seen"])
