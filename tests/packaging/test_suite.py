"""Which failures get a second run: a few, of which one without a browser."""

import pytest

from scripts.suite import MOST, retried

SEEN = "tests/browser/test_page.py::test_it[a b]"
OTHER = "tests/views/test_kpis.py::test_one"


@pytest.mark.parametrize(
    ("failed", "again"),
    [
        ([SEEN], [SEEN]),
        (["tests/chaos/test_chaos.py::test_b", SEEN], [SEEN, "tests/chaos/test_chaos.py::test_b"]),
        ([SEEN, OTHER], [SEEN, OTHER]),
        ([OTHER, "tests/views/test_kpis.py::test_two"], []),
        ([f"{SEEN}{number}" for number in range(MOST + 1)], []),
        ([], []),
    ],
)
def test_only_a_few_failures_run_once_more(failed: list[str], again: list[str]) -> None:
    assert retried(dict.fromkeys(failed, True)) == again
