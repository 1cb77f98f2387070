// The page's connection to its server. It opens the page's session, watches that the server answers, and when it does
// not marks what is shown as old and stops the clock. When the server is back it opens a new session behind what is
// seen, at the same moment, and swaps the two. Bokeh's own reconnect is switched off: it cannot pull a document again
// that held binary buffers, gives up after half a minute, and notices nothing while a connection stays open.
//
// This script stands in the page's HTML, because it has to work when nothing else can be had.

import { isSameView } from "../../views/session/address.js";
import { clockOf } from "../../views/shared/clock.js";
import { answers, Heartbeat, Retry, TICK_MS } from "../../views/shared/heartbeat.js";
import { twin } from "../../views/shared/registry.js";

const CONNECT_MS = 10_000;
const PAGE_MS = 20_000;
const READY_MS = 10_000; // a session that is not ready after so long is shown as it is: it says itself why
const GRACE_MS = 700; // a server that answers again may still use the old connection, too
const SILENT_OPENING_MS = 5000; // a page that has not come alive after so long asks whether the server is there
const MOST_RELOADS = 3; // in a minute: what fails again and again is not the server's absence
const REFUSALS_SAID = 3;
const RIGHTS_ANEW = 4001; // as in twin/server/sessions.py
const MEMORY = "twin-moment";
const RELOADS = "twin-reloads";

const byId = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
/** A promise's value, or an error when it takes too long. */
const within = (promise, ms) =>
  Promise.race([promise, pause(ms).then(() => Promise.reject(new Error(`nothing within ${ms} ms`)))]);

/** The browser's memory for one tab; it may be denied. */
const memory = {
  get(name) {
    try {
      return JSON.parse(sessionStorage.getItem(name));
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      sessionStorage.setItem(name, JSON.stringify(value));
    } catch {
      /* then not */
    }
  },
};

/**
 * What a page's HTML says of its session (frame.html).
 * @typedef {{token: string, roots: string[], instance: string, build: string, bundle: string}} Opening
 * @returns {Opening | null} null: the HTML is not a page of ours, but a proxy's own
 */
function readOpening(root) {
  const node = root.getElementById("twin-session");
  return node ? JSON.parse(node.textContent) : null;
}

/** The page's HTML at an address; "elsewhere" if the server sends one to another address (to sign in), null: none. */
async function fetchPage(search, patience = PAGE_MS) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), patience);
  try {
    const answer = await fetch(`${location.pathname}${search}`, {
      cache: "no-store",
      redirect: "manual",
      signal: stop.signal,
      headers: { Accept: "text/html" },
    });
    if (answer.type === "opaqueredirect") return "elsewhere";
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } finally {
    clearTimeout(late);
  }
}

/**
 * What a session's views listen to for good: Bokeh's plots never leave the window's `visualViewport`, Panel's
 * BrowserInfo never its media query. Each would keep a whole session that is gone.
 * @type {[EventTarget, string, any][] | null}
 */
let listened = null;
for (const target of [globalThis.visualViewport, MediaQueryList.prototype]) {
  const add = target?.addEventListener;
  if (target && add)
    target.addEventListener = function (type, listener, options) {
      listened?.push([this, type, listener]);
      add.call(this, type, listener, options);
    };
}

/** One session: its connection, its document, and its place in the page. */
class Session {
  /** @param {Opening} opening @param {(session: Session, lost: boolean) => void} changed */
  constructor(opening, changed) {
    this.opening = opening;
    this.stage = null;
    this.session = null;
    this.gone = false;
    this.outlived = false; // ended because what its user may read is read anew; the server is there
    listened = this.listened = []; // views that are made from now on are this session's
    this.heartbeat = new Heartbeat({
      ask: () => this.ask(),
      changed: (lost) => {
        if (!this.gone) changed(this, lost);
      },
    });
  }
  get document() {
    return this.session?.document ?? null;
  }
  /** What the session's page says of itself (views/session/page.js); null until it is drawn. */
  get page() {
    return twin.pages?.get(this.document) ?? null;
  }
  get isOpen() {
    return this.connection?.socket?.readyState === WebSocket.OPEN;
  }
  ask() {
    if (this.isOpen) this.session.request_server_info().catch(() => {}); // its answer is heard like any other message
  }
  /** @param {string} search the address's query @param {number} stretch see `Retry` */
  async join(search, stretch = 1) {
    const { Bokeh } = /** @type {any} */ (globalThis);
    const { ClientConnection } = Bokeh.require("client/connection");
    const { _get_ws_url } = Bokeh.require("embed/server");
    this.connection = new ClientConnection(_get_ws_url(), this.opening.token, search.replace(/^\?/, ""));
    const joined = this.connection.connect();
    joined.catch(() => {}); // it may end after we have stopped waiting
    this.session = await within(joined, CONNECT_MS * stretch);
    const { socket } = this.connection;
    if (!socket) throw new Error("closed at once");
    socket.addEventListener("message", () => this.heartbeat.heard());
    socket.addEventListener("close", ({ code }) => {
      this.outlived ||= code === RIGHTS_ANEW;
      this.cut();
    });
    this.heartbeat.heard();
    for (const model of this.document.all_models)
      if (model.class_name === "PageLink" && model.data.instance !== this.opening.instance)
        throw new Error("the server has been restarted: this session is another one");
    // all views are one script; where it cannot be had they would all stay empty
    if (this.opening.bundle) {
      const bundle = new URL(this.opening.bundle, document.baseURI).href;
      await within(import(bundle), PAGE_MS * stretch);
    }
  }
  /** The connection has ended; what its views would still say, nobody hears. */
  cut() {
    this.connection.send = () => {};
    this.heartbeat.close();
  }
  /** Draw the session: in the places that the page's HTML has for it, or in new ones behind what is seen. */
  async draw(places) {
    let roots = places;
    if (!roots) {
      this.stage = document.createElement("div");
      this.stage.className = "session behind";
      roots = this.opening.roots.map(() => {
        const root = document.createElement("div");
        root.style.display = "contents";
        this.stage.append(root);
        return root;
      });
      byId("sessions").append(this.stage);
    } else this.stage = roots[0].closest(".session");
    const { embed } = /** @type {any} */ (globalThis).Bokeh;
    this.views = await embed.add_document_standalone(this.document, this.stage, roots);
  }
  /** Wait until it shows what it was opened for. Throws when its server is lost meanwhile. */
  async ready() {
    const begun = performance.now();
    while (performance.now() - begun < READY_MS) {
      if (this.heartbeat.lost) throw new Error("lost while opening");
      if (this.page?.isReady) return;
      await pause(30);
    }
  }
  /** Close the connection, take down the views with all that they listen to, and forget the document. */
  dispose() {
    this.gone = true;
    const { connection } = this;
    const clock = this.page?.model.clock;
    if (connection) {
      connection.send = () => {};
      connection.closed_permanently = true;
      connection.socket?.close(1000);
      this.session?._connection_closed();
    }
    if (this.document) {
      this.document.clear({ sync: false });
      const { documents } = /** @type {any} */ (globalThis).Bokeh;
      if (documents.includes(this.document)) documents.splice(documents.indexOf(this.document), 1);
      const led = twin.clocks.get(clock);
      for (const [id, other] of twin.clocks)
        if (id === clock || (led && other.lead === led)) {
          twin.clocks.delete(id);
          twin.selections?.delete(id);
        }
    }
    for (const [target, type, listener] of this.listened) target.removeEventListener(type, listener);
    this.listened.length = 0;
    this.stage?.remove();
  }
}

/** The focus and the places of scrolling, by the names that elements have for tests. */
function attention(stage) {
  let node = document.activeElement;
  if (!node || !stage.contains(node)) return null;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node.getAttribute("data-testid");
}
function attend(stage, name) {
  const find = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.getAttribute("data-testid") === name) return node;
      const inside = node.shadowRoot && find(node.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  find(stage)?.focus({ preventScroll: true });
}

/** The connection of the page, over all its sessions. */
class Connection {
  constructor() {
    /** @type {Session | null} the one that is seen */
    this.session = null;
    this.lost = false;
    this.opening = false;
    this.lostAt = "";
    /** Where to go: an address and a state, of the history or of a reload; null: to where the page is. */
    this.goal = { search: location.search, state: arrivedState() };
    this.moving = false; // another entry of the history is being opened
    this.retry = new Retry({ attempt: (signal) => this.attempt(signal), changed: () => this.show() });
    this.own = null;
    this.begun = performance.now();
    this.silent = false; // the server has not answered at least once since the page was opened
    this.entry = history.state?.twin?.id; // of the browser's history, where the page is
    /** @type {Map<string, any>} the states that other entries were left in */
    this.left = new Map();
    this.listen();
  }
  /** The Bokeh document that is seen: others are opening behind it, or going. */
  get document() {
    return this.session?.document ?? null;
  }

  listen() {
    setInterval(() => this.tick(), TICK_MS);
    addEventListener("online", () => this.soon());
    addEventListener("pageshow", (event) => event.persisted && this.soon());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.soon();
    });
    addEventListener("pagehide", () => this.remember());
    addEventListener("popstate", () => this.travel());
    addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.closest("#link-try")) this.soon();
    });
    addEventListener("click", this.home);
    for (const kind of ["click", "mousedown", "keydown", "beforeinput"]) addEventListener(kind, this.guard, true);
  }
  soon() {
    if (!this.opening) this.retry.soon();
  }
  tick() {
    this.session?.heartbeat.tick();
    if (!this.session && !this.retry.running && !this.opening && performance.now() - this.begun > SILENT_OPENING_MS)
      this.retry.begin();
  }

  // ---- the first session, and every other ---------------------------------------------------------------------------
  /** The HTML is read, or what came of it: draw its session, or have it loaded anew. */
  async begin() {
    this.own = readOpening(document);
    this.retry.end();
    if (!this.own || !isComplete()) {
      this.retry.begin();
      return;
    }
    this.opening = true;
    const first = new Session(this.own, this.heard);
    try {
      await first.join(location.search);
      this.session = first;
      await first.draw(this.own.roots.map(byId));
      this.state("live");
      this.arrive(first);
    } catch {
      this.session = null;
      first.dispose();
    }
    this.opening = false;
    if (!this.session) this.retry.begin();
    else if (this.session.heartbeat.lost) this.lose();
  }
  /**
   * Open the page's session anew.
   * @param {AbortSignal} signal
   * @returns {Promise<"done" | "silent" | "refused">}
   */
  async attempt(signal) {
    if (document.hidden && !this.moving) return "silent"; // nobody looks: it is tried when somebody does
    // what hangs on dead connections would keep all others waiting: a browser opens six to a host
    if (this.lost && document.readyState === "complete") globalThis.stop();
    if (!(await answers(signal, this.retry.patience))) {
      this.silent ||= !signal.aborted;
      if (!signal.aborted && this.session?.heartbeat.lost) this.lose();
      return "silent";
    }
    if (signal.aborted) return "silent";
    if (document.readyState === "loading" && !this.silent) return "silent"; // the way is slow, not the server
    if (this.session && !this.moving && this.session.isOpen) {
      this.session.ask();
      await pause(GRACE_MS);
      if (signal.aborted || !this.lost) return "silent";
      if (!this.session.heartbeat.lost) this.found();
      if (!this.lost) return "silent";
    }
    if (!isComplete() || !this.own) return this.startOver();
    this.opening = true;
    try {
      return await this.open();
    } catch {
      return "refused";
    } finally {
      this.opening = false;
      if (this.session?.heartbeat.lost && !this.lost) this.lose(); // while nobody listened to it
    }
  }
  /** @returns {Promise<"done" | "refused">} */
  async open() {
    const goal = (this.goal ??= this.whereabouts());
    const { stretch } = this.retry;
    const page = await fetchPage(goal.search, PAGE_MS * stretch);
    const opening = page instanceof Document ? readOpening(page) : null;
    if (page === "elsewhere" || (opening && opening.build !== this.own.build)) {
      this.handOver(goal); // to sign in, or to another version of these scripts
      return "refused";
    }
    if (!opening) return "refused";
    const next = new Session(opening, this.heard);
    try {
      await next.join(goal.search, stretch);
      await next.draw(null);
      await next.ready();
    } catch (error) {
      next.dispose();
      throw error;
    }
    if (this.goal !== goal) {
      next.dispose(); // the history has gone on meanwhile
      return this.open();
    }
    if (this.session?.outlived && !this.lost && !this.moving) goal.state = this.whereabouts().state; // it went on
    this.swap(next);
    return "done";
  }
  swap(next) {
    const old = this.session;
    const focus = old && attention(old.stage);
    this.session = next;
    this.arrive(next);
    next.stage.classList.remove("behind");
    if (focus) attend(next.stage, focus);
    this.moving = false;
    const was = this.lost;
    this.lost = false;
    this.state("live");
    this.show(was ? "Connected again." : "");
    if (old) old.dispose();
    else for (const place of this.own.roots) byId(place)?.closest(".session")?.remove();
  }
  /** A session is there: bring it to where the page was. */
  arrive(session) {
    const goal = this.goal;
    const go = () => {
      if (this.session !== session) return;
      if (!session.page?.isReady) {
        setTimeout(go, 100);
        return;
      }
      session.page.resume(goal?.state);
      if (this.goal === goal) this.goal = null;
      session.page.address();
    };
    go();
  }
  /** The address and state that a new session should have. */
  whereabouts() {
    const page = this.session?.page;
    return { search: page?.query() || location.search, state: page?.state() ?? null };
  }

  // ---- losing the server --------------------------------------------------------------------------------------------
  heard = (session, lost) => {
    if (session !== this.session || this.opening) return;
    if (lost && session.outlived) this.retry.begin();
    else if (lost) this.lose();
    else if (this.lost) this.found();
  };
  lose() {
    if (this.lost) return;
    this.lost = true;
    this.lostAt = new Date().toTimeString().slice(0, 8);
    const { page } = this.session;
    if (page) clockOf(page.model.clock).halt();
    this.state("lost");
    this.show();
    this.retry.begin();
  }
  /** The old connection speaks again: the server follows the browser's clock, which has stood still meanwhile. */
  found() {
    this.lost = false;
    if (!this.moving) {
      this.retry.end();
      this.goal = null;
    }
    const { page } = this.session;
    const halted = page && clockOf(page.model.clock).release();
    this.state("live");
    if (halted?.playing) page.resume({ ...page.state(), ...halted });
    if (page) twin.mapcommands?.get(page.model.clock)?.refetch();
    this.show("Connected again.");
  }
  /**
   * The page cannot come alive with the scripts that it has: load it anew once everything can be had.
   * @returns {Promise<"refused">}
   */
  async startOver() {
    const reloads = (memory.get(RELOADS) ?? []).filter((at) => Date.now() - at < 60_000);
    const page = reloads.length < MOST_RELOADS && (await fetchPage(location.search).catch(() => null));
    if (!(page instanceof Document) || !readOpening(page)) return "refused";
    // those that this HTML names: a server that has been restarted has others, and has them once it has made a page
    const wanted = [...page.querySelectorAll("script[src], link[rel=stylesheet], link[rel=modulepreload]")]
      .map((node) => new URL(node.getAttribute("src") ?? node.getAttribute("href"), document.baseURI))
      .filter((address) => address.origin === location.origin);
    const had = await Promise.all(
      wanted.map((address) =>
        within(fetch(address, { cache: "reload" }), PAGE_MS).then(
          (answer) => answer.ok,
          () => false,
        ),
      ),
    );
    if (!had.every(Boolean)) return "refused";
    memory.set(RELOADS, [...reloads, Date.now()]);
    this.handOver({ search: location.search, state: this.goal?.state ?? null });
    return "refused";
  }
  /** Load the page anew, at a goal. */
  handOver({ search, state }) {
    const id = history.state?.twin?.id ?? Math.random().toString(36).slice(2);
    const entry = state ? { ...state, id } : { id };
    history.replaceState({ ...history.state, twin: entry }, "", `${location.pathname}${search}${location.hash}`);
    this.goal = { search, state };
    location.reload();
  }

  // ---- history ------------------------------------------------------------------------------------------------------
  /** Note, as the page goes, where it was: what the address and the history's entry say is up to two seconds old. */
  remember() {
    const state = this.goal?.state ?? this.session?.page?.state();
    if (state) memory.set(MEMORY, { ...state, id: history.state?.twin?.id, search: location.search });
  }
  /** Back or forward: the session of that entry comes in place of this one. */
  travel() {
    const page = this.session?.page;
    if (page && location.search === page.query()) return;
    if (page && this.entry && !this.moving) this.left.set(this.entry, page.state());
    this.entry = history.state?.twin?.id;
    this.goal = { search: location.search, state: this.left.get(this.entry) ?? arrivedState() };
    this.moving = true;
    this.retry.begin();
  }

  /** The page's name leads to the kitchens, as a step of the history, without a page that is loaded anew. */
  home = (event) => {
    const link = event.composedPath().some((node) => node instanceof Element && node.matches("a.home"));
    if (!link || !this.session || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { page } = this.session;
    if (!location.search && !page?.query()) return;
    const state = page?.state();
    if (state) history.replaceState({ ...history.state, twin: { ...state, id: this.entry } }, "", page.query());
    history.pushState({ twin: { id: Math.random().toString(36).slice(2) } }, "", location.pathname);
    this.travel();
  };

  // ---- what is seen of it -------------------------------------------------------------------------------------------
  state(name) {
    document.documentElement.dataset.connection = name;
  }
  show(said) {
    const notice = byId("link");
    if (!notice) return; // the HTML is still being read
    // nothing shown yet: why a server that answers does not open the page is what opening.js finds out
    const refused = this.retry.refused > 1;
    const waiting = !this.session && this.retry.running && (refused ? !byId("twin-opening") : this.silent);
    notice.hidden = !this.lost && !waiting;
    if (said !== undefined) byId("link-live").textContent = said;
    if (notice.hidden) {
      byId("link-words").textContent = byId("link-said").textContent = "";
      return;
    }
    const words = this.words(waiting);
    if (byId("link-words").textContent !== words) byId("link-words").textContent = words;
    const button = /** @type {HTMLButtonElement} */ (byId("link-try"));
    button.disabled = !!this.retry.trying;
    button.firstElementChild.toggleAttribute("hidden", !this.retry.trying);
  }
  words(waiting) {
    if (this.retry.refused >= REFUSALS_SAID)
      return "The server answers, but does not open this page. It is tried again by itself.";
    if (waiting) return "The server does not answer. The page opens by itself as soon as it does.";
    const { page } = this.session;
    const state = page?.state();
    const { zone } = page?.clock ?? {};
    const at = state ? `${zone.dayText(state.t)} ${zone.clockText(state.t)}` : "";
    const seen = state ? ` What you see is as of ${at}; the clock is stopped.` : "";
    return `Connection lost at ${this.lostAt}.${seen} It is tried again by itself.`;
  }
  /** Say why what the user has just done does nothing. */
  explain() {
    const said = byId("link-said");
    said.textContent = "Not now: the server does not answer, so the replay stands still.";
    byId("link").classList.remove("nudge");
    void byId("link").offsetWidth; // so that the animation begins again
    byId("link").classList.add("nudge");
  }
  /** While the server is lost nothing that is pressed would be heard; the map may still be moved. */
  guard = (event) => {
    if (!this.lost || !event.isTrusted || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    if (path.includes(byId("link"))) return;
    if (path.some((node) => node instanceof Element && node.matches(".bk-Figure"))) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key.length > 1) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.type !== "mousedown") this.explain();
  };
}

/** Whether every script is there that a session needs. */
function isComplete() {
  const { Bokeh } = /** @type {any} */ (globalThis);
  return !!Bokeh?.Panel && !(/** @type {any} */ (globalThis).__failed?.length);
}

/**
 * Where the page was when it was left at this entry of the history. What was noted last counts for a page that is
 * loaded anew, too: a browser may not have written down its entry by then.
 */
function arrivedState() {
  const entry = history.state?.twin;
  const left = memory.get(MEMORY);
  const [navigation] = /** @type {any[]} */ (performance.getEntriesByType("navigation"));
  const noted =
    left &&
    (left.id === entry?.id ||
      (navigation?.type === "back_forward" && left.search === location.search) ||
      (navigation?.type === "reload" && isSameView(left.search, location.search)));
  const { id: _id, search: _search, ...state } = (noted ? left : entry) ?? {};
  return "t" in state ? state : null;
}

const connection = new Connection();
twin.connection = connection;
// once: where es-module-shims loads the modules, it sends this event a second time
if (document.readyState === "loading")
  document.addEventListener("DOMContentLoaded", () => connection.begin(), { once: true });
else connection.begin();
