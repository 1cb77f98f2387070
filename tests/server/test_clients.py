"""Who a request comes from: an address, the one that a trusted proxy forwards, a user, or nobody that is known."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from twin.foundation.settings import Settings
from twin.server.clients import client_of
from twin.server.process import process


def request(address: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(remote_ip=address, headers=HTTPHeaders(named))


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    process.configure(Settings())
    yield
    process.use(None)


@pytest.mark.parametrize(
    ("sent", "trusted", "client"),
    [
        (request("198.51.100.7"), False, "198.51.100.7"),
        (request("198.51.100.7", X_Forwarded_For="203.0.113.9, 198.51.100.7"), True, "198.51.100.7"),
        (request("10.0.0.1", X_Forwarded_For="203.0.113.9"), False, None),
        (request("10.0.0.1", Forwarded="for=203.0.113.9"), False, None),
        (request("10.0.0.1", Via="1.1 proxy"), False, None),
        (request("2001:db8:1:2:3:4:5:6"), False, "2001:db8:1:2::/64"),
        (request("2001:db8:1:2::ffff"), False, "2001:db8:1:2::/64"),
        (request("::ffff:198.51.100.7"), False, "::ffff:198.51.100.7"),
        (request("0.0.0.0/unix"), False, None),
        (request("198.51.100.7", X_Forwarded_User="someone"), False, "198.51.100.7"),
    ],
)
def test_a_client_is_an_address_where_it_can_be_known(sent: Any, trusted: bool, client: str | None) -> None:
    assert client_of(sent, trusted) == client


def test_in_a_databricks_app_it_is_the_user_whom_the_proxy_names() -> None:
    process.configure(Settings(app_name="twin"))
    first = client_of(request("10.0.0.1", X_Forwarded_User="a", X_Forwarded_For="10.0.0.1"), True)
    second = client_of(request("10.0.0.1", X_Forwarded_User="b", X_Forwarded_For="10.0.0.1"), True)
    assert first != second
    assert client_of(request("10.0.0.1"), True) == "10.0.0.1"
