const NONE = "–";
const WIDTH = 100, HEIGHT = 30, PAD = 3;

function put(node, text, title) {
  if (node.textContent !== text) node.textContent = text;
  if (title !== undefined && node.title !== title) node.title = title;
}
const plural = (n, noun) => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
const many = (n) => n.toLocaleString("en-US");

/** Minutes in words short enough for a card: 41 min, 2 h 05. */
const minutes = (m) => (m < 100 ? `${m} min` : `${Math.floor(m / 60)} h ${two(m % 60)}`);

/** A sparkline: area, line, the current point, and an optional level (the target). Its box is fixed, so nothing moves around it. */
class Spark {
  constructor(title) {
    this.svg = document.createElementNS(SVG, "svg");
    for (const [k, v] of Object.entries({ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "spark", role: "img", "aria-label": title }))
      this.svg.setAttribute(k, v);
    const add = (name) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", name);
      this.svg.append(path);
      return path;
    };
    [this.level, this.area, this.line, this.dot] = ["level", "area", "line", "dot"].map(add);
  }
  /**
   * Draw `values` (null = gap), oldest first. Without a `level` the figure stands on zero and is filled; with one (dashed)
   * it shows the distance from that level, and a fill, which would promise a zero at its foot, is left out.
   */
  draw(values, level = null) {
    const known = values.filter((v) => v !== null);
    const low = level === null ? 0 : Math.min(level, ...known) * 0.8;
    const top = Math.max(low + 1, ...known, level ?? 0);
    const y = (v) => (HEIGHT - PAD - ((v - low) / (top - low)) * (HEIGHT - 2 * PAD)).toFixed(2);
    const x = (i) => ((i / (values.length - 1)) * (WIDTH - 2 * PAD) + PAD).toFixed(2);
    let line = "", area = "", begun = -1;
    for (let i = 0; i <= values.length; i++) {
      const v = values[i] ?? null;
      if (v !== null) { line += `${begun < 0 ? "M" : "L"}${x(i)} ${y(v)}`; if (begun < 0) begun = i; continue; }
      if (begun >= 0) {
        const run = values.slice(begun, i).map((w, k) => `L${x(begun + k)} ${y(w)}`).join("");
        area += `M${x(begun)} ${HEIGHT}${run}L${x(i - 1)} ${HEIGHT}Z`;
        begun = -1;
      }
    }
    const last = values.at(-1);
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", level === null ? area : "");
    this.dot.setAttribute("d", last === null || last === undefined ? "" : `M${x(values.length - 1)} ${y(last)}h.01`);
    this.level.setAttribute("d", level === null || !known.length ? "" : `M0 ${y(level)}H${WIDTH}`);
  }
}

/** One card: heading, large value with a small note beside it, two lines of detail, and a figure below. */
function buildCard(id, heading, definition, figure) {
  const parts = {
    value: el("span", { class: "value", "data-testid": `kpi-${id}-value` }, NONE), note: el("span", { class: "note" }),
    accent: el("span", { class: "accent" }), detail: el("span"), second: el("p", { class: "detail second" }),
  };
  parts.root = el("section", { class: "card kpi", "data-testid": `kpi-${id}`, title: definition, "aria-label": heading },
    el("h4", {}, heading), el("div", { class: "row" }, parts.value, parts.note),
    el("p", { class: "detail" }, parts.accent, parts.detail), parts.second, figure);
  return parts;
}

/** Write a card: `tone` colours the accent (good, bad or none). */
function write(card, { value, note = "", accent = "", tone = "", detail = "", second = "" }) {
  put(card.value, value);
  put(card.note, note);
  put(card.accent, accent);
  card.accent.className = `accent ${tone}`;
  put(card.detail, detail);
  put(card.second, second);
}

export function render({ model }) {
  const ordersSpark = new Spark("Orders per hour over the last 6 hours");
  const deliverySpark = new Spark("Delivery time over the last 6 hours; dashed: the target");
  deliverySpark.svg.classList.add("warm");
  const meter = el("i"), stages = ["created", "cooking", "ready", "out_for_delivery"].map((key) => el("i", { style: `background:var(--tw-${key}-fill)` }));
  const cards = {
    orders: buildCard("orders-hour", "Orders / hour", "Orders created in the last 60 minutes. The line: the last 6 hours.", ordersSpark.svg),
    delivery: buildCard("delivery-time", "Delivery time", "Average time from created to delivered, of the deliveries of the last 60 minutes. Durations over 4 hours are left out. The line: the last 6 hours; dashed: the target.", deliverySpark.svg),
    completion: buildCard("completion", "Completion rate", "Delivered share of the orders created from 24 hours to 90 minutes ago: later ones may still be on their way.", el("div", { class: "bar meter" }, meter)),
    active: buildCard("active", "Active orders", "Orders created and not yet delivered, cancelled or stalled.", el("div", { class: "bar split", "aria-hidden": "true" }, ...stages)),
  };

  const show = () => {
    const s = model.state;
    if (s.due === undefined) return;
    const change = s.orders_change;
    write(cards.orders, s.orders === null
      ? { value: NONE, detail: "The data tells of no order’s creation" }
      : { value: many(s.orders), tone: change > 0 ? "good" : change < 0 ? "bad" : "",
        accent: change === null ? "" : change > 0 ? `▲ ${many(change)}` : change < 0 ? `▼ ${many(-change)}` : "● same",
        detail: change === null ? "" : change === 0 ? " as the hour before" : " on the hour before" });
    const over = s.delivery === null ? 0 : s.delivery - s.target;
    write(cards.delivery, s.delivery === null
      ? { value: NONE, detail: "No delivery in the last hour", second: s.excluded ? `${many(s.excluded)} over 4 h left out` : "" }
      : { value: minutes(s.delivery), note: s.excluded ? `${many(s.excluded)} over 4 h left out` : "",
        accent: over > 0 ? `${minutes(over).replace(" min", "")} over` : over < 0 ? `${-over} under` : "on", tone: over > 0 ? "bad" : "good", detail: ` target ${s.target}`,
        second: `P50 ${s.p50} · P95 ${s.p95}` });
    cards.delivery.second.title = s.delivery === null ? "" : `Of ${plural(s.deliveries, "delivery").replace("deliverys", "deliveries")}: half took at most ${s.p50} minutes, 95 % at most ${s.p95}`;
    write(cards.completion, s.completion === null
      ? { value: NONE, detail: "No order is due yet" }
      : { value: s.completion === 100 ? "100 %" : `${s.completion.toFixed(1)} %`, detail: `of ${plural(s.due, "order")} due` });
    meter.style.width = `${s.completion ?? 0}%`;
    const total = s.active.reduce((a, b) => a + b, 0), road = s.active[3];
    write(cards.active, { value: many(total), detail: total ? `${many(total - road)} in kitchen · ${many(road)} on road` : "Nothing open at this moment" });
    stages.forEach((bar, i) => { bar.style.flexGrow = s.active[i]; bar.hidden = !s.active[i]; });
    deliverySpark.svg.classList.toggle("over", over > 0);
  };
  const draw = () => {
    ordersSpark.draw(model.series.orders ?? []);
    deliverySpark.draw(model.series.delivery ?? [], model.state.target ?? null);
  };
  model.on("state", show);
  model.on("series", draw);
  show();
  draw();
  return el("div", { class: "cards" }, ...Object.values(cards).map((card) => card.root));
}
