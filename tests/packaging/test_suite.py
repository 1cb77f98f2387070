"""Which failures get a second run: a few in the browser, and never anything else."""

import pytest

from scripts.suite import MOST, retried

SEEN = "tests/browser/test_page.py::test_it[a b]"


@pytest.mark.parametrize(
    ("failed", "again"),
    [
        ([SEEN], [SEEN]),
        (["tests/chaos/test_chaos.py::test_b", SEEN], [SEEN, "tests/chaos/test_chaos.py::test_b"]),
        ([SEEN, "tests/views/test_kpis.py::test_one"], []),
        ([f"{SEEN}{number}" for number in range(MOST + 1)], []),
        ([], []),
    ],
)
def test_only_a_few_failures_in_the_browser_run_once_more(failed: list[str], again: list[str]) -> None:
    assert retried(dict.fromkeys(failed, True)) == again
