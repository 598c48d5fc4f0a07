"use strict";

// Polling is for whoever is looking.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

// A poll that was sent to the log-in page means that the session is over: go there as a page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const asked = new URL(pathInfo.finalRequestPath, location.href);
  if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked.pathname) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

// What did not answer is marked as stale until it does.
for (const [name, stale] of [
  ["htmx:sendError", true],
  ["htmx:responseError", true],
  ["htmx:afterOnLoad", false],
]) {
  document.addEventListener(name, (event) => {
    event.detail.elt.classList.toggle("stale", stale);
  });
}
