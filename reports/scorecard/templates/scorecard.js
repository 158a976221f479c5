"use strict";
// Filters and sorts what is printed in the page; nothing is computed or fetched. Without it all is shown.
const form = document.getElementById("filters");
const status = document.getElementById("shown");
const names = ["center", "severity", "category", "state", "rule"];
const field = (name) => form.elements.namedItem(name);

const apply = () => {
  const wanted = Object.fromEntries(names.map((name) => [name, field(name).value]));
  const fits = (row) =>
    names.every((name) => !wanted[name] || row.dataset[name] === undefined || row.dataset[name] === wanted[name]);
  for (const cell of document.querySelectorAll("#heat-table [data-center]")) {
    cell.hidden = wanted.center !== "" && cell.dataset.center !== wanted.center;
  }
  let shown = 0;
  for (const row of document.querySelectorAll("tbody tr")) {
    row.hidden = !fits(row);
    if (!row.hidden && row.dataset.state) shown += 1;
  }
  const all = document.querySelectorAll("#query-table tbody tr").length;
  status.textContent = `${shown} of ${all} queries shown`;
};

const value = (row, place) => {
  const cell = row.cells[place];
  return cell.dataset.v ?? cell.textContent.trim();
};
const compare = (a, b) => {
  if (a === "" || b === "") return a === b ? 0 : null;
  const [left, right] = [Number(a), Number(b)];
  return Number.isNaN(left) || Number.isNaN(right) ? a.localeCompare(b, "en", { numeric: true }) : left - right;
};
const sort = (table, head) => {
  const place = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [value(row, place), row]);
  rows.sort(([a], [b]) => {
    const order = compare(a, b);
    // What was not judged stays last in either direction.
    if (order === null) return a === "" ? 1 : -1;
    return down ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
};

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    // On paper the words stand without the button: browsers repeat no buttons on further pages.
    const words = document.createElement("span");
    words.className = "paper";
    words.append(...head.childNodes);
    button.append(...[...words.childNodes].map((node) => node.cloneNode(true)));
    head.append(words);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}
for (const link of document.querySelectorAll("a[data-go]")) {
  link.addEventListener("click", () => {
    field("center").value = link.dataset.go;
    field("rule").value = link.closest("tr").dataset.rule;
    field("state").value = "";
    apply();
  });
}
form.addEventListener("change", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));
form.hidden = false;
apply();
