// What the views of one page share. In a notebook every view is a module of its own, so that the page itself is the
// place.

const twin = (globalThis.__twin ??= { clocks: new Map() });

export { twin };
