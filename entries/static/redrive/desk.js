"use strict";

// A hidden page does not poll.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

// A poll that was redirected to the log-in page means that the session is over: reload the page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const requested = new URL(pathInfo.finalRequestPath, location.href);
  if (xhr.responseURL && new URL(xhr.responseURL).pathname !== requested.pathname) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

// Mark a part as stale while its polls fail.
for (const [name, stale] of [
  ["htmx:sendError", true],
  ["htmx:responseError", true],
  ["htmx:afterOnLoad", false],
]) {
  document.addEventListener(name, (event) => {
    event.detail.elt.classList.toggle("stale", stale);
  });
}
