"""The client side of a session without a browser: Bokeh's protocol, and the requests that the page sends while it plays.

Fifty browsers would use more CPU than the server that is measured. This client opens the operations page like a browser,
pulls its document, presses Play, and requests trips and events when the page's `map/motion.js` and `feed/pages.js` would.
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
POLL_S = 0.1
"""Seconds between two checks whether a request is due."""
MOST_BYTES = 1 << 30
OPEN_S = 60.0


@dataclass(slots=True)
class Received:
    """What a client has received."""

    ticks: list[float] = field(default_factory=list)
    """`time.monotonic()` at each message with the counts of the stages."""
    messages: int = 0
    bytes: int = 0


class Session:
    """A session on any page of a Bokeh server."""

    def __init__(self, address: str, headers: dict[str, str] | None = None) -> None:
        """`headers` are what a proxy adds to each request of the browser."""
        self.received = Received()
        self.token = ""
        """The page's session, once it is connected."""
        self._address = address
        self._headers = headers
        self._numbers = itertools.count(1)
        self._tasks: list[asyncio.Task[None]] = []
        self._socket: WebSocketClientConnection | None = None

    async def connect(self) -> dict[str, Any]:
        """Open the page and its socket; return the document that a browser would pull."""
        answer = await AsyncHTTPClient().fetch(self._address, request_timeout=OPEN_S, headers=self._headers)
        found = re.search(r'"token": ?"([^"]+)"', answer.body.decode())
        if found is None:
            raise RuntimeError(f"There is no session in {self._address}.")
        self.token = found[1]
        parts = urlsplit(self._address)
        socket = HTTPRequest(parts._replace(scheme="ws", path=f"{parts.path}/ws").geturl(), headers=self._headers)
        self._socket = await websocket_connect(
            socket, subprotocols=["bokeh", found[1]], max_message_size=MOST_BYTES, ping_interval=None
        )
        await self._receive()  # the acknowledgement
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

    async def send_event(self, name: str, **values: Any) -> None:
        """Send an event of the document, such as document_ready."""
        encoded = {"type": "map", **({"entries": [list(item) for item in values.items()]} if values else {})}
        event = {"type": "event", "name": name, "values": encoded}
        await self._send(
            "PATCH-DOC", {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}]}
        )

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        assert self._socket is not None
        for part in ({"msgid": f"client-{next(self._numbers)}", "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))

    async def _receive(self) -> tuple[str, dict[str, Any]]:
        header, _, content = [await self._frame() for _ in range(3)]
        head = json.loads(header)
        for _ in range(2 * head.get("num_buffers", 0)):
            await self._frame()
        return head["msgtype"], json.loads(content)

    async def _frame(self) -> str | bytes:
        assert self._socket is not None
        frame = await self._socket.read_message()
        if frame is None:
            raise ConnectionError("The server closed the session.")
        self.received.bytes += len(frame)
        return frame


class Client(Session):
    """A session on the operations page; the query of its address has location, t and speed."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        query = parse_qs(urlsplit(address).query)
        self._start = datetime.fromisoformat(query["t"][0]).replace(tzinfo=UTC).timestamp()
        self.speed = float(query.get("speed", ["1"])[0])
        self._models: dict[str, str] = {}
        self._data: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._began: float | None = None
        self._motion_until = self._start + WINDOW_MIN_S
        self._requesting = False
        self._feed_at = 0.0
        self._active = asyncio.Event()
        self._active.set()

    async def open(self) -> float:
        """Open the page and pull its document; return the seconds until its models were read."""
        began = time.monotonic()
        document = await self.connect()
        for model in _components(document):
            self._models[model.name] = model.id
            self._versions[model.data] = model.version
            self._data[model.name] = model.data
        taken = time.monotonic() - began
        await self.send_event("document_ready")
        self._tasks.append(asyncio.create_task(self._listen()))
        await self._request_motion("new", self._start - 60, self._motion_until)
        return taken

    async def play(self) -> None:
        """Press Play."""
        self._began = time.monotonic()
        await self._send_data("TransportBar", verb="play", at=self._start)
        self._tasks.append(asyncio.create_task(self._follow()))

    async def hide(self, hidden: bool) -> None:
        """Hide the tab of the page, or show it again; a browser sends no requests while the tab is hidden."""
        page = self._data["PageLink"]
        await self._send(
            "PATCH-DOC",
            {"events": [{"kind": "ModelChanged", "model": {"id": page}, "attr": "seen", "new": not hidden}]},
        )
        (self._active.clear if hidden else self._active.set)()

    async def act(self, component: str, **data: Any) -> None:
        """Send what a component of the page would, as a verb."""
        await self._send_data(component, **data)

    def freeze(self) -> None:
        """Stop reading, like a browser that hangs: messages fill the socket until it is full."""
        self._tasks.pop(0).cancel()
        self._active.clear()

    @property
    def now(self) -> float:
        """The playhead, data seconds."""
        return self._start + (0.0 if self._began is None else self.speed * (time.monotonic() - self._began))

    async def _follow(self) -> None:
        while True:
            await self._active.wait()
            ahead = self.now + LEAD_WALL_S * self.speed
            if self._motion_until < ahead and not self._requesting:
                end = ahead + max(WINDOW_WALL_S * self.speed, WINDOW_MIN_S)
                await self._request_motion("more", self._motion_until, end)
                self._motion_until = end
            if time.monotonic() - self._feed_at > FEED_EVERY_S:
                self._feed_at = time.monotonic()
                await self._send_data(
                    "FeedList", ask="feed", serial=next(self._numbers), query="", stage="", row=-1, t=self.now
                )
            await asyncio.sleep(POLL_S)

    async def _request_motion(self, kind: str, start: float, end: float) -> None:
        self._requesting = True
        await self._send_data(
            "MapFrame", t=self.now, box=None, order=-1, crowd=False, ask="motion", number=next(self._numbers),
            at=None if kind == "more" else self.now, pushes=0, after=start if kind == "more" else None,
            **{"from": start, "to": end},
        )  # fmt: skip

    async def _listen(self) -> None:
        while True:
            kind, content = await self._receive()
            if kind != "PATCH-DOC":
                continue
            self.received.messages += 1
            for event in content["events"]:
                self.heard(event)
                if event["kind"] == "ModelChanged":
                    if event["model"]["id"] == self._data["PipelineStrip"] and event["attr"] == "state":
                        self.received.ticks.append(time.monotonic())
                    elif (version := _version({event["attr"]: event["new"]})) is not None:
                        self._versions[event["model"]["id"]] = version
                elif event["kind"] == "MessageSent":
                    values = dict(event["msg_data"]["values"]["entries"])
                    data = dict(values["data"]["entries"]) if isinstance(values.get("data"), dict) else {}
                    self._requesting &= data.get("tell") != "motion"

    def heard(self, event: dict[str, Any]) -> None:
        """Do nothing more with an event of the document; others may."""

    async def _send_data(self, component: str, **data: Any) -> None:
        data["version"] = self._versions[self._data[component]]
        model, entries = {"id": self._models[component]}, [list(item) for item in data.items()]
        await self.send_event("data_event", model=model, data={"type": "map", "entries": entries})


@dataclass(frozen=True, slots=True)
class _Model:
    """One of our components in a document. id: of its model; data: id of the model of its data; version: of its timeline."""

    name: str
    id: str
    data: str
    version: int


def _components(part: Any) -> Iterator[_Model]:
    """Yield all our components in a document."""
    if isinstance(part, dict):
        attributes = part.get("attributes")
        if part.get("type") == "object" and isinstance(attributes, dict) and "class_name" in attributes:
            data = attributes["data"]
            yield _Model(attributes["class_name"], part["id"], data["id"], _version(data["attributes"]) or 0)
        for value in part.values():
            yield from _components(value)
    elif isinstance(part, list):
        for value in part:
            yield from _components(value)


def _version(data: dict[str, Any]) -> int | None:
    """Return the version of the timeline that a component's data belong to, if they have one."""
    scene = data.get("scene")
    if isinstance(scene, dict):
        return dict(scene["entries"]).get("version")
    return data.get("version")
