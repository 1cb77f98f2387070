"""Demo data in the schema of the real feed: street grids, demand, lifecycles and menus.

from twin.simulator import write_demo
write_demo(Path("demo"), days=7)
"""

from twin.simulator.demo import DemoSummary, write_demo
from twin.simulator.incidents import Incident

__all__ = ["DemoSummary", "Incident", "write_demo"]
