// What a page does beside its views: keeps its address and the browser's history current, tells the server whether
// anybody can see it, and says to the page's connection (connection.js) where it is and when it is ready to be seen.

import { clockFrom } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { guarded, twin } from "../shared/registry.js";
import { selectionOf, verbsOf } from "../shared/verbs.js";
import { isSameView, queryAt, resume, stateOf } from "./address.js";

const ADDRESS_AFTER_MS = 150;
const FOLLOW_MS = 2000; // how often the address follows a running clock; a change costs the browser milliseconds
const LOOK_MS = 500;

/** One session's page. */
class PageLink {
  constructor({ model, view }) {
    this.model = model;
    this.document = view.model.document;
    this.clock = clockFrom(model);
    selectionOf(model); // what comes with events, this model tells for all views (`Component.join`)
    this.due = 0;
    this.wroteAt = 0;
    /** @type {{query: string, state: import("./address.js").ReplayState} | null} as it was last seen */
    this.last = null;
    this.listen();
    if (!document.documentElement.dataset.theme) this.theme(); // the document may have chosen before it was painted
    if (model.query) this.address();
    this.tell();
    model.was_dark = document.documentElement.dataset.theme === "dark";
    (twin.pages ??= new Map()).set(this.document, this);
  }

  listen() {
    this.model.on("dark", this.theme);
    this.model.on("query", this.address);
    document.addEventListener("visibilitychange", this.tell);
    const looking = setInterval(this.look, LOOK_MS);
    this.model.on("remove", () => {
      clearTimeout(this.due);
      clearInterval(looking);
      document.removeEventListener("visibilitychange", this.tell);
      twin.pages.delete(this.document);
    });
  }

  /** Whether this session is the one that is seen; another may be opening behind it. */
  get isCurrent() {
    return !twin.connection?.document || twin.connection.document === this.document;
  }

  tell = guarded(() => {
    this.model.seen = !document.hidden;
  });

  // the page's own theme class is inside a shadow root; the tokens hang on the document
  theme = () => {
    if (this.isCurrent) document.documentElement.dataset.theme = this.model.dark ? "dark" : "light";
  };

  // the browser takes some milliseconds to change an address: not before what it tells of is drawn
  address = () => {
    clearTimeout(this.due);
    this.due = setTimeout(this.write, ADDRESS_AFTER_MS);
  };

  /** The query that comes back to what is shown now; empty while nothing is. */
  query() {
    const state = stateOf(this.clock);
    if (!this.model.query || !state || this.clock.state === "live") return this.model.query;
    return state.playing || this.clock.halted ? queryAt(this.model.query, state.t, this.clock.zone) : this.model.query;
  }

  state() {
    return stateOf(this.clock);
  }

  look = guarded(() => {
    if (!this.isCurrent || !this.model.query) return;
    const state = stateOf(this.clock);
    if (state && isSameView(this.model.query, location.search)) this.last = { query: this.query(), state };
    if (this.clock.moving && performance.now() - this.wroteAt > FOLLOW_MS) this.write();
  });

  write = guarded(() => {
    if (!this.isCurrent || !this.model.query || twin.connection?.lost || twin.connection?.moving) return;
    this.wroteAt = performance.now();
    const query = this.query();
    const state = stateOf(this.clock);
    if (isSameView(query, location.search)) enter("replaceState", query, state);
    else {
      if (this.last) enter("replaceState", this.last.query, this.last.state); // that is what one comes back to
      enter("pushState", query, state);
    }
  });

  /** Whether everything is drawn that the page was opened for. */
  get isReady() {
    if (!this.model.settled) return false;
    if (this.model.dark !== (document.documentElement.dataset.theme === "dark")) return false;
    const drawn = twin.motion?.get(this.model.clock);
    if (!this.model.query || !drawn || drawn.nowhere) return true;
    const t = this.clock.now();
    return !!drawn.held && t >= drawn.held[0] && t <= drawn.held[1];
  }

  /** Go on as another session was, or this page before it was loaded anew. */
  resume(state) {
    if (state) resume(this.clock, verbsOf(this.model, this.clock), state);
  }
}

/** Write an entry of the browser's history; its id stays as long as the entry. */
function enter(how, query, state) {
  const id = how === "replaceState" && history.state?.twin?.id;
  const entry = { ...state, id: id || Math.random().toString(36).slice(2) };
  if (twin.connection) twin.connection.entry = entry.id;
  if (id && location.search === query && JSON.stringify(history.state.twin) === JSON.stringify(entry)) return;
  history[how]({ ...history.state, twin: entry }, "", `${location.pathname}${query}${location.hash}`);
}

function render(given) {
  new PageLink(given);
  return el("span", { hidden: true });
}

export { render };
