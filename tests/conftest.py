"""Shared data: the real samples where TWIN_TEST_DATA names their folder, and a small demo made once per run."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from twin.simulator import write_demo

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
"""The same examples in every run, so that a change is red for its own faults only; HYPOTHESIS_PROFILE=default searches on."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real samples; tests that want them are skipped where it is not set."""
    folder = os.environ.get("TWIN_TEST_DATA")
    if not folder:
        pytest.skip("TWIN_TEST_DATA names no folder of real samples")
    return Path(folder)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of two days, made by the simulator once per run."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    write_demo(folder, days=2, scale=0.5, seed=7)
    return folder
