// A notice above the page: what is the case, and one thing to do about it.

import { el, icon } from "../../views/shared/elements.js";

const SIGNS = { problem: "alert", empty: "calendar" };

function render({ model }) {
  const sign = el("span", { class: "sign" });
  const words = el("p", { class: "words", "data-testid": "banner-message" });
  const label = el("span", {});
  const spinner = el("i", { class: "spinner", "aria-hidden": "true" });
  const press = () => {
    model.busy = true;
    show();
    model.send_msg({ act: true });
  };
  const act = el(
    "button",
    { type: "button", class: "act", "data-testid": "banner-action", onclick: press },
    spinner,
    label,
  );
  const close = el("button", {
    type: "button",
    class: "close",
    "aria-label": "Dismiss",
    title: "Dismiss",
    "data-testid": "banner-close",
    onclick: () => {
      closed = true;
      show();
    },
  });
  close.append(icon("close", 15));
  const root = el("div", { class: "notice", "data-testid": "banner" }, sign, words, act, close);
  let closed = false;
  let said = "";
  const show = () => {
    const { kind, message } = model;
    if (message !== said) {
      said = message;
      closed = false;
    }
    root.hidden = !message || closed;
    // a live region must be there before its words; the role says how urgent they are
    root.setAttribute("role", kind === "empty" ? "status" : "alert");
    root.className = `notice is-${kind}`; // not .banner: Panel gives that class to its own wrapper
    sign.replaceChildren(icon(SIGNS[kind] ?? "alert", 16));
    words.textContent = message;
    act.hidden = !model.action;
    act.disabled = model.busy;
    spinner.hidden = !act.disabled;
    label.textContent = model.busy ? "Trying …" : model.action;
  };
  for (const name of ["kind", "message", "action", "busy"]) model.on(name, show);
  show();
  return root;
}

export { render };
