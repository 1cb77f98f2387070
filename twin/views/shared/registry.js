// What the views of one page share. In a notebook every view is a module of its own, so that the page itself is the
// place.

const twin = (globalThis.__twin ??= { clocks: new Map() });

/** Whether the page has lost its server (its connection.js says so); nothing that the user does would be heard. */
const isCut = () => !!twin.connection?.lost;

/** Say why what the user has just done does nothing. */
const refuse = () => twin.connection?.explain();

/**
 * The same function on behalf of the panel that is being drawn or updated now: what it throws is that panel's failure
 * (guard.js) and stops nobody else. Whatever runs later needs it: listeners, timers, frames.
 * @template {(...given: any[]) => any} Act
 * @param {Act} act
 * @returns {Act}
 */
const guarded = (act) => twin.panel?.wrap(act) ?? act;

export { guarded, isCut, refuse, twin };
