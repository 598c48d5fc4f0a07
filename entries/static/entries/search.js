"use strict";

// Shows what a search understands while a user types one.
(() => {
  const help = document.querySelector(".search-help");
  const field = document.getElementById("searchbar");
  if (!help || !field) return;
  const items = [...help.querySelectorAll("[data-insert]")];
  const visible = () => items.filter((item) => !item.closest("li").hidden);

  // The word that is being typed: nothing to suggest once it has more than a qualifier's beginning.
  const getWord = () => /\S*$/.exec(field.value.slice(0, field.selectionStart))[0];

  function suggest() {
    const word = getWord();
    for (const item of items) item.closest("li").hidden = !item.dataset.insert.startsWith(word);
    help.open = visible().length > 0;
  }

  function close() {
    help.open = false;
    for (const item of items) item.closest("li").hidden = false;
  }

  function insert(text) {
    const end = field.selectionStart;
    field.setRangeText(text, end - getWord().length, end, "end");
    field.focus();
    close();
  }

  field.addEventListener("input", suggest);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      if (!help.open) suggest();
      visible()[0]?.focus();
      event.preventDefault();
    } else if (event.key === "Escape" && help.open) {
      close();
      event.preventDefault();
    }
  });
  help.addEventListener("keydown", (event) => {
    const shown = visible();
    const at = shown.indexOf(document.activeElement);
    if (event.key === "Escape") {
      close();
      field.focus();
    } else if (event.key === "ArrowDown") {
      shown[Math.min(at + 1, shown.length - 1)]?.focus();
    } else if (event.key === "ArrowUp") {
      (at > 0 ? shown[at - 1] : field).focus();
    } else {
      return;
    }
    event.preventDefault();
  });
  for (const item of items) item.addEventListener("click", () => insert(item.dataset.insert));
  document.addEventListener("focusin", (event) => {
    if (!help.contains(event.target) && event.target !== field) close();
  });
  document.addEventListener("click", (event) => {
    if (!help.contains(event.target) && event.target !== field) close();
  });
})();
