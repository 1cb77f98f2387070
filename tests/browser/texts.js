// Every text of the page that is seen now: which are cut, which lie on one another, which are small. Run by texts.py.
({ slop, loose }) => {
  const FAR = { left: -1e6, top: -1e6, right: 1e6, bottom: 1e6 };
  const PANE = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const meet = (a, b) => ({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  const wide = (a) => Math.max(0, a.right - a.left);
  const tall = (a) => Math.max(0, a.bottom - a.top);
  const named = ({ node, text }) => {
    const area = node.closest("[data-testid]")?.dataset.testid ?? node.getRootNode().host?.className ?? "";
    return `[${area}] <${node.localName} ${node.getAttribute("class") ?? ""}> "${text}"`;
  };
  const found = [];

  /** A text in its box: a line is taller than its letters, so a little of it may be missing above and below. */
  function look(node, text, box, clip, view, layer) {
    const seen = meet(box, view);
    if (wide(box) < 1 || tall(box) < 1 || wide(seen) <= 2 || tall(seen) <= 2) return;
    const size = Number.parseFloat(getComputedStyle(node).fontSize);
    const spare = Math.max(slop, (tall(box) - 1.1 * size) / 2);
    const held = meet(box, clip);
    const cut =
      wide(box) - wide(seen) > slop || held.top - box.top > spare || box.bottom - held.bottom > spare;
    found.push({ node, text: text.trim().slice(0, 40), box: seen, layer, size, cut });
  }

  /** clip: what the ancestors let through for good; view: that, without what is scrolled away just now. */
  function walk(root, clip, view, layer) {
    for (const child of root.childNodes) {
      if (child.nodeType === Node.TEXT_NODE && child.data.trim() && root instanceof Element) {
        const range = document.createRange();
        range.selectNodeContents(child);
        for (const box of range.getClientRects()) look(root, child.data, box, clip, view, layer);
      }
      if (!(child instanceof Element) || child.matches("script, style, template, defs")) continue;
      const style = getComputedStyle(child);
      const boxless = style.display === "contents";
      const shown = child.checkVisibility({ visibilityProperty: true, opacityProperty: true });
      if (style.display === "none" || style.clipPath !== "none" || !(boxless || shown)) continue;
      const floats = child.matches(":popover-open, :modal") || style.position === "fixed";
      const on = floats ? child : layer;
      let [held, seen] = floats ? [FAR, PANE] : [clip, view];
      if (!boxless && (!(child instanceof SVGElement) || child.localName === "svg")) {
        const { left, top, right, bottom } = child.getBoundingClientRect();
        const across = style.overflowX === "visible" ? {} : { left, right };
        const down = style.overflowY === "visible" ? {} : { top, bottom };
        const scrolls = /auto|scroll/.test(style.overflowY) && child.scrollHeight > child.clientHeight + 1;
        seen = meet(seen, { ...FAR, ...across, ...down });
        held = meet(held, { ...FAR, ...across, ...(scrolls ? {} : down) });
        if (scrolls) held = { ...held, top: FAR.top, bottom: FAR.bottom };
      }
      walk(child, held, seen, on);
      if (child.shadowRoot) walk(child.shadowRoot, held, seen, on);
    }
  }
  walk(document.body, FAR, PANE, null);

  const dotted = (node) => {
    const data = node.closest(loose);
    return !!data && [node, data].some((one) => {
      const { textOverflow, display } = getComputedStyle(one);
      return textOverflow === "ellipsis" || display === "-webkit-box";
    });
  };
  const problems = new Set();
  for (const one of found) if (one.cut && !dotted(one.node)) problems.add(`cut: ${named(one)}`);
  const inner = ({ box, size }) => Math.max(3, tall(box) - size + 2);
  found.forEach((a, i) => {
    for (const b of found.slice(i + 1)) {
      const both = meet(a.box, b.box);
      if (a.node === b.node || a.layer !== b.layer || wide(both) <= 2) continue;
      if (tall(both) > Math.min(inner(a), inner(b))) problems.add(`overlap: ${named(a)} and ${named(b)}`);
    }
  });
  const small = found.filter(({ size }) => size < 11.99).map((one) => `${one.size} px: ${named(one)}`);
  return { problems: [...problems], small: [...new Set(small)], count: found.length };
};
