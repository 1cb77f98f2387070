"""Makes the epoch time of a Python process jump: `time.time` adds the seconds in the file that $CHAOS_CLOCK names.

On the path of the server that is tested, Python imports this before everything else. Monotonic clocks do not jump, as on a real
machine whose clock is set.
"""

import os
import time

_real = time.time
_real_ns = time.time_ns
_file = os.environ.get("CHAOS_CLOCK", "")


def _offset() -> float:
    try:
        with open(_file, encoding="ascii") as text:
            return float(text.read() or 0)
    except (OSError, ValueError):  # it is being written
        return 0.0


if _file:
    time.time = lambda: _real() + _offset()
    time.time_ns = lambda: _real_ns() + round(_offset() * 1e9)
