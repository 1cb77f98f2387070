// The transport: clock, buttons, speeds, the head over the scrubber, and the keys of the whole page.

import { clockOf } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { clockText, dateText, dayText, durationText } from "../shared/times.js";
import { verbsOf } from "../shared/verbs.js";
import { bucketText } from "./axis.js";
import { sectionOf, wholeOf } from "./brush.js";
import { buildRange } from "./range_picker.js";
import { buildScrubber } from "./scrubber.js";

const PATIENCE_MS = 1000; // what takes longer can be cancelled

/** Keys that work wherever the focus is, unless what has the focus uses them itself. */
function shortcuts(model, clock, verbs, scrubber) {
  const TYPING = 'input, textarea, select, [contenteditable=""], [contenteditable="true"]';
  const ARROWED =
    '[role="slider"], [role="tab"], [role="radio"], [role="menuitem"], [role="option"], [role="combobox"], [role="spinbutton"], [role="dialog"] *';
  const PRESSED =
    'button, a[href], summary, [role="button"], [role="switch"], [role="checkbox"], [role="tab"], [role="menuitem"], [role="dialog"] *';
  const CHOOSING = '[role="option"], [role="menuitem"], [role="combobox"], [role="listbox"], [role="dialog"] *';
  const letters = {
    m: ({ shiftKey }) => scrubber.jump(shiftKey ? -1 : 1),
    "[": () => scrubber.brush.setEdge("start"),
    "]": () => scrubber.brush.setEdge("end"),
    "\\": () => verbs.wholeRange(),
    home: () => verbs.seek(clock.anchor.start),
    end: () => verbs.seek(clock.anchor.end),
  };
  return (event) => {
    const focus = event.composedPath()[0];
    const typed = event.getModifierState("AltGraph"); // brackets are typed so on some keyboards
    if (
      event.defaultPrevented ||
      (!typed && (event.ctrlKey || event.metaKey || event.altKey)) ||
      model.busy ||
      !clock.anchor
    )
      return;
    const on = (selector) => focus instanceof Element && focus.matches(selector);
    if (on(TYPING)) return;
    const speed = /^[1-9]$/.test(event.key) ? model.speeds[Number(event.key) - 1] : undefined;
    if (event.key === " " && !on(PRESSED)) {
      if (!event.repeat) verbs.toggle();
    } else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && !on(ARROWED))
      verbs.hold(clock.now() + (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1) * clock.anchor.step);
    else if (speed !== undefined) verbs.speed(speed);
    else if (letters[event.key.toLowerCase()] && !on(CHOOSING)) letters[event.key.toLowerCase()](event);
    else return;
    event.preventDefault();
  };
}

function render({ model }) {
  const clock = clockOf(model.clock);
  const verbs = verbsOf(model, clock);
  const button = (name, label, title, act, id = name) => {
    const node = el("button", {
      class: "button",
      type: "button",
      "aria-label": label,
      title,
      "data-testid": id,
      onclick: act,
    });
    node.append(icon(name, 17));
    return node;
  };
  const time = el("div", { class: "clock", "data-testid": "clock" });
  const date = el("div", { class: "date mute", "data-testid": "date" });
  const play = button("play", "Play", "", () => verbs.toggle());
  play.classList.add("primary");
  const steps = (n) => (event) => verbs.step(event.shiftKey ? 10 * n : n);
  const back = button("back", "Step back", "", steps(-1), "step-back");
  const forward = button("forward", "Step forward", "", steps(1), "step-forward");
  const stop = button("stop", "Stop", "Stop: back to the start of the range", () => verbs.stop());
  const loop = button("loop", "Loop", "Loop: go on from the start at the end", () => verbs.loop(!clock.anchor.loop));
  const speeds = el("div", { class: "speeds", role: "group", "aria-label": "Speed" });
  const scrubber = buildScrubber(model, clock, verbs);
  const range = buildRange(model, clock);
  const legend = el("span", { class: "legend mute", role: "status", "data-testid": "legend" });
  const swatches = el(
    "i",
    { class: "swatches", "aria-hidden": "true" },
    el("i", { class: "fine" }),
    el("i", { class: "tight" }),
    el("i", { class: "short" }),
  );
  const rule = el("span", { class: "rule mute", "data-testid": "ribbon-legend" }, swatches, "Meals waiting per driver");
  const summary = el("span", {
    class: "summary",
    role: "group",
    "data-testid": "summary",
    "aria-label": "The whole range",
  });
  const cancel = el(
    "button",
    {
      class: "range cancel",
      type: "button",
      hidden: true,
      "data-testid": "cancel",
      onclick: () => model.send_msg({ verb: "cancel" }),
    },
    "Cancel",
  );
  let patience = 0;
  const controls = el("div", { class: "controls" }, back, play, stop, forward, loop);
  const left = el("div", { class: "left" }, el("div", { class: "time" }, time, date), controls, speeds);
  const bar = el(
    "section",
    { class: "bar card", "aria-label": "Replay", "data-testid": "transport" },
    left,
    el(
      "div",
      { class: "right" },
      el("div", { class: "head" }, legend, cancel, rule, summary, scrubber.brush.clear, range.button),
      scrubber.node,
    ),
    range.sheet,
  );

  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  let frame = 0;
  let seen = true;
  const loaded = () => !!clock.anchor && clock.anchor.end > clock.anchor.start;
  const tick = () => {
    frame = 0;
    if (!clock.anchor) return;
    const t = clock.now();
    write(time, loaded() ? `${dayText(t)} ${clockText(t)}` : "--:--:--");
    write(date, loaded() ? `${dateText(t)} · kitchen time (UTC)` : "Nothing loaded yet");
    scrubber.move(t);
    if (clock.moving && seen) frame = requestAnimationFrame(tick);
    else controlsOf();
  };
  const wake = () => {
    if (!frame) frame = requestAnimationFrame(tick);
  };

  let shownIcon = "play";
  const controlsOf = () => {
    const moving = clock.moving;
    const name = moving ? "pause" : "play";
    if (name !== shownIcon) play.replaceChildren(icon(name, 17));
    shownIcon = name;
    play.setAttribute("aria-label", moving ? "Pause" : "Play");
    play.title = `${moving ? "Pause" : "Play"} (space)`;
    back.title = `Back ${durationText(clock.anchor.step)} (←, with shift ten times that)`;
    forward.title = `Forward ${durationText(clock.anchor.step)} (→, with shift ten times that)`;
    loop.setAttribute("aria-pressed", String(!!clock.anchor?.loop));
    for (const node of speeds.children)
      node.setAttribute("aria-pressed", String(Number(node.dataset.speed) === clock.anchor?.speed));
  };
  const buildSpeeds = () =>
    speeds.replaceChildren(
      ...model.speeds.map((speed, i) =>
        el(
          "button",
          {
            type: "button",
            "data-speed": speed,
            "data-testid": `speed-${speed}`,
            "aria-label": `${speed} times`,
            onclick: () => verbs.speed(speed),
            title:
              speed === 1
                ? `As it happened (${i + 1})`
                : `${durationText(speed)} of kitchen time each second (${i + 1})`,
          },
          `${speed}×`,
        ),
      ),
    );
  const waiting = () => {
    const off = !!model.busy || !loaded();
    clearTimeout(patience);
    if (!model.busy) cancel.hidden = true;
    else if (cancel.hidden)
      patience = setTimeout(() => {
        cancel.hidden = false;
      }, PATIENCE_MS);
    bar.toggleAttribute("data-busy", !!model.busy);
    bar.setAttribute("aria-busy", String(!!model.busy));
    left.inert = off;
    scrubber.node.toggleAttribute("data-off", off);
    scrubber.slider.setAttribute("aria-disabled", String(off));
    const { edges } = model.volume;
    const inner = edges.length > 3 ? 1 : 0; // the first and the last bar may be shorter
    write(legend, model.busy || (edges.length > 1 ? `Orders per ${bucketText(edges[inner + 1] - edges[inner])}` : ""));
  };
  const summarise = () => {
    summary.replaceChildren(
      ...(model.summary.length
        ? [el("em", { title: "The figures of all that is loaded, also of what comes after the playhead" }, "Range")]
        : []),
      ...model.summary.map(({ key, text, title }) => el("span", { title, class: key }, text)),
    );
    rule.hidden = !model.supply.rule;
    rule.title = model.supply.rule ?? "";
  };
  const changed = () => {
    clock.window = wholeOf(model, clock);
    bar.toggleAttribute("data-section", !!sectionOf(model, clock));
    scrubber.draw();
    range.show();
    controlsOf();
    waiting();
    wake();
  };

  let resync = false;
  const take = () => {
    const { epoch, step } = model.anchor;
    if (epoch !== undefined) clock.set(model.anchor, resync);
    if (epoch === clock.anchor?.epoch) clock.anchor.step = step; // what was predicted does not know the steps of its range
    resync = false;
    changed();
  };
  /** The anchor's age was true when it was sent; a page that has just appeared or slept asks how far things have come. */
  const sync = () => {
    if (clock.anchor?.playing) {
      resync = true;
      model.send_msg({ verb: "sync" });
    }
  };
  const awake = () => {
    if (!document.hidden) {
      sync();
      wake();
    }
  };

  buildSpeeds();
  summarise();
  const unsubscribe = clock.on(changed);
  take();
  sync();
  model.on("anchor", take);
  for (const name of ["window", "volume", "moments"]) model.on(name, changed);
  model.on("supply", () => {
    summarise();
    changed();
  });
  model.on("summary", summarise);
  model.on("speeds", () => {
    buildSpeeds();
    controlsOf();
  });
  model.on("source", () => {
    range.offer();
    scrubber.draw();
  });
  model.on("busy", waiting);
  model.on("problem", range.refuse);
  const keys = shortcuts(model, clock, verbs, scrubber);
  document.addEventListener("keydown", keys);
  document.addEventListener("visibilitychange", awake);
  const sight = new IntersectionObserver(([entry]) => {
    seen = entry.isIntersecting;
    if (seen) wake();
  });
  sight.observe(bar);
  model.on("remove", () => {
    cancelAnimationFrame(frame);
    seen = false;
    verbs.flush();
    unsubscribe();
    sight.disconnect();
    scrubber.remove();
    range.remove();
    document.removeEventListener("keydown", keys);
    document.removeEventListener("visibilitychange", awake);
  });
  return bar;
}

export { render };
