// The form of /adapt: what the columns probably mean, what is asked, and what that makes of the rows.

import { el, icon } from "../../views/shared/elements.js";

const many = (n) => n.toLocaleString("en-US");
const plural = (n, one, more = `${one}s`) => `${many(n)} ${n === 1 ? one : more}`;
const LANES = [
  ["order_created", "created"],
  ["gk_started", "cooking"],
  ["gk_finished", "ready"],
  ["gk_ready", "ready"],
  ["driver_picked_up", "out_for_delivery"],
];
const FILL = { ...Object.fromEntries(LANES), delivered: "completed", driver_arrived: "", order_cancelled: "cancelled" };
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

/** The milestones in the order in which they happen, with the median time after an order's first event. */
function chain(process) {
  return process.map((step) =>
    el(
      "li",
      {
        class: "step graphic",
        style:
          `--fill: var(--tw-${(FILL[step.event] || "created").replace("cancelled", "bad")}` +
          `${FILL[step.event] === "cancelled" ? "" : "-fill"})`,
      },
      el("i", { "aria-hidden": "true" }),
      el("b", {}, step.name),
      el("span", { class: "mute" }, step.after === "0 min" ? "first" : `+ ${step.after}`),
      el("span", { class: "mute" }, plural(step.orders, "order")),
    ),
  );
}

/** An order's life as a lane: stages in their colours, on one scale for all. */
function lane(order, longest) {
  const share = (seconds) => (longest ? (seconds / longest) * 100 : 0);
  const marks = [...order.times].sort((a, b) => a[2] - b[2]);
  const parts = [];
  marks.forEach(([kind, , at], index) => {
    const next = marks[index + 1];
    const stage =
      marks
        .slice(0, index + 1)
        .reverse()
        .map(([one]) => FILL[one])
        .find((fill) => fill) || "created";
    if (next && stage !== "completed" && stage !== "cancelled")
      parts.push(
        el("i", {
          class: "spell",
          style: `left:${share(at)}%;width:${share(next[2] - at)}%;background:var(--tw-${stage}-fill)`,
        }),
      );
    if (kind === "driver_arrived") parts.push(el("i", { class: "dot arrived", style: `left:${share(at)}%` }));
    if (kind === "delivered") parts.push(el("i", { class: "dot delivered", style: `left:${share(at)}%` }));
    if (kind === "order_cancelled") parts.push(el("i", { class: "dot cancelled", style: `left:${share(at)}%` }));
  });
  const words = marks.map(([, name, , text]) => `${name} ${text.slice(11, 19)}`).join(", ");
  return el(
    "li",
    { class: `order${order.wrong ? " is-wrong" : ""}`, title: words },
    el("span", { class: "id" }, order.order),
    el("span", { class: "begin mute" }, order.begin.slice(0, 16)),
    el("span", { class: "lane graphic", role: "img", "aria-label": words }, ...parts),
    el("span", { class: "said" }, words),
  );
}

function render({ model }) {
  const send = (message) => model.send_msg(message);
  const facts = el("dl", { class: "facts" });
  const shapes = el("div", { class: "shapes", role: "group", "aria-label": "What a row is" });
  const questions = el("section", { class: "card part asks", "data-testid": "questions", "aria-live": "polite" });
  const asked = el("div", {});
  questions.append(el("h2", {}, "Only you can say"), asked);
  const heads = ["Means", "Confidence", "Orders that contradict"];
  const columns = table(
    "Columns",
    "Guessed from names, values and the order in which things happen. Correct what is wrong.",
    ["Column", "Values", ...heads],
    "columns",
  );
  const activities = table(
    "Activities",
    "What the names of events mean. Those not used stay in the log, of unknown type.",
    ["Name", "Rows", ...heads],
    "activities",
  );
  const notes = el("ul", { class: "notes", "data-testid": "notes" });
  const counts = el("p", { class: "counts", "data-testid": "counts", role: "status" });
  const reasons = el("ul", { class: "notes" });
  const steps = el("ol", { class: "chain" });
  const orders = el("ol", { class: "orders" });
  const scale = el("span", { class: "mute" });
  const result = el(
    "section",
    { class: "card part", "data-testid": "result" },
    el("h2", {}, "What it makes of all rows"),
    counts,
    reasons,
    steps,
    el("h3", {}, "Twenty orders ", scale),
    orders,
  );
  const yaml = el("pre", { tabindex: 0, "aria-label": "The adapter as YAML" });
  const details = el("details", { class: "card part" }, el("summary", {}, "The adapter as a file"), yaml);
  const save = el("button", {
    type: "button",
    class: "first",
    "data-testid": "save",
    onclick: () => send({ save: true }),
  });
  const reset = el(
    "button",
    { type: "button", class: "second", onclick: () => send({ reset: true }) },
    "Undo my corrections",
  );
  const problem = el("p", { class: "problem", role: "alert" });
  const hint = el("p", { class: "mute hint" });
  const bar = el(
    "footer",
    { class: "actions" },
    el("div", { class: "within" }, el("div", {}, problem, hint), reset, save),
  );
  const lead = el("p", { class: "lead" });
  const form = el("div", { class: "form" }, questions, columns.node, activities.node, result, details);
  const notice = el("div", {});
  const root = el(
    "main",
    { class: "adapt", "data-testid": "adapt" },
    el(
      "div",
      { class: "page" },
      el("header", {}, el("h1", {}, "What do these columns mean?"), lead, facts, shapes),
      notes,
      notice,
      form,
    ),
    bar,
  );

  let state = model.state;
  const columnRows = keyed(columns.body, (guess) =>
    row(
      guess,
      () => state.groups,
      (role) => send({ column: guess.name, role }),
      "Values",
    ),
  );
  const activityRows = keyed(activities.body, (guess) =>
    row(
      guess,
      () => [["", state.events]],
      (event) => send({ label: guess.name, event }),
      "Rows",
    ),
  );
  const asking = keyed(asked, (one) =>
    question(one, ({ kind, column }, answer) => send({ question: kind, column, answer })),
  );

  const card = (kind, title, text, ...ways) => {
    const sign = el("span", { class: `sign is-${kind}` });
    sign.append(icon(kind === "error" ? "alert" : "check", 24));
    return el(
      "div",
      { class: "card notice", role: kind === "error" ? "alert" : "status", "data-testid": `adapt-${kind}` },
      sign,
      el("h2", {}, title),
      el("p", { class: "mute" }, text),
      el("div", { class: "ways" }, ...ways),
    );
  };
  const open = el("a", { class: "first", href: "./", "data-testid": "open" }, "Open the kitchens");

  const showCheck = (check) => {
    result.hidden = !check;
    if (!check) return;
    const ready = check.status === "ready";
    steps.hidden = orders.hidden = reasons.hidden = !ready;
    result.querySelector("h3").hidden = !ready;
    result.setAttribute("aria-busy", String(check.status === "counting"));
    if (!ready) {
      counts.textContent = check.status === "counting" ? "Counting all rows …" : check.message;
      return;
    }
    const unit = check.is_wide ? "times of orders" : "rows";
    counts.textContent =
      `${many(check.read)} ${unit} read = ${many(check.used)} used + ${many(check.aside)} set aside. ` +
      `${plural(check.orders, "order")} at ${plural(check.kitchens, "kitchen")}.`;
    reasons.replaceChildren(
      ...check.reasons.map(([reason, n]) => el("li", {}, `${many(n)} set aside: ${reason}`)),
      ...check.flags.map(([flag, n]) => el("li", {}, `${many(n)} used, but: ${flag}`)),
      ...check.process
        .filter((step) => step.wrong)
        .map((step) =>
          el(
            "li",
            { class: "wrong" },
            `${plural(step.wrong, "order")} where ${step.name} contradicts the order of the process`,
          ),
        ),
    );
    reasons.hidden = !reasons.children.length;
    steps.replaceChildren(...chain(check.process));
    scale.textContent = `the longest takes ${check.scale}`;
    orders.replaceChildren(...check.preview.map((order) => lane(order, check.longest)));
  };

  const show = () => {
    state = model.state;
    const ready = state.status === "ready";
    form.hidden = facts.hidden = shapes.hidden = notes.hidden = bar.hidden = !ready;
    notice.hidden = ready;
    root.setAttribute("aria-busy", String(state.status === "loading" || Boolean(state.busy)));
    if (!ready) {
      lead.textContent = state.status === "loading" ? "Looking at the file …" : "";
      notice.replaceChildren(
        ...(state.status === "saved"
          ? [
              card(
                "saved",
                `${state.file} is written`,
                `${state.source} is open. The adapter is used from now on, here, by twin check and in notebooks.`,
                open,
              ),
            ]
          : state.status === "open"
            ? [card("open", "Nothing to adapt", state.message, open)]
            : state.status === "error"
              ? [
                  card(
                    "error",
                    "This source cannot be adapted",
                    state.message,
                    el("button", { type: "button", class: "first", onclick: () => send({ retry: true }) }, "Try again"),
                  ),
                ]
              : [el("div", { class: "card notice waiting", "aria-hidden": "true" }, el("i"), el("i"), el("i"))]),
      );
      if (state.status === "saved") open.focus();
      return;
    }
    lead.textContent =
      `${state.source} has no event columns. This is what its columns probably are; correct what is wrong, look at ` +
      "twenty orders, and use it.";
    facts.replaceChildren(
      el("div", {}, el("dt", {}, "File"), el("dd", {}, state.source)),
      el("div", {}, el("dt", {}, "Rows looked at"), el("dd", {}, many(state.rows))),
      el("div", {}, el("dt", {}, "Columns"), el("dd", {}, many(state.columns.length))),
    );
    const focused = shapes.contains(root.getRootNode().activeElement);
    shapes.replaceChildren(
      ...state.shapes.map(([shape, words]) =>
        el(
          "button",
          { type: "button", "aria-pressed": String(shape === state.shape), onclick: () => send({ shape }) },
          words[0].toUpperCase() + words.slice(1),
        ),
      ),
    );
    if (focused) shapes.querySelector('[aria-pressed="true"]').focus();
    questions.hidden = !state.questions.length;
    asking(state.questions, (one) => `${one.kind} ${one.column}`);
    columnRows(state.columns, (one) => one.name);
    activities.node.hidden = !state.activities.length;
    activityRows(state.activities, (one) => one.name);
    notes.replaceChildren(...[state.lacks, ...state.notes].filter(Boolean).map((text) => el("li", {}, text)));
    notes.hidden = !notes.children.length;
    showCheck(state.check);
    details.hidden = !state.yaml;
    yaml.textContent = state.yaml;
    problem.textContent = state.problem;
    const isReady = state.yaml && state.check?.status === "ready" && !state.busy;
    save.disabled = !isReady || state.saving;
    save.textContent = state.saving ? "Opening …" : "Use it";
    reset.hidden = !state.corrected;
    hint.textContent = state.problem
      ? ""
      : state.questions.length
        ? `${plural(state.questions.length, "question")} to answer first.`
        : state.lacks
          ? state.lacks
          : "Writes one file beside the data; the data itself stays as it is.";
  };
  model.on("state", show);
  show();
  return root;
}

export { render };
