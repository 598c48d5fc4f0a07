"use strict";

// Copies a new token, and greys out what a choice above it leaves out.
(() => {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    field.addEventListener("focus", () => field.select());
    if (!navigator.clipboard) continue; // only over https, or on this machine
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    });
  }

  function follow(choice, field) {
    const radios = document.querySelectorAll(`input[type="radio"][name="${choice}"]`);
    const below = document.querySelector(`[data-field="${field}"]`);
    if (!radios.length || !below) return;
    const update = () => {
      below.hidden = ![...radios].some((radio) => radio.checked && radio.value === "some");
    };
    for (const radio of radios) radio.addEventListener("change", update);
    update();
  }

  follow("reach", "scopes");
  follow("where", "sources");
})();
