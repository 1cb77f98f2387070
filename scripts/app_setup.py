"""Run once by app.yaml before the pages are served (`panel serve --setup`)."""

import os
import threading

from twin.server import otlp
from twin.server.hosting import allow_own_host
from twin.server.limits import apply_limits
from twin.server.process import process

# in a thread: a warehouse may take minutes to start, and the platform wants an answer sooner
threading.Thread(target=process.open_until_it_is, name="open-at-start", daemon=True).start()
allow_own_host(os.environ)
apply_limits()
otlp.start(process.settings_or_default)

from twin.pages.operations.operations import operations_page  # noqa: E402, F401  # else the first page waits for its modules
from twin.views.shared import drawn  # noqa: E402

drawn.prepare(process.settings_or_default)
