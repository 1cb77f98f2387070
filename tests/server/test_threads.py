"""Threads beside the event loop: those of the API and of streams begin nothing while the loop is late."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from twin.foundation.errors import BusyError
from twin.server.process import process
from twin.server.threads import LATE_S, Pool
from twin.server.watchdog import Watchdog


class Late(Watchdog):
    """A watchdog of a loop that is late by so many seconds."""

    late_s = 0.0


@pytest.fixture
def loop_late() -> Iterator[Late]:
    before, late = process.watchdog, Late()
    process.watchdog = late
    yield late
    process.watchdog = before


async def begins(pool: Pool, within_s: float) -> bool:
    """Whether work that is given to a pool begins within so many seconds."""
    begun = threading.Event()
    future = pool.run(begun.set)
    began = await asyncio.to_thread(begun.wait, within_s)
    await future
    return began


def test_work_waits_while_the_loop_is_late_and_begins_when_it_is_not(loop_late: Late) -> None:
    async def main() -> None:
        pool = Pool("test", 1, most=5, gives_way_s=30.0)
        assert await begins(pool, 20.0)
        loop_late.late_s = 2 * LATE_S
        begun = threading.Event()
        future = pool.run(begun.set)
        assert not await asyncio.to_thread(begun.wait, 0.3)
        loop_late.late_s = 0.0
        assert await asyncio.to_thread(begun.wait, 20.0)
        await future

    asyncio.run(main())


def test_work_gives_way_for_a_limited_time(loop_late: Late) -> None:
    loop_late.late_s = 10.0
    assert asyncio.run(begins(Pool("test", 1, most=5, gives_way_s=0.1), 20.0))
    assert asyncio.run(begins(Pool("test", 1, most=5), 20.0)), "what sessions wait for gives no way"


def test_what_waits_is_bounded() -> None:
    async def main() -> None:
        pool, go_on = Pool("test", 1, most=2), threading.Event()
        first, second = pool.run(go_on.wait), pool.run(go_on.wait)
        with pytest.raises(BusyError, match="busy"):
            pool.run(go_on.wait)
        go_on.set()
        await asyncio.gather(first, second)
        await asyncio.sleep(0)
        assert await pool.run(lambda: 5) == 5

    asyncio.run(main())


def test_the_loop_is_late_by_what_held_it_up() -> None:
    async def main() -> None:
        watchdog = Watchdog()
        assert watchdog.late_s == 0
        watchdog.start()
        try:
            threading.Event().wait(0.5)  # the loop does not run
            assert watchdog.late_s > 0.4
            async with asyncio.timeout(20):
                while watchdog.late_s > 0.3:
                    await asyncio.sleep(0.01)
        finally:
            watchdog.stop()

    asyncio.run(main())
