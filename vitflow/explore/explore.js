// What is drawn is Vega-Lite's work. Here: which run is shown (the part of the address after #), which curves are kept,
// and the order of the table.
const data = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31"];
const body = document.querySelector("#table tbody");
const rows = [...body.rows];
const addresses = new Map(rows.map((row) => [row.dataset.run, row.querySelector("a").hash]));
const boxes = new Map(rows.map((row) => [row.dataset.run, row.querySelector("input")]));
const kept = new Map(); // colour by run
const views = {};

function shown() {
  return [...addresses.keys()].find((run) => addresses.get(run) === location.hash) ?? data.drawn[0];
}

function keep(run, wanted) {
  const free = COLOURS.find((colour) => ![...kept.values()].includes(colour));
  if (!wanted) kept.delete(run);
  else if (free && !kept.has(run)) kept.set(run, free);
}

function lines(run) {
  return Object.entries(data.curves[run] ?? {}).flatMap(([seed, columns]) =>
    columns.epoch.map((_, k) => ({
      run, seed, label: data.labels[run], ...Object.fromEntries(Object.entries(columns).map(([name, of]) => [name, of[k]])),
    })));
}

function update() {
  const run = shown();
  const colours = { [run]: data.ink, ...Object.fromEntries(kept) };
  for (const row of rows) {
    row.classList.toggle("shown", row.dataset.run === run);
    const colour = kept.get(row.dataset.run);
    const box = boxes.get(row.dataset.run);
    box.checked = Boolean(colour);
    box.disabled = !colour && kept.size === COLOURS.length;
    box.style.accentColor = colour ?? "";
  }
  for (const article of document.querySelectorAll("article")) article.hidden = article.dataset.run !== run;
  document.getElementById("detail").scrollTop = 0;
  document.getElementById("legend").replaceChildren(...Object.entries(colours).map(([name, colour]) => {
    const entry = document.createElement("li");
    const link = document.createElement("a");
    link.href = addresses.get(name);
    link.textContent = data.labels[name];
    entry.style.setProperty("--colour", colour);
    entry.classList.toggle("shown", name === run);
    entry.append(link);
    return entry;
  }));
  views.curves?.data("lines", Object.keys(colours).flatMap(lines));
  for (const view of Object.values(views)) view.signal("shown", run).signal("colours", colours).runAsync();
}

function sort(column, descending) {
  const value = (row) => row.cells[column].dataset.value;
  const number = rows.every((row) => value(row) === "" || !isNaN(value(row)));
  const order = (a, b) => (number ? value(a) - value(b) : value(a).localeCompare(value(b), "en", { numeric: true }));
  const empty = (row) => Number(value(row) === "");
  rows.sort((a, b) => empty(a) - empty(b) || (descending ? -1 : 1) * order(a, b));
  body.append(...rows);
}

for (const heading of document.querySelectorAll("#table th[aria-sort]"))
  heading.querySelector("button").addEventListener("click", () => {
    // numbers begin with the largest, names with the first
    const next = { none: heading.className === "number" ? "descending" : "ascending", ascending: "descending", descending: "ascending" };
    const wanted = next[heading.ariaSort];
    for (const other of heading.parentElement.cells) if (other.ariaSort) other.ariaSort = "none";
    heading.ariaSort = wanted;
    sort(heading.cellIndex, wanted === "descending");
  });
document.getElementById("filter").addEventListener("input", (event) => {
  const letters = event.target.value.toLowerCase();
  for (const row of rows) row.hidden = !row.cells[1].textContent.toLowerCase().includes(letters);
});
for (const [run, box] of boxes) box.addEventListener("change", () => (keep(run, box.checked), update()));
for (const row of rows)
  row.addEventListener("click", (event) => {
    if (!event.target.closest("input, a")) location.hash = addresses.get(row.dataset.run);
  });
addEventListener("hashchange", update);

data.drawn.forEach((run) => keep(run, true));
update();
for (const [name, spec] of Object.entries(data.charts))
  vegaEmbed(`#${name}`, spec, { actions: false, renderer: "svg", logLevel: 1 }).then(({ view }) => {
    views[name] = view;
    view.addEventListener("click", (_, item) => {
      if (item?.datum?.run) location.hash = addresses.get(item.datum.run);
    });
    update();
  });
