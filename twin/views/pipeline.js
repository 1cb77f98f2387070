const STAGES = [
  ["created", "Created", "receipt", "ordered, not cooking yet"],
  ["cooking", "Cooking", "flame", "being cooked"],
  ["ready", "Ready", "box", "cooked, waiting for the driver"],
  ["out_for_delivery", "Out for delivery", "car", "on the road"],
  ["completed", "Completed today", "check", "delivered since midnight of this day"],
];

/** Set a text only when it differs: an unchanged node costs no layout. */
function put(node, text, title) {
  if (node.textContent !== text) node.textContent = text;
  if (title !== undefined && node.title !== title) node.title = title;
}

const orders = (n) => `${n.toLocaleString("en-US")} ${n === 1 ? "order" : "orders"}`;

function buildStage([key, label, symbol, meaning]) {
  const parts = { key, meaning };
  parts.count = el("span", { class: "count", "data-testid": `stage-${key}-count` }, "–");
  parts.service = el("span", { class: key === "completed" ? "share" : "service", "data-testid": `stage-${key}-service` });
  parts.flow = el("span", { class: "flow" });
  parts.age = el("span", { class: "age" });
  parts.oldest = el("span", { class: "oldest", "data-testid": `stage-${key}-oldest` });
  parts.beside = key === "completed" ? el("span", { class: "beside", "data-testid": "stage-beside" }) : null;
  const badge = el("span", { class: "badge" });
  badge.append(icon(symbol, 13));
  parts.root = el("li", { class: "stage", "data-testid": `stage-${key}`,
    style: `--text:var(--tw-${key});--fill:var(--tw-${key}-fill)` },
  el("h3", {}, badge, el("span", { class: "name" }, label), parts.beside),
  el("div", { class: "row" }, parts.count,
    el("div", { class: "more" }, el("p", {}, parts.service, parts.flow), el("p", { class: "second" }, parts.age, parts.oldest))));
  return parts;
}

function showStage(parts, s) {
  put(parts.count, s.count.toLocaleString("en-US"), `${orders(s.count)} ${parts.meaning}`);
  put(parts.flow, `${s.flow}/h in`, `${orders(s.flow)} entered this stage in the last 60 minutes`);
  if (parts.key === "completed") {
    put(parts.service, s.share ?? "", s.share ? `Delivered share of the ${orders(s.due)} created from 24 hours to 90 minutes ago` : "");
    parts.service.hidden = !s.share;
    return;
  }
  const left = s.excluded ? `; ${orders(s.excluded)} over 4 hours left out` : "";
  put(parts.service, s.service ?? "–", s.service
    ? `Average time in this stage of the ${orders(s.served)} that moved on in the last 60 minutes${left}`
    : `No order moved on from this stage in the last 60 minutes${left}`);
  put(parts.age, s.age ? `now ${s.age}` : "", s.age ? `Average time that the ${orders(s.count)} here now have been here so far` : "");
  put(parts.oldest, s.oldest ? `oldest ${s.oldest}` : "none now",
    s.oldest ? `The order that has been here longest; marked when over ${s.limit}` : "No order is in this stage now");
  parts.age.hidden = !s.age;
  for (const name of ["service", "age", "oldest"]) parts[name].classList.toggle("over", s.over[name]);
  parts.root.classList.toggle("trouble", s.over.service || s.over.age);
}

export function render({ model }) {
  const stages = STAGES.map(buildStage);
  const beside = stages.at(-1).beside;
  const show = () => {
    const state = model.state;
    for (const parts of stages) if (state[parts.key]) showStage(parts, state[parts.key]);
    const others = Object.entries(state.beside ?? {}).map(([key, n]) => `${n.toLocaleString("en-US")} ${key}`);
    put(beside, others.join(" · "), others.length ? "Cancelled orders, and orders without any event for 4 hours" : "");
  };
  model.on("state", show);
  show();
  return el("ol", { class: "card strip", "aria-label": "Kitchen pipeline" }, ...stages.map((parts) => parts.root));
}
