"""A stranger's file, from `twin serve` to its kitchens: the error leads to the guesses, these are corrected and used."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import free_port, running
from tests.sources.adapters import foreign

pytestmark = [pytest.mark.browser, pytest.mark.slow]

READ_MS = 30_000


def test_a_file_with_columns_of_its_own_is_opened_from_the_page(
    page: Page, barriers: Callable[[Page], list[str]], tmp_path: Path
) -> None:
    record = foreign.couriers_planar(120)
    source = record.write(tmp_path)
    port = free_port()
    with running(
        ["twin.cli", "serve", "--source", str(source), "--port", str(port)], port, tmp_path / "log"
    ) as address:
        page.goto(address)
        page.get_by_test_id("welcome-adapt").click()
        expect(page.get_by_role("heading", name="What do these columns mean?")).to_be_visible()
        expect(page.get_by_test_id("notes")).to_contain_text("x and y are no degrees but planar metres")
        expect(page.get_by_test_id("save")).to_be_disabled()

        page.get_by_label("Day").fill("2024-03-01")
        page.get_by_role("button", name="Answer").click()
        counts = page.get_by_test_id("counts")
        expect(counts).to_contain_text(f"{record.moments:,} used + 0 set aside", timeout=READ_MS)
        expect(page.get_by_test_id("result").get_by_role("img")).to_have_count(20)

        choice = page.get_by_label("ready_time means")
        choice.focus()
        choice.select_option(label="finished")
        expect(page.get_by_test_id("guess-ready_time")).to_contain_text("your choice", timeout=READ_MS)
        expect(choice).to_be_focused()  # what is corrected by keyboard is not lost by the answer
        expect(page.get_by_test_id("result")).to_contain_text("finished", timeout=READ_MS)

        for width, theme in ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")):
            page.set_viewport_size({"width": width, "height": 844})
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            assert barriers(page) == [], (width, theme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width

        expect(page.get_by_test_id("save")).to_be_enabled(timeout=READ_MS)
        page.get_by_test_id("save").click()
        page.get_by_test_id("open").click(timeout=READ_MS)
        expect(page.get_by_text("Choose one of 12 kitchens")).to_be_visible(timeout=READ_MS)
        page.goto("about:blank")  # which asks a server that ends for nothing
    assert "gk_finished" in Path(f"{source}.adapter.yml").read_text()
