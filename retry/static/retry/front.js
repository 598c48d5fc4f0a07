"use strict";

// What a person has opened stays open when the part around it is replaced. Focus stays by itself:
// htmx gives it to the new element with the same id.
const open = new Set();

document.addEventListener("htmx:beforeSwap", (event) => {
  open.clear();
  for (const details of event.detail.target.querySelectorAll("details[id][open]")) {
    open.add(details.id);
  }
});

document.addEventListener("htmx:afterSettle", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
});
