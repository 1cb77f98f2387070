"""Who a request comes from, as far as a server can say, for limits per client."""

import ipaddress

from tornado.httputil import HTTPServerRequest

from twin.server.process import process

FORWARDING = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")
"""Headers that proxies add."""
USER = "X-Forwarded-User"
"""Header in which a Databricks app's proxy names the user; it drops a client's own."""


def client_of(request: HTTPServerRequest, trusts_proxy: bool) -> str | None:
    """Return a text that is the same for all requests of one client, None where that is not known.

    `trusts_proxy`: whether the server was started with --use-xheaders, so that `request.remote_ip` is what the proxy forwards.
    Behind a proxy that is not trusted nobody is known: all its users would be one client, and would share one limit.
    """
    user = request.headers.get(USER, "") if process.settings_or_default.app_name else ""
    if user:
        return f"user {user}"
    if not trusts_proxy and any(name in request.headers for name in FORWARDING):
        return None
    return _network(request.remote_ip or "")


def _network(address: str) -> str | None:
    """Return an address; of IPv6 the network of 64 bits, any address of which its owner can use."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket, behind which a proxy stands
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return address
