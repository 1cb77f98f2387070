"""Every number on the page, at ten random moments, against SQL over the raw files that shares no code with the product.

The page is read through `data-value`, the number behind a text.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import duckdb
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import free_port, running
from tests.browser.operations import MOST_S, seek
from tests.warehouse.conftest import tables
from tests.warehouse.double import filled
from tests.warehouse.double import running as warehouse_running

pytestmark = pytest.mark.browser

DAY = (1_760_572_800.0, 1_760_659_200.0)
"""Thursday 16 October 2025, naive UTC."""
MOMENTS = sorted(np.random.default_rng(2025).integers(int(DAY[0]) + 600, int(DAY[1]) - 1, 10).tolist())
KITCHEN = "sanfrancisco"
STAGES = ("created", "cooking", "ready", "out_for_delivery", "completed")
HOUR = 3600

PREPARE = """
CREATE TABLE event AS
SELECT DISTINCT trim(order_id) AS o, lower(trim(event_type)) AS e, epoch(try_cast(ts AS TIMESTAMP)) AS t,
  try_cast(sequence AS DOUBLE) AS s, CASE WHEN lower(trim(event_type)) = 'order_created' THEN body END AS body
FROM read_parquet(?)
WHERE nullif(trim(order_id), '') IS NOT NULL AND nullif(trim(event_type), '') IS NOT NULL
  AND nullif(trim(location), '') IS NOT NULL
  AND try_cast(ts AS TIMESTAMP) BETWEEN TIMESTAMP '1990-01-01' AND TIMESTAMP '2100-01-01'
  AND (body IS NULL OR body IN ('', 'null', 'NULL') OR json_valid(body));
CREATE TABLE milestone AS
SELECT o, min(t) AS first, min(t) FILTER (e = 'order_created') AS created, min(t) FILTER (e = 'delivered') AS delivered,
  -- a stage begins with its first milestone, or with that of a later stage where its own is missing or late
  least(min(t) FILTER (e = 'gk_started'), min(t) FILTER (e IN ('gk_finished', 'gk_ready')),
        min(t) FILTER (e IN ('driver_picked_up', 'driver_ping')), min(t) FILTER (e = 'delivered')) AS cooking,
  least(min(t) FILTER (e IN ('gk_finished', 'gk_ready')), min(t) FILTER (e IN ('driver_picked_up', 'driver_ping')),
        min(t) FILTER (e = 'delivered')) AS ready,
  least(min(t) FILTER (e IN ('driver_picked_up', 'driver_ping')), min(t) FILTER (e = 'delivered')) AS road
FROM event GROUP BY o;
CREATE TABLE priced AS
SELECT o, sum(try_cast(i ->> 'price' AS DOUBLE) * coalesce(try_cast(i ->> 'qty' AS DOUBLE), 1)) AS revenue
FROM (SELECT o, unnest(from_json(body -> 'items', '["JSON"]')) AS i FROM event WHERE e = 'order_created' AND json_valid(body))
GROUP BY o;
"""

STATE = """
WITH heard AS (
  SELECT o, max(t) AS last FROM event WHERE t <= $t GROUP BY o
), state AS (
  SELECT m.*, h.last, CASE
      WHEN delivered <= $t THEN 'completed' WHEN h.last <= $t - 14400 THEN 'stalled' WHEN road <= $t THEN 'out_for_delivery'
      WHEN ready <= $t THEN 'ready' WHEN cooking <= $t THEN 'cooking' ELSE 'created' END AS stage,
    CASE WHEN road <= $t THEN road WHEN ready <= $t THEN ready WHEN cooking <= $t THEN cooking ELSE first END AS since
  FROM milestone AS m JOIN heard AS h USING (o)
)
SELECT stage, count(*) FILTER (stage NOT IN ('completed', 'stalled') OR (stage = 'completed' AND delivered >= $midnight)
    OR (stage = 'stalled' AND last + 14400 >= $midnight)) AS orders, $t - min(since) AS oldest
FROM state GROUP BY stage
"""


@pytest.fixture(scope="module", params=["files", "warehouse"])
def address(
    request: pytest.FixtureRequest, address: str, demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The page over the demo's files, which every browser test shares, and over a SQL warehouse that holds them."""
    if request.param == "files":
        yield address
        return
    port = free_port()
    folder = tmp_path_factory.mktemp("served")
    with warehouse_running(filled(tables(demo))) as double:
        environment = double.environment(TWIN_CACHE=str(folder / "cache"))
        command = ["twin.cli", "serve", "--source", "databricks", "--port", str(port)]
        with running(command, port, folder / "log.txt", **environment) as served:
            yield served


@pytest.fixture(scope="module")
def raw(demo: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for statement in PREPARE.split(";\n"):
            files = [str(demo / f"events_{KITCHEN}.parquet")] if "?" in statement else None
            connection.execute(statement, files)
        yield connection


def one(raw: duckdb.DuckDBPyConnection, sql: str, **values: float) -> tuple:
    (row,) = raw.execute(sql, values).fetchall()
    return row


def expected(raw: duckdb.DuckDBPyConnection, t: int) -> dict[str, float | None]:
    """Return what the page must show at t: test id -> number, None where it must show none."""
    midnight, now = t - t % 86_400, {"t": t, "midnight": t - t % 86_400}
    told: dict[str, float | None] = {}
    states = {stage: (orders, oldest) for stage, orders, oldest in raw.execute(STATE, now).fetchall()}
    for stage in STAGES:
        told[f"stage-{stage}-count"] = states.get(stage, (0, None))[0]
        if stage != "completed":
            told[f"stage-{stage}-oldest"] = states.get(stage, (0, None))[1]
    edges = {"created": ("first", "cooking"), "cooking": ("cooking", "ready"), "ready": ("ready", "road"),
             "out_for_delivery": ("road", "delivered")}  # fmt: skip
    for stage, (start, end) in edges.items():
        spent = f"{end} > {start} AND {end} - {start} <= 14400 AND {end} > $t - 3600 AND {end} <= $t"
        (told[f"stage-{stage}-service"],) = one(raw, f"SELECT avg({end} - {start}) FROM milestone WHERE {spent}", t=t)
        entered = f"{start} > $t - 3600 AND {start} <= $t AND ({end} IS NULL OR {end} > {start})"
        (told[f"stage-{stage}-flow"],) = one(raw, f"SELECT count(*) FROM milestone WHERE {entered}", t=t)
    in_hour = "{0} > $t - 3600 AND {0} <= $t"
    (told["stage-completed-flow"],) = one(
        raw, f"SELECT count(*) FROM milestone WHERE {in_hour.format('delivered')}", t=t
    )
    (told["kpi-orders-hour-value"],) = one(
        raw, f"SELECT count(*) FROM milestone WHERE {in_hour.format('created')}", t=t
    )
    told |= dict(zip(
        (f"kpi-delivery-time-{name}" for name in ("value", "p75", "p95", "late")),
        one(raw, f"""SELECT avg(d), quantile_cont(d, 0.75), quantile_cont(d, 0.95),
            count(*) FILTER (floor(d / 60 + 0.5) > 30)
            FROM (SELECT delivered - created AS d FROM milestone WHERE {in_hour.format("delivered")})
            WHERE d BETWEEN 0 AND 14400""", t=t), strict=True))  # fmt: skip
    for name, then in (("value", t), ("before", t - 86_400)):
        share, due = one(raw, """SELECT avg(CASE WHEN delivered <= $t THEN 1.0 ELSE 0 END), count(*) FROM milestone
            WHERE created > $t - 86400 AND created <= $t - 5400""", t=then)  # fmt: skip
        told[f"kpi-completion-{name}"] = share
        if name == "value":
            told["kpi-completion-due"] = due
    active = {stage: states.get(stage, (0, None))[0] for stage in STAGES[:4]}
    told["stage-completed-closed"] = (
        told["stage-completed-count"] + states.get("stalled", (0, None))[0]
    )  # none is cancelled
    told["kpi-active-value"] = sum(active.values())
    told["kpi-active-kitchen"], told["kpi-active-road"] = (
        sum(active.values()) - active["out_for_delivery"],
        active["out_for_delivery"],
    )
    told |= {f"kpi-active-{stage}": number for stage, number in active.items()}
    for name, start in (("value", f"> {t - HOUR}"), ("today", f">= {midnight}")):
        (told[f"kpi-revenue-{name}"],) = one(
            raw,
            f"SELECT coalesce(sum(revenue), 0) FROM milestone JOIN priced USING (o) WHERE created {start} AND created <= $t",
            t=t,
        )
    mark = t - t % 600
    counts = [
        one(raw, f"SELECT count(*) FROM milestone WHERE {in_hour.format('created')}", t=mark + day * 86_400)[0]
        for day in range(-7, 8)
        if day
        and one(raw, "SELECT min(first) <= $t - 3600 AND max(first) >= $t FROM milestone", t=mark + day * 86_400)[0]
    ]
    told["kpi-orders-hour-usual"] = float(np.median(counts))
    told["kpi-delivery-time-usual"] = usual(raw, mark, "created", "delivered")
    for stage, (start, end) in edges.items():
        told[f"stage-{stage}-usual"] = usual(raw, t - t % HOUR + HOUR, start, end)
    return told


def usual(raw: duckdb.DuckDBPyConnection, mark: int, start: str, end: str) -> float | None:
    """The median over the other days of the mean time from `start` to `end` of those that ended in the hour to `mark`."""
    means = []
    for day in range(-7, 8):
        then = mark + day * 86_400
        (covered,) = one(raw, "SELECT min(first) <= $t - 3600 AND max(first) >= $t FROM milestone", t=then)
        mean, number = one(raw, f"""SELECT avg({end} - {start}), count(*) FROM milestone
            WHERE {end} > {start} AND {end} - {start} <= 14400 AND {end} > $t - 3600 AND {end} <= $t""", t=then)  # fmt: skip
        if day and covered and number >= 3:
            means.append(mean)
    return float(np.median(means)) if means else None


READ = """ids => {
  const found = {}, wanted = new Set(ids);
  const walk = (root) => { for (const node of root.querySelectorAll("*")) {
    const id = node.dataset?.testid;
    if (wanted.has(id)) found[id] = node.dataset.value === undefined ? null : Number(node.dataset.value);
    if (node.shadowRoot) walk(node.shadowRoot);
  } };
  walk(document);
  return found;
}"""


def moment(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def open_at(page: Page, address: str, t: int) -> None:
    page.goto(f"{address}/operations?location={KITCHEN}&start={moment(DAY[0])}&end={moment(DAY[1])}&t={moment(t)}")
    expect(page.get_by_test_id("clock")).to_have_text(datetime.fromtimestamp(t, UTC).strftime("%a %H:%M:%S"))
    # what is usual comes a moment after the rest
    page.wait_for_function(f"() => (({READ})(['kpi-orders-hour-usual']))['kpi-orders-hour-usual'] > 0", timeout=30_000)


def test_every_number_equals_sql_at_ten_random_moments(
    page: Page, address: str, raw: duckdb.DuckDBPyConnection
) -> None:
    """Two are opened by their address, the others sought on the open page, which is a second way to come to each number."""
    wrong = []
    for number, t in enumerate(MOMENTS):
        want = expected(raw, t)
        if number % 5 == 0:
            open_at(page, address, t)
        else:
            seek(page, t)
            expect(page.get_by_test_id("clock")).to_have_text(datetime.fromtimestamp(t, UTC).strftime("%a %H:%M:%S"))
        deadline = monotonic() + MOST_S
        while found := differing(want, page.evaluate(READ, list(want))):  # not every number comes in the same moment
            if monotonic() > deadline:
                wrong += [f"{moment(t)} {line}" for line in found]
                break
            page.wait_for_timeout(50)
    assert not wrong, "\n".join(wrong)


def differing(want: dict[str, float | None], got: dict[str, float | None]) -> list[str]:
    """Tell where the page differs from SQL by more than a float32 price and a rounded second can: a line each."""
    wrong = [f"{name}: not on the page" for name in set(want) - set(got)]
    for name in want.keys() & got.keys():
        value, shown = want[name], got[name]
        none = value is None or shown is None
        same = value is shown if none else abs(shown - value) <= max(0.02, 1e-5 * abs(value))
        if not same:
            wrong.append(f"{name}: page {shown}, SQL {value}")
    return wrong


@pytest.mark.parametrize("hindsight", [False, True])
def test_the_range_s_summary_equals_sql(
    page: Page, address: str, raw: duckdb.DuckDBPyConnection, hindsight: bool
) -> None:
    open_at(page, address, MOMENTS[5])
    if hindsight:
        page.get_by_test_id("hindsight-on").click()
        expect(page.get_by_test_id("summary")).to_contain_text("later")
    number, delivered, mean, p95, revenue = one(raw, """
        SELECT count(*), count(delivered), avg(delivered - created) FILTER (delivered - created <= 14400),
          quantile_cont(delivered - created, 0.95) FILTER (delivered - created <= 14400), sum(revenue)
        FROM (SELECT * REPLACE (CASE WHEN delivered <= $now THEN delivered END AS delivered) FROM milestone)
        LEFT JOIN priced USING (o) WHERE coalesce(created, first) >= $start AND coalesce(created, first) < $end
          AND coalesce(created, first) <= $now
        """, start=DAY[0], end=DAY[1], now=1e12 if hindsight else MOMENTS[5])  # fmt: skip
    share = "all" if delivered == number else f"{np.floor(1000 * delivered / number) / 10:.1f} %"
    shown = page.get_by_test_id("summary").locator("span:not(.later-mark)").all_inner_texts()
    if (
        not hindsight
    ):  # the range begins at midnight: whatever has a state now and began before it was open or closed since
        now = {"t": MOMENTS[5], "midnight": DAY[0]}
        counted = sum(orders for _, orders, _ in raw.execute(STATE, now).fetchall())
        assert counted >= number
        assert (f"{counted - number:,} from before" in shown) == (counted > number)
        shown = [part for part in shown if "from before" not in part]
    assert shown == [
        f"{number:,} orders created",
        f"delivery {minutes(mean)} min (P95 {minutes(p95)})",
        f"{share} delivered" if hindsight else f"{share} delivered so far",
        f"${revenue:,.0f}",
    ]


def test_the_brands_and_the_stages_of_the_trends_equal_sql(
    page: Page, address: str, raw: duckdb.DuckDBPyConnection, demo: Path
) -> None:
    open_at(page, address, MOMENTS[5])
    page.get_by_test_id("tab-trends").click()
    expect(page.get_by_test_id("trends-brand").first).to_be_visible()
    wanted = raw.execute("""
        WITH item AS (
          SELECT o, coalesce(b.name, 'brand ' || (i ->> 'brand_id')) AS brand,
            try_cast(i ->> 'price' AS DOUBLE) * coalesce(try_cast(i ->> 'qty' AS DOUBLE), 1) AS value
          FROM (SELECT o, unnest(from_json(body -> 'items', '["JSON"]')) AS i FROM event
                WHERE e = 'order_created' AND json_valid(body))
          LEFT JOIN read_parquet($brands) AS b ON b.id = try_cast(i ->> 'brand_id' AS INTEGER)
        ), pair AS (
          SELECT o, brand, sum(value) AS revenue, any_value(delivered - created) AS d
          FROM item JOIN milestone USING (o) WHERE created >= $start AND created < $end GROUP BY o, brand
        )
        SELECT brand, count(*), sum(revenue), avg(d) FILTER (d <= 14400) FROM pair GROUP BY brand ORDER BY count(*) DESC
        """, {"brands": str(demo / "brands.parquet"), "start": DAY[0], "end": DAY[1]}).fetchall()  # fmt: skip
    rows = page.get_by_test_id("trends-brand").evaluate_all(
        "rows => rows.map(({ cells }) => [cells[0].title, cells[1].innerText, cells[2].title, cells[3].innerText])"
    )
    assert rows
    shown = {brand: (orders, revenue, time) for brand, orders, revenue, time in rows}
    for brand, orders, revenue, time in wanted[: len(rows) - 1]:  # those with equal orders at the list's end may differ
        told_orders, told_revenue, told_time = shown[brand]
        assert (told_orders, told_time) == (f"{orders:,}", f"{minutes(time)} min"), brand
        assert float(told_revenue.strip("$").replace(",", "")) == pytest.approx(revenue, abs=0.02), brand
    for stage, start, end in [("cooking", "cooking", "ready"), ("out_for_delivery", "road", "delivered")]:
        (mean,) = one(raw, f"""SELECT avg({end} - {start}) FROM milestone
            WHERE {end} > {start} AND {end} - {start} <= 14400 AND {end} >= $start AND {end} < $end""",
            start=DAY[0], end=DAY[1])  # fmt: skip
        expect(page.get_by_test_id(f"trends-stage-{stage}").locator(".value")).to_have_text(f"{minutes(mean)} min")


def minutes(seconds: float) -> int:
    """Whole minutes, half up."""
    return int(seconds / 60 + 0.5)
