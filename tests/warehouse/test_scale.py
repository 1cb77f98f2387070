"""The benchmark of scale asks its engines as the product asks its warehouse."""

import inspect

from benchmarks.engines import Engine
from twin.sources.warehouse import Warehouse


def test_an_engine_takes_what_a_warehouse_takes() -> None:
    ours, theirs = (inspect.signature(one.query).parameters for one in (Engine, Warehouse))
    assert list(ours) == list(theirs)
    assert [one.default for one in ours.values()] == [one.default for one in theirs.values()]
