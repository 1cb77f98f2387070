// The static page of a wall screen. It has no connection of its own, so nothing can take it away: it keeps the last
// picture in a frame until a new one is ready behind it, then swaps them.

import { answers, Retry } from "../../views/shared/heartbeat.js";

const LONG = 960;
const SHORT = 540; // the frame is at least so long and so short, and scaled to the display
const DRIFT_PX = 4;
const DRIFT_MS = 60_000; // against burn-in the picture moves by a pixel a minute within so many pixels
const BEAT_LOST_MS = 5000; // a frame that is silent for so long is broken
const READY_MS = 60_000; // a new frame that is not ready after so long is given up
const ALIVE_MS = 20_000; // a frame that has loaded begins to live within this time, or something of it is lost
const FAILURES_UNSAID = 2;
const ANSWER_MS = 4000;
const SLEPT_MS = 10_000; // a tick that comes so late tells that the machine was asleep
// a frame is replaced after so long, whatever it says: days of small leaks cannot add up
const RENEW_MS = 6 * 3600_000;
// the server answers, and still no frame has come alive for so long: the page itself starts over
const HOPELESS_MS = 10 * 60_000;
const REMARK_MS = 60_000; // so long a remark on the address is shown, from the first picture on
const SETTLE_MS = 1500; // a window that is being resized rests for so long

const stage = document.getElementById("stage");
const opening = document.getElementById("opening");
const notice = document.getElementById("notice");
const blank = document.getElementById("blank");
const memory = `twin-show ${location.pathname}${location.search}`;
let front = null;
let back = null;
let waiting = false; // for a server that does not answer
let troubled = 0;
let ticked = performance.now();
let resizing = 0;
let begun = 0;

const recall = () => {
  try {
    return JSON.parse(localStorage.getItem(memory));
  } catch {
    return null;
  }
};
const remember = (anchor) => {
  try {
    localStorage.setItem(memory, JSON.stringify(anchor));
  } catch {
    /* then the show is not remembered */
  }
};
/** Hand a new frame what is remembered of the show. Not in its address: any site can open one in a frame. */
const restore = (frame) => {
  const anchor = recall();
  if (anchor) frame.node.contentWindow.postMessage({ twin: "anchor", anchor }, location.origin);
};
const clock = () => new Date().toTimeString().slice(0, 5);

// ---- the frames -------------------------------------------------------------------------------------------------
function measure() {
  const width = innerWidth - 2 * DRIFT_PX;
  const height = innerHeight - 2 * DRIFT_PX;
  const scale = Math.min(Math.max(width, height) / LONG, Math.min(width, height) / SHORT);
  return { scale, width: width / scale, height: height / scale };
}
function place(frame) {
  const { scale, width, height } = measure();
  frame.node.style.cssText =
    `left:${DRIFT_PX}px;top:${DRIFT_PX}px;width:${width}px;height:${height}px;` + `transform:scale(${scale})`;
}
function open() {
  const query = new URLSearchParams(location.search);
  query.set("frame", "1");
  query.set("dense", String(Math.round(measure().scale * devicePixelRatio * 1000) / 1000));
  const frame = {
    node: document.createElement("iframe"),
    born: performance.now(),
    heard: performance.now(),
    beat: null,
  };
  frame.node.className = "behind";
  frame.node.title = document.title;
  frame.node.src = `${location.pathname}?${query}`;
  frame.node.tabIndex = -1;
  frame.node.addEventListener("load", () => {
    frame.loaded = performance.now();
    // at first another is made at once; one that fails again and again is let stand, until it has said what it lacks
    if (frame === back && !canLive(frame) && retry.refused < FAILURES_UNSAID) giveUp("refused");
  });
  place(frame);
  stage.append(frame.node);
  return frame;
}
function drop(frame) {
  frame?.node.remove();
}
/** The new picture comes through the old one, which is taken away when it cannot be seen any more. */
function swap() {
  const old = front;
  front = back;
  back = null;
  front.node.classList.remove("behind");
  if (old) {
    old.node.style.zIndex = "-1";
    setTimeout(() => drop(old), 1200);
  }
  opening.hidden = true;
  begun ||= performance.now();
  front.settle("done");
  tell();
}
/** The new frame is given up; `outcome` says whether another is wanted. */
function giveUp(outcome) {
  const frame = back;
  back = null;
  drop(frame);
  frame?.settle(outcome);
}
/**
 * Have a new frame made and wait for what becomes of it; asks first whether the server answers, as a frame that fails
 * shows the browser's own error.
 */
const retry = new Retry({
  attempt: async (signal) => {
    // what hangs on dead connections would keep all others waiting: a browser opens six to a host
    if (front?.beat?.lost) front.node.contentWindow.stop();
    waiting = !(await answers(signal, retry.patience));
    if (waiting) return "silent";
    if (signal.aborted || back || !wanted()) return "done";
    back = open();
    return new Promise((settle) => {
      back.settle = settle;
    });
  },
});
/** Whether a frame that has loaded can come to life: its server may have gone while it did. */
function canLive(frame) {
  try {
    return !!frame.node.contentWindow.Bokeh?.Panel;
  } catch {
    return false; // it shows the browser's own error
  }
}
/** Why the picture that is shown should be replaced; empty: it should not. */
function wanted() {
  const now = performance.now();
  if (!front) return "opening";
  if (front.stale) return front.stale;
  if (now - front.heard > BEAT_LOST_MS || front.beat?.stuck) return "silent";
  if (front.beat?.lost) return "lost";
  return "";
}

// ---- what goes on -----------------------------------------------------------------------------------------------
function tick() {
  const now = performance.now();
  const slept = now - ticked > SLEPT_MS;
  ticked = now;
  drift();
  if (slept) {
    // everything was silent, not only the server: what lives says so within seconds
    for (const frame of [front, back]) if (frame) frame.heard = now;
    return;
  }
  // a new frame that says what keeps it is waited for: it tries again by itself
  const spent =
    back && now - back.born > READY_MS * retry.stretch && !(back.beat?.problem && now - back.heard < BEAT_LOST_MS);
  if (spent || back?.beat?.closed) giveUp("refused");
  if (back && !back.beat && now - (back.loaded ?? now) > ALIVE_MS * retry.stretch) giveUp("refused");
  if (front && !front.stale && now - front.born > RENEW_MS) front.stale = "old";
  const why = wanted();
  if (!why) {
    giveUp("done"); // the old one is back before the new one was ready
    if (retry.running) retry.end();
    waiting = false;
  }
  const trouble = why && why !== "old" && why !== "resized";
  if (!trouble) troubled = 0;
  else if (!troubled) troubled = now;
  else if (now - troubled > HOPELESS_MS) {
    troubled = now;
    startOver();
  }
  if (why) retry.begin();
  tell();
}
async function startOver() {
  if (await answers(new AbortController().signal, ANSWER_MS)) location.reload();
}
function tell() {
  const remark = front && performance.now() - begun < REMARK_MS ? front.beat?.remark : "";
  const problem = front?.beat?.problem || back?.beat?.problem || remark || "";
  const why = wanted();
  const told =
    why === "lost" || why === "silent"
      ? `Connection lost at ${(lostAt ??= clock())}. This is the last picture; it goes on by itself.`
      : problem;
  if (why !== "lost" && why !== "silent") lostAt = null;
  const opens = !front && (problem || waiting) ? problem || "Waiting for the server …" : "";
  const text = told || opens;
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = !text;
  front?.node.classList.toggle("old", !!lostAt);
}
let lostAt = null;
/** The picture's place, in whole pixels, along a slow closed way through every place within reach. */
function drift() {
  const span = 2 * DRIFT_PX + 1;
  const minute = Math.floor(Date.now() / DRIFT_MS);
  const row = Math.floor(minute / span) % (2 * span);
  const y = row < span ? row : 2 * span - 1 - row;
  const along = minute % span;
  const x = row % 2 ? span - 1 - along : along;
  stage.style.transform = `translate(${x - DRIFT_PX}px, ${y - DRIFT_PX}px)`;
}
function hear(event) {
  if (event.origin !== location.origin || event.data?.twin !== "beat") return;
  const frame = [front, back].find((one) => one?.node.contentWindow === event.source);
  if (!frame) return;
  const turned = frame === front && !!frame.beat?.lost !== event.data.lost;
  frame.heard = performance.now();
  if (!frame.beat) restore(frame);
  frame.beat = event.data;
  const [, , stamp] = event.data.remember ?? [];
  if (stamp > 0) remember(event.data.remember);
  if (frame === back && event.data.ready && !event.data.lost) swap();
  else if (turned) tick();
}
/** A presenter's keys: next and back, pause, blank, full screen. */
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const keys = {
    ArrowRight: "next",
    PageDown: "next",
    n: "next",
    ArrowLeft: "back",
    PageUp: "back",
    p: "back",
    " ": "pause",
    k: "pause",
  };
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "b" || key === "." || (key === "Escape" && !blank.hidden))
    blank.hidden = key === "Escape" || !blank.hidden;
  else if (key === "f")
    (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()).catch(
      () => {},
    );
  else if (keys[key]) front?.node.contentWindow.postMessage({ twin: "key", key: keys[key] }, location.origin);
  else return;
  event.preventDefault();
}
function resized() {
  for (const frame of [front, back])
    if (frame) {
      const { zIndex } = frame.node.style;
      place(frame);
      frame.node.style.zIndex = zIndex;
    }
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    if (front) front.stale = "resized";
  }, SETTLE_MS); // its canvases have the old size's pixels
}
/** A display that sleeps shows nothing; where the browser lets a page keep it awake, it is kept. */
function stayAwake() {
  if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch(() => {});
}
addEventListener("message", hear);
addEventListener("keydown", press);
addEventListener("resize", resized);
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
drift();
addEventListener("online", () => {
  if (!back) retry.soon();
});
retry.begin();
setInterval(tick, 1000);
globalThis.__kiosk = {
  get front() {
    return front;
  },
  get back() {
    return back;
  },
  get why() {
    return wanted();
  },
}; // for tests
