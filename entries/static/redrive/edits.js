"use strict";

// Ask before unsaved edits are lost, whichever button is pressed.
{
  const form = document.querySelector("#content-main form[id$='_form']");
  const words = document.currentScript.dataset;
  let leaving = false;

  const changed = (field) => {
    if (field.type === "hidden" || field.type === "submit") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) {
      const preset = [...field.options].some((option) => option.defaultSelected);
      return preset && [...field.options].some((option) => option.selected !== option.defaultSelected);
    }
    return field.value !== (field.defaultValue ?? "");
  };

  const edited = () =>
    document.querySelector("[data-unsaved]") !== null ||
    [...form.querySelectorAll("input, textarea, select")].some(changed);

  const leaveOut = () => {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "without_edits";
    input.value = "1";
    form.append(input);
  };

  if (form) {
    document.addEventListener("submit", (event) => {
      const saves = event.submitter?.hasAttribute("data-saves");
      const verb = !saves && (event.submitter?.hasAttribute("formaction") || event.target !== form);
      if (verb && edited() && !form.elements.without_edits?.checked) {
        const label = event.submitter?.textContent.trim() || words.continue;
        if (!confirm(words.question.replace("{verb}", label))) {
          event.preventDefault();
          return;
        }
        if (event.target === form) leaveOut();
      }
      leaving = true;
    });

    // A button that stores the edits says so while there are any.
    const nameButtons = () => {
      const unsaved = edited() && !form.elements.without_edits?.checked;
      for (const button of document.querySelectorAll("button[data-saves]")) {
        if (!button.dataset.saves) continue;
        button.dataset.label ??= button.textContent;
        button.textContent = unsaved ? button.dataset.saves : button.dataset.label;
      }
    };
    document.addEventListener("input", nameButtons);
    document.addEventListener("htmx:afterSwap", nameButtons);
    nameButtons();

    window.addEventListener("beforeunload", (event) => {
      if (!leaving && edited()) event.preventDefault();
    });

    // The page in the browser's back cache asks again.
    window.addEventListener("pageshow", () => {
      leaving = false;
    });

    // Enter in the reason presses the button beside it, not Save.
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.matches(".verb-entry input[name='reason']")) return;
      event.preventDefault();
      event.target.closest(".verb-entry").querySelector("button[formaction]").click();
    });
  }
}
