"""The data of the measures: made once by the simulator and stored in build/, which git ignores."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from twin.simulator import write_demo

FOLDER = Path(__file__).resolve().parent.parent / "build" / "bench"
SCALE = 15.0
"""Multiple of the demo's orders with which a week of Chicago has the 75,000 orders and 1.0 M events of the goal."""
LOCATION = "chicago"
EVENTS = f"events_{LOCATION}.parquet"
CROWD_SPAN = 5400.0
"""Seconds over which the pick-ups of a crowd are spread: several times the longest trip, so that it is constant in the middle."""
ORDERS_EACH = 5
"""Orders of each of many kitchens."""
REPEATED_S = 7200
"""Seconds between two copies of a crowd in a history."""
CROWD_START = "2025-10-16 18:00:00"


def week() -> Path:
    """Return the Parquet file of one kitchen's week with about a million events."""
    return made("week", lambda folder: write_demo(folder, scale=SCALE)) / EVENTS


def part(share: float) -> Path:
    """Return the Parquet file of the week with a share of its orders."""
    return made(f"week-{share:g}", lambda folder: _sample(share, folder)) / EVENTS


def _sample(share: float, folder: Path) -> None:
    source = _week_for(folder)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            COPY (SELECT * FROM read_parquet('{source}') WHERE hash(order_id) % 100000 < {round(share * 100000)})
            TO '{folder / EVENTS}' (FORMAT parquet)
            """
        )


def _week_for(folder: Path) -> Path:
    """Copy the week's dimension tables to a folder that is made from it; return the week's file."""
    source = week()
    for name in ("brands", "items", "menus", "categories"):
        shutil.copy(source.with_name(f"{name}.parquet"), folder)
    return source


def kitchens(count: int) -> Path:
    """Return a folder with many kitchens of a few orders each: the week's first orders, dealt out one after the other."""
    return made(f"kitchens-{count}", lambda folder: _deal(count, folder))


def _deal(count: int, folder: Path, everything: bool = False) -> None:
    source = _week_for(folder)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            COPY (
              SELECT * REPLACE ('kitchen-' || (hash(order_id) % {count}) AS location) FROM read_parquet('{source}')
              WHERE hash(order_id, 1) % 75000 < {75_000 if everything else ORDERS_EACH * count}
            ) TO '{folder / "events.parquet"}' (FORMAT parquet)
            """
        )


def network(count: int) -> Path:
    """Return a folder with as many kitchens that share all orders of the week: some 75,000, five a day each of 2,000."""
    return made(f"network-{count}", lambda folder: _deal(count, folder, everything=True))


def crowd(drivers: int) -> Path:
    """Return a folder with a kitchen that has about `drivers` drivers on the road at all times but the edges.

    The orders are those of the week, each shifted in time as a whole so that pick-ups are evenly spaced. If the week has too
    few, they are repeated under other ids.
    """
    return made(f"crowd-{drivers}", lambda folder: _squeeze(drivers, folder))


def _squeeze(drivers: int, folder: Path) -> None:
    source = _week_for(folder)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE raw AS SELECT *, try_cast(ts AS TIMESTAMP) AS moment FROM read_parquet(?)", [str(source)]
        )
        connection.execute(
            """
            CREATE TABLE trips AS
            SELECT
              order_id,
              picked_up,
              epoch(delivered - picked_up) AS seconds,
              row_number() OVER (ORDER BY md5(order_id)) - 1 AS number
            FROM (
              SELECT
                order_id,
                min(moment) FILTER (WHERE event_type = 'driver_picked_up') AS picked_up,
                min(moment) FILTER (WHERE event_type = 'delivered') AS delivered
              FROM raw WHERE order_id IS NOT NULL GROUP BY order_id
            )
            WHERE delivered - picked_up BETWEEN INTERVAL 2 MINUTE AND INTERVAL 30 MINUTE
            """
        )
        ((mean, available),) = connection.execute("SELECT avg(seconds), count(*) FROM trips").fetchall()
        orders = round(drivers * CROWD_SPAN / mean)
        connection.execute(
            f"""
            COPY (
              SELECT
                raw.* EXCLUDE (moment) REPLACE (
                  CASE again WHEN 0 THEN order_id ELSE order_id || '-' || again END AS order_id,
                  strftime(moment + (TIMESTAMP '{CROWD_START}' + to_seconds({CROWD_SPAN} * place / {orders}) - picked_up),
                           '%Y-%m-%d %H:%M:%S.%f') AS ts)
              FROM raw
                JOIN (
                  SELECT order_id, picked_up, again, number + {available} * again AS place
                  FROM trips, range({-(-orders // available)}) AS copies(again)
                ) AS placed USING (order_id)
              WHERE place < {orders} AND moment IS NOT NULL
            ) TO '{folder / EVENTS}' (FORMAT parquet)
            """
        )


def history(drivers: int, copies: int) -> Path:
    """Return a folder with copies of a crowd one after the other: the history grows, the last hour stays the same."""
    return made(f"history-{drivers}-{copies}", lambda folder: _repeat(drivers, copies, folder))


def _repeat(drivers: int, copies: int, folder: Path) -> None:
    source = crowd(drivers) / EVENTS
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            COPY (
              SELECT raw.* REPLACE (
                CASE n WHEN 0 THEN order_id ELSE order_id || '-' || n END AS order_id,
                strftime(ts::TIMESTAMP - to_seconds({REPEATED_S} * n), '%Y-%m-%d %H:%M:%S.%f') AS ts)
              FROM read_parquet('{source}') AS raw, range({copies}) AS r(n)
            ) TO '{folder / EVENTS}' (FORMAT parquet)
            """
        )


def metropolis(drivers: int) -> Path:
    """Return a folder with a kitchen that has `drivers` drivers on the road for a whole hour from `CROWD_START`.

    Each order has the three events that a trip needs, and a route of about ten legs along a street grid in a city of 40 km.
    """
    return made(f"metropolis-{drivers}", lambda folder: _populate(drivers, folder))


def _populate(drivers: int, folder: Path) -> None:
    lat, lon = 41.890664, -87.632079
    with duckdb.connect() as connection:
        chance = "(hash(i, {}) % 1000003 + 1) / 1000003.0"  # reproducible random numbers
        connection.execute(
            f"""
            CREATE TABLE trip AS
            SELECT i, 20 * sqrt(-2 * ln({chance.format(1)})) / 3 AS far, 2 * pi() * {chance.format(2)} AS turned,
              {chance.format(3)} AS late
            FROM range({drivers}) AS r(i)
            """
        )
        connection.execute(
            f"""
            CREATE TABLE way AS
            SELECT i, late, '[' || string_agg('[' || round({lat} + km_n / 111.195, 5) || ',' || round({lon} + km_e / 82.8, 5)
              || ']', ',' ORDER BY k) || ']' AS points
            FROM (
              SELECT i, late, k,  -- a staircase along the streets, from the kitchen out
                far * sin(turned) * (k - k % 2) / 10 AS km_n, far * cos(turned) * least(10, k + k % 2) / 10 AS km_e
              FROM trip, range(11) AS s(k)
            )
            GROUP BY i, late
            """
        )
        connection.execute(
            f"""
            COPY (
              SELECT '{LOCATION}' AS location, 'T' || lpad(i::VARCHAR, 8, '0') AS order_id, e.name AS event_type, e.n AS sequence,
                strftime(TIMESTAMP '{CROWD_START}' + to_seconds(e.after_s + 600 * late), '%Y-%m-%d %H:%M:%S.%f') AS ts,
                CASE e.n WHEN 2 THEN '{{"route_points":' || points || ',"eta_mins":80}}' ELSE '{{}}' END AS body
              FROM way, (VALUES
                ('order_created', 1, -1500), ('driver_picked_up', 2, -600), ('delivered', 3, 3600)
              ) AS e(name, n, after_s)
            ) TO '{folder / EVENTS}' (FORMAT parquet)
            """
        )


def made(name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of that name. `make` fills it the first time, and it appears only when it is complete."""
    folder = FOLDER / name
    if folder.exists():
        return folder
    print(f"Making {name} (once) …", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as making:
        filled = Path(making) / "filled"
        filled.mkdir()
        make(filled)
        filled.rename(folder)
    return folder
