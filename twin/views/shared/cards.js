// Buttons that open the incident card: of a moment, of the trouble in the alert, of the loop. Only a page with the
// dialog (incident_card.js) shows them; a notebook and a saved page have none.

import { el, icon } from "./elements.js";
import { sharedState } from "./shared_state.js";

/**
 * What a card is of: a moment of this kind that meets [start, end], or with an empty `kind` that range itself.
 * @typedef {{start: number, end: number, kind: string}} CardOf
 */

/**
 * Show in `root` (class `with-cards`) whether there is a dialog; returns how to stop.
 * @param {import("./clock.js").Model} model
 * @param {HTMLElement} root
 */
function followCards(model, root) {
  const cards = sharedState(model.clock, "cards");
  const follow = () => root.classList.toggle("with-cards", !!cards.value);
  follow();
  return cards.on(follow);
}

/**
 * A button that opens the card of what `of()` returns; it is hidden outside of `with-cards`.
 * @param {import("./clock.js").Model} model
 * @param {string} label what the card is of, for readers of screens
 * @param {() => CardOf} of
 */
function cardButton(model, label, of) {
  const button = el("button", {
    type: "button",
    class: "open-card",
    "aria-haspopup": "dialog",
    "aria-label": `Card: ${label}`,
    title: "One page about this, to print, save or paste",
    "data-testid": "open-card",
    onclick: () => sharedState(model.clock, "cards").value?.open(of()),
  });
  button.append(icon("receipt", 13), "Card");
  return button;
}

export { cardButton, followCards };
