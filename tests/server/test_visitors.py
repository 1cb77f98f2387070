"""Visitors and their hubs: who is who, how long a token and a hub are held, and that a hub is opened once."""

import base64
import gc
import json
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from twin.foundation.errors import ConfigError, SignInError
from twin.foundation.settings import Settings
from twin.hub import Hub, open_source
from twin.server import visitors
from twin.server.process import Process
from twin.server.visitors import HEADER, MOST_HUBS, Visitor, Visitors
from twin.sources.base import Source

OPAQUE = "opaque"


def request(user: str = "anna", token: str = OPAQUE, **more: str) -> HTTPServerRequest:
    given = {"X-Forwarded-User": user, HEADER: token, **more}
    headers = HTTPHeaders({name: value for name, value in given.items() if value})
    return HTTPServerRequest("GET", "/", headers=headers, connection=cast(Any, None))


def jwt(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2lnbmF0dXJl"


class Opened:
    """A source that says when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def hub_of(_: Visitor) -> Hub:
    return Hub(cast(Source, Opened()), Settings())


def test_a_user_is_one_visitor_whatever_his_token_and_two_users_are_two() -> None:
    held = Visitors(hub_of)
    anna, ben = held.of(request("anna", "one")), held.of(request("ben", "two"))
    assert held.of(request("anna", "three")) is anna
    assert ben is not anna
    assert (anna.token(), ben.token()) == ("three", "two")
    for told in (anna.key, repr(anna), str(vars(held))):
        assert not {"anna", "three"} & set(told.split("'")), "neither a name nor a token is in a key"


def test_an_email_stands_for_a_user_without_an_id_and_is_another_than_the_same_text_as_an_id() -> None:
    held = Visitors(hub_of)
    first = held.of(request("", **{"X-Forwarded-Email": "anna@caspers.example"}))
    assert held.of(request("", **{"X-Forwarded-Email": "anna@caspers.example"})) is first
    assert held.of(request("anna", **{"X-Forwarded-Email": "anna@caspers.example"})) is not first
    assert held.of(request("anna@caspers.example")) is not first


def test_the_token_leaves_the_request_which_a_session_holds() -> None:
    held, asked = Visitors(hub_of), request("anna", "one")
    visitor = held.of(asked)
    assert HEADER not in asked.headers
    assert held.of(asked) is visitor


@pytest.mark.parametrize("asked", [request(""), request(token=""), request("  "), request(token=" ")])
def test_without_identity_or_token_nobody_is_let_in(asked: HTTPServerRequest) -> None:
    with pytest.raises(SignInError, match="scope sql"):
        Visitors(hub_of).of(asked)


def test_a_token_that_has_ended_is_not_used_and_a_fresh_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr(time, "time", lambda: now)
    held = Visitors(hub_of)
    visitor = held.of(request(token=jwt(exp=now + 1000)))
    assert visitor.again_s == 500
    now += 999
    assert visitor.token()
    assert visitor.again_s == visitors.LEAST_AGAIN_S
    now += 1
    with pytest.raises(SignInError, match="Reload the page"):
        visitor.token()
    assert "eyJ" not in str(vars(visitor)), "it is forgotten"
    fresh = jwt(exp=now + 1000)
    held.of(request(token=fresh))
    assert visitor.token() == fresh


@pytest.mark.parametrize("token", ["opaque", jwt(), jwt(exp="soon"), "a.b.c", "a.é.c", jwt(exp=1e300), jwt(exp=None)])
def test_a_token_that_does_not_say_when_it_ends_is_held_for_an_hour(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1e9
    monkeypatch.setattr(time, "time", lambda: now)
    visitor = Visitors(hub_of).of(request(token=token))
    now += visitors.TOKEN_S - 1
    assert visitor.token() == token
    now += 1
    with pytest.raises(SignInError):
        visitor.token()


def test_a_hub_is_opened_once_and_no_two_users_share_one() -> None:
    opened: list[str] = []

    def slowly(visitor: Visitor) -> Hub:
        opened.append(visitor.key)
        gate.wait(20)
        return hub_of(visitor)

    gate, held = threading.Event(), Visitors(slowly)
    anna, ben = held.of(request("anna")), held.of(request("ben"))
    got: dict[int, Hub] = {}

    def take(number: int, visitor: Visitor) -> Callable[[], None]:
        return lambda: got.__setitem__(number, held.hub(visitor))

    threads = [threading.Thread(target=take(number, who)) for number, who in enumerate((anna, anna, ben, anna))]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(20)
    assert sorted(opened) == sorted([anna.key, ben.key])
    assert got[0] is got[1] is got[3] is held.opened(anna)
    assert got[2] is held.opened(ben) is not got[0]


def test_what_cannot_be_opened_is_tried_again_for_the_next_one() -> None:
    refused = iter([True, False])

    def open_hub(visitor: Visitor) -> Hub:
        if next(refused):
            raise SignInError("no")
        return hub_of(visitor)

    held = Visitors(open_hub)
    visitor = held.of(request())
    with pytest.raises(SignInError, match="no"):
        held.hub(visitor)
    assert held.opened(visitor) is None
    assert held.hub(visitor) is held.opened(visitor)


@pytest.mark.slow
def test_few_hubs_are_held_but_each_that_a_page_shows() -> None:
    held = Visitors(hub_of)
    shown = held.of(request("shown"))
    page = held.hub(shown)
    others = [held.of(request(f"user {number}")) for number in range(MOST_HUBS + 3)]
    closed = [cast(Opened, held.hub(one).source).closed for one in others]
    gc.collect()
    assert closed[0].wait(20), "nobody has it any more"
    assert not closed[-1].is_set()
    assert held.opened(shown) is page
    assert sum(not one.is_set() for one in closed) <= MOST_HUBS


def test_a_hub_is_opened_anew_after_a_quarter_of_an_hour_for_permissions_that_changed() -> None:
    now, after = 0.0, 15 * 60
    held = Visitors(hub_of, clock=lambda: now)
    visitor = held.of(request())
    first = held.hub(visitor)
    now = after
    assert held.hub(visitor) is first
    now = after + 1
    assert held.opened(visitor) is None
    second = held.hub(visitor)
    assert second is not first
    now = after + 2
    assert held.hub(visitor) is second


def test_what_does_not_say_for_whom_gets_no_hub() -> None:
    mine = Process()
    mine.configure(Settings(source="databricks", warehouse_path="/x", on_behalf_of_user=True, app_name="app"))
    with pytest.raises(SignInError):
        mine.hub()
    with pytest.raises(SignInError):
        mine.visitor_of(None)
    assert (mine.open_hub(), mine.failure) == (None, None)
    mine.configure(Settings(on_behalf_of_user=True))
    with pytest.raises(SignInError):
        mine.visitor_of(request())
    mine.configure(Settings())
    assert mine.visitor_of(request()) is None


def test_it_is_refused_where_nobody_says_who_looks() -> None:
    on = {"TWIN_ON_BEHALF_OF_USER": "on"}
    with pytest.raises(ConfigError, match="outside of a Databricks app"):
        Settings.from_environment(on)
    with pytest.raises(ConfigError, match="on or off"):
        Settings.from_environment({"TWIN_ON_BEHALF_OF_USER": "yes"})
    assert Settings.from_environment(on | {"DATABRICKS_APP_NAME": "app"}).on_behalf_of_user is True
    assert Settings.from_environment({}).on_behalf_of_user is False
    with pytest.raises(ConfigError, match="no SQL warehouse"):
        open_source("demo", Settings(), token=lambda: "one")
