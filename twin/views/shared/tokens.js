// The design tokens, which a page gets once, and their values as an element sees them.

import { TOKENS_CSS } from "#python/views/shared/theme";

if (globalThis.document && !document.getElementById("twin-tokens")) {
  const style = document.createElement("style");
  style.id = "twin-tokens";
  style.textContent = TOKENS_CSS;
  document.head.append(style);
}

/** The value of a design token as the element sees it. */
const token = (node, name) => getComputedStyle(node).getPropertyValue(`--tw-${name}`).trim();

export { token };
