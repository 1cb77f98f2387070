// The page's own controls: link, report, presentation, tour, help; their keys; and the skeleton while a location loads.

import { clockFrom } from "../../views/shared/clock.js";
import { el, icon } from "../../views/shared/elements.js";
import { closeLast } from "../../views/shared/keys.js";
import { memory } from "../../views/shared/memory.js";
import { twin } from "../../views/shared/registry.js";
import { sharedState } from "../../views/shared/shared_state.js";
import { SignIn } from "../../views/shared/sign_in.js";
import { selectionOf } from "../../views/shared/verbs.js";
import { buildBeside } from "./beside.js";
import { buildHelp, dialogOf, iconButton } from "./help.js";
import { pageKeys } from "./keys.js";
import { addressOf } from "./links.js";
import { isReadable, saveReport } from "./report.js";
import { buildTour, TOURED } from "./tour.js";

const TOAST_FOR = 3200;
/**
 * A load that is over sooner shows no skeleton: nothing flickers. The words come when it takes longer than a second.
 */
const SKELETON_AFTER = 250;
const WORDS_AFTER = 1000;

/**
 * A short word at the lower edge of the window, read out politely. Above everything, so a popover; `quiet`: Escape is
 * not for it.
 */
function buildToast() {
  const words = el("span", {});
  const node = el("div", { class: "toast quiet", popover: "manual", "data-testid": "toast" });
  const status = el("div", { role: "status", class: "spoken" });
  const sign = el("span", { class: "toast-sign" });
  node.append(sign, words);
  let timer = 0;
  return {
    parts: [node, status],
    say(text, name = "check") {
      sign.replaceChildren(icon(name, 14));
      words.textContent = text;
      status.textContent = text;
      if (!node.matches(":popover-open")) node.showPopover();
      clearTimeout(timer);
      timer = setTimeout(() => {
        node.hidePopover();
        status.textContent = "";
      }, TOAST_FOR);
    },
    remove: () => clearTimeout(timer),
  };
}

/** The address of what is seen now: the page's own, with the playhead and speed of this instant. */
function linkTo(clock) {
  const url = new URL(location.href);
  if (clock.anchor && url.searchParams.has("location")) {
    if (clock.state === "live") url.searchParams.delete("t");
    else url.searchParams.set("t", clock.zone.addressText(clock.now()));
    url.searchParams.set("speed", String(clock.anchor.speed));
  }
  return url.href.replaceAll("%3A", ":").replaceAll("%2C", ",");
}

/** The address of the page of two sides with this kitchen, range and moment as the first, or with other `fields`. */
function besideAddress(here, fields) {
  const query = new URLSearchParams();
  for (const name of ["location", "start", "end", "t", "speed"]) if (here.has(name)) query.set(name, here.get(name));
  if ("start" in fields) query.delete("t"); // of other days
  for (const [name, value] of Object.entries(fields)) query.set(name, value);
  return `./compare?${query}`.replaceAll("%3A", ":");
}

/**
 * Put a link on the clipboard; where the browser forbids that (plain http, permission), offer it in a field to copy by
 * hand.
 */
function buildLink(clock, toast) {
  const field = el("input", {
    type: "text",
    readonly: true,
    "aria-label": "Link to this moment",
    "data-testid": "link-field",
  });
  const node = dialogOf(
    { class: "link", "aria-labelledby": "link-title", "data-testid": "link-dialog" },
    el(
      "header",
      {},
      el("h2", { id: "link-title" }, "Link to this moment"),
      iconButton("close", "Close", () => node.close()),
    ),
    el("p", { class: "mute" }, "The browser keeps the clipboard closed here. Copy the link from this field."),
    field,
  );
  return {
    node,
    async copy() {
      const link = linkTo(clock);
      try {
        if (!navigator.clipboard) throw new DOMException("no clipboard", "NotAllowedError");
        await navigator.clipboard.writeText(link);
        toast.say("Link copied");
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        field.value = link;
        node.open_();
        field.select();
      }
    },
  };
}

/** What to do where the browser gives no picture of a canvas away, see `isReadable`. */
function buildPrinting() {
  const print = el(
    "button",
    {
      type: "button",
      class: "button solid",
      "data-testid": "print",
      onclick: () => {
        node.close();
        globalThis.print();
      },
    },
    "Print, or save as PDF",
  );
  const node = dialogOf(
    { class: "link", "aria-labelledby": "print-title", "data-testid": "print-dialog" },
    el(
      "header",
      {},
      el("h2", { id: "print-title" }, "No picture was saved"),
      iconButton("close", "Close", () => node.close()),
    ),
    el(
      "p",
      { class: "mute" },
      "This browser’s protection against fingerprints gives noise in place of a picture. Allow this site to read " +
        "its canvas, which the browser offers beside the address, and try again; or print the page.",
    ),
    print,
  );
  return node;
}

/** Hang a menu that opens below its button, and give it the focus; a menu that closes gives it back. */
function hang({ newState }, menu, button) {
  const open = newState === "open";
  const box = button.getBoundingClientRect();
  button.setAttribute("aria-expanded", String(open));
  if (!open) {
    if (menu.matches(":focus-within")) button.focus();
    return;
  }
  menu.style.top = `${box.bottom + 6}px`;
  menu.style.right = `${Math.max(8, innerWidth - box.right)}px`;
  [...menu.querySelectorAll("button, a")].find((node) => node.offsetParent)?.focus();
}

/** What the page will look like, while it is not there: panels at their places. */
function buildSkeleton(model) {
  const words = el("span");
  const give_up = () => model.send_msg({ act: "cancel" });
  const said = el(
    "div",
    { class: "skeleton-words", hidden: true },
    words,
    el(
      "button",
      {
        type: "button",
        class: "button pill",
        onclick: give_up,
        "data-testid": "skeleton-cancel",
        title: "Stay where you are (Esc)",
      },
      "Cancel",
    ),
  );
  const bone = (area, n) =>
    el("div", { class: `bone ${area}`, "aria-hidden": "true" }, ...Array.from({ length: n }, () => el("i", {})));
  const node = el(
    "div",
    { class: "skeleton quiet", popover: "manual", role: "status", "aria-label": "Loading", "data-testid": "skeleton" },
    bone("pipeline", 5),
    bone("map", 0),
    bone("kpis", 4),
    bone("panel", 5),
    bone("transport", 2),
    said,
  );
  let begin = 0;
  let tell = 0;
  const show = () => {
    clearTimeout(begin);
    words.textContent = model.waiting;
    if (!model.waiting) {
      clearTimeout(tell);
      tell = 0;
      said.hidden = true;
      if (node.matches(":popover-open")) node.hidePopover();
      return;
    }
    // nothing lies below before the first location, so there is nothing to keep in sight
    begin = setTimeout(
      () => {
        if (node.isConnected && !node.matches(":popover-open")) node.showPopover();
      },
      model.place ? SKELETON_AFTER : 0,
    );
    tell ||= setTimeout(() => {
      said.hidden = false;
    }, WORDS_AFTER);
  };
  return {
    node,
    show,
    give_up,
    remove: () => {
      clearTimeout(begin);
      clearTimeout(tell);
    },
  };
}

/** The buttons of the page's header, and what they open. */
class ChromeBar {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.haunted = sharedState(this.model.clock, "ghost");
    this.selected = selectionOf(this.model);
    this.toast = buildToast();
    this.link = buildLink(this.clock, this.toast);
    this.printing = buildPrinting();
    this.tour = buildTour();
    this.skeleton = buildSkeleton(this.model);
    this.beside = buildBeside(this.model, (fields) => besideAddress(new URL(linkTo(this.clock)).searchParams, fields));
    this.buildHelp();
    this.buildCommands();
    this.buildMenu();
    this.buildOffer();
    this.listen();
    this.buildUser();
    this.assemble();
  }

  buildHelp() {
    this.keys = pageKeys({
      help: () => this.help.open(),
      link: () => this.loaded() && this.link.copy(),
      report: () => this.loaded() && !this.model.without.includes("report") && this.report(),
      present: () => document.fullscreenEnabled && this.present(),
      theme: () => this.toggleTheme(),
      fit: () => twin.mapcommands?.get(this.model.clock)?.toggleFit?.(),
      back: () =>
        this.model.waiting ? this.skeleton.give_up() : closeLast() || this.selected.back() || this.haunted.value?.off(),
    });
    this.help = buildHelp(this.model, this.keys, () => this.startTour());
    this.offer = el("span", { class: "offer", "data-testid": "tour-offer" });
  }

  buildCommands() {
    this.COMMANDS = [
      {
        name: "link",
        sign: "link",
        label: "Copy link",
        title: "Copy a link to exactly this moment (C)",
        act: () => this.link.copy(),
        needs: this.loaded,
      },
      {
        name: "compare",
        sign: "compare",
        label: "Compare",
        title: "Put this beside another kitchen or another day, on one clock",
        opens: this.beside,
        needs: this.loaded,
      },
      {
        name: "report",
        sign: "image",
        label: "Picture",
        title: "Save a picture of this moment for a report (R)",
        act: this.report,
        needs: this.loaded,
      },
      ...this.linked("ask", "search", "Ask about this", "Ask about this kitchen and range, in a new tab"),
      ...this.linked("dashboard", "rise", "Dashboard", "Open the dashboard of this kitchen and range, in a new tab"),
      {
        name: "present",
        sign: "expand",
        label: "Present",
        title: "Full screen, for a wall or a meeting (P)",
        act: this.present,
        needs: () => document.fullscreenEnabled,
      },
      {
        name: "tour",
        sign: "tour",
        label: "Guided tour",
        title: "Show what is where",
        act: this.startTour,
        needs: this.loaded,
        only: "menu",
      },
      {
        name: "theme",
        sign: "theme",
        label: "Toggle theme",
        title: "Light or dark (T)",
        act: this.toggleTheme,
        quiet: true,
      },
      {
        name: "help",
        sign: "question",
        label: "Help",
        title: "Keys, how to read the page, definitions (?)",
        act: () => this.help.open(),
        quiet: true,
      },
    ].filter(({ name }) => !this.model.without.includes(name));
  }

  /** The command that opens a page of others about what is seen; none where the operator set no address. */
  linked(name, sign, label, title) {
    const template = this.model.links[name];
    if (!template) return [];
    const act = () => {
      const { start, end } = this.clock.anchor;
      const range = { start: this.clock.zone.addressText(start), end: this.clock.zone.addressText(end) };
      open(addressOf(template, { location: this.model.place_id, ...range }), "_blank", "noopener,noreferrer");
    };
    return [{ name, sign, label, title, act, needs: this.loaded, only: "menu" }];
  }

  buildMenu() {
    this.menu = el("div", { class: "menu", popover: "auto", "aria-label": "More", role: "group" });
    this.bar = this.COMMANDS.filter(({ only }) => only !== "menu").map((command) => [
      command,
      this.button(command, "bar"),
    ]);
    this.items = this.COMMANDS.map((command) => [command, this.button(command, "menu")]);
    this.menu.append(...this.items.map(([, node]) => node));
    this.more = el("button", {
      type: "button",
      class: "button pill alone more",
      "aria-label": "More",
      title: "More",
      "aria-expanded": "false",
      "aria-haspopup": "true",
      "data-testid": "more",
    });
    this.more.append(icon("more", 17));
    this.more.popoverTargetElement = this.menu;
    this.menu.addEventListener("toggle", (event) => hang(event, this.menu, this.more));
    this.beside.addEventListener("toggle", (event) => {
      const button = this.bar.find(([{ opens }]) => opens === this.beside)?.[1];
      if (button) hang(event, this.beside, button.offsetParent ? button : this.more);
    });
  }

  buildOffer() {
    this.offer.append(
      el(
        "button",
        { type: "button", class: "button pill inviting", onclick: this.startTour, "data-testid": "tour-start" },
        icon("tour", 15),
        "New here? Take the tour",
      ),
      iconButton(
        "close",
        "No tour, thank you",
        () => {
          memory.set(TOURED, "yes");
          this.offer.hidden = true;
        },
        { class: "button dismiss", "data-testid": "tour-dismiss" },
      ),
    );
  }

  listen() {
    const stop = this.clock.on(this.update);
    document.addEventListener("fullscreenchange", this.screen);
    this.model.on("waiting", this.skeleton.show);
    this.model.on("after_render", () => {
      this.update();
      this.skeleton.show();
    });
    this.model.on("remove", () => {
      stop();
      this.keys.remove();
      this.tour.remove();
      this.signIn.close();
      this.toast.remove();
      this.skeleton.remove();
      document.removeEventListener("fullscreenchange", this.screen);
    });
    this.update();
    this.screen();
  }

  buildUser() {
    const name = el("span", { class: "name" });
    this.user = el("span", { class: "user", "data-testid": "user", hidden: true }, name);
    this.expired = el(
      "button",
      {
        type: "button",
        class: "button solid",
        "data-testid": "sign-in",
        hidden: true,
        title: "Your sign-in has expired: nothing new can be read. This reloads the page, which signs you in.",
        onclick: () => location.reload(),
      },
      "Sign in again",
    );
    // whom the proxy forwards is told to this browser alone, not to the page; without an answer there is no name
    this.signIn = new SignIn({
      address: this.model.user,
      told: (named, expired) => {
        this.expired.hidden = !expired;
        this.update();
        if (!named) return;
        this.user.hidden = false;
        this.user.title = `Signed in as ${named}`;
        this.user.dataset.initials = named
          .split("@")[0]
          .split(/[^\p{L}\p{N}]+/u)
          .filter(Boolean)
          .map((word) => word[0])
          .slice(0, 2)
          .join("")
          .toUpperCase();
        name.textContent = named;
      },
    });
    if (this.model.user) this.signIn.look();
  }

  assemble() {
    this.root = el(
      "div",
      {
        class: Object.keys(this.model.links).length ? "chrome linked" : "chrome",
        role: "group",
        "aria-label": "Page",
        "data-testid": "chrome",
      },
      this.user,
      this.expired,
      this.offer,
      ...this.bar.map(([, node]) => node),
      this.more,
      this.menu,
      this.beside,
      this.help.node,
      this.tour.node,
      this.link.node,
      this.printing,
      this.skeleton.node,
      ...this.toast.parts,
    );
  }

  report = async () => {
    if (!isReadable()) {
      this.printing.open_();
      return;
    }
    const name = await saveReport(this.model.clock, {
      place: this.model.place || "Kitchen",
      id: this.model.place_id,
      t: this.clock.now(),
    });
    this.toast.say(
      name ? `Picture saved: ${name}` : "There is nothing to put into a picture yet",
      name ? "check" : "alert",
    );
  };

  present = () => {
    const change = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen();
    change.catch(() => this.toast.say("The browser does not allow full screen here", "alert"));
  };

  toggleTheme = () => {
    this.model.dark = !this.model.dark;
  };

  loaded = () => (this.clock.anchor?.end ?? 0) > (this.clock.anchor?.start ?? 0);

  startTour = () => {
    this.offer.hidden = true;
    this.tour.start();
  };

  /**
   * @param {{ sign: string, label: string, title: string, act?: Function, opens?: HTMLElement, quiet?: boolean,
   *   name: string, only?: string }} command
   */
  button({ sign, label, title, act, opens, quiet, name, only }, within) {
    const node = el("button", {
      type: "button",
      class: within === "menu" ? `item${only ? "" : " barred"}` : `button pill${quiet ? " alone" : ""}`,
      title,
      "aria-label": within === "menu" ? undefined : label,
      onclick: () => {
        if (this.menu.matches(":popover-open")) this.menu.hidePopover();
        if (act) act();
        else if (within === "menu") opens.showPopover();
      },
      "data-testid": within === "menu" ? `menu-${name}` : name,
    });
    node.append(icon(sign, 15), el("span", { class: "label" }, label));
    if (opens) node.setAttribute("aria-haspopup", "true");
    if (opens && within === "bar") node.popoverTargetElement = opens;
    return node;
  }

  update = () => {
    for (const [{ needs }, node] of [...this.bar, ...this.items]) node.hidden = needs ? !needs() : false;
    this.offer.hidden =
      this.model.without.includes("tour") ||
      !this.loaded() ||
      memory.get(TOURED) !== null ||
      this.expired?.hidden === false;
  };

  screen = () => {
    for (const [{ name }, node] of [...this.bar, ...this.items])
      if (name === "present") {
        node.querySelector(".label").textContent = document.fullscreenElement ? "Leave full screen" : "Present";
        node.setAttribute("aria-pressed", String(!!document.fullscreenElement));
      }
  };
}

function render(view) {
  return new ChromeBar(view).root;
}

export { render };
