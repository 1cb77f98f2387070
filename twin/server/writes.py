"""Sees to it that every change of a page is sent, also while its socket is busy.

What changes while a socket is being written to, Panel sends later, in a task that looks every 10 ms (`_dispatch_msgs`). A task
that ends takes away the mark (`_WRITE_BLOCK`) by which another, which still waits for the socket, knows that it has work: what
that one held stayed unsent until something else changed. On a slow line or a busy server, "Loading …" stood for good where an
error belonged.

So that no message repeats a model that the browser has, Bokeh makes a reference to each model of the page for every message:
some four hundred, a tenth of what a live page costs. Here each is made once.
"""

from functools import cached_property

from bokeh.document import Document
from bokeh.model import Model
from panel.io import document as panel_document

_panels_own = panel_document._dispatch_msgs
_ref = cached_property(Model.ref.fget)  # type: ignore[attr-defined]
_ref.__set_name__(Model, "ref")


async def _dispatch_all(doc: Document) -> None:
    """Send what waits, although a task that has just ended may have said that nothing does."""
    if doc in panel_document._WRITE_MSGS:
        panel_document._WRITE_BLOCK[doc] = True
    await _panels_own(doc)


def send_all_changes() -> None:
    """Do so for every session of this process. Calling it again changes nothing."""
    panel_document._dispatch_msgs = _dispatch_all
    Model.ref = _ref  # type: ignore[assignment, method-assign]
