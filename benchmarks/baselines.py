"""Baselines: the straightforward implementations with pandas, HoloViews or Panel that our figures are compared with."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MILESTONES = (
    "order_created",
    "gk_started",
    "gk_finished",
    "gk_ready",
    "driver_arrived",
    "driver_picked_up",
    "delivered",
)


def pandas_load(file: Path, location: str) -> tuple[pd.DataFrame, dict[str, list[Any]], dict[str, list[Any]]]:
    """Return the orders of an events file (a row each, a column per milestone), their items and their routes.

    A timeline does more: it has rejects by reason, and pings projected onto the route.
    """
    rows = pd.read_parquet(file)
    rows = rows[rows["location"] == location] if "location" in rows else rows
    rows["ts"] = pd.to_datetime(rows["ts"], errors="coerce")
    rows = rows.dropna(subset=["ts", "order_id"]).drop_duplicates(["order_id", "event_type", "ts", "sequence"])
    rows = rows.sort_values(["ts", "sequence", "order_id"])
    orders = rows[rows["event_type"].isin(MILESTONES)].pivot_table(
        index="order_id", columns="event_type", values="ts", aggfunc="min"
    )
    created, picked_up = (rows[rows["event_type"] == kind] for kind in ("order_created", "driver_picked_up"))
    items = dict(zip(created["order_id"], (_parsed(body).get("items", []) for body in created["body"]), strict=True))
    routes = dict(
        zip(picked_up["order_id"], (_parsed(body).get("route_points", []) for body in picked_up["body"]), strict=True)
    )
    return orders, items, routes


def _parsed(body: object) -> dict[str, Any]:
    try:
        parsed = json.loads(body) if isinstance(body, str) else None
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def pandas_counts(orders: pd.DataFrame, t: float) -> list[int]:
    """Return the number of orders in each stage at t, seconds since 1970, by masks over all orders."""
    at = pd.Timestamp(t, unit="s")
    reached = [(orders[name] <= at) if name in orders else np.zeros(len(orders), bool) for name in MILESTONES]
    created, cooking, finished, ready, _, out, done = reached
    ready = ready | finished
    return [
        int(np.sum(mask))
        for mask in (
            created & ~cooking & ~ready & ~out & ~done, cooking & ~ready & ~out & ~done, ready & ~out & ~done, out & ~done, done,
        )
    ]  # fmt: skip


class PipedMap:
    """A map of drivers as in HoloViews' guides: a tile map, and points from a Pipe that are drawn again for each frame."""

    def __init__(self) -> None:
        import geoviews as gv
        import holoviews as hv
        import panel as pn
        from holoviews.streams import Pipe

        hv.extension("bokeh")
        self._pipe = Pipe(data=pd.DataFrame({"lon": [-87.63], "lat": [41.88]}))
        points = hv.DynamicMap(lambda data: gv.Points(data, ["lon", "lat"]), streams=[self._pipe])
        self._shown = pn.pane.HoloViews(gv.tile_sources.OSM * points).get_root()

    def send(self, lon: np.ndarray, lat: np.ndarray) -> None:
        """Show drivers at (n,) degrees."""
        self._pipe.send(pd.DataFrame({"lon": lon, "lat": lat}))
