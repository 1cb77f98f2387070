"""`import twin` stays light: who only wants tables does not wait for Panel."""

import subprocess
import sys


def test_tables_need_no_user_interface() -> None:
    script = "import twin, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"param", "panel", "bokeh", "holoviews", "geoviews"}
