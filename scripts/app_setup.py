"""Run once by app.yaml before the pages are served (`panel serve --setup`)."""

import os

from twin.server.hosting import allow_own_host

allow_own_host(os.environ)
