"""A change that comes while the socket is busy reaches the browser."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from bokeh.document import Document
from panel.io import document as panel_document

from twin.server.writes import _panels_own, send_all_changes


class Line:
    """A socket whose writes last until `flushed`; its lock is 0 while Bokeh itself writes to it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.flushed = asyncio.Event()
        self.write_lock = SimpleNamespace(_block=SimpleNamespace(_value=1))

    async def write(self, message: str) -> None:
        await self.flushed.wait()
        self.sent.append(message)


class Connection:
    """What Panel has of a browser; a message is the first of its events."""

    def __init__(self, socket: Line) -> None:
        self._socket = socket
        self.protocol = SimpleNamespace(create=lambda _kind, events: events[0])


async def sent_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Change a document twice: the second change comes while Bokeh writes, and while the first is not through yet."""
    line, doc = Line(), Document()
    monkeypatch.setitem(
        panel_document.extra_socket_handlers, Line, lambda conn, msg: [asyncio.ensure_future(conn._socket.write(msg))]
    )
    connection: Any = Connection(line)
    panel_document.schedule_write_events(doc, [connection], ["loading"])  # type: ignore[list-item]
    await asyncio.sleep(0)
    line.write_lock._block._value = 0
    panel_document.schedule_write_events(doc, [connection], ["it failed"])  # type: ignore[list-item]
    await asyncio.sleep(0)  # Panel looks, finds the socket locked, and will look again
    line.flushed.set()
    await asyncio.sleep(0.03)
    line.write_lock._block._value = 1
    await asyncio.sleep(0.1)
    return line.sent


def test_a_change_during_the_last_write_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_document, "_dispatch_msgs", panel_document._dispatch_msgs)
    send_all_changes()
    assert asyncio.run(sent_by(monkeypatch)) == ["loading", "it failed"]


def test_panel_still_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_document, "_dispatch_msgs", _panels_own)
    assert asyncio.run(sent_by(monkeypatch)) == ["loading"], (
        "Panel sends everything now: take twin/server/writes.py out"
    )
