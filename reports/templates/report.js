"use strict";
// Lets readers move along curves by pointer or keyboard. What is shown was printed into the page; nothing is computed here.
for (const drawing of document.querySelectorAll("svg[data-plot]")) {
  const [left, right, top, bottom, last] = drawing.dataset.plot.split(" ").map(Number);
  const curves = [...drawing.querySelectorAll("[data-times]")].map((group) => ({
    label: group.dataset.label,
    times: group.dataset.times.split(" ").map(Number),
    texts: group.dataset.texts.split("\n"),
    end: Number(group.dataset.end),
  }));
  if (!curves.length || !(last > 0)) continue;
  const stops = [...new Set(curves.flatMap((curve) => curve.times))].sort((a, b) => a - b);
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y1", top);
  cursor.setAttribute("y2", bottom);
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = stops.length - 1;
  slider.value = 0;
  slider.id = `${drawing.id || drawing.getAttribute("aria-labelledby")}-reader`;
  const label = document.createElement("label");
  label.htmlFor = slider.id;
  label.textContent = "Read the curves, step by step: ";
  const output = document.createElement("output");
  output.htmlFor = slider.id;
  const reader = document.createElement("div");
  reader.className = "reader";
  reader.append(label, slider, output);
  drawing.parentElement.after(reader);

  const positionOf = (times, month) => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= month) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  };
  const show = () => {
    const month = stops[Number(slider.value)];
    const x = left + ((right - left) * month) / last;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    if (!cursor.isConnected) drawing.append(cursor);
    const lines = curves.map((curve) =>
      month > curve.end
        ? `${curve.label}: nobody was observed so long`
        : `${curve.label}: ${curve.texts[positionOf(curve.times, month)]}`
    );
    const words = [`Month ${month.toFixed(1)}`, ...lines];
    output.textContent = words.join("\n");
    slider.setAttribute("aria-valuetext", words.join(". "));
  };
  slider.addEventListener("input", show);
  slider.addEventListener("focus", show);
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const view = drawing.viewBox.baseVal;
    const x = view.x + ((event.clientX - box.left) / box.width) * view.width;
    slider.value = positionOf(stops, ((x - left) / (right - left)) * last);
    show();
  });
}
// A click on a printed number shows, below its section, the SQL of the rows that print it. Without it the
// statements of the whole section stand there.
const literal = (text) => `'${text.replaceAll("'", "''")}'`;
for (const details of document.querySelectorAll("details.sql")) {
  const whole = details.querySelector("code").textContent;
  const at = whole.lastIndexOf(" order by ");
  if (at < 0) continue;
  const shown = document.createElement("pre");
  shown.className = "of-number";
  shown.tabIndex = 0;
  for (const cell of details.parentElement.querySelectorAll("td")) {
    const printed = cell.textContent.trim();
    if (!/\d/.test(printed)) continue;
    const bare = printed.replace(/\s*[†‡§]+$/, "");
    const counts = /^(\d+) ?\/ ?(\d+)$/.exec(bare);
    const rows = [
      `text in (${literal(printed)}, ${literal(bare)})`,
      `starts_with(text, ${literal(`${bare};`)})`,
      ...(counts ? [`(events = ${counts[1]} and n = ${counts[2]})`] : []),
    ];
    cell.className = "number";
    cell.title = "Click: the SQL of this number";
    cell.addEventListener("click", () => {
      shown.textContent = `${whole.slice(0, at)} and (${rows.join(" or ")})${whole.slice(at)}`;
      details.querySelector("summary").after(shown);
      details.open = true;
      shown.scrollIntoView({ block: "nearest" });
    });
  }
}
