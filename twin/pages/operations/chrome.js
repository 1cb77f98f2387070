// The page's own controls: link, report, presentation, tour, help; their keys; and the skeleton while a location loads.

import { clockFrom } from "../../views/shared/clock.js";
import { el, icon } from "../../views/shared/elements.js";
import { twin } from "../../views/shared/registry.js";
import { selectionOf } from "../../views/shared/verbs.js";
import { buildHelp, dialogOf, iconButton } from "./help.js";
import { memory, pageKeys } from "./keys.js";
import { saveReport } from "./report.js";
import { buildTour, TOURED } from "./tour.js";

const TOAST_FOR = 3200;
/** A load that is over sooner shows no skeleton: nothing flickers. The words come when it takes longer than a second. */
const SKELETON_AFTER = 250;
const WORDS_AFTER = 1000;

/** A short word at the lower edge of the window, read out politely. Above everything, so a popover; `quiet`: Escape is not for it. */
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

/** The address of what is seen now: the page's own, with the playhead and speed of this instant (the server writes them when paused). */
function linkTo(clock) {
  const url = new URL(location.href);
  if (clock.anchor && url.searchParams.has("location")) {
    url.searchParams.set("t", new Date(Math.floor(clock.now()) * 1000).toISOString().slice(0, 19));
    url.searchParams.set("speed", String(clock.anchor.speed));
  }
  return url.href.replaceAll("%3A", ":").replaceAll("%2C", ",");
}

/** Put a link on the clipboard; where the browser forbids that (plain http, permission), offer it in a field to copy by hand. */
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

function render({ model }) {
  const clock = clockFrom(model);
  const selected = selectionOf(model);
  const toast = buildToast();
  const link = buildLink(clock, toast);
  const tour = buildTour();
  const skeleton = buildSkeleton(model);
  const report = async () => {
    const name = await saveReport(model.clock, { place: model.place || "Kitchen", id: model.place_id, t: clock.now() });
    toast.say(name ? `Picture saved: ${name}` : "There is nothing to put into a picture yet", name ? "check" : "alert");
  };
  const present = () => {
    const change = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen();
    change.catch(() => toast.say("The browser does not allow full screen here", "alert"));
  };
  const toggleTheme = () => {
    model.dark = !model.dark;
  };
  const loaded = () => (clock.anchor?.end ?? 0) > (clock.anchor?.start ?? 0);
  const keys = pageKeys(
    {
      "?": () => help.open(),
      c: () => loaded() && link.copy(),
      r: () => loaded() && report(),
      p: () => document.fullscreenEnabled && present(),
      t: () => toggleTheme(),
      f: () => twin.mapcommands?.get(model.clock)?.toggleFit?.(),
    },
    () => (model.waiting ? skeleton.give_up() : selected.clear()),
  );
  const help = buildHelp(model.definitions, keys, () => startTour());
  const offer = el("span", { class: "offer", "data-testid": "tour-offer" });
  const startTour = () => {
    offer.hidden = true;
    tour.start();
  };

  const COMMANDS = [
    {
      name: "link",
      sign: "link",
      label: "Copy link",
      title: "Copy a link to exactly this moment (C)",
      act: () => link.copy(),
      needs: loaded,
    },
    {
      name: "report",
      sign: "image",
      label: "Picture",
      title: "Save a picture of this moment for a report (R)",
      act: report,
      needs: loaded,
    },
    {
      name: "present",
      sign: "expand",
      label: "Present",
      title: "Full screen, for a wall or a meeting (P)",
      act: present,
      needs: () => document.fullscreenEnabled,
    },
    {
      name: "tour",
      sign: "tour",
      label: "Guided tour",
      title: "Show what is where",
      act: startTour,
      needs: loaded,
      only: "menu",
    },
    { name: "theme", sign: "theme", label: "Toggle theme", title: "Light or dark (T)", act: toggleTheme, quiet: true },
    {
      name: "help",
      sign: "question",
      label: "Help",
      title: "Keys, how to read the page, definitions (?)",
      act: () => help.open(),
      quiet: true,
    },
  ];
  /** @param {{sign: string, label: string, title: string, act: Function, quiet?: boolean, name: string}} command */
  const button = ({ sign, label, title, act, quiet, name }, within) => {
    const node = el("button", {
      type: "button",
      class: within === "menu" ? "item" : `button pill${quiet ? " alone" : ""}`,
      title,
      "aria-label": within === "menu" ? undefined : label,
      onclick: () => {
        if (menu.matches(":popover-open")) menu.hidePopover();
        act();
      },
      "data-testid": within === "menu" ? `menu-${name}` : name,
    });
    node.append(icon(sign, 15), el("span", { class: "label" }, label));
    return node;
  };
  const menu = el("div", { class: "menu", popover: "auto", "aria-label": "More", role: "group" });
  const bar = COMMANDS.filter(({ only }) => only !== "menu").map((command) => [command, button(command, "bar")]);
  const items = COMMANDS.map((command) => [command, button(command, "menu")]);
  menu.append(...items.map(([, node]) => node));
  const more = el("button", {
    type: "button",
    class: "button pill alone more",
    "aria-label": "More",
    title: "More",
    "aria-expanded": "false",
    "aria-haspopup": "true",
    "data-testid": "more",
  });
  more.append(icon("more", 17));
  more.popoverTargetElement = menu;
  menu.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    const box = more.getBoundingClientRect();
    more.setAttribute("aria-expanded", String(open));
    if (!open) {
      if (menu.matches(":focus-within")) more.focus();
      return;
    }
    menu.style.top = `${box.bottom + 6}px`;
    menu.style.right = `${Math.max(8, innerWidth - box.right)}px`;
    items[0][1].focus();
  });
  offer.append(
    el(
      "button",
      { type: "button", class: "button pill inviting", onclick: startTour, "data-testid": "tour-start" },
      icon("tour", 15),
      "New here? Take the tour",
    ),
    iconButton(
      "close",
      "No tour, thank you",
      () => {
        memory.set(TOURED, "yes");
        offer.hidden = true;
      },
      { class: "button dismiss", "data-testid": "tour-dismiss" },
    ),
  );

  const update = () => {
    for (const [{ needs }, node] of [...bar, ...items]) node.hidden = needs ? !needs() : false;
    offer.hidden = !loaded() || memory.get(TOURED) !== null;
  };
  const screen = () => {
    for (const [{ name }, node] of [...bar, ...items])
      if (name === "present") {
        node.querySelector(".label").textContent = document.fullscreenElement ? "Leave full screen" : "Present";
        node.setAttribute("aria-pressed", String(!!document.fullscreenElement));
      }
  };
  const stop = clock.on(update);
  document.addEventListener("fullscreenchange", screen);
  model.on("waiting", skeleton.show);
  model.on("after_render", () => {
    update();
    skeleton.show();
  });
  model.on("remove", () => {
    stop();
    keys.remove();
    tour.remove();
    toast.remove();
    skeleton.remove();
    document.removeEventListener("fullscreenchange", screen);
  });
  update();
  screen();
  const name = el("span", { class: "name" });
  const user = el("span", { class: "user", "data-testid": "user", hidden: true }, name);
  // whom the proxy forwards is told to this browser alone, not to the page; without an answer there is no name
  if (model.user)
    fetch(model.user)
      .then((answer) => (answer.ok ? answer.json() : { name: "" }))
      .then((told) => {
        if (!told.name) return;
        user.hidden = false;
        user.title = `Signed in as ${told.name}`;
        user.dataset.initials = told.name
          .split("@")[0]
          .split(/[^\p{L}\p{N}]+/u)
          .filter(Boolean)
          .map((word) => word[0])
          .slice(0, 2)
          .join("")
          .toUpperCase();
        name.textContent = told.name;
      })
      .catch(() => {});
  return el(
    "div",
    { class: "chrome", role: "group", "aria-label": "Page", "data-testid": "chrome" },
    user,
    offer,
    ...bar.map(([, node]) => node),
    more,
    menu,
    help.node,
    tour.node,
    link.node,
    skeleton.node,
    ...toast.parts,
  );
}

export { render };
