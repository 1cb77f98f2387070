"""The log stays readable and small, whatever is sent to the server."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from twin.foundation import telemetry
from twin.foundation.loglimit import LONGEST, LONGEST_TRACEBACK, Allowance, LogLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def written(clock: Clock) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger, and what its handler, limited to 1000 characters and 100 a second, writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(LogLimit(burst=1000, per_second=100, clock=clock))
    logger = logging.getLogger("twin.tests.loglimit")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, out
    logger.removeHandler(handler)


def test_what_one_place_logs_again_and_again_is_dropped_and_counted(
    written: tuple[logging.Logger, io.StringIO], clock: Clock
) -> None:
    logger, out = written

    def flood(number: int) -> None:
        for n in range(number):
            logger.warning("half a request from %d", n)

    flood(10_000)
    first = out.getvalue()
    assert 5 <= len(first.splitlines()) <= 20, "each line counts with what a handler adds to it"
    logger.warning("another place is heard")
    assert out.getvalue().endswith("another place is heard\n")
    clock.now = 60.0
    flood(1)
    dropped = 10_000 - len(first.splitlines())
    assert out.getvalue().endswith(f"half a request from 0 ({dropped:,} more like this were not logged)\n")
    clock.now = 61.0
    flood(1)
    assert out.getvalue().endswith("half a request from 0\n")


def test_a_line_and_a_traceback_have_a_longest_length(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = written
    logger.error("cannot read %r", "x" * 1_000_000)
    assert LONGEST < len(out.getvalue()) < LONGEST + 50
    assert "(1,000,0" in out.getvalue()

    def fail(depth: int) -> None:
        if depth:
            exec(f"def f{depth}(): fail(depth - 1)\nf{depth}()", {"fail": fail, "depth": depth})
        raise ValueError("deep down")

    before = len(out.getvalue())
    try:
        fail(200)
    except ValueError:
        logger.exception("failed")
    trace = out.getvalue()[before:]
    assert len(trace) < LONGEST_TRACEBACK + 100
    assert trace.startswith("failed\nTraceback")
    assert trace.endswith("ValueError: deep down\n")


def test_the_request_log_stays_json_and_says_how_many_are_missing(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(telemetry, "_allowance", Allowance(burst=1000, per_second=100, clock=clock))
    out = io.StringIO()
    monkeypatch.setattr(telemetry._log, "handlers", [logging.StreamHandler(out)])
    monkeypatch.setattr(telemetry._log, "propagate", False)
    telemetry._log.setLevel(logging.INFO)
    for _ in range(100):
        telemetry.log_request(path="/" + "x" * 60_000, status=404, ms=1.5)
    clock.now = 60.0
    telemetry.log_request(path="/healthz", status=200, ms=0.1)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(len(line["path"]) <= telemetry.LONGEST_TEXT for line in lines)
    assert len(lines) - 1 + lines[-1]["dropped"] == 100
    assert len(lines) < 10


def test_requests_are_logged_to_what_stderr_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry._log, "handlers", [])
    monkeypatch.setattr(telemetry, "_allowance", Allowance(10_000, 1_000))
    with io.StringIO() as before:
        monkeypatch.setattr("sys.stderr", before)
        telemetry.log_request(route="first")
        assert '"route": "first"' in before.getvalue()
    after = io.StringIO()
    monkeypatch.setattr("sys.stderr", after)
    telemetry.log_request(route="second")
    assert '"route": "second"' in after.getvalue()
    assert "Logging error" not in after.getvalue()
