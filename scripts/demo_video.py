"""`make demo-video`: record the specification's second workflow in Chromium, as build/demo.mp4.

Choose a day, play at 60x, pause, open an order from the map, go on, scrub. The browser's own screencast gives the frames
(Chromium sends one when something changes); they are laid on an even clock and encoded by the ffmpeg that comes with
imageio-ffmpeg. Cursor and captions are drawn into the page for the recording only.
"""

import base64
import io
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image
from playwright.sync_api import CDPSession, Page

from benchmarks.browser import chromium
from benchmarks.served import serving
from twin.simulator import write_demo
from twin.twin import demo_folder

VIDEO = Path(__file__).resolve().parent.parent / "build" / "demo.mp4"
SIZE = (1440, 900)
FRAMES_PER_SECOND = 25
PATIENCE_MS = 60_000

STAGE = """() => {
  const cursor = document.createElement("div"), words = document.createElement("div");
  Object.assign(cursor.style, { position: "fixed", zIndex: 2147483647, left: 0, top: 0, width: "22px", height: "22px",
    margin: "-11px", borderRadius: "50%", pointerEvents: "none", background: "rgb(255 196 0 / .45)",
    border: "2px solid #fff", boxShadow: "0 0 6px rgb(0 0 0 / .6)" });
  Object.assign(words.style, { position: "fixed", zIndex: 2147483646, left: "35%", bottom: "212px", padding: "10px 20px",
    transform: "translateX(-50%)", borderRadius: "10px", background: "rgb(8 14 24 / .9)", color: "#fff",
    font: "600 19px system-ui, sans-serif", pointerEvents: "none", boxShadow: "0 4px 20px rgb(0 0 0 / .5)" });
  document.body.append(cursor, words);
  const follow = ({ clientX: x, clientY: y }) => { cursor.style.transform = `translate(${x}px, ${y}px)`; };
  addEventListener("mousemove", follow, true);
  globalThis.__caption = (text) => { words.textContent = text; words.hidden = !text; };
  __caption("");
}"""

DRIVER = """() => {
  const motion = [...globalThis.__twin.motion.values()][0], drivers = motion.positions();
  const maps = [...Bokeh.documents[0]._all_models.values()].filter(({ type }) => type === "Figure");
  const view = Bokeh.index.find_one(maps.find(({ renderers }) => renderers.some(({ name }) => name === "tiles")));
  const { left, top, width, height } = view.frame.bbox, { x_range: xr, y_range: yr } = view.model;
  const canvas = view.canvas_view.el.getBoundingClientRect();
  const places = drivers.map((d) => [canvas.x + left + (d.x - xr.start) / (xr.end - xr.start) * width,
    canvas.y + top + (yr.end - d.y) / (yr.end - yr.start) * height]);
  const inside = ([x, y]) => x > canvas.x + 460 && x < canvas.right - 120 && y > canvas.y + 60 && y < canvas.bottom - 70;
  const free = places.filter(inside);
  return free[Math.floor(free.length / 2)] ?? places[0];
}"""


class Recorder:
    """Takes the screencast's frames with the time they were shown at."""

    def __init__(self, session: CDPSession) -> None:
        self.frames: list[tuple[float, bytes]] = []
        self._session = session
        session.on("Page.screencastFrame", self._take)
        session.send(
            "Page.startScreencast", {"format": "jpeg", "quality": 90, "maxWidth": SIZE[0], "maxHeight": SIZE[1]}
        )

    def _take(self, event: dict) -> None:
        self.frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def stop(self) -> None:
        """Take no more frames."""
        self._session.remove_listener("Page.screencastFrame", self._take)
        self._session.send("Page.stopScreencast")

    def write(self, file: Path) -> float:
        """Encode what was taken at an even rate; return its length in seconds."""
        file.parent.mkdir(parents=True, exist_ok=True)
        writer = imageio_ffmpeg.write_frames(str(file), SIZE, fps=FRAMES_PER_SECOND, quality=7, macro_block_size=4)
        writer.send(None)
        begin, end, shown = self.frames[0][0], self.frames[-1][0], -1
        picture: np.ndarray = np.empty(0, np.uint8)
        times = np.array([t for t, _ in self.frames])
        for t in np.arange(begin, end, 1 / FRAMES_PER_SECOND):
            now = int(times.searchsorted(t, "right")) - 1
            if now != shown:
                shown = now
                image = Image.open(io.BytesIO(self.frames[now][1])).convert("RGB")
                picture = np.asarray(image if image.size == SIZE else image.resize(SIZE))
            writer.send(np.ascontiguousarray(picture))
        writer.close()
        return end - begin


def main() -> int:
    """Record and encode; return the exit code."""
    folder = demo_folder()
    if not (folder.is_dir() and any(folder.iterdir())):
        write_demo(folder)
    with serving(folder) as server, chromium() as browser:
        context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="dark")
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(server.page(location="sanfrancisco"))
        page.get_by_test_id("moment").first.wait_for(state="attached")
        page.get_by_test_id("tour-dismiss").first.click()
        page.evaluate(STAGE)
        recorder = Recorder(context.new_cdp_session(page))
        began = time.monotonic()
        _act(page)
        recorder.stop()
        print(f"recorded {time.monotonic() - began:.0f} s, {len(recorder.frames)} frames; encoding …", flush=True)
        length = recorder.write(VIDEO)
    print(f"{VIDEO}: {length:.0f} s, {VIDEO.stat().st_size / 1e6:.1f} MB")
    return 0


def _act(page: Page) -> None:
    """Go through the workflow at a pace that can be followed."""
    _say(page, "San Francisco, the last 24 hours", 3)
    _say(page, "Choose a day to replay", 1)
    _click(page, "range")
    page.wait_for_timeout(1200)
    day = page.get_by_test_id("range-sheet").get_by_role("button", name="Wed 15", exact=True)
    _move(page, day.bounding_box())
    day.click()
    page.wait_for_timeout(2500)
    _say(page, "Play: a minute of kitchen time each second", 1)
    _click(page, "play")
    page.wait_for_timeout(12_000)
    _say(page, "Orders flow through the stages, drivers move, figures follow", 9)
    _say(page, "Pause to look closer", 1)
    _click(page, "play")
    page.wait_for_timeout(1500)
    _say(page, "A click on a driver opens the order’s whole life", 1)
    x, y = page.evaluate(DRIVER)
    _glide(page, x, y)
    page.mouse.click(x, y)
    page.wait_for_timeout(6000)
    page.keyboard.press("Escape")
    _say(page, "Go on, faster …", 1)
    _click(page, "speed-100")
    _click(page, "play")
    page.wait_for_timeout(7000)
    _say(page, "… or scrub to any other moment", 1)
    box = page.get_by_test_id("scrubber").first.bounding_box()
    if box is not None:
        y = box["y"] + box["height"] / 2
        _glide(page, box["x"] + box["width"] * 0.3, y)
        page.mouse.down()
        _glide(page, box["x"] + box["width"] * 0.77, y, steps=60)
        page.mouse.up()
    page.wait_for_timeout(4000)
    _say(page, "Casper’s Kitchens: every moment, asked again", 3)


def _say(page: Page, text: str, seconds: float) -> None:
    page.evaluate("(text) => globalThis.__caption(text)", text)
    page.wait_for_timeout(seconds * 1000)


def _click(page: Page, name: str) -> None:
    target = page.get_by_test_id(name).first
    _move(page, target.bounding_box())
    target.click()


def _move(page: Page, box: dict[str, float] | None) -> None:
    if box is not None:
        _glide(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def _glide(page: Page, x: float, y: float, steps: int = 20) -> None:
    page.mouse.move(x, y, steps=steps)
    page.wait_for_timeout(250)


if __name__ == "__main__":
    sys.exit(main())
