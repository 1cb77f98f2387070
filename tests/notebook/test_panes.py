"""What shows the panes is asked what it takes."""

import sys
from types import SimpleNamespace

import pytest

from twin.notebook import panes
from twin.notebook.door import Twin
from twin.views.map.map import MapView
from twin.views.shared.component import Component


@pytest.mark.parametrize(("module", "takes"), [(None, True), (False, True), (True, False)])
def test_a_map_in_marimo_is_sent_text(
    module: bool | None, takes: bool, source: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module is not None:  # marimo may also be imported by a script
        monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: module))
    monkeypatch.setattr(Component, "posts", False)
    replay = panes.NotebookReplay(source, source.timeline("chicago"))
    replay.pane("map")
    (view,) = (view for view in replay._views if isinstance(view, MapView))
    assert view.as_text is not takes
    frame = view.__panel__()
    frame._send_msg({"tell": "one"})
    frame._send_msg({"tell": "two"})
    assert frame.posted == ([] if takes else [[1, {"tell": "one"}], [2, {"tell": "two"}]])
    frame._sent_at = [0.0, 0.0]
    frame._send_msg({"tell": "three"})
    assert [number for number, _ in frame.posted] == ([] if takes else [3])
