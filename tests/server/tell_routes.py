"""Run `twin` with the given arguments, and write what the server's table of routes has to the file that $ROUTES_FILE names.

Started as a process of its own by test_all_routes.py.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from panel.io.server import Server
from tornado.routing import PathMatches

from twin.cli import main
from twin.server.guard import rules

start = Server.start


def tell_and_start(self: Any) -> None:
    table = []
    for rule in rules(self._tornado):
        matcher: Any = rule.matcher
        pattern = (
            matcher.regex.pattern.removesuffix("$") if isinstance(matcher, PathMatches) else type(matcher).__name__
        )
        table.append((pattern, rule.target.__module__, rule.target.__name__))
    told = Path(os.environ["ROUTES_FILE"])
    told.with_suffix(".part").write_text(json.dumps(table))
    told.with_suffix(".part").rename(told)
    start(self)


Server.start = tell_and_start
sys.exit(main(sys.argv[1:]))
