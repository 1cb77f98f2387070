"""Sessions of a served page, through Bokeh's protocol: what is left of one that was closed, what a hidden one does."""

import asyncio
import gc
import logging
import time
import uuid
import weakref
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.model import Model

import twin
from benchmarks.client import Client
from tests.api.serving import end
from twin.pages.operations.operations import operations_page
from twin.replay.controller import ReplayController
from twin.server.process import process
from twin.views.session.session import ReplaySession
from twin.views.shared.view import ReplayView

pytestmark = pytest.mark.slow

UNUSED_MS, CHECK_MS = 300, 100
GONE_S = 30.0
SERVER = f"sessions-{uuid.uuid4().hex}"
"""This module's server; others of the process may hold sessions of their own."""
OURS = (ReplaySession, ReplayController, ReplayView, Document, Model)


@pytest.fixture
def address(demo: Path) -> Iterator[str]:
    """The operations page of San Francisco's last day, at 60x, on a server that soon forgets who has left."""
    process.use(twin.open(demo))
    logging.disable(logging.INFO)  # pytest keeps the records, and they what they tell of
    thread = pn.serve(
        {"operations": operations_page}, port=0, address="127.0.0.1", show=False, threaded=True, verbose=False, server_id=SERVER,
        unused_session_lifetime_milliseconds=UNUSED_MS, check_unused_sessions_milliseconds=CHECK_MS,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while SERVER not in pn.state._servers:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    place = process.hub().location("sanfrancisco")
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(place.end - 4 * 3600))
    yield f"http://127.0.0.1:{pn.state._servers[SERVER][0].port}/operations?location=sanfrancisco&t={start}&speed=60"
    end(SERVER, thread)
    logging.disable(logging.NOTSET)
    process.use(None)


def run(replay: Callable[[Client], Coroutine[Any, Any, None]], address: str) -> None:
    """Open the page, let `replay` use it, and close it."""

    async def main() -> None:
        others = WeakSet(sessions())
        client = Client(address)
        try:
            await client.open()
            await loaded(others)
            await replay(client)
        finally:
            await client.close()

    asyncio.run(main())


def sessions() -> list[ReplaySession]:
    """All sessions of this process."""
    return [one for one in gc.get_objects() if isinstance(one, ReplaySession)]


async def loaded(others: WeakSet[ReplaySession]) -> None:
    """Wait until every session but those of earlier tests has its timeline: what is pressed before is lost."""
    async with asyncio.timeout(GONE_S):
        while True:
            ours = [one for one in sessions() if one not in others]
            if ours and all(one.controller.timeline is not None and not one.is_moving for one in ours):
                return
            del ours[:]
            await asyncio.sleep(0.1)


def alive() -> set[int]:
    """The ids of all objects that a session of the page has made."""
    return {id(one) for one in gc.get_objects() if isinstance(one, OURS)}


async def play(client: Client) -> None:
    """Play for a moment."""
    await client.play()
    await ticks(client, 3)


async def ticks(client: Client, more: int) -> None:
    """Wait until so many more ticks have come."""
    enough = len(client.received.ticks) + more
    async with asyncio.timeout(GONE_S):
        while len(client.received.ticks) < enough:
            await asyncio.sleep(0.02)


def test_nothing_of_a_closed_session_is_left(address: str) -> None:
    run(play, address)  # what a process makes once is made now
    wait_until_forgotten()
    before = alive()
    made: list[weakref.ref[Any]] = []

    async def watch(client: Client) -> None:
        await play(client)
        made.extend(weakref.ref(one) for one in gc.get_objects() if isinstance(one, OURS) and id(one) not in before)

    run(watch, address)
    kinds = {type(reference()) for reference in made}
    assert {ReplaySession, ReplayController, Document} <= kinds  # it was there, and whole
    assert sum(issubclass(kind, ReplayView) for kind in kinds) >= 10
    wait_until_forgotten()
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline and any(reference() is not None for reference in made):
        gc.collect()
        time.sleep(0.2)
    assert [type(reference()).__name__ for reference in made if reference() is not None] == []


def wait_until_forgotten() -> None:
    """Return when the server holds no session any more."""
    deadline = time.monotonic() + GONE_S
    server = pn.state._servers[SERVER][0]
    while sum(len(context.sessions) for context in server._tornado._applications.values()):
        assert time.monotonic() < deadline, "the server does not forget the session"
        time.sleep(0.1)


def test_a_hidden_tab_gets_nothing_and_is_up_to_date_when_it_is_seen_again(address: str) -> None:
    async def hide(client: Client) -> None:
        await play(client)
        await client.hide(True)
        await asyncio.sleep(1)  # what was on its way
        messages, seen = client.received.messages, len(client.received.ticks)
        await asyncio.sleep(2)  # eight ticks of a page that is seen
        assert (client.received.messages, len(client.received.ticks)) == (messages, seen)
        await client.hide(False)
        await ticks(client, 3)

    run(hide, address)
