"""A statement that does not come back holds up the one who wants it, and nobody else: neither the event loop nor its threads."""

import asyncio
import gc
import logging
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import panel as pn
import pytest

from benchmarks.client import Session
from tests.api.serving import end, fetch
from tests.loop_guard import guarded_loop
from tests.warehouse.conftest import tables
from tests.warehouse.double import Statement, Warehouse
from tests.warehouse.test_faults import wait_until
from twin import api
from twin.notebook.door import Twin
from twin.pages.kiosk.kiosk import serve_kiosk
from twin.pages.operations.operations import operations_page
from twin.server.process import process
from twin.server.watchdog import Watchdog
from twin.views.session.session import ReplaySession

pytestmark = pytest.mark.slow

HELD, OTHER = "sanfrancisco", "chicago"
LOOPS_OWN = 1
"""Threads of the event loop's own. Usually there are more than cores; so few visitors show what happens when all are taken."""
VISITORS = LOOPS_OWN + 1
SOON_S = 120.0


@dataclass
class Served:
    """A server with our pages on a lakehouse."""

    address: str
    warehouse: Warehouse
    stalls: list[str]
    """Stacks that the event loop had while it was held up."""


@pytest.fixture
def served(
    demos: Callable[[str], Path], warehouse_of: Callable[..., Warehouse], lakehouse: Callable[[], Twin]
) -> Iterator[Served]:
    warehouse = warehouse_of(tables(demos("2025")))
    process.use(lakehouse())
    name = f"held-{uuid.uuid4().hex}"
    thread = pn.serve(
        {"operations": operations_page, "kiosk": serve_kiosk}, port=0, address="127.0.0.1", show=False, threaded=True,
        verbose=False, server_id=name, extra_patterns=list(api.ROUTES),
    )  # fmt: skip
    wait_until(lambda: name in pn.state._servers)
    server = pn.state._servers[name][0]
    watchdog, stalls = Watchdog(), _Stalls()
    loop = server.io_loop.asyncio_loop
    loop.call_soon_threadsafe(loop.set_default_executor, ThreadPoolExecutor(LOOPS_OWN))
    loop.call_soon_threadsafe(watchdog.start)
    logging.getLogger("twin.server.watchdog").addHandler(stalls)
    try:
        yield Served(f"http://127.0.0.1:{server.port}", warehouse, stalls.stacks)
    finally:
        logging.getLogger("twin.server.watchdog").removeHandler(stalls)
        if warehouse.faults.hold is not None:
            warehouse.faults.hold.set()
        loop.call_soon_threadsafe(watchdog.stop)
        end(name, thread)
        process.use(None)


class _Stalls(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.stacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.stacks.append(record.getMessage())


def waits(stack: str) -> bool:
    """Whether a stack ends in waiting. A busy machine makes a page that is being built a stall, too, and that is none of it."""
    *_, place, line = stack.rstrip().splitlines()
    return any(f" in {name}" in place for name in ("wait", "result", "join", "readinto", "recv_into", "sleep")) or any(
        word in line for word in ("lock:", ".acquire(", "_places", ".result(", ".wait(")
    )


def sessions(place: str) -> list[ReplaySession]:
    """The sessions that show a kitchen or wait for it."""
    found = [one for one in gc.get_objects() if isinstance(one, ReplaySession)]
    hub = process.hub()  # sessions of another test may not be forgotten yet
    return [one for one in found if one.hub is hub and one._requested is not None and one._requested[0] == place]


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)


async def opened(address: str) -> Session:
    session = Session(address)
    await session.connect()
    await session.send_event("document_ready")
    return session


async def visited(visit: Callable[[list[Session]], Coroutine[Any, Any, None]]) -> None:
    """Let `visit` open sessions, and close them."""
    visitors: list[Session] = []
    try:
        await visit(visitors)
    finally:
        for visitor in visitors:
            await visitor.close()


STATEMENTS: dict[str, Callable[[Statement], bool]] = {
    "routes": lambda one: one.parameters.get("location") == HELD and "most" in one.parameters,
    "rows": lambda one: one.parameters.get("location") == HELD and "from_ts" in one.parameters,
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_held_statement_holds_up_nobody_else(served: Served, statement: str) -> None:
    warehouse = served.warehouse
    gate = warehouse.faults.hold = threading.Event()
    warehouse.faults.holds = STATEMENTS[statement]

    async def visit(visitors: list[Session]) -> None:
        visitors.append(await opened(f"{served.address}/operations?location={HELD}"))
        await until(lambda: warehouse.held)
        visitors.extend([await opened(f"{served.address}/operations?location={HELD}") for _ in range(VISITORS - 1)])
        await until(lambda: len([one for one in sessions(HELD) if one.waiting]) == VISITORS)
        visitors.append(await opened(f"{served.address}/operations?location={OTHER}"))
        await until(lambda: any(one.place is not None for one in sessions(OTHER)))
        statuses = {}
        for path in ("/healthz", "/readyz", "/metrics", "/api/v1/locations", f"/api/v1/locations/{OTHER}/brands"):
            statuses[path] = (await asyncio.to_thread(fetch, served.address + path)).status
        assert statuses == dict.fromkeys(statuses, 200)
        assert warehouse.held, "all this while the statement runs"
        assert all(one.place is None for one in sessions(HELD))
        gate.set()
        await until(lambda: all(one.place is not None for one in sessions(HELD)))

    with guarded_loop() as found:
        asyncio.run(visited(visit))
    assert found == []
    assert [stack for stack in served.stalls if waits(stack)] == []
