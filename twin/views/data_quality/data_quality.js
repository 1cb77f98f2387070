import { el, icon } from "../shared/elements.js";

const many = (n) => n.toLocaleString("en-US");
const rowsText = (n) => `${many(n)} ${n === 1 ? "row" : "rows"}`;
const filesText = (n) => `${many(n)} ${n === 1 ? "file" : "files"} left out`;
const GUESSED = "some text taken for Latin-1";
const MARGIN = 12;

/** One group of counted reasons: a caption, what it means, and the counts with bars against the largest. */
function reasonTable(caption, meaning, reasons, kind) {
  const largest = Math.max(1, ...reasons.map(([, n]) => n));
  return el(
    "section",
    { class: kind },
    el("h4", {}, caption),
    el("p", { class: "mute" }, meaning),
    el(
      "table",
      { "data-testid": `health-${kind}` },
      el(
        "tbody",
        {},
        ...reasons.map(([reason, n]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, reason),
            el(
              "td",
              { class: "share graphic", "aria-hidden": "true" },
              el("i", { style: `width:${Math.max(3, (100 * n) / largest)}%` }),
            ),
            el("td", { class: "n" }, many(n)),
          ),
        ),
      ),
    ),
  );
}

/** The files that could not be read: none of their rows is in the counts above. */
function fileList(count, sentences) {
  const more = count - sentences.length;
  return el(
    "section",
    { class: "files", "data-testid": "health-files" },
    el("h4", {}, filesText(count)),
    el("p", { class: "mute" }, "Their rows are not among those counted above."),
    el(
      "ul",
      {},
      ...sentences.map((sentence) => el("li", {}, sentence)),
      ...(more ? [el("li", { class: "mute" }, `… and ${many(more)} more, named in the server's log.`)] : []),
    ),
  );
}

/** The files whose encoding is a guess: their rows are used, and their letters may be others. */
function guessList(count, sentences) {
  const more = count - sentences.length;
  return el(
    "section",
    { class: "files", "data-testid": "health-guesses" },
    el("h4", {}, GUESSED),
    el("p", { class: "mute" }, "They are used. Save them as UTF-8 if letters look wrong."),
    el(
      "ul",
      {},
      ...sentences.map((sentence) => el("li", {}, sentence)),
      ...(more ? [el("li", { class: "mute" }, `… and ${many(more)} more, named in the server's log.`)] : []),
    ),
  );
}

/** How much of the data could be used, in a chip and a sheet that says what was set aside. */
class DataQualityChip {
  constructor({ model }) {
    this.model = model;
    this.used = el("strong");
    this.aside = el("span");
    this.mark = el("span", { class: "mark" });
    this.sheet = el("div", {
      class: "sheet",
      popover: "auto",
      role: "dialog",
      "aria-label": "Data health",
      tabindex: "-1",
      "data-testid": "health-details",
    });
    this.chip = el(
      "button",
      {
        class: "chip",
        type: "button",
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        "data-testid": "health",
        title: "Which rows this page stands on",
      },
      this.mark,
      el("span", {}, el("span", { class: "lead" }, "Data: "), this.used, this.aside),
    );
    this.chip.popoverTargetElement = this.sheet; // the browser opens it, and closes it on Escape or a click outside
    this.buildSheet();
    this.buildAge();
    this.assemble();
  }

  buildSheet() {
    // browsers give the focus back by themselves, but not across the shadow roots of nested layouts
    let inside = false;
    this.sheet.addEventListener("beforetoggle", (event) => {
      inside = event.newState === "closed" && this.sheet.matches(":focus-within");
    });
    this.sheet.addEventListener("toggle", (event) => {
      const open = event.newState === "open";
      this.chip.setAttribute("aria-expanded", String(open));
      if (!open && inside) this.chip.focus();
      if (!open) return;
      this.place();
      this.sheet.focus();
    });
    addEventListener("resize", this.place);
    this.model.on("remove", () => removeEventListener("resize", this.place));
  }

  buildAge() {
    // how old the data are: kept over redrawing, so that the button keeps the focus
    const when = el("span");
    const note = el("p", { role: "status", "data-testid": "health-note" });
    const look = el("button", {
      type: "button",
      class: "look",
      "data-testid": "health-look",
      onclick: () => this.model.send_msg({ act: "look" }),
    });
    this.age = el("footer", { "data-testid": "health-age" }, when, look, note);
    const showAge = () => {
      this.age.hidden = !this.model.age.as_of;
      when.textContent = `As of ${this.model.age.as_of}`;
      look.textContent = this.model.looking ? "Looking …" : this.model.age.stale ? "Try again" : "Look for newer";
      look.setAttribute("aria-disabled", String(this.model.looking));
      note.textContent = this.model.age.note ?? "";
      note.className = this.model.age.stale ? "bad" : "mute";
    };
    for (const name of ["age", "looking"]) this.model.on(name, showAge);
    showAge();
  }

  assemble() {
    this.root = el("div", { class: "health" }, this.chip, this.sheet);
    this.model.on("state", this.show);
    this.show();
  }

  place = () => {
    const box = this.chip.getBoundingClientRect();
    const width = this.sheet.offsetWidth;
    this.sheet.style.left = `${Math.max(MARGIN, Math.min(box.right - width, innerWidth - width - MARGIN))}px`;
    this.sheet.style.top = `${box.bottom + 6}px`;
    this.sheet.style.maxHeight = `${innerHeight - box.bottom - 6 - MARGIN}px`;
  };

  show = () => {
    const s = this.model.state;
    this.root.hidden = s.read === undefined; // nothing to account for until something is loaded
    if (this.root.hidden) return;
    const set = s.rejected.reduce((sum, [, n]) => sum + n, 0);
    this.used.textContent = many(s.used);
    const files = s.left_out ? filesText(s.left_out) : "";
    this.aside.textContent = [
      ` ${s.used === 1 ? "row" : "rows"} used`,
      ...(set ? [`${many(set)} set aside`] : []),
      ...(files ? [files] : []),
      ...(s.guessed ? [GUESSED] : []),
    ].join(" · ");
    const odd = set || files || s.guessed;
    this.mark.className = `mark ${odd ? "warn" : "good"}`;
    this.mark.replaceChildren(icon(odd ? "alert" : "check", 12));
    const remarks = [`${many(set)} set aside`, files, s.guessed ? GUESSED : ""].filter(Boolean).join(", ");
    this.chip.setAttribute("aria-label", `Data health: ${rowsText(s.used)} used, ${remarks}. Show the reasons`);
    this.sheet.replaceChildren(
      el(
        "header",
        {},
        el("h3", {}, "Data health"),
        (() => {
          const close = el("button", {
            class: "close",
            type: "button",
            "aria-label": "Close",
            onclick: () => this.sheet.hidePopover(),
          });
          close.append(icon("close", 16));
          return close;
        })(),
      ),
      el(
        "p",
        { class: "sum", "data-testid": "health-sum" },
        el("b", {}, many(s.used)),
        " used + ",
        el("b", {}, many(set)),
        " set aside = ",
        el("b", {}, many(s.read)),
        " rows read",
      ),
      el(
        "div",
        { class: "bar graphic", "aria-hidden": "true" },
        el("i", { class: "ok", style: `flex-grow:${s.used}` }),
        el("i", { class: "out", style: `flex-grow:${set}`, hidden: !set }),
      ),
      ...(set
        ? [reasonTable("Set aside", "Not used anywhere on this page.", s.rejected, "rejected")]
        : [el("p", { class: "mute" }, "Every row read is used.")]),
      ...(files ? [fileList(s.left_out, s.named)] : []),
      ...(s.guessed ? [guessList(s.guessed, s.guesses)] : []),
      ...(s.flagged.length
        ? [
            reasonTable(
              "Used, but suspicious",
              "Used as far as they go; look here first when a figure seems odd.",
              s.flagged,
              "flagged",
            ),
          ]
        : []),
      this.age,
    );
  };
}

function render(view) {
  return new DataQualityChip(view).root;
}

export { render };
