"""A person at a browser: Chromium, a page that tells what went wrong in it, and served applications.

Without Chromium these tests fail; they are never skipped, because a page that nobody looked at is not tested.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import panel as pn
import pytest
from axe_playwright_python.sync_playwright import Axe
from panel.io.threads import StoppableThread
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.api.serving import end
from tests.browser.again import SIZE, leave, prepare
from tests.browser.app import free_port, running

OWN_HOSTS = {"127.0.0.1", "localhost", ""}
"""The application itself; "" is the host of data: and blob: addresses."""


TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
"""

WCAG_21_AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}

GRAVE = {"serious", "critical"}
"""Impacts, as axe-core judges them, that no page may have."""


@contextmanager
def watched(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """An empty page, 1440 x 900, in a profile of its own, and what is wrong with it.

    That is that it logs an error, throws, violates its Content-Security-Policy, or asks another host for anything.
    """
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.add_init_script(TELL_VIOLATIONS)
    page = context.new_page()
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if (urlsplit(request.url).hostname or "") not in OWN_HOSTS:
            problems.append(f"foreign request: {request.url}")

    context.on("console", on_console)
    context.on("request", on_request)
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
    yield page, problems
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page, 1440 x 900. The test fails if anything is wrong with it."""
    with watched(browser) as (page, problems):
        yield page
    assert problems == []


class Kept:
    """A page that one test of a file has after another: opening it takes two seconds of CPU, going on with it a fifth of one.

    It is opened when it is first wanted, and anew after a test that has failed; a test with a page of its own closes it first.
    """

    def __init__(self, opening: Callable[[ExitStack], tuple[Page, list[str]]]) -> None:
        """`opening` opens it, and whatever goes with it, and returns it with the list of what is wrong with it."""
        self._opening, self._stack = opening, ExitStack()
        self._now: tuple[Page, list[str]] | None = None

    @contextmanager
    def used(self, request: pytest.FixtureRequest) -> Iterator[Page]:
        """The page, for one test."""
        failed = request.session.testsfailed
        self._now = self._now or self._opening(self._stack)
        page, problems = self._now
        try:
            yield page
        except BaseException:
            self.close()
            raise
        if request.session.testsfailed > failed or problems:
            self.close()
        assert problems == []

    def close(self) -> None:
        """Leave it, and whatever goes with it."""
        if self._now:
            self._now[0].goto("about:blank")  # before its server goes
        self._now = None
        self._stack.close()


@contextmanager
def kept_page(browser: Browser, begin: Callable[[Page], None]) -> Iterator[Kept]:
    """A page that `begin` opens, for one test after another."""

    def opening(stack: ExitStack) -> tuple[Page, list[str]]:
        page, problems = stack.enter_context(watched(browser))
        begin(page)
        return page, problems

    kept = Kept(opening)
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def kept_scripts(browser: Browser, serve: Callable[..., str]) -> Iterator[Kept]:
    """A page that keeps its scripts from one session to the next; it is closed before the servers of `serve` are."""
    with kept_page(browser, lambda page: prepare(page.context)) as kept:
        yield kept


@pytest.fixture
def visited(kept_scripts: Kept, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page to `visit` views alone with: empty but for the scripts that a test before this one has run in it."""
    with kept_scripts.used(request) as page:
        yield page
        leave(page)


@pytest.fixture(scope="session")
def address(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `twin serve` over the demo, one process a worker; modules with other data have servers of their own."""
    port = free_port()
    log = tmp_path_factory.mktemp("served") / "log.txt"
    with running(["twin.cli", "serve", "--source", str(demo), "--port", str(port)], port, log) as served:
        yield served


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., str]]:
    """Serve applications {name: function} on a free port until the module's tests are over; returns the address."""
    running: list[tuple[str, StoppableThread]] = []

    def start(applications: dict[str, Callable[[], object]], **options: object) -> str:
        name = uuid.uuid4().hex
        thread = pn.serve(
            applications,
            port=0,
            address="127.0.0.1",
            show=False,
            threaded=True,
            verbose=False,
            server_id=name,
            **options,
        )
        running.append((name, thread))
        deadline = time.monotonic() + 20
        while name not in pn.state._servers:
            assert time.monotonic() < deadline, "the server did not start within 20 s"
            time.sleep(0.05)
        return f"http://127.0.0.1:{pn.state._servers[name][0].port}"

    yield start
    for name, thread in running:
        end(name, thread)


@pytest.fixture(scope="session")
def barriers() -> Callable[[Page], list[str]]:
    """What keeps people out of a page as it is now: axe-core's serious and critical findings, one line per element.

    axe looks into open shadow roots by itself; the address of an element there has its hosts before it.
    """
    axe = Axe()

    def found(page: Page) -> list[str]:
        violations = axe.run(page, options=WCAG_21_AA).response["violations"]
        return [
            f"{violation['id']} ({node['impact']}) {node['target']}: {node['html'][:160]} – "
            + "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"]))
            for violation in violations
            for node in violation["nodes"]
            if node["impact"] in GRAVE
        ]

    return found
