"""Run once by app.yaml before the pages are served (`panel serve --setup`)."""

import os

from twin.server import otlp
from twin.server.hosting import allow_own_host
from twin.server.limits import apply_limits
from twin.server.process import process

allow_own_host(os.environ)
apply_limits()
otlp.start(process.settings_or_default)
