"use strict";

// Buttons that copy the text of the traceback in which they stand, folded frames included. They are
// hidden where scripts do not run.
{
  const show = () => {
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
  };

  const read = (button) =>
    [...button.closest(".traceback").querySelectorAll("pre")].map((pre) => pre.textContent).join("");

  // Over plain HTTP a browser has no clipboard for pages, but copies what is selected.
  const copySelected = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    if (!button) return;
    const text = read(button);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copySelected(text);
    }
    const label = button.textContent;
    if (label === button.dataset.copied) return;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });

  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("htmx:afterSwap", show);
}
