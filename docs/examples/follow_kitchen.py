"""Follow a kitchen through a replay, from its stream alone: `python follow_kitchen.py http://localhost:5006 chicago`.

Needs httpx. It keeps the pipeline by itself (orders by stage) and goes on where it was when the connection is cut.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx

STAGES = ("created", "cooking", "ready", "out_for_delivery", "completed")
REACHED = {
    "gk_started": "cooking",
    "gk_finished": "ready",
    "gk_ready": "ready",
    "driver_picked_up": "out_for_delivery",
    "driver_ping": "out_for_delivery",
    "delivered": "completed",
}
"""An order is in the stage of the furthest of these that it has reached, never of its latest event."""


def stream(client: httpx.Client, path: str, query: dict[str, Any], pause: float = 1.0) -> Iterator[tuple[str, Any]]:
    """Yield (event, data) of a replay to its end, over any number of connections."""
    last = ""
    while True:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            with client.stream("GET", path, params=query, headers=headers) as answer:
                if answer.status_code == 503:  # the house is full
                    pause = float(answer.headers.get("Retry-After", pause))
                    raise httpx.TransportError("busy")
                answer.raise_for_status()
                fields: dict[str, str] = {}
                for line in answer.iter_lines():
                    if line:
                        name, _, value = line.partition(": ")
                        fields[name] = value
                        continue
                    if "data" in fields:
                        last = fields["id"]
                        yield fields["event"], json.loads(fields["data"])
                        if fields["event"] == "replay_complete":
                            return
                    fields = {}
        except httpx.TransportError:  # cut off: proxies do that after a minute or two
            pass
        time.sleep(pause)


class Pipeline:
    """The open orders and their stages."""

    def __init__(self) -> None:
        self.stages: dict[str, str] = {}

    def begin(self, active_orders: list[dict[str, Any]]) -> None:
        """Take the orders that are open where the stream begins: they stand in its first metrics_update."""
        self.stages = {order["order_id"]: order["stage"] for order in active_orders}

    def take(self, event: dict[str, Any]) -> None:
        """Take one order_event."""
        order, kind = event["order_id"], event["event_type"]
        if kind in ("delivered", "order_cancelled"):
            self.stages.pop(order, None)
            return
        stages = (self.stages.get(order, "created"), REACHED.get(kind, "created"))
        self.stages[order] = max(stages, key=STAGES.index)

    def counts(self) -> dict[str, int]:
        """Return the open orders by stage."""
        found = Counter(self.stages.values())
        return {stage: found[stage] for stage in STAGES[:-1]}


def main(arguments: list[str] | None = None) -> None:
    """Print the pipeline once for every position that the stream tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="such as http://localhost:5006")
    parser.add_argument("location", help="such as chicago")
    parser.add_argument("--start", help="ISO 8601 with Z (default: the last two hours of the data)")
    parser.add_argument("--end")
    parser.add_argument("--speed", type=float, default=1000)
    options = parser.parse_args(arguments)
    with httpx.Client(base_url=options.server, timeout=60, trust_env=False) as client:
        base = f"/api/v1/locations/{options.location}"
        last_day = client.get(f"{base}/time-range").raise_for_status().json()
        start = options.start or last_day["hourly_breakdown"][-3]["timestamp"]
        query = {"start": start, "end": options.end or last_day["end"], "speed": options.speed}
        pipeline, begun = Pipeline(), False
        for event, data in stream(client, f"{base}/replay", query):
            if event == "metrics_update" and not begun:
                pipeline.begin(data["active_orders"])
                begun = True
            elif event == "order_event":
                pipeline.take(data)
            elif event == "replay_position":
                print(data["current_time"], *(f"{stage} {n}" for stage, n in pipeline.counts().items()), sep="  ")
            elif event == "replay_complete":
                print(f"{data['current_time']}  the end, after {data['events']} events")


if __name__ == "__main__":
    main()
