// What a page does beside its views: keeps its address current and tells the server whether anybody can see it.

import { el } from "../shared/elements.js";

const ADDRESS_AFTER = 150; // milliseconds

function render({ model }) {
  let due = 0;
  const write = () => {
    const url = new URL(location.href);
    if (url.search !== model.query) history.replaceState(history.state, "", `${url.pathname}${model.query}${url.hash}`);
  };
  // the browser takes some milliseconds to change an address: not before what it tells of is drawn
  const address = () => {
    clearTimeout(due);
    due = setTimeout(write, ADDRESS_AFTER);
  };
  const tell = () => {
    model.seen = !document.hidden;
  };
  // the page's own theme class is inside a shadow root; the tokens hang on the document
  const theme = () => {
    document.documentElement.dataset.theme = model.dark ? "dark" : "light";
  };
  model.on("dark", theme);
  if (!document.documentElement.dataset.theme) theme(); // the document may have chosen before anything was painted
  model.on("query", address);
  document.addEventListener("visibilitychange", tell);
  model.on("remove", () => {
    clearTimeout(due);
    document.removeEventListener("visibilitychange", tell);
  });
  if (model.query) address();
  tell();
  model.was_dark = document.documentElement.dataset.theme === "dark";
  return el("span", { hidden: true });
}

export { render };
