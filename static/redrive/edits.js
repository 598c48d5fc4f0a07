"use strict";

// What somebody has typed and not saved is not lost without a question, whatever is pressed.
{
  const form = document.querySelector("#content-main form[id$='_form']");
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
    const said = document.createElement("input");
    said.type = "hidden";
    said.name = "without_edits";
    said.value = "1";
    form.append(said);
  };

  if (form) {
    document.addEventListener("submit", (event) => {
      const verb = event.submitter?.hasAttribute("formaction") || event.target !== form;
      if (verb && edited() && !form.elements.without_edits?.checked) {
        const label = event.submitter?.textContent.trim() || "Go on";
        if (!confirm(`Your changes on this page are not saved. ${label} without them?`)) {
          event.preventDefault();
          return;
        }
        if (event.target === form) leaveOut();
      }
      leaving = true;
    });

    window.addEventListener("beforeunload", (event) => {
      if (!leaving && edited()) event.preventDefault();
    });

    // The page that the browser keeps for "back" asks again.
    window.addEventListener("pageshow", () => {
      leaving = false;
    });

    // Enter beside a verb means the verb, not the form whose edits go with it.
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.matches(".verb-entry input[name='reason']")) return;
      event.preventDefault();
      event.target.closest(".verb-entry").querySelector("button[formaction]").click();
    });
  }
}
