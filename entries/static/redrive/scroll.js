"use strict";

// What scrolls sideways or up and down can be scrolled with the keyboard as well.
function makeReachable() {
  for (const part of document.querySelectorAll(".results, .wide, #content table, pre")) {
    const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
    if (scrolls && getComputedStyle(part).overflow !== "visible") part.tabIndex = 0;
  }
}

document.addEventListener("DOMContentLoaded", makeReachable);
document.addEventListener("htmx:afterSettle", makeReachable);
addEventListener("resize", makeReachable);
