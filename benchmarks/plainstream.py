"""A straightforward event stream: a Tornado handler that writes the rows of a pandas frame one by one."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import pandas as pd
from tornado.web import Application, RequestHandler


class Up(RequestHandler):
    """Responds once the server is ready."""

    def get(self) -> None:
        self.finish("up")


class Stream(RequestHandler):
    """Every event of a file as a Server-Sent Event, as fast as the client reads."""

    def initialize(self, rows: pd.DataFrame) -> None:
        self._rows = rows

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        row: Any  # pandas' types know no fields of a named tuple
        for number, row in enumerate(self._rows.itertuples(index=False)):
            event = {**row._asdict(), "ts": row.ts.isoformat()}
            self.write(f"id: {number}\nevent: order_event\ndata: {json.dumps(event)}\n\n")
            await self.flush()


async def main() -> None:
    """Serve the stream of `--source` on loopback."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    rows = pd.read_parquet(options.source, columns=["event_type", "ts", "order_id", "sequence", "body"])
    rows["ts"] = pd.to_datetime(rows["ts"], errors="coerce")
    rows = rows.dropna(subset=["ts"]).sort_values(["ts", "sequence"])
    Application([("/", Stream, {"rows": rows}), ("/up", Up)]).listen(options.port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
