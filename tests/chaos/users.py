"""Those who use a server through a bad network, without a browser: sessions, a reader of the stream, a program on the API.

Each does what a well-made client does: it notices that nothing comes any more, and tries again until it does.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import httpx
from tornado.httpclient import HTTPClientError
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.websocket import WebSocketError

from benchmarks.client import Client
from tests.chaos.oracle import Oracle
from twin.api.instants import instant, write
from twin.foundation.times import text

SILENT_S = 8.0
"""A stream sends a message each second, and a session that plays two; after so long without one it is opened again."""
RETRY_S = (0.2, 2.0)
"""Bounds of the random pause before the next try. After each that a server answered and that failed they double, so that twenty
clients do not keep a server busy that is only slow; where nobody answers it stays, as in the product's own pages."""
MOST_DOUBLINGS = 4
ARRIVAL_S = 0.5
"""Between two users at the beginning."""
OPEN_S = 30.0
NETWORK = (httpx.HTTPError, HTTPClientError, WebSocketError, OSError, TimeoutError, RuntimeError)
"""What a network and a server that fails make of a request; RuntimeError: `Client` found no session in the page."""
NOBODY = (ConnectionError, httpx.NetworkError, httpx.RemoteProtocolError, HTTPStreamClosedError)
"""Those of them that say that no server answered."""


@dataclass
class Session:
    """A page that plays, without a browser."""

    address: str
    query: dict[str, str]
    speed: float
    t: float
    tick_at: float = 0.0
    """`time.monotonic()` of the last tick; 0: none yet."""
    opened: int = 0
    error: str = ""
    """What ended the last try; empty if nothing did."""

    async def live(self) -> None:
        """Play until cancelled, in as many connections as it takes."""
        refused = 0
        while True:
            query = {**self.query, "t": text(self.t).replace(" ", "T"), "speed": f"{self.speed:g}"}
            client = Client(f"{self.address}/operations?{urlencode(query)}")
            try:
                async with asyncio.timeout(OPEN_S):
                    await client.open()
                    await asyncio.sleep(1)  # what is pressed before its timeline is there is lost
                    await client.play()
                self.opened += 1
                refused, self.error = 0, ""
                await self._listen(client)
            except NETWORK as error:
                self.error = repr(error)
                refused = 0 if isinstance(error, NOBODY) else refused + 1
            finally:
                self.t = client.now
                await _close(client)
            await asyncio.sleep(random.uniform(*RETRY_S) * 2 ** min(refused, MOST_DOUBLINGS))

    async def _listen(self, client: Client) -> None:
        seen, heard = 0, time.monotonic()
        while not any(task.done() for task in client._tasks):
            ticks = client.received.ticks
            if len(ticks) > seen:
                seen, self.tick_at = len(ticks), ticks[-1]
                heard = self.tick_at
            elif time.monotonic() - heard > SILENT_S:
                return
            await asyncio.sleep(0.2)


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(2):
            await client.close()
    except NETWORK:
        pass


@dataclass
class StreamReader:
    """A program that reads a range as a stream, resuming after every break."""

    address: str
    oracle: Oracle
    location: str
    range: tuple[float, float]
    speed: float
    events: list[str] = field(default_factory=list)
    last_id: str = ""
    message_at: float = 0.0
    complete: bool = False

    async def live(self) -> None:
        """Read until the range is over."""
        query = urlencode(
            {"start": write(instant(self.range[0])), "end": write(instant(self.range[1])), "speed": self.speed}
        )
        url = f"{self.address}/api/v1/locations/{self.location}/replay?{query}"
        async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(OPEN_S, read=SILENT_S)) as client:
            while not self.complete:
                headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
                try:
                    async with client.stream("GET", url, headers=headers) as answer:
                        if answer.status_code == 200:
                            await self._read(answer)
                except NETWORK:
                    pass
                await asyncio.sleep(random.uniform(*RETRY_S))

    async def _read(self, answer: httpx.Response) -> None:
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            # what was cut before its empty line does not count, as the standard has it
            if "data" in fields:
                json.loads(fields["data"])
                self.message_at = time.monotonic()
                self.last_id = fields.get("id", self.last_id)
                if fields["event"] == "order_event":
                    self.events.append(fields["id"])
                self.complete |= fields["event"] == "replay_complete"
            fields = {}


@dataclass
class Program:
    """A program that asks the API for a kitchen at random times, and compares every answer with the oracle."""

    address: str
    oracle: Oracle
    location: str
    range: tuple[float, float]
    chance: random.Random
    answered_at: float = 0.0
    answers: int = 0
    wrong: list[str] = field(default_factory=list)

    async def live(self) -> None:
        """Ask twice a second."""
        async with httpx.AsyncClient(trust_env=False, timeout=SILENT_S) as client:
            while True:
                t = float(round(self.chance.uniform(*self.range)))
                try:
                    answer = await client.get(
                        f"{self.address}/api/v1/locations/{self.location}/kitchen-status",
                        params={"at_time": write(instant(t))},
                    )
                    if answer.status_code == 200:
                        self._judge(t, answer.json())
                except NETWORK:
                    pass
                await asyncio.sleep(0.5)

    def _judge(self, t: float, said: dict[str, Any]) -> None:
        self.answers += 1
        expected, shown = self.oracle.counts(t), said["orders_by_stage"]
        if shown == expected:
            self.answered_at = time.monotonic()
        else:
            self.wrong.append(f"at {text(t)} {shown}, not {expected}")


class Crowd:
    """Runs users in a thread, from `with` until its end; what ends one of them with an error is in `failed`."""

    def __init__(self, lives: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        self.failed: list[Exception] = []
        self._lives = lives
        self._tasks: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)

    def __enter__(self) -> "Crowd":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(30)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._all())
        self._loop.close()

    async def _all(self) -> None:
        for live in self._lives:
            self._tasks.append(asyncio.create_task(self._one(live)))
            await asyncio.sleep(ARRIVAL_S)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, live: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await live()
        except Exception as error:  # for the main thread, which looks here
            self.failed.append(error)
