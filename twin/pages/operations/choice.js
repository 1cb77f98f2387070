// The choice of the kitchen in the page's bar.

import { el } from "../../views/shared/elements.js";

/** The browser's own list, which every assistive technology and every phone knows. */
function render({ model }) {
  const select = el("select", { id: "kitchen", "data-testid": "kitchen" });
  const show = () => {
    select.value = model.value;
  };
  const build = () => {
    select.replaceChildren(
      ...model.kitchens.map(([id, name, qualifier]) =>
        el("option", { value: id }, qualifier ? `${name} (${qualifier})` : name),
      ),
    );
    show();
  };
  select.addEventListener("change", () => {
    model.value = select.value;
  });
  model.on("kitchens", build);
  model.on("value", show);
  build();
  return el("div", { class: "choice" }, el("label", { for: "kitchen" }, "Kitchen"), select);
}

export { render };
