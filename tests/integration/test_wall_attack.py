"""What another site can do to the wall screens of a server by opening its addresses, in a hidden frame for example."""

import asyncio
import gc
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import panel as pn
import pytest

import twin
from benchmarks.client import Session
from tests.api.serving import end
from twin.pages.kiosk.kiosk import serve_kiosk
from twin.pages.kiosk.show import KioskShow
from twin.server.process import process
from twin.show.options import Options

pytestmark = pytest.mark.slow

SERVER = f"walls-{uuid.uuid4().hex}"
SOON = 30.0


@pytest.fixture
def walls(demo: Path) -> Iterator[str]:
    """The address of a server's wall screens."""
    process.use(twin.open(demo))
    thread = pn.serve(
        {"kiosk": serve_kiosk}, port=0, address="127.0.0.1", show=False, threaded=True, verbose=False, server_id=SERVER
    )
    deadline = time.monotonic() + SOON
    while SERVER not in pn.state._servers:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{pn.state._servers[SERVER][0].port}/kiosk?frame=1"
    end(SERVER, thread)
    process.use(None)


def playing() -> set[KioskShow]:
    """The screens of this process that have shown a scene, those of earlier tests included."""
    return {one for one in gc.get_objects() if isinstance(one, KioskShow) and one._card.arrived >= 0}


async def open_screen(address: str) -> tuple[Session, KioskShow]:
    """Open a screen as a browser does; return it when it shows a scene."""
    before = playing()
    screen = Session(address)
    await screen.connect()
    await screen.send_event("document_ready")
    async with asyncio.timeout(SOON):
        while not (new := playing() - before):
            await asyncio.sleep(0.1)
    return screen, new.pop()


@pytest.mark.parametrize("presented", [True, False])
def test_an_address_does_not_take_over_the_wall_screens(walls: str, presented: bool) -> None:
    """Stopped for good at a second of the attacker's choice: stamped as late as was let in, again and again if need be."""

    async def attack() -> None:
        wall, _ = await open_screen(walls)
        if presented:
            process.showings(process.hub()).move(Options(), 1)
        before = process.showings(process.hub()).anchor(Options())
        anchor = quote(json.dumps([0.0, 5.0, time.time() + 50]))
        attacker, _ = await open_screen(f"{walls}&anchor={anchor}")
        assert process.showings(process.hub()).anchor(Options()) == before
        process.showings(process.hub()).hold(Options())
        assert process.showings(process.hub()).anchor(Options()).held is not None, "the presenter's keys win"
        for screen in (wall, attacker):
            await screen.close()

    asyncio.run(attack())


def test_a_screen_restores_what_a_presenter_did_before_the_server_was_restarted(walls: str) -> None:
    """What it sends in the session of its own live page; nonsense is left alone."""

    async def restore() -> None:
        wall, show = await open_screen(walls)
        stamp = time.time() - 30
        for anchor in ([1], [0, 5, "now"], [0, [], stamp], [10**400, None, stamp], None, {"origin": 0}):
            show._on_message(Sent({"show": "restore", "anchor": anchor}))
        assert process.showings(process.hub()).anchor(Options()).stamp == 0
        show._on_message(Sent({"show": "restore", "anchor": [0, 5.5, stamp]}))
        assert process.showings(process.hub()).anchor(Options()).held == 5.5
        await wall.close()

    asyncio.run(restore())


class Sent:
    """A message as a component receives it."""

    def __init__(self, data: object) -> None:
        self.data = data
