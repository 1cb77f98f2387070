"""The data that is measured: made once by the simulator, kept in build/ (which git ignores)."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from twin.simulator import write_demo

FOLDER = Path(__file__).resolve().parent.parent / "build" / "bench"
SCALE = 15.0
"""Times the demo's orders, so that a week of Chicago has the 75,000 orders and 1.0 M events of the goal."""
LOCATION = "chicago"
CROWD_SPAN = 5400.0
"""Seconds over which a crowd's pick-ups are spread: several times the longest trip, so that it is level in the middle."""
CROWD_START = "2025-10-16 18:00:00"


def week() -> Path:
    """Return the Parquet file of one kitchen's week with about a million events."""
    file = FOLDER / "week" / f"events_{LOCATION}.parquet"
    if not file.exists():
        print("Making a million events (once, about a minute) …", flush=True)
        _whole(lambda folder: write_demo(folder, scale=SCALE), file.parent)
    return file


def crowd(drivers: int) -> Path:
    """Return a folder with a kitchen that has about `drivers` drivers on the road at any moment but the edges.

    The orders are the week's, unchanged but for the day: each is moved as a whole so that pick-ups follow each other evenly.
    """
    folder = FOLDER / f"crowd-{drivers}"
    if not folder.exists():
        source = week()
        _whole(lambda making: _squeeze(source, drivers, making), folder)
    return folder


def _squeeze(source: Path, drivers: int, folder: Path) -> None:
    for name in ("brands", "items", "menus", "categories"):
        shutil.copy(source.with_name(f"{name}.parquet"), folder)
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
        orders = min(available, round(drivers * CROWD_SPAN / mean))
        connection.execute(
            f"""
            COPY (
              SELECT
                raw.* EXCLUDE (moment) REPLACE (
                  strftime(moment + (TIMESTAMP '{CROWD_START}' + to_seconds({CROWD_SPAN} * number / {orders}) - picked_up),
                           '%Y-%m-%d %H:%M:%S.%f') AS ts)
              FROM raw JOIN trips USING (order_id)
              WHERE number < {orders} AND moment IS NOT NULL
            ) TO '{folder / f"events_{LOCATION}.parquet"}' (FORMAT parquet)
            """
        )


def _whole(make: Callable[[Path], object], folder: Path) -> None:
    """Let `make` fill a folder that appears under its name only when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as making:
        made = Path(making) / "made"
        made.mkdir()
        make(made)
        made.rename(folder)
