// The one mark of everything that lies after the playhead, wherever it is shown; its looks are in shared.css.

import { el } from "./elements.js";

const LATER = "This lies after the playhead: in the kitchen nobody knew it yet";
const PART = "a part of it lies after the playhead, and in the kitchen nobody knew it yet";

/** The word that what stands before it lies after the playhead. */
const laterMark = (title = LATER) => el("span", { class: "later-mark", title }, "later");

/** The word that a figure is of the whole range, and the mark that a part of it lies after the playhead. */
const rangeMark = () =>
  el("span", { class: "of-range" }, el("span", { class: "mute" }, "range"), laterMark(`Of the whole range: ${PART}`));

export { laterMark, rangeMark };
