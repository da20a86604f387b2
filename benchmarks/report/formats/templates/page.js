"use strict";
// Sorts each body of a table by itself, so that controls stay below; empty cells always go last.
function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const x = Number(a), y = Number(b);
  return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y);
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value;
    for (const body of table.querySelectorAll("tbody:not(.title)")) {
      const rows = [...body.rows].sort((a, b) => compare(value(a), value(b), up ? 1 : -1));
      body.append(...rows);
    }
  }));
}
// A link to what is folded unfolds it.
for (const link of document.querySelectorAll("main a[href^='#']")) {
  link.addEventListener("click", () => { document.querySelector(link.hash).open = true; });
}
// Paper has no details to open.
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});
