"""The stopwatch of the measures that run inside this process."""

import time
from collections.abc import Callable, Iterable


def milliseconds(
    do: Callable[[float], object], moments: Iterable[float], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the milliseconds of `clock` (wall or CPU time) that `do` takes at each time (data seconds)."""
    spent = []
    for t in moments:
        began = clock()
        do(t)
        spent.append((clock() - began) * 1e3)
    return spent
