"""What Panel and Bokeh bring is closed, wherever it stands: an address makes the server import nothing."""

import sys
from pathlib import Path
from typing import Any

import pytest
from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.io.doc import patch_curdoc
from bokeh.models.widgets import Div
from panel.auth import BasicAuthProvider, OAuthProvider
from panel.config import config
from panel.io.liveness import LivenessHandler
from panel.io.state import state
from tornado.web import RequestHandler, StaticFileHandler

import twin.api as api
from tests.api.serving import fetch
from tests.server.open_servers import guarded, unguarded
from twin.foundation.errors import ConfigError
from twin.server.guard import Closed, GuardedTornado, guard_servers, safe


def page(doc: Document) -> None:
    doc.add_root(Div(text="mine"))


def plain(doc: Document) -> None:
    """A page of ours under a plain `panel serve`."""
    page(doc)
    with patch_curdoc(doc):
        api.mount()


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that notes that it was imported; its address on the server, and whether it was."""
    (tmp_path / "twin_attack.py").write_text("from pathlib import Path\nPath(__file__).with_name('imported').touch()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "/components/twin_attack/x/_css/y", (tmp_path / "imported").exists
    sys.modules.pop("twin_attack", None)


def test_an_address_imports_no_module(mine: Any) -> None:
    address, was_imported = mine
    with guarded(page) as server:
        assert fetch(server + address).status == 404
        for method in ("HEAD", "POST", "OPTIONS"):
            assert fetch(server + address, method=method).status == 404
        assert not was_imported()
    with unguarded(plain) as server:
        assert fetch(f"{server}/page").status == 200
        assert fetch(server + address).status == 404, "from the first page on"
        assert not was_imported()
    with unguarded(page) as server:
        fetch(server + address)
        assert was_imported(), "so it is without a guard"


@pytest.mark.parametrize("prefix", ["", "/under"])
def test_nothing_of_panel_is_read_by_its_module(prefix: str) -> None:
    known = "/components/panel.template.react/ReactTemplate/_css/react.css"
    with unguarded(page, prefix=prefix) as server:
        assert fetch(server + known).status == 200, "so it is without a guard"
    with guarded(page, prefix=prefix) as server:
        assert fetch(server + known).status == 404


def test_guarding_again_changes_nothing() -> None:
    guard_servers()
    for handler in (RequestHandler, StaticFileHandler, LivenessHandler):
        once = safe(handler)
        assert safe(once) is once or once.__mro__[1:3] == safe(once).__mro__[1:3]
    assert safe(Closed) is Closed


def test_what_asks_nobody_is_put_behind_the_login(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("confidential")
    routes: list[Any] = [
        ("/liveness", LivenessHandler, {"applications": {}}),
        ("/files/(.*)", StaticFileHandler, {"path": str(tmp_path)}),
    ]
    config.basic_auth = "open sesame"
    try:
        for serve, status in ((unguarded, 200), (guarded, 403)):
            with serve(page, auth_provider=BasicAuthProvider(), cookie_secret="a test's", more=routes) as server:
                for address in ("/liveness", "/files/file.txt"):
                    assert fetch(server + address).status == status
    finally:
        config.basic_auth = None
    with guarded(page, more=routes) as server:
        assert fetch(f"{server}/files/file.txt").body == b"confidential", "where there is no login, all are answered"


def test_a_login_that_would_write_secrets_into_the_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"oauth_provider": "generic", "oauth_refresh_tokens": True}.items():
        monkeypatch.setattr(config, f"_{name}", value)
    application = Application(FunctionHandler(page))
    with pytest.raises(ConfigError, match="PANEL_OAUTH_ENCRYPTION"):
        GuardedTornado(application, auth_provider=OAuthProvider())
    monkeypatch.setattr(state, "encryption", object())
    assert GuardedTornado(application, auth_provider=OAuthProvider())
