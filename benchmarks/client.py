"""A browser's side of a session without a browser: Bokeh's protocol over its socket, and what the page asks while it plays.

Fifty browsers would cost more than the server that is measured. This client opens the operations page as they do, takes
its document, presses Play, and asks for trips and events when the page's own `map/motion.js` and `feed/pages.js` would.
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from twin.views.map.wire import LEAD_WALL_S, WINDOW_MIN_S, WINDOW_WALL_S

FEED_EVERY_S = 2.0
ASKED_S = 0.1
"""Between two looks whether there is something to ask for."""
MOST_BYTES = 1 << 30
OPEN_S = 60.0


@dataclass(slots=True)
class Seen:
    """What a client has received while it played."""

    ticks: list[float] = field(default_factory=list)
    """`time.monotonic()` when each message with the stages' counts came."""
    messages: int = 0
    received: int = 0
    """Bytes."""


class Session:
    """One session on any page of a Bokeh server, at `address`."""

    def __init__(self, address: str) -> None:
        self.seen = Seen()
        self._address = address
        self._numbers = itertools.count(1)
        self._tasks: list[asyncio.Task[None]] = []
        self._socket: WebSocketClientConnection | None = None

    async def connect(self) -> dict[str, Any]:
        """Open the page and its socket; return its document, as a browser takes it."""
        answer = await AsyncHTTPClient().fetch(self._address, request_timeout=OPEN_S)
        found = re.search(r'"token":"([^"]+)"', answer.body.decode())
        if found is None:
            raise RuntimeError(f"There is no session in {self._address}.")
        parts = urlsplit(self._address)
        socket = HTTPRequest(parts._replace(scheme="ws", path=f"{parts.path}/ws").geturl())
        self._socket = await websocket_connect(
            socket, subprotocols=["bokeh", found[1]], max_message_size=MOST_BYTES, ping_interval=None
        )
        await self._receive()  # it is acknowledged
        await self._send("PULL-DOC-REQ", {})
        while (reply := await self._receive())[0] != "PULL-DOC-REPLY":
            pass
        return reply[1]

    async def close(self) -> None:
        """Close the page."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        assert self._socket is not None
        for part in ({"msgid": f"client-{next(self._numbers)}", "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))

    async def _receive(self) -> tuple[str, dict[str, Any]]:
        header, _, content = [await self._frame() for _ in range(3)]
        told = json.loads(header)
        for _ in range(2 * told.get("num_buffers", 0)):
            await self._frame()
        return told["msgtype"], json.loads(content)

    async def _frame(self) -> str | bytes:
        assert self._socket is not None
        frame = await self._socket.read_message()
        if frame is None:
            raise ConnectionError("The server closed the session.")
        self.seen.received += len(frame)
        return frame


class Client(Session):
    """One session on the operations page, whose query names location, `t` and speed."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        query = parse_qs(urlsplit(address).query)
        self._start = datetime.fromisoformat(query["t"][0]).replace(tzinfo=UTC).timestamp()
        self.speed = float(query.get("speed", ["1"])[0])
        self._models: dict[str, str] = {}
        self._data: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._began: float | None = None
        self._held = self._start + WINDOW_MIN_S
        self._asking = False
        self._fed = 0.0
        self._thawed = asyncio.Event()
        self._thawed.set()

    async def open(self) -> float:
        """Open the page and take its document; return the seconds until it was there, with its models."""
        began = time.monotonic()
        document = await self.connect()
        for model in _components(document):
            self._models[model.name] = model.id
            self._versions[model.data] = model.version
            self._data[model.name] = model.data
        taken = time.monotonic() - began
        await self._event("document_ready", {})
        self._tasks.append(asyncio.create_task(self._listen()))
        await self._ask_motion("new", self._start - 60, self._held)
        return taken

    async def play(self) -> None:
        """Press Play."""
        self._began = time.monotonic()
        await self._tell("TransportBar", verb="play", at=self._start)
        self._tasks.append(asyncio.create_task(self._follow()))

    async def hide(self, hidden: bool) -> None:
        """Put the page's tab out of sight, or back; a browser stops to ask for what nobody sees."""
        page = self._data["PageLink"]
        await self._send(
            "PATCH-DOC",
            {"events": [{"kind": "ModelChanged", "model": {"id": page}, "attr": "seen", "new": not hidden}]},
        )
        (self._thawed.clear if hidden else self._thawed.set)()

    def freeze(self) -> None:
        """Read nothing more, as a browser does that hangs; what the server sends stays in the socket until that is full."""
        self._tasks.pop(0).cancel()
        self._thawed.clear()

    @property
    def now(self) -> float:
        """The playhead, data seconds."""
        return self._start + (0.0 if self._began is None else self.speed * (time.monotonic() - self._began))

    async def _follow(self) -> None:
        while True:
            await self._thawed.wait()
            ahead = self.now + LEAD_WALL_S * self.speed
            if self._held < ahead and not self._asking:
                end = ahead + max(WINDOW_WALL_S * self.speed, WINDOW_MIN_S)
                await self._ask_motion("more", self._held, end)
                self._held = end
            if time.monotonic() - self._fed > FEED_EVERY_S:
                self._fed = time.monotonic()
                await self._tell(
                    "FeedList", ask="feed", serial=next(self._numbers), query="", stage="", row=-1, t=self.now
                )
            await asyncio.sleep(ASKED_S)

    async def _ask_motion(self, kind: str, start: float, end: float) -> None:
        self._asking = True
        await self._tell(
            "MapFrame", t=self.now, box=None, order=-1, crowd=False, ask="motion", number=next(self._numbers),
            at=None if kind == "more" else self.now, pushes=0, after=start if kind == "more" else None,
            **{"from": start, "to": end},
        )  # fmt: skip

    async def _listen(self) -> None:
        while True:
            kind, content = await self._receive()
            if kind != "PATCH-DOC":
                continue
            self.seen.messages += 1
            for event in content["events"]:
                if event["kind"] == "ModelChanged":
                    if event["model"]["id"] == self._data["PipelineStrip"] and event["attr"] == "state":
                        self.seen.ticks.append(time.monotonic())
                    elif (version := _version({event["attr"]: event["new"]})) is not None:
                        self._versions[event["model"]["id"]] = version
                elif event["kind"] == "MessageSent":
                    told = dict(event["msg_data"]["values"]["entries"])
                    data = dict(told["data"]["entries"]) if isinstance(told.get("data"), dict) else {}
                    self._asking &= data.get("tell") != "motion"

    async def _tell(self, component: str, **data: Any) -> None:
        data["version"] = self._versions[self._data[component]]
        model, entries = {"id": self._models[component]}, [list(item) for item in data.items()]
        await self._event("data_event", {"model": model, "data": {"type": "map", "entries": entries}})

    async def _event(self, name: str, values: dict[str, Any]) -> None:
        told = {"type": "map", **({"entries": [list(item) for item in values.items()]} if values else {})}
        event = {"type": "event", "name": name, "values": told}
        await self._send(
            "PATCH-DOC", {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}]}
        )


@dataclass(frozen=True, slots=True)
class _Model:
    """A component of ours in a document: its model, the model of its data, and which timeline it has."""

    name: str
    id: str
    data: str
    version: int


def _components(part: Any) -> Iterator[_Model]:
    """Yield every component of ours in a document."""
    if isinstance(part, dict):
        told = part.get("attributes")
        if part.get("type") == "object" and isinstance(told, dict) and "class_name" in told:
            yield _Model(told["class_name"], part["id"], told["data"]["id"], _version(told["data"]["attributes"]) or 0)
        for value in part.values():
            yield from _components(value)
    elif isinstance(part, list):
        for value in part:
            yield from _components(value)


def _version(told: dict[str, Any]) -> int | None:
    """Return which timeline a component's data belong to, if they tell."""
    scene = told.get("scene")
    if isinstance(scene, dict):
        return dict(scene["entries"]).get("version")
    return told.get("version")
