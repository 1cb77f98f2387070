// A panel that fails says so and offers a retry, and no other panel waits for it. Whatever a view runs (its `render`,
// its listeners, its frames and timers) runs within its guard. Without that an error in one view ends the update of
// all: Bokeh applies a message one change after the other, and a clock calls one listener after the other.

import { el, icon } from "./elements.js";
import { isCut, refuse, twin } from "./registry.js";

const RENEW_MS = 1500; // without an answer for so long a panel is drawn again from what it has
const WALL_MS = 30_000; // nobody presses a button on a wall screen
const MOST_WALL_MS = 600_000;

/** The guard of each Panel view. @type {WeakMap<object, Guard>} */
const guards = new WeakMap();

/** Watches one drawing of a view: what fails in it, and what it leaves behind when it is drawn anew. */
class Guard {
  /** @param {{model: any, view: any}} given as Panel hands them to `render` */
  constructor({ model, view }) {
    this.sent = model;
    this.view = view;
    this.broken = false; // this drawing has thrown: nothing in it runs any more
    this.reason = "";
    this.notice = null;
    this.removals = [];
    this.messages = [];
    this.latest = model.posted?.at(-1)?.[0] ?? 0; // the number of the last message that came as a value
    this.timer = 0;
    /** The view's model, whose listeners are guarded. */
    this.model = new Proxy(model, { get: (target, name) => (name === "on" ? this.on : target[name]) });
  }

  /** A function that runs for this view until it has failed or is gone; what it throws goes no further. */
  wrap(act) {
    const guard = this;
    /** @this {any} */
    return function (...given) {
      if (guard.broken || guard.gone) return undefined;
      const before = twin.panel;
      twin.panel = guard;
      try {
        const result = act.apply(this, given);
        return result instanceof Promise ? result.catch((error) => guard.fail(error)) : result;
      } catch (error) {
        return guard.fail(error);
      } finally {
        twin.panel = before;
      }
    };
  }

  on = (names, act, force) => {
    if (names === "remove") {
      this.removals.push(act);
      return;
    }
    const mine = this.wrap(act);
    if (names === "msg:custom") this.messages.push(mine);
    this.sent.on(names, mine, force);
  };

  draw(render) {
    this.sent.on("remove", () => this.dispose());
    this.sent.on("after_render", () => this.show()); // Panel has put in place what `render` returned
    this.sent.on("failure", () => this.show());
    this.sent.on("renewals", () => this.broken && setTimeout(() => this.redraw())); // all that came with it is there
    this.sent.on("posted", this.unpost);
    return this.wrap(() => render({ model: this.model, view: this.view, el: this.view.container }))();
  }

  /** Take the messages that came as a value, where no others come (Component._send_msg): each once. */
  unpost = () => {
    for (const [number, message] of this.sent.posted) {
      if (this.gone || number <= this.latest) continue;
      this.latest = number;
      for (const take of this.messages) take(message);
    }
  };

  fail(error) {
    if (this.broken || this.gone) return;
    console.error(`${this.view.model.class_name} failed`, error);
    this.broken = true;
    this.reason = `This panel could not be drawn (${error?.name ?? error}): see the browser’s console.`;
    this.show();
  }

  /** Show what has failed, here or in the server, in place of the panel; it keeps its size, so that no other moves. */
  show() {
    if (this.gone) return;
    const reason = this.reason || this.sent.failure;
    const { container } = this.view;
    if (reason && !this.notice) {
      const height = Math.max(0, ...[...container.children].map((child) => child.offsetHeight));
      this.button = el("button", { type: "button", class: "retry", "data-testid": "panel-retry" }, "Retry");
      this.button.addEventListener("click", this.retry);
      this.words = el("p", {});
      this.notice = el(
        "div",
        { class: "failure", role: "alert", "data-testid": "panel-failure", style: `min-height:${height}px` },
        icon("alert"),
        this.words,
        this.button,
      );
      this.wait();
    }
    if (reason) {
      this.words.textContent = this.notice.title = reason;
      if (this.notice.parentNode !== container) container.append(this.notice);
    } else if (this.notice) {
      this.notice.remove();
      this.notice = null;
    }
    container.classList.toggle("failed", !!reason);
  }

  /** On a wall screen it is tried again by itself, less and less often. */
  wait() {
    if (!twin.kiosk) return;
    this.view.waited = Math.min(2 * (this.view.waited ?? WALL_MS / 2), MOST_WALL_MS);
    clearTimeout(this.timer);
    this.timer = setTimeout(this.retry, this.view.waited);
  }

  /** Have the server make the panel anew, and draw it again. */
  retry = () => {
    if (isCut()) {
      refuse();
      return;
    }
    this.button.disabled = true;
    this.sent.send_msg({ retry: true });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.broken) this.redraw();
      else if (this.button) this.button.disabled = false;
    }, RENEW_MS);
  };
  redraw() {
    if (!this.gone) this.view.render_esm();
  }

  /** Let go of all that this drawing listens to. */
  dispose() {
    if (this.gone) return;
    for (const removal of this.removals) {
      try {
        removal();
      } catch (error) {
        if (!this.broken) console.error(error); // what is half drawn may not be able to
      }
    }
    this.gone = true;
    clearTimeout(this.timer);
    for (const message of this.messages) this.sent.off("msg:custom", message);
    this.view.container.classList.remove("failed");
  }
}

/** The `render` of a view within a guard. Panel calls it again when a child has changed, or after a failure. */
function guardedRender(draw) {
  function render(given) {
    guards.get(given.view)?.dispose();
    const guard = new Guard(given);
    guards.set(given.view, guard);
    return guard.draw(draw);
  }
  return render;
}

export { guardedRender };
