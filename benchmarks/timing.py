"""How long something takes at each of many moments: the one stopwatch of the measures inside this process."""

import time
from collections.abc import Callable, Iterable


def milliseconds(
    do: Callable[[float], object], moments: Iterable[float], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return what `do` takes at each moment (data seconds), in milliseconds of `clock`: the wall's, or the processor's."""
    spent = []
    for t in moments:
        began = clock()
        do(t)
        spent.append((clock() - began) * 1e3)
    return spent
