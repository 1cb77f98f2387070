"""A kitchen of the demo, and one fresh kernel for the tests that need one: it and the first figure in it take seconds."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

import twin
from twin.notebook.door import Twin
from twin.notebook.kitchen import Kitchen

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 180
DAY = "2025-10-16"
"""The day of `kitchen`."""


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module")
def kitchen(source: Twin) -> Kitchen:
    return source.kitchen("sanfrancisco", day=DAY)


@dataclass
class Kernel:
    """A kernel of Jupyter, and what its cells put out."""

    client: BlockingKernelClient

    def run(self, code: str) -> list[dict[str, Any]]:
        """Run a cell and return the contents of its outputs, streams included. Fails where the cell does."""
        outputs: list[dict[str, Any]] = []

        def take(message: dict[str, Any]) -> None:
            if message["msg_type"] in ("display_data", "execute_result", "stream"):
                outputs.append(message["content"])

        reply = self.client.execute_interactive(code, output_hook=take, timeout=TIMEOUT)["content"]
        assert reply["status"] == "ok", "\n".join(reply.get("traceback", []))
        return outputs

    def shown(self, code: str) -> dict[str, Any]:
        """Return what the last expression of a cell is displayed as, by MIME type. Nothing may be printed beside it."""
        outputs = self.run(code)
        assert [output["text"] for output in outputs if "text" in output] == []
        return [output for output in outputs if "execution_count" in output][-1]["data"]

    def completed(self, code: str) -> list[str]:
        """Return what Tab offers at the end of the code."""
        return self.client.complete(code, reply=True, timeout=TIMEOUT)["content"]["matches"]


@pytest.fixture(scope="package")
def kernel(demo: Path) -> Iterator[Kernel]:
    """A kernel with a kitchen `k` and nothing else: no extension was loaded, as a new user's."""
    environment = {**os.environ, "TWIN_DEMO": str(demo), "PYTHONPATH": str(ROOT)}
    environment.pop("TWIN_SOURCE", None)
    manager, client = start_new_kernel(kernel_name="python3", env=environment, cwd=str(demo.parent))
    try:
        made = Kernel(client)
        made.run(
            'import twin\nt = twin.open("demo")\nk = t.kitchen("sanfrancisco", day="2025-10-16")\nc = t["chicago"]'
        )
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
