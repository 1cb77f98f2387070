"""What every answer tells the browser about itself: what may run in a page, who may frame it, what it may use.

`Headers` gives every answer of a server its headers, those of Panel and Bokeh, errors and redirects included. A page of ours
gets a policy of its own from `guard_page`, which knows what the page contains:

- Scripts come from this server, or carry the nonce that the page's template writes into the tags of Panel and Bokeh. Text from
  the data that a view would write into the page by mistake cannot run. What Panel assembles in the browser gets the nonce from
  what loads it: load_modules.js on the operations page, es-module-shims elsewhere. No `unsafe-eval`: none of our models carries
  code to be compiled in the browser (a `CustomJS…` would), which the browser tests hold.
- Styles are written into the page by Bokeh, per panel, so `unsafe-inline` stays for them.
- Pictures also come from the online base maps that the map offers, and from origins named for logos; nothing else from others.
"""

import functools
import secrets
from collections.abc import Iterable

from bokeh.server.views.doc_handler import DocHandler
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

from twin.foundation.settings import Settings
from twin.server.answering import answering_handler
from twin.server.process import process

CSP = "Content-Security-Policy"
ERROR = 400
_SELF, _NONE = "'self'", "'none'"

FIXED = {
    "X-Content-Type-Options": "nosniff",
    # the origin alone goes to other hosts: providers of online base maps refuse requests without one
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
    "fullscreen=(self), screen-wake-lock=(self)",
}


class Headers(OutputTransform):
    """Adds the headers that an answer does not already have. Stands before compression, which leaves them alone."""

    def __init__(self, request: HTTPServerRequest) -> None:
        """Tornado makes one per answer."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the headers; the body stays as it is."""
        is_page = headers.get("Content-Type", "").startswith("text/html")
        for name, value in _headers(process.settings_or_default, is_page, status_code >= ERROR).items():
            if name not in headers:
                headers[name] = value
        return status_code, headers, chunk


def guard_page(pictures: Iterable[str] = ()) -> str:
    """Give the current page its policy, and return the nonce that its template gives to its scripts; "" without a server.

    `pictures` are further web origins from which it shows pictures. Call it from the page's code.
    """
    handler = answering_handler()
    if not isinstance(handler, DocHandler):  # in a notebook, or while a session is made anew for a WebSocket
        return ""
    nonce = secrets.token_urlsafe(16)
    handler.set_header(CSP, page_policy(nonce, pictures, process.settings_or_default))
    for name, value in _headers(process.settings_or_default, True, False).items():
        if name != CSP:  # a plain `panel serve` answers its first page before it has our transform
            handler.set_header(name, value)
    return nonce


def page_policy(nonce: str, pictures: Iterable[str], settings: Settings) -> str:
    """Return the policy of a page whose scripts carry the nonce."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self' 'unsafe-inline'",
            " ".join(("img-src 'self' data: blob:", *sorted({*pictures, *settings.logo_origins}))),
            "font-src 'self' data:",
            "connect-src 'self' blob:",  # blob: the modules that Panel assembles are read
            "manifest-src 'self'",
            "frame-src 'self'",
            _everywhere(settings, _SELF),
        )
    )


def still_policy(settings: Settings) -> str:
    """Return the policy of what runs nothing: data, errors, a page of text with its styles."""
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; {_everywhere(settings, _NONE)}"


def text_headers() -> dict[str, str]:
    """Return the headers of an answer that is neither a page nor written through Tornado."""
    return _headers(process.settings_or_default, False, False)


@functools.lru_cache(maxsize=16)
def _headers(settings: Settings, is_page: bool, is_error: bool) -> dict[str, str]:
    """Return the headers of an answer that is no page of ours.

    Another page on the same server (one beside ours, a login) decides itself what runs in it. What is no page runs nothing.
    """
    headers = {CSP: _everywhere(settings, _SELF) if is_page and not is_error else still_policy(settings), **FIXED}
    if not settings.embed_origins:
        headers["X-Frame-Options"] = (
            "SAMEORIGIN"  # it can name no other origin, so it is left out where others are allowed
        )
    return headers


def _everywhere(settings: Settings, forms: str) -> str:
    ancestors = " ".join((_SELF, *sorted(settings.embed_origins)))
    return f"object-src 'none'; base-uri 'none'; form-action {forms}; frame-ancestors {ancestors}"
