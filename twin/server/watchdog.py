"""Notices when the event loop, which serves every session, is held up: how often, for how long, and by what."""

import asyncio
import logging
import sys
import threading
import time
import traceback

from twin.foundation import counters

log = logging.getLogger(__name__)

BEAT_S = 0.05
STALL_S = 0.2
"""A loop that has not run for so long is held up: at twice this a person notices."""
HANG_S = 30.0
"""A loop that has not run for so long is taken for lost."""
DEEPEST = 12
"""Innermost frames of the loop's stack that are logged."""


class Watchdog:
    """Measures by how much a loop's timers are late, and logs each stall with the stack that the loop had meanwhile."""

    def __init__(self, stall_s: float = STALL_S) -> None:
        self._stall_s = stall_s
        self._beat_at = time.monotonic()
        self._last_late_s = 0.0
        self._loop_thread = 0
        self._stopped = threading.Event()
        self._beat: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch the running loop."""
        self._loop_thread = threading.get_ident()
        self._beat_at = time.monotonic()
        self._schedule()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching; call it in the loop's thread."""
        self._stopped.set()
        if self._beat is not None:
            self._beat.cancel()

    @property
    def silent_s(self) -> float:
        """Seconds since the loop ran; 0 before `start`."""
        return time.monotonic() - self._beat_at if self._loop_thread else 0.0

    @property
    def late_s(self) -> float:
        """Seconds by which the loop runs late: now, or at its last beat."""
        return max(self._last_late_s, self.silent_s - BEAT_S)

    def _schedule(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._on_beat)

    def _on_beat(self) -> None:
        now = time.monotonic()
        self._last_late_s = max(0.0, now - self._beat_at - BEAT_S)
        counters.LOOP_LAG_SECONDS.observe(self._last_late_s)
        self._beat_at = now
        self._schedule()

    def _watch(self) -> None:
        while not self._stopped.wait(BEAT_S):
            held_since = self._beat_at
            if time.monotonic() - held_since < self._stall_s + BEAT_S:
                continue
            stack = self._stack()
            while self._beat_at == held_since and not self._stopped.wait(BEAT_S):
                pass
            counters.LOOP_STALLS.inc()
            log.warning(
                "the event loop was held up for %.0f ms, here:\n%s", 1e3 * (time.monotonic() - held_since), stack
            )

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "".join(traceback.format_stack(frame)[-DEEPEST:]) if frame is not None else ""
