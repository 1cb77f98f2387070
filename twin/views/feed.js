const CAP = 60;
/** More new rows than this at once are not animated: at high speed the list would only shimmer. */
const CALM = 3;

/** How long before the playhead: now, 12 s, 4 min, 1 h 05. */
const ageText = (seconds) => (seconds < 1 ? "now" : durationText(seconds));

function buildRow([key, symbol, colour, title, detail, t]) {
  const badge = el("span", { class: "badge", style: `--text:var(--tw-${colour});--fill:var(--tw-${colour}-fill, var(--tw-${colour}))` });
  badge.append(icon(symbol, 13));
  const at = title.indexOf(" · ");
  const heading = at < 0 ? [title] : [title.slice(0, at), el("span", { class: "id" }, title.slice(at))];
  const age = el("time", { datetime: dateOf(t).toISOString().slice(0, 19), title: `${dayText(t)} ${dateText(t)}, ${clockText(t)}` });
  const node = el("li", { class: "row", "data-testid": "feed-row", "data-colour": colour, "data-key": key, "data-t": t },
    badge, el("div", { class: "words" }, el("p", { class: "title" }, ...heading), detail ? el("p", { class: "detail", title: detail }, detail) : null), age);
  return { key, t, node, age };
}

export function render({ model }) {
  const clock = clockFrom(model);
  const list = el("ol", { class: "rows", role: "log", "aria-label": "Latest events", "aria-live": "off", tabindex: "0", "data-testid": "feed-rows" });
  const empty = el("p", { class: "empty", "data-testid": "feed-empty" }, "No events before this moment");
  const pings = el("button", { class: "toggle", role: "switch", "aria-checked": String(model.pings), "data-testid": "feed-pings",
    title: "Also list the drivers’ position reports", onclick: () => { model.pings = !model.pings; } }, el("i"), "Driver pings");
  let rows = [];        // newest first, as in the list
  let serial = null;
  let asked = null;

  /** Put `fresh` rows on top of the kept ones. */
  const insert = (fresh, kept, animate) => {
    const made = fresh.map(buildRow);
    if (animate) for (const row of made) row.node.classList.add("new");
    list.prepend(...made.map((row) => row.node));
    rows = [...made, ...kept];
    for (const row of rows.splice(CAP)) row.node.remove();
  };
  /** Show exactly these rows, using those nodes again that are in the list already. */
  const replace = (all) => {
    const known = new Map(rows.map((row) => [row.key, row]));
    const next = all.map((data) => {
      const row = known.get(data[0]);
      known.delete(data[0]);
      return row ?? buildRow(data);
    });
    for (const row of known.values()) row.node.remove();
    next.forEach((row, i) => { if (list.children[i] !== row.node) list.insertBefore(row.node, list.children[i] ?? null); });
    for (const row of rows) row.node.classList.remove("new");
    rows = next;
    list.scrollTop = 0;
  };
  const ages = () => {
    const now = clock.anchor ? clock.now() : rows[0]?.t ?? 0;
    for (const row of rows) {
      const text = ageText(now - row.t);
      if (row.age.textContent !== text) row.age.textContent = text;
    }
    const live = clock.anchor && !clock.moving ? "polite" : "off";
    if (list.getAttribute("aria-live") !== live) list.setAttribute("aria-live", live);
  };
  const take = () => {
    const link = model.state;
    if (link.serial === serial) return;
    if (link.base === 0) replace(link.rows);
    else if (link.base === serial) insert(link.rows, rows, link.rows.length <= CALM);
    else {
      if (asked !== link.serial) model.send_msg({ ask: "all" });
      asked = link.serial;
      return;
    }
    serial = link.serial;
    empty.hidden = rows.length > 0;
    ages();
  };

  model.on("state", take);
  model.on("pings", () => pings.setAttribute("aria-checked", String(model.pings)));
  const timer = setInterval(() => { if (!document.hidden) ages(); }, 500);
  const off = clock.on(ages);
  model.on("remove", () => { clearInterval(timer); off(); });
  take();
  empty.hidden = rows.length > 0;
  return el("section", { class: "card feed", "data-testid": "feed", "aria-label": "Events" },
    el("header", {}, el("h3", {}, "Events"), pings), empty, list);
}
