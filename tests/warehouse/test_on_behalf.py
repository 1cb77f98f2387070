"""Users who read with their own rights: over every route and page nobody sees what another one read, before or after him.

Anna may read San Francisco, Ben Chicago, and Cleo every second order of San Francisco. The app has credentials of its own, which
nothing may use.
"""

import asyncio
import contextlib
import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import panel as pn
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from benchmarks.client import Session
from tests.api.serving import Answer, end, fetch
from tests.server.open_servers import handshake, token_in
from tests.server.test_visitors import jwt
from tests.warehouse.conftest import tables
from tests.warehouse.double import CLIENT_SECRET, TOKEN, User, Warehouse, filled, running
from twin import api
from twin.api.endpoints import BASE, ENDPOINTS
from twin.foundation.errors import SignInError, SourceError
from twin.foundation.settings import Settings
from twin.hub import Hub
from twin.pages.kiosk.kiosk import serve_kiosk
from twin.pages.operations.operations import operations_page
from twin.render.dense import Extent
from twin.render.tiles import warm
from twin.server.process import process
from twin.server.visitors import HEADER
from twin.timeline import knots

pytestmark = pytest.mark.slow

SERVER = f"on-behalf-{uuid.uuid4().hex}"
SOON = 60.0
TILE = "/tiles/{}/dark/10/163/395.png"
USERS = {
    "anna": ("sanfrancisco", "location = 'sanfrancisco'"),
    "ben": ("chicago", "location = 'chicago'"),
    "cleo": ("sanfrancisco", "location = 'sanfrancisco' AND right(order_id, 1) < '8'"),
}
NAMES = {"sanfrancisco": "San Francisco", "chicago": "Chicago"}


class Lines(logging.Handler):
    """All that is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(logging.Formatter("%(name)s %(message)s").format(record))


@dataclass
class App:
    """The app behind the platform's proxy."""

    address: str
    warehouse: Warehouse
    cache: Path
    log: Lines
    tokens: dict[str, str] = field(default_factory=dict)
    used: list[str] = field(default_factory=lambda: [TOKEN, CLIENT_SECRET])
    """All tokens that there ever were."""

    def sign_in(self, user: str) -> None:
        """Give a user another token, as the proxy does from time to time, and end his last one."""
        self.warehouse.users.pop(self.tokens.get(user, ""), None)
        claims = {"iss": "https://127.0.0.1/oidc", "sub": user, "jti": uuid.uuid4().hex, "exp": time.time() + 3000}
        token = self.tokens[user] = jwt(**claims)
        self.warehouse.users[token] = User(user, USERS[user][1])
        self.used.append(token)

    def headers(self, user: str) -> dict[str, str]:
        return {
            "X-Forwarded-User": f"7301846655209-{user}",
            "X-Forwarded-Email": f"{user}@caspers.example",
            "X-Forwarded-Preferred-Username": user.title(),
            HEADER: self.tokens[user],
        }

    def get(self, user: str, path: str, **more: str) -> Answer:
        return fetch(self.address + path, self.headers(user) | more)

    def hub(self, user: str) -> Hub:
        """The hub of a user who has looked."""
        identity = f"X-Forwarded-User: 7301846655209-{user}"
        found = [hub for key, hub in process.visitors._hubs.items() if key == process.visitors._key(identity)]
        assert len(found) == 1
        return found[0]


@pytest.fixture(scope="module")
def app(
    made_once: Callable[[str, Callable[[Path], object]], Path],
    tmp_path_factory: pytest.TempPathFactory,
    demos: Callable[[str], Path],
) -> Iterator[App]:
    log, cache = Lines(), tmp_path_factory.mktemp("cache") / "cache"
    loggers = [logging.getLogger(), logging.getLogger("twin.requests")]
    with running(filled(tables(demos("2025")))) as warehouse, pytest.MonkeyPatch.context() as patch:
        environment = warehouse.environment(TWIN_CACHE=str(cache), TWIN_SOURCE="databricks")
        del environment["DATABRICKS_TOKEN"]
        environment |= {"DATABRICKS_CLIENT_ID": "app-client", "DATABRICKS_CLIENT_SECRET": CLIENT_SECRET}
        environment |= {"DATABRICKS_APP_NAME": "app", "TWIN_ON_BEHALF_OF_USER": "on"}
        for name, value in environment.items():
            patch.setenv(name, value)
        process.use(None)
        process.configure(Settings.from_environment())
        for one in loggers:
            one.addHandler(log)
        warm()  # compiling is no part of what is tested
        knots.warm()
        pages = {"operations": operations_page, "kiosk": serve_kiosk}
        thread = pn.serve(
            pages, port=0, address="127.0.0.1", show=False, threaded=True, verbose=False, server_id=SERVER,
            extra_patterns=list(api.ROUTES), websocket_origin="*",
        )  # fmt: skip
        deadline = time.monotonic() + SOON
        while SERVER not in pn.state._servers:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        app = App(f"http://127.0.0.1:{pn.state._servers[SERVER][0].port}", warehouse, cache, log)
        for user in USERS:
            app.sign_in(user)
        yield app
        end(SERVER, thread)
        for one in loggers:
            one.removeHandler(log)
        process.use(None)
        said = "\n".join(log.text)
        for secret in (*app.used, "@caspers.example", "7301846655209"):
            assert secret not in said, "a secret is in the log"


def routes(place: str, order: str) -> list[str]:
    """Every route about a kitchen."""
    start, end = "2025-10-17T16:00:00Z", "2025-10-17T20:00:00Z"
    part, own = f"start={start}&end={end}", f"{BASE}/locations/{place}"
    found = [
        f"{BASE}/orders/{order}", f"{own}/kitchen-status?at_time={end}", f"{own}/data-quality", f"{own}/events?{part}&limit=50",
        f"{own}/time-range?{part}&granularity=hour", f"{own}/brands?{part}", f"{own}/moments?{part}",
        f"{own}/ledger?{part}&by=brand", f"{own}/replay?{part}&speed=0", TILE.format(place),
        f"{BASE}/network?at_time={end}",
    ]  # fmt: skip
    kinds = {endpoint.path.rpartition("/")[2] for endpoint in ENDPOINTS if "{" not in endpoint.path.rpartition("/")[2]}
    assert kinds - {"locations"} <= {address.partition("?")[0].rpartition("/")[2] for address in found}
    return found


@pytest.fixture(scope="module")
def orders(app: App) -> dict[str, set[str]]:
    """The ids of the orders that each user may see."""
    return {
        user: {
            order
            for (order,) in app.warehouse.connection.execute(
                f"SELECT DISTINCT order_id FROM caspers.lakeflow.all_events WHERE {rows} AND order_id IS NOT NULL"
            ).fetchall()
        }
        for user, (_, rows) in USERS.items()
    }


@pytest.fixture(scope="module")
def seen(app: App, orders: dict[str, set[str]]) -> dict[str, dict[str, Answer]]:
    """What each user gets on every route, about his own kitchen and the other one; Anna again after the others have looked."""
    answers: dict[str, dict[str, Answer]] = {user: {} for user in USERS}
    for number, users in enumerate((USERS, ["anna"])):
        for user in users:
            own = USERS[user][0]
            other = next(place for place in NAMES if place != own)
            strangers = min(set.union(*orders.values()) - orders[user])
            for address in (
                f"{BASE}/locations", "/metrics", "/readyz", "/healthz", "/user", "/connection", "/assets/00.js", "/kiosk",
                f"{BASE}/openapi.json", f"{BASE}/docs", *routes(own, min(orders[user])), *routes(other, strangers),
                f"{BASE}/locations/{other[:-1]}/brands",
            ):  # fmt: skip
                answer = app.get(user, address)
                first = answers[user].setdefault(address, answer)
                assert (
                    number == 0
                    or address in ("/metrics", "/readyz", "/kiosk", "/user")
                    or answer.status == first.status
                )
                answers[user][f"{address} again" if number else address] = answer
    return answers


def foreign(user: str, orders: dict[str, set[str]], asked: str = "") -> list[str]:
    """What a user must not read, but what he has asked for himself."""
    other = next(place for place in NAMES if place != USERS[user][0])
    hidden = sorted(set.union(*orders.values()) - orders[user])
    return [word for word in (other, NAMES[other], *hidden) if word.lower() not in asked.lower()]


def found_in(body: bytes, words: list[str]) -> list[str]:
    said = body.decode("latin-1")
    lower = said.lower()
    return [word for word in words if (word in said if len(word) > 30 else word.lower() in lower)]


@pytest.mark.parametrize("user", USERS)
def test_every_route_answers_with_what_the_user_may_read_alone(
    app: App, seen: dict[str, dict[str, Answer]], orders: dict[str, set[str]], user: str
) -> None:
    own = USERS[user][0]
    for address, answer in seen[user].items():
        examples = "openapi" in address or "docs" in address  # they name a kitchen of the demo to everybody
        assert examples or found_in(answer.body, foreign(user, orders, address)) == [], address
        assert not any(token.encode() in answer.body for token in app.used), address
        if own in address:
            assert answer.status == 200, (address, answer.body[:300])
        elif any(place in address for place in NAMES) or "orders" in address:
            assert answer.status == (200 if min(orders[user]) in address else 404), address
    places = json.loads(seen[user][f"{BASE}/locations"].body)["locations"]
    assert [place["location_name"] for place in places] == [own]
    assert b"twin_rejected_rows{" not in seen[user]["/metrics"].body, (
        "how much is in the tables is nobody else's business"
    )


def test_two_who_see_the_same_kitchen_see_their_own_rows_of_it(
    app: App, seen: dict[str, dict[str, Answer]], orders: dict[str, set[str]]
) -> None:
    anna, cleo = seen["anna"], seen["cleo"]
    assert orders["cleo"] < orders["anna"]
    for address in cleo:
        if "sanfrancisco" in address and "moments" not in address:
            assert anna[address].body != cleo[address].body, address
    hubs = app.hub("anna"), app.hub("cleo")
    maps = [process.tileset(hub, "sanfrancisco") for hub in hubs]
    assert maps[0].version != maps[1].version, "so no browser's cache mixes them"
    lines = [hub.timeline("sanfrancisco", "2025-10-17 12:00", "2025-10-17 22:00") for hub in hubs]
    assert set(lines[1].orders.ids.to_pylist()) <= orders["cleo"]
    assert set(lines[1].orders.ids.to_pylist()) < set(lines[0].orders.ids.to_pylist()) <= orders["anna"]
    t = lines[0].busiest()
    assert process.fleets.fleet(lines[0], t) is not process.fleets.fleet(lines[1], t)
    frames = [process.fleets.frame(line, t, Extent(12, -4, -4, 8, 8)) for line in lines]
    assert frames[0] != frames[1]
    assert hubs[0].insights(lines[0]) is not hubs[1].insights(lines[1])
    assert process.showings(hubs[0]) is not process.showings(hubs[1])


def test_each_statement_and_session_is_the_users_own_and_nothing_is_on_the_disk(
    app: App, seen: dict[str, dict[str, Answer]]
) -> None:
    assert {one.user for one in app.warehouse.statements} == set(USERS)
    assert (app.warehouse.strangers, app.warehouse.logins) == (0, 0)
    assert not app.cache.exists() or list(app.cache.rglob("*")) == []


def test_no_browser_reuses_an_answer_for_who_signs_in_next(seen: dict[str, dict[str, Answer]]) -> None:
    for address, answer in seen["anna"].items():
        if address.startswith(BASE) and answer.status == 200 and "docs" not in address and "openapi" not in address:
            assert answer.headers["cache-control"] in ("private, no-cache", "no-store"), address


def live_over_http(app: App, place: str, headers: dict[str, str]) -> tuple[int, str]:
    """The status and the text of a live feed up to its first position."""
    address = f"{app.address}{BASE}/locations/{place}/live"
    with (
        httpx.Client(trust_env=False, timeout=SOON) as client,
        client.stream("GET", address, headers=headers) as answer,
    ):
        if answer.status_code != 200:
            return answer.status_code, answer.read().decode()
        said = ""
        for line in answer.iter_lines():
            said += f"{line}\n"
            if '"current_time"' in line:
                return 200, said
    raise AssertionError(f"the feed has ended: {said}")


def live_over_websocket(app: App, place: str, headers: dict[str, str]) -> tuple[int, str]:
    """The same over a WebSocket."""

    async def talk() -> tuple[int, str]:
        address = f"{app.address.replace('http', 'ws', 1)}/ws/v1/locations/{place}/live"
        try:
            connection = await websocket_connect(HTTPRequest(address, headers=headers))
        except HTTPClientError as error:
            return error.code, (error.response.body if error.response else b"").decode()
        said = ""
        while '"current_time"' not in said:
            said += str(await connection.read_message() or "")
        connection.close()
        while await connection.read_message() is not None:
            pass
        return 200, said

    return asyncio.run(asyncio.wait_for(talk(), SOON))


@pytest.mark.parametrize("follow", [live_over_http, live_over_websocket])
@pytest.mark.parametrize("user", USERS)
def test_a_live_feed_says_nothing_of_what_its_user_may_not_read(
    app: App, orders: dict[str, set[str]], user: str, follow: Callable[[App, str, dict[str, str]], tuple[int, str]]
) -> None:
    own = USERS[user][0]
    other = next(place for place in NAMES if place != own)
    status, said = follow(app, own, app.headers(user))
    assert (status, '"metrics_update"' in said or "event: metrics_update" in said) == (200, True)
    assert found_in(said.encode(), foreign(user, orders)) == []
    status, said = follow(app, other, app.headers(user))
    assert status == 404
    assert found_in(said.encode(), foreign(user, orders, other)) == []
    without = {name: value for name, value in app.headers(user).items() if name != HEADER}
    assert follow(app, own, without)[0] == 401


def all_over_http(app: App, place: str, headers: dict[str, str], told: Callable[[], object]) -> str:
    """All that a live feed says until it ends; `told()` is called when it has begun."""
    address, said = f"{app.address}{BASE}/locations/{place}/live", ""
    with (
        httpx.Client(trust_env=False, timeout=SOON) as client,
        client.stream("GET", address, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        deadline = time.monotonic() + SOON
        for line in answer.iter_lines():
            assert time.monotonic() < deadline, "it goes on"
            said += f"{line}\n"
            if line == "event: live_position":
                told()
    return said


def all_over_websocket(app: App, place: str, headers: dict[str, str], told: Callable[[], object]) -> str:
    """The same over a WebSocket."""

    async def talk() -> str:
        address, said = f"{app.address.replace('http', 'ws', 1)}/ws/v1/locations/{place}/live", ""
        with closing(await websocket_connect(HTTPRequest(address, headers=headers))) as connection:
            while (message := await connection.read_message()) is not None:
                said += str(message)
                if '"live_position"' in str(message):
                    told()
            assert (connection.close_code, "connect again" in (connection.close_reason or "")) == (1001, True)
        return said

    return asyncio.run(asyncio.wait_for(talk(), SOON))


@pytest.mark.parametrize("follow", [all_over_http, all_over_websocket])
def test_a_live_feed_ends_when_rights_are_read_anew_and_goes_on_for_who_still_has_them(
    app: App, monkeypatch: pytest.MonkeyPatch, follow: Callable[[App, str, dict[str, str], Callable[[], object]], str]
) -> None:
    """Whoever is told of a kitchen for days is asked again, as with every request: what was taken away is told no more."""
    own, token = USERS["ben"][0], app.tokens["ben"]
    now = [max([time.monotonic(), *process.visitors._opened.values()])]  # others have moved it
    monkeypatch.setattr(process.visitors, "_clock", lambda: now[0])
    monkeypatch.setattr("twin.api.live.HEARTBEAT_S", 0.05)
    assert app.get("ben", f"{BASE}/locations").status == 200

    def later() -> None:
        now[0] += process.settings_or_default.rights_s + 1

    for _ in range(2):
        assert "live_position" in follow(app, own, app.headers("ben"), later)
    monkeypatch.setitem(app.warehouse.users, token, User("ben", "location = 'sanfrancisco'"))
    later()
    begin = live_over_http if follow is all_over_http else live_over_websocket
    assert begin(app, own, app.headers("ben"))[0] == 404
    monkeypatch.setitem(app.warehouse.users, token, User("ben", USERS["ben"][1]))
    later()
    assert begin(app, own, app.headers("ben"))[0] == 200


def replay(app: App, place: str, speed: int) -> Iterator[str]:
    """The lines of a replay of four hours, as they come."""
    address = f"{app.address}{BASE}/locations/{place}/replay?start=2025-10-17T16:00:00Z&end=2025-10-17T20:00:00Z"
    with (
        httpx.Client(trust_env=False, timeout=SOON) as client,
        client.stream("GET", f"{address}&speed={speed}", headers=app.headers("ben")) as answer,
    ):
        if answer.status_code != 200:
            yield str(answer.status_code)
        yield from answer.iter_lines()


def test_a_replay_ends_when_rights_are_read_anew_and_goes_on_for_who_still_has_them(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay at life's pace takes four hours, of which a user may lose his rights in the first minute."""
    own, token = USERS["ben"][0], app.tokens["ben"]
    now = [max([time.monotonic(), *process.visitors._opened.values()])]
    monkeypatch.setattr(process.visitors, "_clock", lambda: now[0])
    deadline, said = time.monotonic() + SOON, ""
    for line in replay(app, own, 60):
        assert time.monotonic() < deadline, "it goes on"
        said += f"{line}\n"
        if line == "event: replay_position":
            now[0] += process.settings_or_default.rights_s + 1
    assert "event: replay_position" in said
    assert "replay_complete" not in said, "who reads knows that there is more"
    assert "event: replay_complete" in list(replay(app, own, 0))
    monkeypatch.setitem(app.warehouse.users, token, User("ben", "location = 'sanfrancisco'"))
    now[0] += process.settings_or_default.rights_s + 1
    assert next(iter(replay(app, own, 0))) == "404"
    monkeypatch.setitem(app.warehouse.users, token, User("ben", USERS["ben"][1]))
    now[0] += process.settings_or_default.rights_s + 1
    assert app.get("ben", f"{BASE}/locations").status == 200


class Visit(Session):
    """A page in a user's browser; `said` is all that it received."""

    def __init__(self, app: App, user: str, path: str) -> None:
        super().__init__(app.address + path, app.headers(user))
        self.said = ""

    async def _frame(self) -> str | bytes:
        frame = await super()._frame()
        self.said += frame if isinstance(frame, str) else frame.decode("latin-1")
        return frame

    async def until(self, pattern: str) -> None:
        async with asyncio.timeout(SOON):
            while not re.search(pattern, self.said):
                await self._receive()


def visit(app: App, user: str, path: str, pattern: str) -> str:
    """Open a page and read what it receives until a pattern occurs."""

    async def look() -> str:
        page = Visit(app, user, path)
        html = (await asyncio.to_thread(app.get, user, path)).body.decode()
        await page.connect()
        await page.send_event("document_ready")
        await page.until(pattern)
        await page.close()
        return html + page.said

    return asyncio.run(look())


@pytest.mark.parametrize("user", ["anna", "ben"])
def test_every_page_shows_what_the_user_may_read_alone(
    app: App, seen: dict[str, dict[str, Answer]], orders: dict[str, set[str]], user: str
) -> None:
    own = USERS[user][0]
    other = next(place for place in NAMES if place != own)
    secret = str(max(orders[user]))
    pages = {
        "/operations": NAMES[own],
        f"/operations?location={own}&order={quote(secret)}": r'"settled".{0,40}true',
        f"/operations?location={other}": r"no kitchen|not a kitchen|There is no",
        "/kiosk?frame=1": r'"arrived","new":\d',
        f"/kiosk?frame=1&locations={other}": r"no kitchen|not a kitchen|There is no",
    }
    for path, pattern in pages.items():
        said = visit(app, user, path, pattern)
        assert found_in(said.encode("latin-1", "replace"), foreign(user, orders, path)) == [], path
        assert not any(token in said for token in app.used), path


def test_an_open_page_ends_when_rights_are_read_anew(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds in memory what its user could read when it was opened; the browser opens it again, with what he may read then."""
    own = USERS["ben"][0]
    now = [max([time.monotonic(), *process.visitors._opened.values()])]
    monkeypatch.setattr(process.visitors, "_clock", lambda: now[0])
    monkeypatch.setattr("twin.server.sessions.RIGHTS_LOOK_S", 0.05)

    async def look() -> tuple[int | None, int]:
        page = Visit(app, "ben", f"/operations?location={own}")
        await page.connect()
        await page.send_event("document_ready")
        await page.until(r'"settled".{0,40}true')
        now[0] += process.settings_or_default.rights_s + 1
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(SOON):
                while True:
                    await page._receive()
        socket = page._socket
        assert socket is not None
        again = await asyncio.to_thread(handshake, f"{app.address}/operations", page.token, **app.headers("ben"))
        await page.close()
        return socket.close_code, again

    assert asyncio.run(look()) == (4001, 403)
    assert NAMES[own] in visit(app, "ben", f"/operations?location={own}", r'"settled".{0,40}true')


def test_a_page_is_joined_by_who_opened_it_alone(app: App) -> None:
    page = token_in(app.get("anna", "/operations").body)
    address = f"{app.address}/operations"
    assert handshake(address, page, **app.headers("ben")) == 403
    without = {name: value for name, value in app.headers("anna").items() if name != HEADER}
    assert handshake(address, page, **without) == 403
    assert handshake(address, page, **app.headers("anna")) == 101


@pytest.mark.parametrize("left_out", [HEADER, "X-Forwarded-"])
def test_who_brings_no_token_or_no_name_gets_nothing(app: App, left_out: str) -> None:
    headers = {name: value for name, value in app.headers("anna").items() if not name.startswith(left_out)}
    for address in (f"{BASE}/locations", *routes("sanfrancisco", "x")):
        answer = fetch(app.address + address, headers)
        assert answer.status == 401, address
        assert address.startswith("/tiles") or b"scope sql" in answer.body
    assert json.loads(fetch(f"{app.address}/user", headers).body)["expired"] is True
    for page in ("/operations", "/kiosk", "/kiosk?frame=1"):
        answer = fetch(app.address + page, headers)
        assert (answer.status, b"scope sql" in answer.body) == (401, True)
    assert fetch(f"{app.address}/healthz", headers).status == 200


def test_a_token_that_ended_is_said_and_a_fresh_one_mends_it(app: App) -> None:
    assert app.get("ben", f"{BASE}/locations").status == 200
    hub = app.hub("ben")
    place = hub.location("chicago")
    app.warehouse.users.pop(app.tokens["ben"])
    with pytest.raises(SourceError, match=r"reload the page to sign in again") as caught:
        hub.timeline("chicago", place.start, place.start + 3600)
    assert "eyJ" not in str(caught.value)
    app.sign_in("ben")
    answer = json.loads(app.get("ben", "/user").body)
    assert (answer["name"], answer["again_s"]) == ("Ben", 600)
    assert hub.timeline("chicago", place.start, place.start + 3600).window.start == place.start
    assert app.hub("ben") is hub
    asked = len(app.warehouse.statements)
    old = app.headers("ben") | {HEADER: jwt(exp=1)}
    assert json.loads(fetch(f"{app.address}/user", old).body)["expired"] is True
    with pytest.raises(SignInError, match="has expired"):
        hub.timeline("chicago", place.start, place.start + 1800)
    assert len(app.warehouse.statements) == asked, "the warehouse is not asked"
    app.get("ben", "/user")


def test_what_is_taken_away_from_a_user_is_gone_after_a_while(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although it is in memory: his kitchens, their answers, and the page that he opens."""
    now = max([time.monotonic(), *process.visitors._opened.values()])  # others have moved it
    monkeypatch.setattr(process.visitors, "_clock", lambda: now)
    own, token = f"{BASE}/locations/chicago/data-quality", app.tokens["ben"]
    before = app.get("ben", own)
    assert before.status == 200
    monkeypatch.setitem(app.warehouse.users, token, User("ben", "location = 'sanfrancisco'"))
    assert app.get("ben", own).body == before.body, "it is still in memory"
    now += process.settings_or_default.rights_s + 1
    assert process.settings_or_default.rights_s <= 900
    assert app.get("ben", own).status == 404
    places = json.loads(app.get("ben", f"{BASE}/locations").body)["locations"]
    assert [place["location_name"] for place in places] == ["sanfrancisco"]

    monkeypatch.setitem(app.warehouse.users, token, User("ben", USERS["ben"][1]))
    now += process.settings_or_default.rights_s + 1
    assert app.get("ben", own).status == 200


def test_who_may_read_nothing_is_told_so_and_others_go_on(app: App) -> None:
    app.warehouse.users["none"] = User("dan", "false")
    nobody: dict[str, Any] = app.headers("anna") | {"X-Forwarded-User": "dan", HEADER: "none"}
    answer = fetch(f"{app.address}{BASE}/locations", nobody)
    assert answer.status == 503
    assert found_in(answer.body, [*NAMES, *NAMES.values()]) == []
    assert fetch(f"{app.address}/healthz").status == 200
    assert app.get("anna", f"{BASE}/locations").status == 200
