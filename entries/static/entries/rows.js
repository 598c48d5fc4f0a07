"use strict";

// Puts fresh rows of the list of entries in the place of the old ones: cell by cell, so that ticks,
// the focus and opened details stay.
(() => {
  const getId = (row) =>
    row.querySelector("input.action-select")?.value ??
    /\/(\d+)\/change\//.exec(row.querySelector("a[href*='/change/']")?.getAttribute("href") ?? "")?.[1];

  function update(cell, fresh) {
    const open = [...cell.querySelectorAll("details")].map((details) => details.open);
    const focused = cell.contains(document.activeElement)
      ? [...cell.querySelectorAll("a, button, summary")].indexOf(document.activeElement)
      : -1;
    cell.innerHTML = fresh.innerHTML;
    cell.querySelectorAll("details").forEach((details, at) => { details.open = open[at] ?? details.open; });
    if (focused >= 0) cell.querySelectorAll("a, button, summary")[focused]?.focus();
  }

  function merge(template) {
    const shown = new Map();
    for (const row of document.querySelectorAll("#result_list tbody tr")) shown.set(getId(row), row);
    for (const fresh of template.content.querySelectorAll("tbody tr")) {
      const row = shown.get(getId(fresh));
      if (!row) continue;
      for (const { name, value } of [...fresh.attributes]) if (name.startsWith("data-")) row.setAttribute(name, value);
      [...row.children].forEach((cell, at) => {
        const now = fresh.children[at];
        if (now && !cell.querySelector("input.action-select") && cell.innerHTML !== now.innerHTML) update(cell, now);
      });
    }
    template.remove();
    document.dispatchEvent(new CustomEvent("redrive:rows"));
  }

  document.addEventListener("htmx:load", (event) => {
    const template = event.detail.elt.id === "live-rows" && event.detail.elt.querySelector("template");
    if (template) merge(template);
  });
})();
