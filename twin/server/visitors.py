"""Users on whose behalf the source is read, each with a hub of his own: nothing that one has read is shown to another.

Where this is switched on (TWIN_ON_BEHALF_OF_USER), nobody reads as the app. Every request brings the user's identity and a fresh
access token in headers that the platform's proxy sets, and all that is derived from a source (timelines, base maps, answers,
shows) belongs to a hub. So a hub per user is the whole separation; what forgets to say for whom it asks gets no hub at all.

A token is held in memory only, the newest of each user, until it ends or an hour after it came: a page's WebSocket brings none
after its first request, so its script fetches one from time to time (`twin.api.user`).
"""

import base64
import binascii
import hashlib
import json
import math
import secrets
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from cachetools import LRUCache
from tornado.httputil import HTTPServerRequest

from twin.foundation.cache import SingleFlight
from twin.foundation.errors import SignInError
from twin.hub import Hub

HEADER = "X-Forwarded-Access-Token"
IDENTITY = ("X-Forwarded-User", "X-Forwarded-Email")
"""Headers that the platform's proxy sets; it drops those of a client."""
MOST_HUBS = 16
"""Users whose hubs are held while none of their pages is open; a hub with an open page is always held."""
TOKEN_S = 3600.0
"""Seconds for which a token is held at most."""
LEAST_AGAIN_S, MOST_AGAIN_S = 10.0, 600.0
"""Seconds after which a page fetches a token again."""

UNKNOWN = (
    "Everybody reads with his own rights here, and your request brought no access token: the app needs user authorization with "
    "the scope sql (docs/databricks.md). If it has that, reload the page to sign in again."
)
EXPIRED = "Your sign-in has expired. Reload the page to sign in again."


class Visitor:
    """A user who looks, known by a key that says nothing about him. Thread-safe."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.step = ""
        """The current step of opening the source for him, a text to show."""
        self._token, self._until = "", 0.0

    def sign_in(self, token: str) -> None:
        """Take the token of a request."""
        self._token, self._until = token, min(_end_of(token), time.time() + TOKEN_S)

    def token(self) -> str:
        """Return the newest token. Raises `SignInError` if it has ended."""
        if time.time() >= self._until:
            self._token = ""
            raise SignInError(EXPIRED)
        return self._token

    @property
    def again_s(self) -> float:
        """Seconds after which a page is to fetch a token again: well before this one ends."""
        return min(max(LEAST_AGAIN_S, (self._until - time.time()) / 2), MOST_AGAIN_S)

    def report(self, step: str, share: float) -> None:
        """Record the current step of opening; `share` (0..1) is its progress."""
        self.step = step


class Visitors:
    """The users of a process and their hubs. Thread-safe."""

    def __init__(self, open_hub: Callable[[Visitor], Hub], clock: Callable[[], float] = time.monotonic) -> None:
        """`open_hub(visitor)` opens the source with his rights; `clock` counts seconds.

        A hub is opened anew after its settings' `rights_s`, so that permissions that changed count at the latest then.
        """
        self._open_hub, self._clock = open_hub, clock
        self._salt = secrets.token_bytes(16)
        self._visitors: weakref.WeakValueDictionary[str, Visitor] = weakref.WeakValueDictionary()
        self._hubs: weakref.WeakValueDictionary[str, Hub] = weakref.WeakValueDictionary()
        self._opened: weakref.WeakKeyDictionary[Hub, float] = weakref.WeakKeyDictionary()
        self._recent: LRUCache[str, Hub] = LRUCache(MOST_HUBS)
        self._opening: SingleFlight[Hub] = SingleFlight()
        self._lock = threading.Lock()

    def of(self, request: HTTPServerRequest) -> Visitor:
        """Return who sends a request, and take its token out of it. Raises `SignInError` without identity or token."""
        noted: Visitor | None = getattr(request, "visitor", None)
        if noted is not None:
            return noted
        named = ((name, request.headers.get(name, "").strip()) for name in IDENTITY)
        identity = next((f"{name}: {text}" for name, text in named if text), "")
        token = request.headers.pop(HEADER, "").strip()
        if not identity or not token:
            raise SignInError(UNKNOWN)
        key = self._key(identity)
        with self._lock:
            visitor = self._visitors.setdefault(key, Visitor(key))
        visitor.sign_in(token)
        request.visitor = visitor  # type: ignore[attr-defined]  # a session's context holds the request
        return visitor

    def _key(self, identity: str) -> str:
        return hashlib.blake2b(identity.encode(), key=self._salt, digest_size=16).hexdigest()

    def opened(self, visitor: Visitor) -> Hub | None:
        """Return a user's hub if it is open, else None. Returns at once."""
        with self._lock:
            hub = self._hubs.get(visitor.key)
            if hub is None or self._clock() - self._opened[hub] > hub.settings.rights_s:
                return None
            self._recent[visitor.key] = hub
            return hub

    def hub(self, visitor: Visitor) -> Hub:
        """Return a user's hub, opened with his rights where it is not. Raises the `TwinError` with which opening failed."""
        return self.opened(visitor) or self._opening.run(visitor.key, lambda: self._open(visitor))

    def _open(self, visitor: Visitor) -> Hub:
        if (hub := self.opened(visitor)) is not None:  # another thread may have finished since we looked
            return hub
        hub = self._open_hub(visitor)
        weakref.finalize(hub, _close, hub.source).atexit = False
        with self._lock:
            self._hubs[visitor.key] = self._recent[visitor.key] = hub
            self._opened[hub] = self._clock()
        return hub

    def forget(self) -> None:
        """Let go of all hubs that no page holds."""
        with self._lock:
            self._recent.clear()
            self._hubs.clear()


def note_of(session: Any) -> Visitor | None:
    """Return who opened a session of a page, as `Visitors.of` noted it on the request; None if nobody was noted."""
    context = session.document.session_context
    return getattr(getattr(context, "request", None), "visitor", None)


def _close(source: Any) -> None:
    """Close the source of a hub that nobody has any more, in a thread: this may run in one of the source's own."""
    threading.Thread(target=source.close, name="close-source", daemon=True).start()


def _end_of(token: str) -> float:
    """Return when a token ends by its own words, seconds since 1970; infinity if it has none. Nothing is granted by it."""
    try:
        body = token.split(".")[1]
        end = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"]
        return float(end) if isinstance(end, int | float) else math.inf
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, binascii.Error):
        return math.inf
