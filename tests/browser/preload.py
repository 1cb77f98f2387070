"""What the process imports from which servers are forked (prepared.py)."""

import twin.serve  # noqa: F401
from twin.render.tiles import warm

warm()
