// The one mark of everything that lies after the playhead, wherever it is shown; its looks are in shared.css.

import { el } from "./elements.js";

const LATER = "This lies after the playhead: in the kitchen nobody knew it yet";

/** The word that what stands before it lies after the playhead. */
const laterMark = () => el("span", { class: "later-mark", title: LATER }, "later");

export { laterMark };
