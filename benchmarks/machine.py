"""Facts about the machine, without which figures cannot be compared."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

from benchmarks.browser import CHROMIUM_NAMES

PACKAGES = ("panel", "bokeh", "holoviews", "geoviews", "datashader", "duckdb", "numpy", "numba", "pandas", "pyarrow")


def facts() -> dict[str, str]:
    """Return processor, memory, load, versions and the commit as text."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int((_first('/proc/meminfo', 'MemTotal') or '0 kB').split()[0]) / 2**20:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "chromium": _output([os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), "")]),
        "commit": _output(["git", "rev-parse", "--short", "HEAD"]),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _first(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _output(command: list[str]) -> str:
    """Return the output of a command (of its --version if it has no arguments), empty if it is not installed."""
    command = command if len(command) > 1 else [*command, "--version"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
