"""The saved replay as its receiver opens it: from a file, with the network off."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import twin
from tests.browser.operations import DRAWN, by_id, clock, counts, five
from twin.notebook.kitchen import Kitchen

pytestmark = pytest.mark.browser

START, END = "2025-10-16 17:00", "2025-10-16 21:00"


@pytest.fixture(scope="module")
def kitchen(demo: Path) -> Kitchen:
    made = twin.open(demo).kitchen("sanfrancisco", start=START, end=END)
    made.replay.seek("2025-10-16 18:45")
    return made


@pytest.fixture(scope="module", autouse=True)
def beside_another_library() -> None:
    """Panel's Material UI, once imported, is the design of everything; an analyst may well have imported it."""
    import panel_material_ui  # noqa: F401


@pytest.fixture(scope="module")
def file(kitchen: Kitchen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kitchen.save(tmp_path_factory.mktemp("saved") / "replay.html")


@pytest.fixture
def saved(browser: Browser, file: Path) -> Iterator[Page]:
    """The file in a browser that is offline; nothing but the file may be asked for."""
    context = browser.new_context(viewport={"width": 1200, "height": 1300}, offline=True)
    page = context.new_page()
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on(
        "request",
        lambda request: problems.append(request.url) if re.match(r"(https?|wss?):", request.url) else None,
    )
    page.goto(file.as_uri())
    page.wait_for_function(DRAWN, timeout=20_000)
    yield page
    context.close()
    assert problems == []


def test_it_is_one_file_of_bounded_size(file: Path) -> None:
    assert 1_000_000 < file.stat().st_size < 15_000_000
    assert [other.name for other in file.parent.iterdir()] == ["replay.html"]


def test_it_opens_at_the_moment_that_was_looked_at_with_its_figures(saved: Page, kitchen: Kitchen) -> None:
    now = kitchen.at("18:45")
    assert clock(saved) == now.snapshot.t
    assert counts(saved) == five(now.counts)
    drawn = saved.evaluate("() => [...globalThis.__twin.motion.values()][0].positions().map((one) => one.order)")
    assert sorted(drawn) == sorted(now.snapshot.drivers.order.tolist())


def test_it_says_which_kitchen_and_range_it_shows(saved: Page, kitchen: Kitchen) -> None:
    heading = saved.get_by_test_id("saved-kitchen")
    expect(heading).to_contain_text(kitchen.location.label)
    expect(heading).to_contain_text(kitchen.data.tz.text(kitchen.data.window.start))
    assert kitchen.location.label in saved.title()


def test_it_plays(saved: Page) -> None:
    before = clock(saved)
    saved.get_by_test_id("play").click()
    saved.wait_for_function(
        "(t) => [...globalThis.__twin.clocks.values()].some((clock) => clock.now() > t + 120)", arg=before
    )


def test_it_scrubs_to_any_minute_and_tells_what_python_tells(saved: Page, kitchen: Kitchen) -> None:
    for time in ("19:20", "17:45"):
        t = kitchen.at(time).snapshot.t
        saved.evaluate("(t) => [...globalThis.__twin.clocks.values()][0].predict({ t0: t, playing: false })", t)
        ready = kitchen.at(time).counts["ready"]
        expect(by_id(saved, "stage-ready-count")).to_have_text(str(ready))
        assert counts(saved) == five(kitchen.at(time).counts)
        saved.wait_for_function(
            "(n) => [...globalThis.__twin.motion.values()][0].positions().length === n",
            arg=len(kitchen.at(time).drivers),
        )


def test_it_shows_the_base_map_from_within_the_file(saved: Page) -> None:
    shown = saved.evaluate(
        "() => { const figure = [...globalThis.__twin.motion.values()][0].figure();"
        " const { url, w } = figure.model.renderers.find((one) => one.name === 'image').data_source.data;"
        " return [url[0].slice(0, 22), w[0] > 1000]; }"
    )
    assert shown == ["data:image/png;base64,", True]


def test_a_stage_lists_its_orders(saved: Page, kitchen: Kitchen) -> None:
    by_id(saved, "stage-ready-pick").click()
    expect(saved.get_by_test_id("stage-order")).to_have_count(kitchen.at("18:45").counts["ready"])
    expected = kitchen.at("18:45").orders.query("stage == 'ready'").index[0]
    expect(saved.get_by_test_id("stage-order").first).to_contain_text(expected[:6])


def test_it_shows_the_moments_and_the_life_of_an_order_that_is_chosen(saved: Page, kitchen: Kitchen) -> None:
    expect(saved.get_by_role("region", name="Moments")).to_contain_text(kitchen.moments["title"].iloc[0])
    by_id(saved, "stage-ready-pick").click()
    saved.get_by_test_id("stage-order").first.click()
    chosen = kitchen.at("18:45").orders.query("stage == 'ready'").index[0]
    panel = saved.get_by_test_id("order-panel")
    expect(panel).to_contain_text(chosen[:6])
    expect(panel).to_contain_text("Cooking")
    expect(panel).not_to_contain_text("Address")


def test_addresses_are_not_in_the_file(file: Path, kitchen: Kitchen) -> None:
    from twin.notebook.panes import NotebookReplay
    from twin.notebook.saved import answers, stories

    address = kitchen.orders["address"].iloc[0]
    assert address
    assert address not in str(answers(kitchen.data))
    told = str(stories(kitchen.data, NotebookReplay(kitchen._hub, kitchen.data)))
    assert len(told) > 100_000
    assert [one for one in kitchen.orders["address"].dropna().unique() if one in told] == []
    assert address not in file.read_text("utf-8")


def test_a_file_that_would_be_too_large_is_refused(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.notebook.saved.MOST_BYTES", 1_000_000)
    with pytest.raises(ValueError, match="save a shorter range"):
        kitchen.save(tmp_path / "large.html", step=3600)
    with pytest.raises(ValueError, match="at least"):
        kitchen.save(tmp_path / "fine.html", step=0.5)
    assert list(tmp_path.iterdir()) == []


def test_it_has_the_events_and_the_orders_of_the_moment(saved: Page, kitchen: Kitchen) -> None:
    now = kitchen.at("18:45")
    expect(saved.get_by_test_id("alert-status")).not_to_contain_text("Looking for trouble")
    open_orders = len(now.snapshot.open_orders)
    expect(saved.get_by_test_id("orders-filter-all")).to_contain_text(f"{open_orders:,}")
    expect(saved.get_by_test_id("orders-row")).to_have_count(open_orders)
    expect(saved.get_by_test_id("feed-rows").locator("li").first).to_be_visible()
    saved.get_by_test_id("orders-filter-ready").click()
    expect(saved.get_by_test_id("orders-row")).to_have_count(now.counts["ready"])
    saved.get_by_test_id("orders-sort-id").click()
    names = saved.get_by_test_id("orders-row").locator("td.name").evaluate_all("(all) => all.map((one) => one.title)")
    assert names == sorted(names)
    saved.get_by_test_id("orders-filter-ready").click()
    saved.get_by_test_id("feed-search").fill("no such thing")
    expect(saved.get_by_test_id("feed-empty")).to_be_visible()
