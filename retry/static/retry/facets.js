"use strict";

// Writes beside each value of the filters how many entries it has, once the filters are in view.
(() => {
  const panel = document.getElementById("changelist-filter");
  if (!panel) return;
  const seen = new IntersectionObserver(async (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    const answer = await fetch(`facets/${location.search}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const counts = await answer.json();
    for (const link of panel.querySelectorAll("li a")) {
      const count = counts[link.getAttribute("href")];
      if (count === undefined) continue;
      const shown = document.createElement("span");
      shown.className = "facet";
      shown.textContent = count;
      link.before(shown);
    }
  });
  seen.observe(panel);
})();
