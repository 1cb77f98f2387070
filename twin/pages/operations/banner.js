// A notice above the page: what is the case, and one thing to do about it. It also tells when the server is gone.

import { el, icon } from "../../views/shared/elements.js";

const SIGNS = { problem: "alert", empty: "calendar", lost: "plug" };

function render({ model }) {
  const sign = el("span", { class: "sign" });
  const words = el("p", { class: "words", "data-testid": "banner-message" });
  const label = el("span", {});
  const spinner = el("i", { class: "spinner", "aria-hidden": "true" });
  const press = () => {
    if (lost) {
      location.reload();
      return;
    } // the address brings everything back
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
  let lost = false;
  let closed = false;
  let said = "";
  const show = () => {
    const kind = lost ? "lost" : model.kind;
    const message = lost
      ? "The connection to the server is lost; it is tried again by itself. If that takes long, " +
        "reload: you come back to this moment."
      : model.message;
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
    act.hidden = !model.action && !lost;
    act.disabled = model.busy && !lost;
    spinner.hidden = !act.disabled;
    label.textContent = lost ? "Reload" : model.busy ? "Trying …" : model.action;
    close.hidden = lost;
  };
  const gone = () => {
    lost = true;
    show();
  };
  const back = () => {
    lost = false;
    show();
  };
  for (const one of globalThis.Bokeh?.documents ?? []) {
    one.on_event?.("connection_lost", gone);
    one.on_event?.("client_reconnected", back);
  }
  for (const name of ["kind", "message", "action", "busy"]) model.on(name, show);
  show();
  return root;
}

export { render };
