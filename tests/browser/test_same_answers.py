"""The operations page over a SQL warehouse shows what it shows over the files that the warehouse holds, in either schema."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.app import free_port, running
from tests.browser.operations import by_id
from tests.warehouse.conftest import demos, tables  # noqa: F401  # a fixture
from tests.warehouse.double import filled
from tests.warehouse.double import running as warehouse_running

pytestmark = pytest.mark.browser

FEWEST = 30
"""Figures of a page at a moment; fewer would mean that little was compared."""

READ = """() => {
  const found = {};
  const walk = (root) => { for (const node of root.querySelectorAll("*")) {
    const { testid, value } = node.dataset ?? {};
    if (testid && value !== undefined) found[testid] = value;
    if (testid === "summary" || testid === "clock" || testid === "health") found[testid] = node.textContent;
    if (node.shadowRoot) walk(node.shadowRoot);
  } };
  walk(document);
  return found;
}"""


@pytest.mark.parametrize("form", ["2025", "2026"])
def test_the_page_is_the_same_over_a_warehouse(
    form: str,
    page: Page,
    demos: Callable[[str], Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = demos(form)
    place = twin.open(folder).locations[0]
    busiest = twin.open(folder).timeline(place.id).busiest()
    moments = [datetime.fromtimestamp(busiest + hours * 3600, UTC) for hours in (-5.25, 0)]
    with ExitStack() as stack:
        double = stack.enter_context(warehouse_running(filled(tables(folder))))
        addresses = []
        for name, source, environment in (
            ("files", str(folder), {}),
            ("warehouse", "databricks", double.environment(TWIN_CACHE=str(tmp_path / "cache"))),
        ):
            port = free_port()
            command = ["twin.cli", "serve", "--source", source, "--port", str(port)]
            addresses.append(stack.enter_context(running(command, port, tmp_path / f"{name}.log", **environment)))
        for moment in moments:
            shown = [figures(page, address, place.id, moment) for address in addresses]
            assert len(shown[0]) >= FEWEST
            assert shown[0] == shown[1]
        page.goto("about:blank")  # before its server is gone


def figures(page: Page, address: str, location: str, moment: datetime) -> dict[str, str]:
    """Everything that a page tells in numbers, once what is usual has come."""
    page.goto(f"{address}/operations?location={location}&t={moment:%Y-%m-%dT%H:%M:%S}")
    expect(by_id(page, "clock")).to_contain_text(f"{moment:%H:%M:%S}")
    told: dict[str, str] = {}
    for _ in range(40):
        page.wait_for_timeout(500)
        before, told = told, page.evaluate(READ)
        if before == told and "kpi-orders-hour-value" in told:
            return told
    raise AssertionError("the page does not come to rest")
