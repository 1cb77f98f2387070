// What is guessed and asked on /adapt: a table of columns or of activities, and questions only a person can answer.

import { el, icon } from "../../views/shared/elements.js";
import { many } from "../../views/shared/numbers.js";

const VERDICTS = { sure: "check", likely: "", unsure: "question", chosen: "check" };

/** A list of nodes by key that are made once and updated in place, so that the focus stays where it is. */
function keyed(parent, make) {
  const nodes = new Map();
  return (items, key) => {
    const wanted = new Set(items.map(key));
    for (const [name, one] of nodes)
      if (!wanted.has(name)) {
        one.node.remove();
        nodes.delete(name);
      }
    items.forEach((item, place) => {
      const name = key(item);
      if (!nodes.has(name)) nodes.set(name, make(item));
      const one = nodes.get(name);
      one.update(item);
      if (parent.children[place] !== one.node) parent.insertBefore(one.node, parent.children[place] ?? null);
    });
  };
}

function pill(guess) {
  if (!guess.verdict) return el("span", { class: "mute" }, "–");
  const node = el("span", { class: `pill is-${guess.verdict}`, title: guess.reason });
  if (VERDICTS[guess.verdict]) node.append(icon(VERDICTS[guess.verdict], 12));
  node.append(guess.verdict === "chosen" ? "your choice" : `${guess.verdict} · ${guess.confidence} %`);
  return node;
}

function contradictions(guess) {
  if (!guess.role || !guess.orders) return el("span", { class: "mute" }, "–");
  const words = `${many(guess.wrong)} of ${many(guess.orders)}`;
  if (!guess.wrong) return el("span", { class: "mute" }, words);
  const node = el("span", { class: "wrong" });
  node.append(icon("alert", 12), words);
  return node;
}

/** A select whose options are rebuilt only when they change. */
function choice(label, onchange) {
  const select = el("select", { "aria-label": label, onchange: () => onchange(select.value) });
  let built = "";
  return {
    select,
    update(groups, value) {
      const text = JSON.stringify(groups);
      if (text !== built) {
        built = text;
        select.replaceChildren(
          el("option", { value: "" }, "not used"),
          ...groups.flatMap(([title, roles]) => {
            const options = roles.map(([role, name]) => el("option", { value: role }, name));
            return title ? el("optgroup", { label: title }, ...options) : options;
          }),
        );
      }
      select.value = value;
      // a role that this shape does not offer, such as the day of times of day, is shown all the same
      if (value && select.value !== value) {
        select.append(el("option", { value, disabled: true }, "the day of the times"));
        built = "";
        select.value = value;
      }
    },
  };
}

function row(guess, options, onchange, what) {
  const pick = choice(`${guess.name} means`, onchange);
  const name = el("span", { class: "name", role: "rowheader" });
  const samples = el("span", { class: "samples", role: "cell", "data-label": what });
  const sure = el("span", { class: "sure", role: "cell", "data-label": "Confidence" });
  const wrong = el("span", { class: "against", role: "cell", "data-label": "Orders that contradict" });
  const node = el(
    "div",
    { class: "row", role: "row", "data-testid": `guess-${guess.name}` },
    name,
    samples,
    el("span", { class: "means", role: "cell" }, pick.select),
    sure,
    wrong,
  );
  return {
    node,
    update(now) {
      name.textContent = now.name;
      name.title = now.name;
      samples.replaceChildren(...now.samples.map((sample) => el("code", {}, sample)));
      pick.update(options(), now.role);
      sure.replaceChildren(pill(now));
      wrong.replaceChildren(contradictions(now));
      node.classList.toggle("unused", !now.role);
    },
  };
}

function table(title, hint, heads, testid) {
  const body = el("div", { role: "rowgroup", class: "rows" });
  const id = `h-${testid}`;
  const node = el(
    "section",
    { class: "card part", "data-testid": testid },
    el("h2", { id }, title),
    el("p", { class: "mute" }, hint),
    el(
      "div",
      { role: "table", "aria-labelledby": id, class: "table" },
      el(
        "div",
        { role: "rowgroup" },
        el(
          "div",
          { role: "row", class: "row heads" },
          ...heads.map((head) => el("span", { role: "columnheader" }, head)),
        ),
      ),
      body,
    ),
  );
  return { node, body };
}

function question(asked, answer) {
  const id = `q-${asked.kind}-${asked.column}`.replace(/\W+/g, "-");
  const node = el("fieldset", { class: "question", "data-testid": id }, el("legend", {}, asked.sentence));
  if (asked.kind === "day or month") {
    const way = (value, words) =>
      el("button", { type: "button", class: "second", onclick: () => answer(asked, value) }, words);
    node.append(el("div", { class: "ways" }, way("day", "Day first"), way("month", "Month first")));
  } else {
    const field =
      asked.kind === "day"
        ? el("input", { type: "date", "aria-label": "Day", required: true })
        : el("input", { type: "number", min: 1990, max: 2099, step: 1, "aria-label": "Year", required: true });
    const form = el("form", { class: "ways" }, field, el("button", { type: "submit", class: "second" }, "Answer"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(asked, field.value);
    });
    node.append(form);
  }
  return { node, update() {} };
}

export { keyed, question, row, table };
