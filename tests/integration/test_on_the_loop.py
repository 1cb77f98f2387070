"""What pages and the API do on the event loop, which serves everybody: nothing that may wait for the source."""

import asyncio
import gc
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import panel as pn
import pytest
from bokeh.server.server import Server

import twin
from benchmarks.client import Session
from tests.api.serving import end, fetch
from tests.loop_guard import guarded_loop
from tests.warehouse.test_endpoints import addresses
from twin import api
from twin.api.endpoints import BASE
from twin.foundation.times import text
from twin.notebook.door import Twin
from twin.pages.adapt.adapt import serve_adapt
from twin.pages.kiosk.kiosk import serve_kiosk
from twin.pages.network.network import serve_network
from twin.pages.operations.operations import operations_page
from twin.server.process import process
from twin.views.session.session import ReplaySession

pytestmark = pytest.mark.slow

SOON_S = 120.0
KITCHEN = "chicago"


@pytest.fixture
def server(demo: Path) -> Iterator[Server]:
    process.use(twin.open(demo))
    name = f"loop-{uuid.uuid4().hex}"
    thread = pn.serve(
        {"operations": operations_page, "kiosk": serve_kiosk, "adapt": serve_adapt, "network": serve_network}, port=0,
        address="127.0.0.1", show=False, threaded=True, verbose=False, server_id=name, extra_patterns=list(api.ROUTES),
    )  # fmt: skip
    deadline = time.monotonic() + SOON_S
    while name not in pn.state._servers:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield pn.state._servers[name][0]
    end(name, thread)
    process.use(None)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON_S):
        while not condition():
            await asyncio.sleep(0.05)


def shown(place: str) -> list[ReplaySession]:
    """The sessions that show a kitchen."""
    hub = process.hub()
    found = [one for one in gc.get_objects() if isinstance(one, ReplaySession) and one.hub is hub]
    return [
        one for one in found if one.place is not None and one.place.id == place and one.controller.timeline is not None
    ]


async def use(session: ReplaySession, done: list[str]) -> None:
    """Do what a visitor does who wants more of the source: look for newer orders, another range, another kitchen."""
    try:
        place, other = session.hub.location(KITCHEN), session.hub.locations[0].id
        await session.check_for_newer()
        await session.range(place.end - 7200, place.end)
        await session.choose(other)
        await session.retry()
        done.append(session.problem or "done")
    except Exception as error:
        done.append(repr(error))


def answers(address: str) -> None:
    """Ask every route, as far as one can without a browser."""
    place = process.hub().location(KITCHEN)
    end = text(place.end).replace(" ", "T") + "Z"
    start = text(place.end - 600).replace(" ", "T") + "Z"
    paths = [f"{BASE}{path}" for path in addresses(cast(Twin, process.hub()))]
    paths += [f"{base}/{name}" for base in ("", BASE) for name in ("healthz", "readyz", "metrics")]
    paths += [
        f"{BASE}/locations/{KITCHEN}/replay?start={start}&end={end}&speed=0",
        f"{BASE}/docs",
        f"{BASE}/openapi.json",
    ]
    paths += [
        f"/tiles/{KITCHEN}/dark/0/0/0.png",
        "/tiles/nowhere/dark/0/0/0.png",
        "/user",
        "/connection",
        "/favicon.ico",
    ]
    statuses = {path: fetch(address + path).status for path in paths}
    assert set(statuses.values()) == {200, 404}, statuses


def test_nothing_that_may_wait_runs_on_the_event_loop(server: Server) -> None:
    address = f"http://127.0.0.1:{server.port}"
    done: list[str] = []

    async def opened(path: str, sessions: list[Session]) -> Any:
        session = Session(address + path)
        await session.connect()
        sessions.append(session)
        await session.send_event("document_ready")

    async def visit(sessions: list[Session]) -> None:
        await opened("/operations", sessions)  # the choice of kitchens
        await opened(f"/operations?location={KITCHEN}&order=nobodys", sessions)
        await until(lambda: shown(KITCHEN))
        (replay,) = shown(KITCHEN)
        for one in server.get_sessions("/operations"):
            if b"location" in one.document.session_context.request.query.encode():  # type: ignore[union-attr]
                one.document.add_next_tick_callback(partial(use, replay, done))
        await until(lambda: done)
        await opened(f"/kiosk?frame=1&locations={KITCHEN}", sessions)
        await opened("/adapt", sessions)
        await opened("/network", sessions)
        await until(lambda: shown(KITCHEN))
        await asyncio.to_thread(answers, address)

    async def main() -> None:
        sessions: list[Session] = []
        try:
            await visit(sessions)
        finally:
            for session in sessions:
                await session.close()

    with guarded_loop() as found:
        asyncio.run(main())
    assert done == ["done"]
    assert found == []


def test_the_guard_finds_what_it_looks_for(demo: Path) -> None:
    hub = twin.open(demo)

    async def on_the_loop() -> None:
        hub.quality()

    async def beside_it() -> None:
        await asyncio.to_thread(hub.quality)

    with guarded_loop() as found:
        asyncio.run(beside_it())
        hub.quality()
        assert found == []
        asyncio.run(on_the_loop())
    assert "quality on the event loop" in found[0]
    assert "on_the_loop" in found[0]
