import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { clockText, dayText, durationText } from "../shared/times.js";
import { verbsOf } from "../shared/verbs.js";

/** Milliseconds between two looks at whether the playhead is in a trouble. */
const LOOK = 500;

/** The most severe trouble at t, else the most severe that ended within `tail` seconds; the troubles are ranked. */
function troubleAt(moments, t, tail) {
  return (
    moments.find(({ start, end }) => start <= t && t <= end) ??
    moments.find(({ end }) => end < t && t <= end + tail) ??
    null
  );
}
/** The first trouble that begins after t; null if none does. */
function nextAfter(moments, t) {
  return moments
    .filter(({ start }) => start > t)
    .reduce((first, moment) => (first && first.start <= moment.start ? first : moment), null);
}

function render({ model }) {
  const clock = clockFrom(model);
  const verbs = verbsOf(model, clock);
  const body = el("div", { class: "body", role: "status", "data-testid": "alert-status" });
  const root = el("section", { class: "card alert", "aria-label": "Alert", "data-testid": "alert" }, body);
  const link = (label, title, moment) => {
    const button = el(
      "button",
      { type: "button", class: "go", title, "data-testid": "alert-go", onclick: () => verbs.visit(moment.at) },
      el("span", {}, label),
    );
    button.append(icon("arrow", 13));
    return button;
  };
  let told = null;

  /** Write what holds at t, if it is another thing than what stands there: a reader of screens shall not hear it twice. */
  function update() {
    if (document.hidden || !clock.anchor) return;
    const t = clock.now();
    const moments = model.moments;
    const trouble = moments && troubleAt(moments, t, model.tail);
    const next = moments && !trouble && nextAfter(moments, t);
    const over = trouble && t > trouble.end;
    const since = trouble && !over && durationText(Math.floor((t - trouble.start) / 60) * 60);
    const others = trouble
      ? moments.filter((other) => other !== trouble && other.start <= t && t <= other.end).length
      : 0;
    const state = [moments?.length, trouble?.rank, over, others, next?.rank, model.moments === null, model.empty].join(
      "|",
    );
    if (state !== told) {
      told = state;
      root.classList.toggle("bad", !!trouble && !over);
      root.classList.toggle("over", !!over);
      root.dataset.state = !moments ? "looking" : trouble ? (over ? "ended" : "trouble") : "quiet";
      body.replaceChildren(...(trouble ? tell(trouble, over, others) : quiet(moments, next)));
    }
    const age = body.querySelector(".since");
    const text = since ? ` · ${since} so far, until ${clockText(trouble.end, false)}` : "";
    if (age && age.textContent !== text) age.textContent = text;
  }
  function tell(trouble, over, others) {
    const badge = el("span", { class: "badge" });
    const more = others ? ` (and ${others} more now)` : "";
    badge.append(icon(trouble.icon, 16));
    return [
      badge,
      el(
        "div",
        { class: "words" },
        el(
          "div",
          { class: "head" },
          el("b", {}, trouble.title),
          link("See it", `Go to when it is worst, ${clockText(trouble.at, false)}`, trouble),
        ),
        el(
          "p",
          { class: "when" },
          over ? `Just ended · ${trouble.when}` : `Since ${dayText(trouble.start)} ${clockText(trouble.start, false)}`,
          over ? null : el("span", { class: "since", "aria-hidden": "true" }),
        ),
        el("p", { class: "sentence", title: `${trouble.sentence}${more}` }, trouble.sentence, more),
      ),
    ];
  }
  function quiet(moments, next) {
    if (model.empty) return [el("p", { class: "line mute" }, "No orders in this range")];
    if (!moments) return [el("p", { class: "line mute" }, "Looking for trouble in this range …")];
    const words = el("p", { class: "line" }, moments.length ? "No trouble at this moment" : "No trouble in this range");
    words.prepend(icon("check", 14));
    return next
      ? [
          words,
          el("span", { class: "mute next" }, "next:"),
          link(`${dayText(next.start)} ${clockText(next.start, false)} ${next.title}`, next.sentence, next),
        ]
      : [
          words,
          moments.length ? el("span", { class: "mute" }, `${moments.length} earlier in this range`) : null,
        ].filter(Boolean);
  }
  const timer = setInterval(() => {
    if (clock.moving) update();
  }, LOOK);
  const off = clock.on(update);
  document.addEventListener("visibilitychange", update);
  model.on("moments", update);
  model.on("empty", update);
  model.on("remove", () => {
    clearInterval(timer);
    off();
    document.removeEventListener("visibilitychange", update);
  });
  update();
  return root;
}

export { render };
