"use strict";

// Says on each verb above the list of entries how many of the ticked ones it fits.
(() => {
  const form = document.getElementById("changelist-form");
  const buttons = document.querySelectorAll(".entry-verbs button[data-fits]");
  if (!form || !buttons.length) return;
  const across = form.querySelector("input.select-across");

  function readStatus(row) {
    const named = row.matches("[data-status]") ? row : row.querySelector("[data-status]");
    if (named) return named.dataset.status;
    const badge = row.querySelector(".field-state .badge, .badge");
    return /badge-(\w+)/.exec(badge?.className ?? "")?.[1] ?? "";
  }

  function hasSource(row) {
    const cell = row.querySelector(".field-source");
    return !cell || !["", "—", "-"].includes(cell.textContent.trim());
  }

  function fits(button, row) {
    const wanted = button.dataset.fits.split(" ").includes(readStatus(row));
    return wanted && (!button.dataset.source || hasSource(row));
  }

  function update() {
    const rows = [...form.querySelectorAll("input.action-select:checked")].map((tick) => tick.closest("tr"));
    const everything = across?.value === "1";
    for (const button of buttons) {
      const fit = rows.filter((row) => fits(button, row)).length;
      const label = everything ? button.dataset.all : fit === rows.length ? button.dataset.every : button.dataset.some;
      button.textContent = label.replace("{fit}", fit).replace("{ticked}", rows.length);
      button.disabled = !everything && fit === 0;
    }
  }

  // Django's own script ticks rows after a click, without an event for each.
  const later = () => setTimeout(update);
  form.addEventListener("click", later);
  form.addEventListener("change", later);
  document.addEventListener("redrive:rows", update);
  window.addEventListener("pageshow", later);
  update();
})();
