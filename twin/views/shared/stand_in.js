// A view that could not be built has its place here: its panel once it is built, until then nothing but the guard's
// notice.

import { el } from "./elements.js";

function render({ model }) {
  const root = el("div", { style: "display:flex;flex-direction:column;width:100%;height:100%;min-height:36px" });
  const fill = () => {
    const panel = model.get_child("panel");
    root.replaceChildren(...(panel ? [panel] : []));
  };
  model.on("panel", fill);
  fill();
  return root;
}

export { render };
