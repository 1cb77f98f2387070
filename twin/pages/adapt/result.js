// What a mapping makes of all rows: how many are used, the process that comes out, and twenty orders as lanes.

import { el } from "../../views/shared/elements.js";
import { many, plural } from "../../views/shared/numbers.js";

const LANES = [
  ["order_created", "created"],
  ["gk_started", "cooking"],
  ["gk_finished", "ready"],
  ["gk_ready", "ready"],
  ["driver_picked_up", "out_for_delivery"],
];
const FILL = { ...Object.fromEntries(LANES), delivered: "completed", driver_arrived: "", order_cancelled: "cancelled" };

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

class Result {
  constructor() {
    this.counts = el("p", { class: "counts", "data-testid": "counts", role: "status" });
    this.reasons = el("ul", { class: "notes" });
    this.steps = el("ol", { class: "chain" });
    this.orders = el("ol", { class: "orders" });
    this.scale = el("span", { class: "mute" });
    this.title = el("h3", {}, "Twenty orders ", this.scale);
    this.node = el(
      "section",
      { class: "card part", "data-testid": "result" },
      el("h2", {}, "What it makes of all rows"),
      this.counts,
      this.reasons,
      this.steps,
      this.title,
      this.orders,
    );
  }

  show(check) {
    this.node.hidden = !check;
    if (!check) return;
    const ready = check.status === "ready";
    for (const node of [this.steps, this.orders, this.reasons, this.title]) node.hidden = !ready;
    this.node.setAttribute("aria-busy", String(check.status === "counting"));
    if (!ready) {
      this.counts.textContent = check.status === "counting" ? "Counting all rows …" : check.message;
      return;
    }
    this.showCounts(check);
    this.steps.replaceChildren(...chain(check.process));
    this.scale.textContent = `the longest takes ${check.scale}`;
    this.orders.replaceChildren(...check.preview.map((order) => lane(order, check.longest)));
  }

  showCounts(check) {
    const unit = check.is_wide ? "times of orders" : "rows";
    this.counts.textContent =
      `${many(check.read)} ${unit} read = ${many(check.used)} used + ${many(check.aside)} set aside. ` +
      `${plural(check.orders, "order")} at ${plural(check.kitchens, "kitchen")}.`;
    const contradicted = check.process.filter((step) => step.wrong);
    this.reasons.replaceChildren(
      ...check.reasons.map(([reason, n]) => el("li", {}, `${many(n)} set aside: ${reason}`)),
      ...check.flags.map(([flag, n]) => el("li", {}, `${many(n)} used, but: ${flag}`)),
      ...contradicted.map((step) =>
        el(
          "li",
          { class: "wrong" },
          `${plural(step.wrong, "order")} where ${step.name} contradicts the order of the process`,
        ),
      ),
    );
    this.reasons.hidden = !this.reasons.children.length;
  }
}

export { Result };
