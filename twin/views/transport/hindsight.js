// The switch between what was known at the playhead and what came of it, for all views on this clock.

import { el } from "../shared/elements.js";

const CHOICES = [
  {
    hindsight: false,
    label: "As it was known",
    title: "Only what had happened by the playhead, as people in the kitchen knew it then (H)",
  },
  {
    hindsight: true,
    label: "With hindsight",
    title: "Also what came of it; everything after the playhead is marked “later” (H)",
  },
];

/** Build it; `show` writes which of the two is chosen, and returns whether that is another one than before. */
function buildHindsight(clock, verbs) {
  const buttons = CHOICES.map(({ hindsight, label, title }) =>
    el(
      "button",
      {
        type: "button",
        title,
        "data-testid": hindsight ? "hindsight-on" : "hindsight-off",
        onclick: () => clock.hindsight === hindsight || verbs.hindsight(hindsight),
      },
      label,
    ),
  );
  const node = el(
    "div",
    { class: "hindsight", role: "group", "aria-label": "What is shown of the time after the playhead" },
    ...buttons,
  );
  let shown = null;
  const show = () => {
    const changed = shown !== clock.hindsight;
    shown = clock.hindsight;
    for (const [i, button] of buttons.entries())
      button.setAttribute("aria-pressed", String(CHOICES[i].hindsight === clock.hindsight));
    return changed;
  };
  return { node, show };
}

export { buildHindsight };
