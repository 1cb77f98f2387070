const DAY = 86400;
const TICKS = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 84 * DAY, 364 * DAY];
/** Room that an axis label needs, pixels. */
const LABEL = 76;
const MOST_DAYS = 14;
const MONDAY = 4 * DAY;  // the first one after 1970-01-01, a Thursday: steps of weeks begin on it

const shortDay = (t) => `${dayText(t)} ${dateOf(t).getUTCDate()}`;
const shortDate = (t) => `${dateOf(t).getUTCDate()} ${MONTHS[dateOf(t).getUTCMonth()].slice(0, 3)}`;
const momentText = (t) => `${dayText(t)} ${dateText(t)}, ${clockText(t)}`;
const bucketText = (s) => ({ 60: "minute", 3600: "hour", [DAY]: "day", [7 * DAY]: "week" })[s] ?? (s % DAY === 0 ? `${s / DAY} days` : s % 3600 === 0 ? `${s / 3600} h` : durationText(s));
const snapped = (x) => Math.round(x * devicePixelRatio) / devicePixelRatio;
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/** The axis: ticks {t, label, day} for a range drawn `width` pixels wide; `day` marks a midnight within several days. */
function axisTicks(start, end, width) {
  const span = end - start;
  const step = TICKS.find((s) => span / s <= Math.max(2, width / LABEL)) ?? TICKS.at(-1);
  const origin = step > DAY ? MONDAY : 0;
  const ticks = [];
  for (let t = origin + Math.ceil((start - origin) / step) * step; t <= end; t += step) {
    const midnight = t % DAY === 0, severalDays = span > DAY;
    const label = midnight && severalDays ? (step > DAY ? shortDate(t) : shortDay(t)) : midnight && t === end ? "24:00" : clockText(t, step < 60);
    if (!(midnight && severalDays && t === end)) ticks.push({ t, label, day: midnight && severalDays });  // the day that begins there is not shown
  }
  return ticks;
}

/** The bars as one SVG path on device pixels, `height` pixels high at the fullest bar. */
function barsPath({ edges, counts }, x, height) {
  const most = Math.max(1, ...counts);
  let path = "";
  counts.forEach((count, i) => {
    const left = snapped(x(edges[i])), right = snapped(x(edges[i + 1]));
    const gap = right - left >= 3 ? 1 : 0;
    const h = snapped((count / most) * height);
    if (h > 0 && right - gap > left) path += `M${left} ${height}V${height - h}H${right - gap}V${height}Z`;
  });
  return path;
}

const svgNode = (name, attributes) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

/** The scrubber: the range's orders as bars, the axis, and the playhead that can be dragged. */
function buildScrubber(model, clock, verbs) {
  const rest = svgNode("path", {}), done = svgNode("path", {});
  const bars = (path) => { const svg = svgNode("svg", { class: "bars", "aria-hidden": "true" }); svg.append(path); return svg; };
  const lines = el("div", { class: "lines" }), labels = el("div", { class: "labels", "aria-hidden": "true" });
  const inner = el("div", { class: "inner" }, bars(done)), played = el("div", { class: "played" }, inner);
  const column = el("div", { class: "column", hidden: true }), tip = el("div", { class: "tip", hidden: true, "data-testid": "tip" });
  const playhead = el("div", { class: "playhead", "data-testid": "playhead" });
  const track = el("div", { class: "track" }, lines, bars(rest), played, column, playhead, tip);
  const node = el("div", { class: "scrubber", role: "slider", tabindex: "0", "aria-label": "Playhead", "data-testid": "scrubber" }, track, labels);
  let width = 0, height = 0, drawnX = null, pointer = null, resume = false, spoken = -1;

  const range = () => clock.anchor ?? { start: 0, end: 0 };
  const xOf = (t) => { const { start, end } = range(); return end > start ? ((t - start) / (end - start)) * width : 0; };
  const timeAt = (event) => {
    const { start, end } = range();
    return start + clamp((event.clientX - track.getBoundingClientRect().left) / Math.max(1, width), 0, 1) * (end - start);
  };

  const drawBars = () => {
    const path = barsPath(model.volume, xOf, height);
    rest.setAttribute("d", path);
    done.setAttribute("d", path);
  };
  const drawAxis = () => {
    const { start, end } = range();
    if (!(end > start) || !width) { labels.replaceChildren(); lines.replaceChildren(); return; }
    const ticks = axisTicks(start, end, width);
    labels.replaceChildren(...ticks.map(({ t, label, day }) => {
      const x = xOf(t), edge = x < 18 ? " first" : x > width - 18 ? " last" : "";
      return el("span", { class: `label${day ? " day" : ""}${edge}`, style: `left:${x}px` }, label);
    }));
    const midnights = [];
    if ((end - start) / DAY <= 62) for (let t = Math.ceil((start + 1) / DAY) * DAY; t < end; t += DAY) midnights.push(el("i", { class: "day", style: `left:${snapped(xOf(t))}px` }));
    lines.replaceChildren(...ticks.filter(({ day }) => !day).map(({ t }) => el("i", { style: `left:${snapped(xOf(t))}px` })), ...midnights);
  };
  const drawn = { volume: null, start: null, end: null };
  /** Draw what does not move; only when the data, the range or the size changed. */
  const draw = (force = false) => {
    const { start, end } = range();
    if (!force && drawn.volume === model.volume && drawn.start === start && drawn.end === end) return;
    Object.assign(drawn, { volume: model.volume, start, end });
    drawnX = null;
    drawBars();
    drawAxis();
    node.setAttribute("aria-valuemin", start);
    node.setAttribute("aria-valuemax", end);
  };
  /** Move the playhead; nothing is touched before it has come a device pixel further. */
  const move = (t) => {
    const x = snapped(xOf(t));
    if (x !== drawnX) {
      drawnX = x;
      playhead.style.transform = `translateX(${x}px)`;
      played.style.transform = `translateX(${x - width}px)`;  // a window of full width, pushed left with its content held in place:
      inner.style.transform = `translateX(${width - x}px)`;   // the compositor moves it, nothing is painted anew
    }
    const second = Math.floor(performance.now() / 1000);
    if (second !== spoken || !clock.moving) {
      spoken = second;
      node.setAttribute("aria-valuenow", Math.round(t));
      node.setAttribute("aria-valuetext", momentText(t));
    }
  };

  const point = (event) => {
    const { edges, counts } = model.volume, t = timeAt(event);
    let i = 0;
    while (i < counts.length - 1 && edges[i + 1] <= t) i++;
    const known = counts.length > 0 && t >= edges[0];
    column.hidden = !known;
    if (known) {
      const left = Math.max(0, xOf(edges[i]));
      column.style.left = `${left}px`;
      column.style.width = `${Math.min(width, xOf(edges[i + 1])) - left}px`;
    }
    const orders = known ? ` · ${counts[i].toLocaleString("en-US")} ${counts[i] === 1 ? "order" : "orders"} ${clockText(edges[i], false)} – ${clockText(edges[i + 1], false)}` : "";
    tip.replaceChildren(el("b", {}, `${dayText(t)} ${clockText(t, range().end - range().start < 7200)}`), orders);
    tip.hidden = false;
    tip.style.left = `${clamp(xOf(t) - tip.offsetWidth / 2, 0, Math.max(0, width - tip.offsetWidth))}px`;
  };
  const unpoint = () => { column.hidden = true; tip.hidden = true; };
  const usable = () => range().end > range().start && !model.busy;

  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null || !usable()) return;
    pointer = event.pointerId;
    resume = clock.moving;
    node.setPointerCapture(pointer);
    node.classList.add("dragging");
    verbs.hold(timeAt(event));
    point(event);
  });
  node.addEventListener("pointermove", (event) => {
    if (!usable()) return;
    if (event.pointerId === pointer) verbs.hold(timeAt(event));
    if (event.pointerId === pointer || event.pointerType === "mouse") point(event);
  });
  const release = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    node.classList.remove("dragging");
    if (event.pointerType !== "mouse") unpoint();
    const { t0, end, loop } = clock.anchor;
    if (resume && (t0 < end || loop)) verbs.play(t0);
    else verbs.flush();
  };
  node.addEventListener("pointerup", release);
  node.addEventListener("pointercancel", release);
  node.addEventListener("lostpointercapture", release);
  node.addEventListener("pointerleave", () => { if (pointer === null) unpoint(); });
  node.addEventListener("keydown", (event) => {
    if (!usable() || event.ctrlKey || event.metaKey || event.altKey) return;
    const many = event.shiftKey ? 10 : 1, { start, end } = range();
    const stepBy = (n) => verbs.hold(clock.now() + n * clock.anchor.step);
    const acts = {
      ArrowRight: () => stepBy(many), ArrowUp: () => stepBy(many), ArrowLeft: () => stepBy(-many), ArrowDown: () => stepBy(-many),
      PageUp: () => verbs.seek(clock.now() + (end - start) / 24), PageDown: () => verbs.seek(clock.now() - (end - start) / 24),
      Home: () => verbs.seek(start), End: () => verbs.seek(end),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });

  const observer = new ResizeObserver(() => {
    const box = track.getBoundingClientRect();
    if (box.width === width && box.height === height) return;
    ({ width, height } = box);
    draw(true);
    if (clock.anchor) move(clock.now());
  });
  observer.observe(track);
  return { node, draw, move, remove: () => observer.disconnect() };
}

/** Data time as a datetime-local field writes it, and back; both know nothing of zones. */
const fieldText = (t) => new Date(t * 1000).toISOString().slice(0, 16);
const fieldTime = (text) => (text ? Date.parse(`${text}Z`) / 1000 : NaN);

/** The range picker: the range in words, and a sheet to choose another one. */
function buildRange(model, clock) {
  const words = el("span", { class: "words" });
  const button = el("button", { class: "range", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", title: "Choose the range of time to replay", "data-testid": "range" });
  button.append(icon("calendar", 15), words, el("span", { class: "caret", "aria-hidden": "true" }));
  const field = (name, id) => el("input", { type: "datetime-local", name, "data-testid": id, "aria-describedby": "problem" });
  const from = field("start", "range-start"), to = field("end", "range-end");
  const problem = el("p", { id: "problem", class: "problem", role: "alert", "data-testid": "range-problem" });
  const apply = el("button", { class: "primary", type: "submit", "data-testid": "range-apply" }, "Apply");
  const spans = el("div", { class: "chips" }), days = el("div", { class: "chips days" });
  const dayGroup = el("div", { role: "group", "aria-label": "Days" }, el("h4", {}, "One day"), days);
  const form = el("form", { novalidate: true },
    el("label", {}, el("span", {}, "From"), from), el("label", {}, el("span", {}, "To"), to), problem, el("div", { class: "foot" }, el("span", { class: "mute" }, "Kitchen time (UTC)"), apply));
  const sheet = el("div", { class: "sheet", popover: "auto", role: "dialog", "aria-label": "Range of time", tabindex: "-1", "data-testid": "range-sheet" },
    el("div", { role: "group", "aria-label": "Spans" }, spans), dayGroup, el("h4", {}, "Any range"), form);
  button.popoverTargetElement = sheet;  // the browser opens, closes on Escape or a click outside, and gives the focus back

  /** Whole days around the data: what the fields accept. */
  const bounds = () => ({ low: Math.floor(model.source.start / DAY) * DAY, high: (Math.floor(model.source.end / DAY) + 1) * DAY });
  const say = (text) => {
    problem.textContent = text;
    for (const input of [from, to]) input.setAttribute("aria-invalid", String(!!text));
  };
  const choose = (start, end) => {
    const known = model.source.start !== undefined;
    const { low, high } = known ? bounds() : { low: -Infinity, high: Infinity };
    if (!Number.isFinite(start) || !Number.isFinite(end)) return say("Give both a date and a time for the start and for the end.");
    if (start >= end) return say("The end must be after the start.");
    if (end <= low || start >= high) return say(`There is no data in this range: it runs from ${momentText(model.source.start)} to ${momentText(model.source.end)}.`);
    say("");
    sheet.hidePopover();
    model.send_msg({ verb: "range", start: Math.max(start, low), end: Math.min(end, high) });
  };
  const chip = (label, start, end, title) => el("button", { class: "chip", type: "button", title, "aria-pressed": String(clock.anchor?.start === start && clock.anchor?.end === end), onclick: () => choose(start, end) }, label);
  const offer = () => {
    const { start, end, latest } = model.source;
    const known = start !== undefined;
    spans.parentElement.hidden = dayGroup.hidden = !known;
    if (!known) return;
    const { low, high } = bounds(), minute = Math.ceil(latest / 60) * 60, hours = (t, round) => round(t / 3600) * 3600;
    spans.replaceChildren(chip("Last 24 hours", Math.max(low, minute - DAY), minute, "Counted back from the last delivered order"),
      chip("Whole range", hours(start, Math.floor), hours(end, (h) => Math.floor(h) + 1), "Everything there is of this kitchen"));
    const list = [];
    for (let t = high - DAY; t >= low && list.length < MOST_DAYS; t -= DAY) list.unshift(chip(shortDay(t), t, t + DAY, dateText(t)));
    days.replaceChildren(...list);
    for (const input of [from, to]) Object.assign(input, { min: fieldText(low), max: fieldText(high) });
  };
  const place = () => {
    const box = button.getBoundingClientRect(), margin = 12;
    sheet.style.left = `${clamp(box.right - sheet.offsetWidth, margin, Math.max(margin, innerWidth - sheet.offsetWidth - margin))}px`;
    const above = box.top - margin - 6, height = sheet.scrollHeight;
    const below = innerHeight - box.bottom - margin - 6;
    const up = above >= height || above >= below;
    sheet.style.maxHeight = `${Math.max(160, up ? above : below)}px`;
    sheet.style.top = up ? "auto" : `${box.bottom + 6}px`;
    sheet.style.bottom = up ? `${innerHeight - box.top + 6}px` : "auto";
  };
  sheet.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    offer();
    say(model.problem);
    if (clock.anchor?.end > clock.anchor?.start) { from.value = fieldText(clock.anchor.start); to.value = fieldText(clock.anchor.end); }
    sheet.style.colorScheme = parseInt(token(button, "panel").slice(1, 3), 16) < 128 ? "dark" : "light";  // of the browser's own date fields
  });
  sheet.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) { place(); sheet.focus(); }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); choose(fieldTime(from.value), fieldTime(to.value)); });
  form.addEventListener("input", () => say(""));
  addEventListener("resize", place);
  return {
    button, sheet, offer,
    refuse: () => { if (model.problem) { if (!sheet.matches(":popover-open")) sheet.showPopover(); say(model.problem); } },
    show: () => {
      const { start, end } = clock.anchor ?? {};
      words.textContent = end > start ? rangeText(start, end) : "Choose a range";
    },
    remove: () => removeEventListener("resize", place),
  };
}

/** Keys that work wherever the focus is, unless what has the focus uses them itself. */
function shortcuts(model, clock, verbs) {
  const TYPING = 'input, textarea, select, [contenteditable=""], [contenteditable="true"]';
  const ARROWED = '[role="slider"], [role="tab"], [role="radio"], [role="menuitem"], [role="option"], [role="combobox"], [role="spinbutton"], [role="dialog"] *';
  const PRESSED = 'button, a[href], summary, [role="button"], [role="switch"], [role="checkbox"], [role="tab"], [role="menuitem"], [role="dialog"] *';
  return (event) => {
    const focus = event.composedPath()[0];
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || model.busy || !clock.anchor) return;
    const on = (selector) => focus instanceof Element && focus.matches(selector);
    if (on(TYPING)) return;
    const speed = /^[1-9]$/.test(event.key) ? model.speeds[Number(event.key) - 1] : undefined;
    if (event.key === " " && !on(PRESSED)) { if (!event.repeat) verbs.toggle(); }
    else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && !on(ARROWED)) verbs.hold(clock.now() + (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1) * clock.anchor.step);
    else if (speed !== undefined) verbs.speed(speed);
    else return;
    event.preventDefault();
  };
}

export function render({ model }) {
  const clock = clockOf(model.clock), verbs = verbsOf(model, clock);
  const button = (name, label, title, act, id = name) => {
    const node = el("button", { class: "button", type: "button", "aria-label": label, title, "data-testid": id, onclick: act });
    node.append(icon(name, 17));
    return node;
  };
  const time = el("div", { class: "clock", "data-testid": "clock" }), date = el("div", { class: "date mute", "data-testid": "date" });
  const play = button("play", "Play", "", () => verbs.toggle());
  play.classList.add("primary");
  const steps = (n) => (event) => verbs.step(event.shiftKey ? 10 * n : n);
  const back = button("back", "Step back", "", steps(-1), "step-back"), forward = button("forward", "Step forward", "", steps(1), "step-forward");
  const stop = button("stop", "Stop", "Stop: back to the start of the range", () => verbs.stop());
  const loop = button("loop", "Loop", "Loop: go on from the start at the end", () => verbs.loop(!clock.anchor.loop));
  const speeds = el("div", { class: "speeds", role: "group", "aria-label": "Speed" });
  const scrubber = buildScrubber(model, clock, verbs), range = buildRange(model, clock);
  const legend = el("span", { class: "legend mute", role: "status", "data-testid": "legend" });
  const controls = el("div", { class: "controls" }, back, play, stop, forward, loop), left = el("div", { class: "left" }, el("div", { class: "time" }, time, date), controls, speeds);
  const bar = el("section", { class: "bar card", "aria-label": "Replay", "data-testid": "transport" }, left,
    el("div", { class: "right" }, el("div", { class: "head" }, legend, range.button), scrubber.node), range.sheet);

  const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  let frame = 0, seen = true;
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
  const wake = () => { if (!frame) frame = requestAnimationFrame(tick); };

  let shownIcon = "play";
  const controlsOf = () => {
    const moving = clock.moving, name = moving ? "pause" : "play";
    if (name !== shownIcon) play.replaceChildren(icon(name, 17));
    shownIcon = name;
    play.setAttribute("aria-label", moving ? "Pause" : "Play");
    play.title = `${moving ? "Pause" : "Play"} (space)`;
    back.title = `Back ${durationText(clock.anchor.step)} (←, with shift ten times that)`;
    forward.title = `Forward ${durationText(clock.anchor.step)} (→, with shift ten times that)`;
    loop.setAttribute("aria-pressed", String(!!clock.anchor?.loop));
    for (const node of speeds.children) node.setAttribute("aria-pressed", String(Number(node.dataset.speed) === clock.anchor?.speed));
  };
  const buildSpeeds = () => speeds.replaceChildren(...model.speeds.map((speed, i) =>
    el("button", { type: "button", "data-speed": speed, "data-testid": `speed-${speed}`, "aria-label": `${speed} times`, onclick: () => verbs.speed(speed),
      title: speed === 1 ? `As it happened (${i + 1})` : `${durationText(speed)} of kitchen time each second (${i + 1})` }, `${speed}×`)));
  const waiting = () => {
    const off = !!model.busy || !loaded();
    bar.toggleAttribute("data-busy", !!model.busy);
    bar.setAttribute("aria-busy", String(!!model.busy));
    left.inert = off;
    scrubber.node.setAttribute("aria-disabled", String(off));
    const { edges } = model.volume, inner = edges.length > 3 ? 1 : 0;   // the first and the last bar may be shorter
    write(legend, model.busy || (edges.length > 1 ? `Orders per ${bucketText(edges[inner + 1] - edges[inner])}` : ""));
  };
  const changed = () => { scrubber.draw(); range.show(); controlsOf(); waiting(); wake(); };

  let resync = false;
  const take = () => { if (model.anchor.epoch !== undefined) clock.set(model.anchor, resync); resync = false; changed(); };
  /** The anchor's age was true when it was sent; a page that has just appeared or slept asks how far things have come. */
  const sync = () => { if (clock.anchor?.playing) { resync = true; model.send_msg({ verb: "sync" }); } };
  const awake = () => { if (!document.hidden) { sync(); wake(); } };

  buildSpeeds();
  const unsubscribe = clock.on(changed);
  take();
  sync();
  model.on("anchor", take);
  model.on("volume", changed);
  model.on("speeds", () => { buildSpeeds(); controlsOf(); });
  model.on("source", range.offer);
  model.on("busy", waiting);
  model.on("problem", range.refuse);
  const keys = shortcuts(model, clock, verbs);
  document.addEventListener("keydown", keys);
  document.addEventListener("visibilitychange", awake);
  const sight = new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; if (seen) wake(); });
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
