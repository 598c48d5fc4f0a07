// An upload takes a moment: the button says so, and a second click sends nothing.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    button.dataset.label = button.textContent;
    button.textContent = form.dataset.once;
  });
  // The page in the browser's back cache must not stay busy.
  window.addEventListener("pageshow", () => {
    const button = form.querySelector("button[type=submit]");
    if (button.dataset.label) {
      button.disabled = false;
      button.textContent = button.dataset.label;
    }
  });
}
