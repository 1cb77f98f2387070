"""`make demo-video`: record how an evening is looked into, in Chromium, as build/demo.mp4.

Choose a day, play at 60x, pause, open an order from the map, go on, scrub. The browser's own screencast gives the frames
(Chromium sends one when something changes); they are resampled to a constant rate and encoded by the ffmpeg of
imageio-ffmpeg. Cursor and captions are added to the page for the recording only.
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
from scripts.showing import demo, opened

VIDEO = Path(__file__).resolve().parent.parent / "build" / "demo.mp4"
SIZE = (1440, 900)
FRAMES_PER_SECOND = 25
JPEG_QUALITY = 90
DAY = "Thu 16"
NOON, SHORTAGE = 12.0, 18.6
"""Hours of that day at which the drag on the scrubber begins and ends, the latter in the demo's driver shortage."""

OVERLAY = """() => {
  const cursor = document.createElement("div"), arrow = document.createElement("div");
  const ring = document.createElement("div"), caption = document.createElement("div");
  Object.assign(cursor.style, { position: "fixed", zIndex: 2147483647, left: 0, top: 0, pointerEvents: "none",
    filter: "drop-shadow(0 0 1px #000) drop-shadow(0 2px 3px rgb(0 0 0 / .6))" });
  Object.assign(arrow.style, { width: "21px", height: "31px", background: "#fff",
    clipPath: "polygon(0 0, 100% 68%, 57% 71%, 80% 100%, 57% 100%, 34% 77%, 0 93%)" });
  Object.assign(ring.style, { position: "absolute", left: "-17px", top: "-17px", width: "30px", height: "30px",
    border: "3px solid #ffc400", borderRadius: "50%", opacity: 0 });
  Object.assign(caption.style, { position: "fixed", zIndex: 2147483646, left: "694px", top: "172px", padding: "9px 16px",
    transform: "translateX(-50%)", borderRadius: "10px", background: "rgb(255 255 255 / .95)", color: "#101828",
    font: "600 16px system-ui, sans-serif", whiteSpace: "nowrap", pointerEvents: "none",
    boxShadow: "0 4px 20px rgb(0 0 0 / .5)" });
  cursor.append(ring, arrow);
  document.body.append(cursor, caption);
  addEventListener("mousemove", ({ clientX: x, clientY: y }) => { cursor.style.transform = `translate(${x}px, ${y}px)`; }, true);
  const press = [{ opacity: 1, transform: "scale(.4)" }, { opacity: 0, transform: "scale(1.5)" }];
  addEventListener("mousedown", () => ring.animate(press, 600), true);
  globalThis.__caption = (text) => { caption.textContent = text; caption.style.visibility = text ? "visible" : "hidden"; };
  __caption("");
}"""
"""A cursor with a ring at each click, and captions between the alert and the map's buttons, where they cover nothing."""

DRIVER = """() => {
  const drivers = [...globalThis.__twin.motion.values()][0].positions();
  const maps = [...Bokeh.documents[0]._all_models.values()].filter(({ type }) => type === "Figure");
  const view = Bokeh.index.find_one(maps.find(({ renderers }) => renderers.some(({ name }) => name === "tiles")));
  const { left, top, width, height } = view.frame.bbox, { x_range: xr, y_range: yr } = view.model;
  const canvas = view.canvas_view.el.getBoundingClientRect();
  const places = drivers.map((d) => [canvas.x + left + (d.x - xr.start) / (xr.end - xr.start) * width,
    canvas.y + top + (yr.end - d.y) / (yr.end - yr.start) * height]);
  const room = (a) => Math.min(...places.filter((b) => b !== a).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1])));
  const inside = ([x, y]) => x > canvas.x + 60 && x < canvas.right - 120 && y > canvas.y + 130 && y < canvas.bottom - 70;
  return places.filter(inside).sort((a, b) => room(b) - room(a))[0];
}"""
"""Return the position in the window of the most isolated driver that nothing on the map covers."""


class Recorder:
    """Collects the frames of the screencast with their timestamps."""

    def __init__(self, session: CDPSession) -> None:
        self.frames: list[tuple[float, bytes]] = []
        self._session = session
        session.on("Page.screencastFrame", self._take)
        options = {"format": "jpeg", "quality": JPEG_QUALITY, "maxWidth": SIZE[0], "maxHeight": SIZE[1]}
        session.send("Page.startScreencast", options)

    def _take(self, event: dict) -> None:
        self.frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def stop(self) -> None:
        """Stop the screencast."""
        self._session.remove_listener("Page.screencastFrame", self._take)
        self._session.send("Page.stopScreencast")

    def write(self, file: Path) -> float:
        """Encode the frames at a constant rate; return the length in seconds."""
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


class Hand:
    """The mouse, moved at a speed that viewers can follow on any machine, and the captions."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._at = (SIZE[0] * 0.5, SIZE[1] * 0.6)

    def caption(self, text: str, seconds: float = 0) -> None:
        """Show a caption and wait."""
        self.page.evaluate("(text) => globalThis.__caption(text)", text)
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Wait while the page plays."""
        self.page.wait_for_timeout(seconds * 1000)

    def glide(self, x: float, y: float, seconds: float = 0.8) -> None:
        """Move to a position, slow at both ends, in as many steps as the machine manages in that time."""
        (x0, y0), began, done = self._at, time.monotonic(), 0.0
        while done < 1:
            done = min(1.0, (time.monotonic() - began) / seconds)
            eased = done * done * (3 - 2 * done)
            self.page.mouse.move(x0 + (x - x0) * eased, y0 + (y - y0) * eased)
        self._at = (x, y)

    def click(self, name: str, button: str = "") -> None:
        """Go to the element with a test id, or to a button in it, and click."""
        target = self.page.get_by_test_id(name).first
        if button:
            target = target.get_by_role("button", name=button, exact=True)
        box = target.bounding_box()
        assert box is not None, f"{name} {button} is not shown"
        self.press(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def press(self, x: float, y: float) -> None:
        """Go to a position and click."""
        self.glide(x, y)
        self.page.mouse.click(x, y)


def main() -> int:
    """Record and encode; return the exit code."""
    with serving(demo()) as server, chromium() as browser:
        page = opened(browser, server, SIZE, dark=True, location="sanfrancisco")
        page.evaluate(OVERLAY)
        recorder = Recorder(page.context.new_cdp_session(page))
        began = time.monotonic()
        _act(Hand(page))
        recorder.stop()
        took, frames = time.monotonic() - began, len(recorder.frames)
        print(f"recorded {took:.0f} s, {frames} frames ({frames / took:.0f} a second); encoding …", flush=True)
        length = recorder.write(VIDEO)
    print(f"{VIDEO}: {length:.0f} s, {VIDEO.stat().st_size / 1e6:.1f} MB")
    return 0


def _act(hand: Hand) -> None:
    """Perform the workflow."""
    hand.caption("San Francisco: one kitchen, its last 24 hours", 2.5)
    hand.caption("Choose a day to replay")
    hand.click("range")
    hand.wait(1)
    hand.click("range-sheet", DAY)
    hand.page.get_by_test_id("range").get_by_text(DAY).wait_for()
    hand.page.get_by_test_id("feed-row").first.wait_for()
    hand.caption("Play: a minute of kitchen time each second")
    hand.click("play")
    hand.wait(8)
    hand.caption("Orders flow, drivers move, every figure follows", 8)
    hand.caption("Pause to look closer")
    hand.click("play")
    hand.wait(1)
    hand.caption("A click on a driver opens the order’s whole life")
    hand.press(*hand.page.evaluate(DRIVER))
    hand.page.get_by_test_id("order-gantt").wait_for()
    hand.wait(2)
    hand.caption("Its stages against the usual, the promise, the items")
    _point_at(hand, "order-gantt")
    hand.wait(5)
    hand.page.keyboard.press("Escape")
    hand.caption("Go on, faster …")
    hand.click("speed-100")
    hand.click("play")
    hand.wait(5)
    hand.caption("… or scrub to any other moment")
    box = hand.page.get_by_test_id("scrubber").first.bounding_box()
    assert box is not None, "the scrubber is not shown"
    y = box["y"] + box["height"] / 2
    hand.glide(box["x"] + box["width"] * NOON / 24, y)
    hand.page.mouse.down()
    hand.glide(box["x"] + box["width"] * SHORTAGE / 24, y, seconds=5)
    hand.page.mouse.up()
    hand.click("play")  # playback continues after the drag: pause, so that viewers can read
    hand.caption("Here meals waited for drivers, and it says so", 5)
    hand.caption("Casper’s Kitchens: any moment, asked again", 2.5)


def _point_at(hand: Hand, name: str) -> None:
    box = hand.page.get_by_test_id(name).bounding_box()
    assert box is not None, f"{name} is not shown"
    hand.glide(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)


if __name__ == "__main__":
    sys.exit(main())
