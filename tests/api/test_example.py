"""The example client of the docs, run against a server; and every command of the README's API section."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from tests.api.conftest import World
from twin.api import answers, parameters
from twin.api.instants import instant

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("follow_kitchen", ROOT / "docs/examples/follow_kitchen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_prints_the_pipeline_that_the_kitchen_has(
    example: ModuleType, server: str, demo_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    end = 1_760_727_000.0  # 2025-10-17 18:50
    window = ["--start", "2025-10-17T17:00:00Z", "--end", "2025-10-17T18:50:00Z", "--speed", "0"]
    example.main([server, "chicago", *window])
    *_, position, last = capsys.readouterr().out.strip().splitlines()
    assert "the end" in last
    result = answers.kitchen_status(demo_world.twin, "chicago", parameters.AtTime(at_time=instant(end - 1e-6)))
    stages = dict(result.orders_by_stage)
    assert position.split("  ")[1:] == [f"{stage} {stages[stage]}" for stage in example.STAGES[:-1]]


def test_the_examples_client_goes_on_after_a_cut(example: ModuleType, server: str, demo_world: World) -> None:
    """A transport that breaks each of the first connections after some bytes, as a proxy does."""
    whole: list[object] = []
    cut: list[object] = []
    query = {"start": "2025-10-17T17:00:00Z", "end": "2025-10-17T18:00:00Z", "speed": 0}
    path = "/api/v1/locations/chicago/replay"

    class Cutting(httpx.HTTPTransport):
        left = 4

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if self.left:
                self.left -= 1
                answer.stream = Cut(answer.stream)
            return answer

    class Cut(httpx.SyncByteStream):
        def __init__(self, inner: object) -> None:
            self.inner = inner

        def __iter__(self):  # type: ignore[no-untyped-def]
            sent = 0
            for chunk in self.inner:  # type: ignore[attr-defined]
                yield chunk[:20_000]
                sent += len(chunk)
                if sent > 20_000:
                    raise httpx.ReadError("cut")

        def close(self) -> None:
            self.inner.close()  # type: ignore[attr-defined]

    for events, transport in ((whole, httpx.HTTPTransport()), (cut, Cutting())):
        with httpx.Client(base_url=server, transport=transport, timeout=30) as client:
            events += [data for event, data in example.stream(client, path, query, pause=0) if event == "order_event"]
    assert len(whole) > 100
    assert cut == whole


def commands() -> list[str]:
    section = (ROOT / "README.md").read_text("utf-8").partition("## REST and SSE")[2].partition("\n## ")[0]
    return re.findall(r"^curl (.+)$", section, re.MULTILINE)


@pytest.mark.slow
def test_every_curl_of_the_readme_is_answered(server: str, demo_world: World) -> None:
    result = commands()
    assert len(result) >= 9
    for command in result:
        address = re.search(r"http://localhost:5006(/[^' ]*)", command)
        assert address is not None
        path = address[1].replace("ORDER", demo_world.events("sanfrancisco")[0][2])
        with httpx.Client(trust_env=False, timeout=30) as client, client.stream("GET", server + path) as answer:
            assert answer.status_code == 200, path
            next(answer.iter_bytes())


@pytest.mark.slow
def test_curl_itself_takes_the_quoted_address(server: str) -> None:
    stream = next(command for command in commands() if "replay" in command)
    address = re.search(r"'http://localhost:5006(/[^']*)'", stream)
    assert address is not None
    done = subprocess.run(
        ["curl", "-sN", "--noproxy", "*", "--max-time", "3", server + address[1]], capture_output=True
    )
    assert b"event: metrics_update" in done.stdout
