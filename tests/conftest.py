"""Shared data: the real samples where TWIN_TEST_DATA names their folder, and a small demo made once per run."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real samples; tests that want them are skipped where it is not set."""
    folder = os.environ.get("TWIN_TEST_DATA")
    if not folder:
        pytest.skip("TWIN_TEST_DATA names no folder of real samples")
    return Path(folder)
