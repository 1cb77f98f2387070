"""Whatever fails, for however long: afterwards everybody sees what is true, nothing is lost, and nothing has piled up.

A schedule of faults, made from a seed, runs against one server with twenty sessions (eighteen without a browser, the operations
page, a wall screen), a stream and a program on the API. After each fault page and screen show within `WITHIN_S` what the oracle
says, which asks the timeline directly; every session ticks, the API answers rightly, the stream goes on. At the end no event of
the stream is lost or doubled, and memory, threads and open files are as they were.

`make chaos` runs it for half an hour; in every run of the tests it is short. CHAOS_SEED=… repeats a run, CHAOS_FAULTS=kill,cut
chooses faults, CHAOS_SECONDS=600 another length; CHAOS_WITHIN_S=60 is the patience for a machine that does other work, too.
"""

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

import twin
from tests.chaos.faults import KINDS, Fault, schedule
from tests.chaos.machine import Machine, Reading
from tests.chaos.network import Network
from tests.chaos.oracle import Oracle
from tests.chaos.screens import OperationsPage, Screen, WallScreen, right_within
from tests.chaos.users import Crowd, Program, Session, StreamReader
from twin.foundation.times import DAY, seconds, text

pytestmark = pytest.mark.browser

LOCATION = "sanfrancisco"
RANGE = (seconds("2025-10-16T00:00"), seconds("2025-10-18T00:00"))
BEGIN = seconds("2025-10-16T10:00")
SPEED = 20.0
STREAM_SPEED = 60.0
KIOSK = {"locations": "chicago,sanfrancisco", "seconds": "60", "speed": "20"}
FEW, MANY = 4, 18
"""Sessions without a browser, in every run of the tests and in half an hour."""
FULL_S = 1800.0
"""In every run of the tests each kind of fault comes once."""
LONGEST_SHORT_S = 4.0
WITHIN_S, WITHIN_BUSY_S = 10.0, 120.0
"""Seconds in which everything is right again: in half an hour on a machine of its own, and among other tests."""
REST_S = 1.0
SHORT_SEED = 17
OPENING_S = 180.0
"""Until all are there for the first time, on a busy machine."""
SLOW_BYTES_PER_S = 200_000.0
MORE_THREADS, MORE_FILES, MORE_BYTES = 24, 80, 300 << 20
"""What a life of the server may use beyond its first reading: pools that fill, sessions that are not forgotten yet, caches."""
GROWTH = 1.05
"""Of memory between the second and the last third of a life, as in `make soak`."""
FEWEST = 9
"""Readings of a life from which growth is judged."""


@dataclass
class World:
    """Everything that takes part in a run."""

    machine: Machine
    network: Network
    oracle: Oracle
    sessions: list[Session]
    stream: StreamReader
    program: Program
    crowd: Crowd
    screens: dict[str, Screen]
    within_s: float
    readings: list[Reading] = field(default_factory=list)
    heaps: list[int] = field(default_factory=list)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Let a fault be there while the block runs."""
        match fault.kind:
            case "kill":
                self.machine.kill()
                yield
                self.machine.start()
            case "stop":
                with self.machine.stopped():
                    yield
            case "cut":
                self.network.sever()
                yield
                self.network.mend()
            case "half_open":
                self.network.cut()
                yield
                if fault.size > 0:  # half the time those connections are gone for good
                    self.network.forget()
                self.network.mend()
            case "slow":
                self.network.slow(SLOW_BYTES_PER_S)
                yield
                self.network.mend()
            case "full_disk":
                with self.machine.full_disk():
                    yield
            case "no_temporary_folder":
                with self.machine.no_temporary_folder():
                    yield
            case "server_clock":
                with self.machine.clock_off(fault.size * DAY):
                    yield
            case "browser_clock":
                for screen in self.screens.values():
                    screen.jump(fault.size * DAY)
                yield
                for screen in self.screens.values():
                    screen.jump(0)
            case "source_gone":
                with self.machine.source_gone():
                    yield
            case kind:
                raise ValueError(f"there is no fault {kind!r}")

    def everything_is_right(self) -> dict[str, float]:
        """Wait until everybody sees what is true; return the seconds that each took."""
        since = time.monotonic()
        took = right_within(self.screens, self.within_s)
        page = self.screens["page"].page

        def wait(holds: Callable[[], bool], what: Callable[[], str]) -> float:
            while not holds():
                assert self.crowd.failed == []
                assert time.monotonic() - since < self.within_s, f"not right within {self.within_s:g} s: {what()}"
                page.wait_for_timeout(50)
            return time.monotonic() - since

        took["sessions"] = wait(
            lambda: all(session.tick_at > since for session in self.sessions),
            lambda: f"no tick of {[session.error for session in self.sessions if session.tick_at <= since]}",
        )
        took["API"] = wait(lambda: self.program.answered_at > since, lambda: "the API gives no right answer")
        took["stream"] = wait(
            lambda: self.stream.message_at > since or self.stream.complete, lambda: "the stream is silent"
        )
        return took

    def health(self) -> str:
        """Return how fast the server answers, in words: whether it is the page that is wrong, or the machine that is slow."""
        words = []
        for name, port in (("the server", self.machine.port), ("the server through the network", self.network.port)):
            began = time.monotonic()
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=20)
                words.append(f"{name} answers {answer.status_code} after {time.monotonic() - began:.2f} s")
            except httpx.HTTPError as error:
                words.append(f"{name} does not answer: {error!r}")
        late = [time.monotonic() - session.tick_at for session in self.sessions]
        words.append(f"the sessions' last ticks are {', '.join(f'{one:.1f}' for one in late)} s old")
        return "; ".join([*words, f"load {os.getloadavg()[0]:.1f}"])

    def rest(self, for_s: float) -> None:
        """Let everything go on for a while."""
        self.screens["page"].page.wait_for_timeout(1000 * for_s)

    def note(self) -> None:
        """Note what the server and the page use."""
        self.readings.append(self.machine.read())
        self.heaps.append(self.screens["page"].heap())


@pytest.fixture
def world(
    demo: Path,
    tmp_path: Path,
    browser: Browser,
    lasting: Callable[[float, float], float],
) -> Iterator[World]:
    is_short = lasting(1, 0) == 1
    data = tmp_path / "data"
    shutil.copytree(demo, data)
    hub = twin.open(demo)
    oracle = Oracle(hub, LOCATION, *RANGE)
    query = {"location": LOCATION, "start": text(RANGE[0]).replace(" ", "T"), "end": text(RANGE[1]).replace(" ", "T")}
    with ExitStack() as ending:
        machine = Machine(data, tmp_path, from_nothing=not is_short)
        ending.callback(machine.kill)
        machine.start()
        network = ending.enter_context(Network(machine.port))
        address = f"http://127.0.0.1:{network.port}"
        chance = random.Random(1)
        sessions = [Session(address, query, SPEED, BEGIN + 60 * number) for number in range(int(lasting(FEW, MANY)))]
        stream = StreamReader(address, oracle, LOCATION, RANGE, STREAM_SPEED)
        program = Program(address, oracle, LOCATION, RANGE, chance)
        crowd = Crowd([*(session.live for session in sessions), stream.live, program.live])
        page = OperationsPage(
            browser, address, oracle, {**query, "t": text(BEGIN).replace(" ", "T"), "speed": f"{SPEED:g}"}, is_short
        )
        ending.callback(page.page.context.close)
        page.page.get_by_test_id("play").first.click(timeout=60_000)
        screen = WallScreen(browser, address, hub, KIOSK, is_short)
        ending.callback(screen.page.context.close)
        ending.enter_context(crowd)
        screens: dict[str, Screen] = {"page": page, "screen": screen}
        within_s = float(os.environ.get("CHAOS_WITHIN_S", lasting(WITHIN_BUSY_S, WITHIN_S)))
        made = World(machine, network, oracle, sessions, stream, program, crowd, screens, within_s)
        yield made


def test_after_every_fault_everybody_sees_what_is_true_and_nothing_is_lost_or_piles_up(
    world: World, lasting: Callable[[float, float], float], capsys: pytest.CaptureFixture[str]
) -> None:
    full = lasting(0, 1) == 1
    seed = int(os.environ.get("CHAOS_SEED", random.randrange(1 << 32) if full else SHORT_SEED))
    length_s = float(os.environ.get("CHAOS_SECONDS", lasting(0, FULL_S)))
    kinds = os.environ.get("CHAOS_FAULTS", ",".join(KINDS)).split(",")
    faults = (fault for fault in schedule(seed, *([] if full else [LONGEST_SHORT_S])) if fault.kind in kinds)

    def say(words: str) -> None:
        with capsys.disabled() if full else nullcontext():
            print(words, flush=True)

    say(f"\nchaos: CHAOS_SEED={seed} repeats this run")
    patience, world.within_s = world.within_s, OPENING_S
    world.everything_is_right()  # however long the first pages take
    world.within_s = patience
    world.note()
    began, number = time.monotonic(), 0
    while number < len(kinds) or time.monotonic() - began < length_s:
        fault = next(faults)
        number += 1
        try:
            with world.failing(fault):
                world.rest(fault.lasts_s)
            took = world.everything_is_right()
        except AssertionError as error:
            log = "\n".join(world.machine.complaints()[-40:])
            raise AssertionError(
                f"CHAOS_SEED={seed}, fault {number}, {fault}: {error}\n{world.health()}\n{log}"
            ) from error
        world.rest(REST_S)
        world.note()
        times = ", ".join(f"{who} {after:.1f}" for who, after in took.items())
        use = world.readings[-1]
        say(
            f"{time.monotonic() - began:6.0f} s  {fault.kind:20} {fault.lasts_s:5.2f} s  right after {times} s;  "
            f"{use.resident >> 20} MB, {use.threads} threads, {use.files} files, heap {world.heaps[-1] >> 20} MB; "
            f"loads {[screen.loads for screen in world.screens.values()]}"
        )
    assert_nothing_is_lost_or_doubled(world)
    tracebacks = world.machine.tracebacks()
    assert not tracebacks, "\n\n".join(tracebacks)
    assert world.program.wrong == []
    assert world.crowd.failed == []
    assert {name: screen.errors for name, screen in world.screens.items() if screen.errors} == {}
    assert_nothing_piles_up(world.readings)


def assert_nothing_is_lost_or_doubled(world: World) -> None:
    """Compare what the stream has brought with the log."""
    expected = world.oracle.positions()
    got = list(world.stream.events)
    assert len(got) > 0
    assert got == expected[: len(got)]


def assert_nothing_piles_up(readings: list[Reading]) -> None:
    """Judge every life of the server by itself: a restart frees everything."""
    for life in sorted({reading.life for reading in readings}):
        own = [reading for reading in readings if reading.life == life]
        first, last = own[0], own[-1]
        assert max(reading.threads for reading in own) <= first.threads + MORE_THREADS, own
        assert max(reading.files for reading in own) <= first.files + MORE_FILES, own
        assert last.resident <= first.resident + MORE_BYTES, own
        if len(own) >= FEWEST:
            third = len(own) // 3
            before, after = (
                statistics.median(reading.resident for reading in part)
                for part in (own[third : 2 * third], own[2 * third :])
            )
            assert after <= GROWTH * before, own
