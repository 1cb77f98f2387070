"""The routes on a real server: tiles, health, mounting, compression."""

import gzip
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bokeh.document import Document
from bokeh.io.doc import patch_curdoc
from bokeh.models.widgets import Div
from pmtiles.tile import TileType

import twin.api as api
from tests.api.serving import fetch, served
from tests.render.mapfiles import picture, write
from tests.render.pictures import wandering
from tests.sources.test_files import ROWS, write_csv
from twin.foundation.cache import Budget, ByteCache, Owner
from twin.foundation.errors import SourceError, UnknownLocationError
from twin.foundation.settings import Settings
from twin.render.filemap import FileMap
from twin.render.tiles import TileSet
from twin.server.assets import publish
from twin.server.process import Process, process
from twin.server.tiles import tile_url

TILES = TileSet(wandering(30))
TILE = (13, 1310, 3166)
"""The tile of the kitchen around which the routes wander."""

ADDRESS = "/tiles/sf/dark/13/1310/3166.png"


class Opened(Owner):
    """What the routes need of a hub."""

    budget = Budget(lambda: 2**30)


def lookup(_: object, location: str) -> TileSet:
    if location not in ("sf", "a/b é"):
        raise UnknownLocationError(location)
    return TILES


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests' own tiles."""
    monkeypatch.setattr(process, "open_hub", lambda _visitor: Opened())
    monkeypatch.setattr(process, "tileset", lookup)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with served(lambda doc: doc.add_root(Div(text="page")), extra_patterns=api.ROUTES, prefix="/under") as address:
        yield address


def test_a_tile_is_the_renderers_png(server: str) -> None:
    answer = fetch(server + ADDRESS)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.body == TILES.tile(*TILE, "dark")
    assert fetch(server + ADDRESS.replace("dark", "light")).body == TILES.tile(*TILE, "light")
    assert fetch(server + ADDRESS.replace(".png", "@2x.png")).body == TILES.tile(*TILE, "dark", scale=2)


def test_the_address_made_for_a_map_leads_to_the_tile_whatever_the_locations_name(server: str) -> None:
    for location in ("sf", "a/b é"):
        for dense in (False, True):
            url = tile_url(location, "light", TILES.version, dense)
            filled = url.replace("{Z}", "13").replace("{X}", "1310").replace("{Y}", "3166")
            assert fetch(f"{server}/{filled}").body == TILES.tile(*TILE, "light", scale=2 if dense else 1)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/tiles/nowhere/dark/13/1310/3166.png", 404),
        ("/tiles/sf/blue/13/1310/3166.png", 400),
        ("/tiles/sf/dark/13/8192/3166.png", 400),
        ("/tiles/sf/dark/13/1310/-1.png", 400),
        ("/tiles/sf/dark/21/1310/3166.png", 400),
        ("/tiles/sf/dark/13/1e3/3166.png", 400),
        ("/tiles/sf/dark/13/%D9%A1/3166.png", 400),
        ("/tiles/sf/dark/13/99999999999999999999/3166.png", 400),
        ("/tiles/sf/dark/13/1310/3166.jpg", 404),
    ],
)
def test_what_is_no_tile_is_refused(server: str, address: str, status: int) -> None:
    assert fetch(server + address).status == status


def test_a_versioned_tile_is_kept_and_an_unversioned_or_old_one_is_asked_for_again(server: str) -> None:
    kept = fetch(f"{server}{ADDRESS}?v={TILES.version}")
    assert "immutable" in kept.headers["cache-control"]
    for address in (ADDRESS, ADDRESS + "?v=older"):
        again = fetch(server + address)
        assert again.headers["cache-control"] == "private, no-cache"
        unchanged = fetch(server + address, {"If-None-Match": again.headers["etag"]})
        assert (unchanged.status, unchanged.body) == (304, b"")
        assert fetch(server + address, {"If-None-Match": '"other"'}).status == 200


def test_tiles_of_the_users_own_map_come_by_the_same_route_and_the_streets_where_it_has_none(
    server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert fetch(server + ADDRESS.replace("dark", "file-dark")).status == 404, "there is none"
    jpeg, (z, x, y) = picture((200, 10, 10), kind="JPEG"), TILE
    path = write(tmp_path / "city.pmtiles", {TILE: jpeg, (z, x, y + 1): jpeg}, {}, TileType.JPEG)
    own = FileMap(path, ByteCache(1 << 20))
    monkeypatch.setattr(process, "file_map", lambda: own)
    told = fetch(server + ADDRESS.replace("dark", "file-dark"))
    assert (told.status, told.headers["content-type"], told.body) == (200, "image/jpeg", jpeg)
    assert told.headers["x-content-type-options"] == "nosniff"
    url = tile_url("sf", "file-light", own.version + TILES.version, dense=True)
    kept = fetch(f"{server}/{url}".replace("{Z}", "13").replace("{X}", "1310").replace("{Y}", "3166"))
    assert (kept.body, "immutable" in kept.headers["cache-control"]) == (jpeg, True)
    assert kept.headers["etag"] != fetch(server + ADDRESS).headers["etag"]
    assert fetch(server + ADDRESS.replace("dark", "file-dark"), {"If-None-Match": kept.headers["etag"]}).status == 304
    elsewhere = fetch(server + ADDRESS.replace("dark", "file-dark").replace("1310", "1300"))
    assert (elsewhere.headers["content-type"], elsewhere.body) == ("image/png", TILES.tile(13, 1300, 3166, "dark"))
    os.truncate(path, 500)
    assert fetch(server + ADDRESS.replace("dark", "file-light")).body == TILES.tile(*TILE, "light"), "damaged"
    for theme in ("file-", "file-blue", "..%2ffile-dark", "file-dark%2f..", "file-file-dark"):
        assert fetch(server + ADDRESS.replace("dark", theme)).status == 400
    assert fetch(server + ADDRESS.replace("dark", "file-dark").replace("sf", "nowhere")).status == 404


def test_a_map_that_cannot_be_used_is_a_sentence_and_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = Process()
    mine.configure(Settings(tiles="file", tile_file=tmp_path / "gone.pmtiles"))
    assert mine.file_map() is mine.file_map() is None
    assert mine.file_map_problem.startswith("The map gone.pmtiles cannot be opened")
    assert caplog.text.count("gone.pmtiles") == 1
    mine.configure(Settings(tiles="file", tile_file=write(tmp_path / "city.pmtiles", {TILE: picture((1, 2, 3))})))
    assert mine.file_map() is mine.file_map() is not None
    assert not mine.file_map_problem
    mine.configure(Settings())
    assert mine.file_map() is None


def test_the_event_loop_answers_while_a_tile_is_rendered(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rendering, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> bytes:
        rendering.set()
        assert go_on.wait(20)
        return b"tile"

    monkeypatch.setattr(TILES, "tile", slow)
    bodies: list[bytes] = []
    waiting = threading.Thread(target=lambda: bodies.append(fetch(server + ADDRESS).body))
    waiting.start()
    assert rendering.wait(20)
    assert fetch(server + "/healthz").status == 200, "answered before the tile is"
    assert not bodies
    go_on.set()
    waiting.join()
    assert bodies == [b"tile"]


def test_health_is_ok_or_says_what_fails(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_failure", None)
    assert (answer := fetch(server + "/healthz")).status == 200
    assert json.loads(answer.body) == {"status": "ok"}
    monkeypatch.setattr(process, "_failure", SourceError("The source cannot be read."))
    assert (answer := fetch(server + "/healthz")).status == 503
    assert json.loads(answer.body)["reason"] == "The source cannot be read."
    monkeypatch.setattr(process, "_failure", None)
    assert fetch(server + "/healthz", method="HEAD").status == 200


def test_a_source_that_could_not_be_opened_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = Process()
    monkeypatch.setenv("TWIN_SOURCE", str(tmp_path / "nothing.csv"))
    with pytest.raises(SourceError):
        mine.hub()
    assert mine.failure
    assert "nothing.csv" in mine.failure
    assert str(tmp_path) not in mine.failure, "probes are public"
    monkeypatch.setenv("TWIN_SOURCE", str(write_csv(tmp_path / "nothing.csv", ROWS)))
    assert mine.hub().locations
    assert mine.failure is None


def test_a_published_script_is_kept_by_the_browser_under_a_name_of_its_content(server: str) -> None:
    address = publish("export default 1;\n" * 100)
    assert address == publish("export default 1;\n" * 100) != publish("export default 2;")
    told = fetch(f"{server}/{address}")
    assert (told.status, told.body) == (200, b"export default 1;\n" * 100)
    assert told.headers["content-type"].startswith("text/javascript")
    assert "immutable" in told.headers["cache-control"]
    assert fetch(f"{server}/assets/0123456789abcdef0123.js").status == 404
    assert fetch(f"{server}/assets/../../etc/passwd.js").status == 404


def test_outside_a_server_nothing_is_mounted() -> None:
    assert not api.mount(), "no server runs this test"
    assert {path.split("/")[1] for path, *_ in api.ROUTES} == {
        "tiles",
        "assets",
        "healthz",
        "readyz",
        "metrics",
        "user",
        "connection",
        r"favicon\.ico",
        "api",
        "ws",
    }


def test_a_page_under_a_plain_server_mounts_routes_and_compression_itself() -> None:
    mounted: list[bool] = []

    def page(doc: Document) -> None:
        with patch_curdoc(doc):  # as it is for the code of every page that `panel serve` runs
            mounted.append(api.mount())

    with served(page, prefix="/under") as address:
        accepts = {"Accept-Encoding": "gzip"}
        assert fetch(address + ADDRESS).status == 404
        script = fetch(address + "/static/js/bokeh.min.js", accepts)
        assert "content-encoding" not in script.headers
        for _ in range(2):
            assert fetch(address + "/page").status == 200
        assert mounted == [True, True]
        assert fetch(address + ADDRESS).body == TILES.tile(*TILE, "dark")
        assert fetch(address + "/healthz").status == 200
        packed = fetch(address + "/static/js/bokeh.min.js", accepts)
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == script.body
        assert len(packed.body) < len(script.body) / 3
        again = fetch(address + "/static/js/bokeh.min.js", accepts)  # this time from memory
        assert again.body == packed.body
        assert again.headers["content-length"] == str(len(again.body))
        assert fetch(address + "/static/js/bokeh.min.js").body == script.body, "who cannot unpack gets it as it is"
        assert "content-encoding" not in fetch(address + ADDRESS, accepts).headers


def test_a_visitor_who_leaves_during_a_download_spoils_nothing_for_the_next() -> None:
    """What was sent of a script until then must not be kept as the whole of it."""

    def page(doc: Document) -> None:
        with patch_curdoc(doc):
            api.mount()

    path = "/static/js/bokeh.min.js?left-early"
    with served(page, prefix="/under") as address:
        script = fetch(address + path).body
        assert fetch(address + "/page").status == 200
        host, port = address.split("//")[1].split("/")[0].split(":")
        for _ in range(3):
            with socket.socket() as visitor:
                visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves with a reset
                visitor.connect((host, int(port)))
                visitor.sendall(f"GET /under{path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
                assert visitor.recv(1024).startswith(b"HTTP/1.1 200")
            assert gzip.decompress(fetch(address + path, {"Accept-Encoding": "gzip"}).body) == script
        assert fetch(address + path, {"Accept-Encoding": "gzip"}, method="HEAD").status == 200
        assert gzip.decompress(fetch(address + path, {"Accept-Encoding": "gzip"}).body) == script
