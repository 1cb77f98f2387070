// What the views of one page share. In a notebook every view is a module of its own, so that the page itself is the
// place.

const twin = (globalThis.__twin ??= { clocks: new Map() });

/** Whether the page has lost its server (its connection.js says so); nothing that the user does would be heard. */
const isCut = () => !!twin.connection?.lost;

/** Say why what the user has just done does nothing. */
const refuse = () => twin.connection?.explain();

export { isCut, refuse, twin };
