"use strict";

// Lists by keyboard: / j k x r Enter and ?. Never inside fields, and not at all when switched off.
(() => {
  const STORED = "redrive.keys";
  const help = document.getElementById("keys-help");
  const confirm = document.getElementById("keys-confirm");
  if (!help || !confirm) return;
  const switched = document.getElementById("keys-on");
  let row = null;

  const read = () => { try { return localStorage.getItem(STORED); } catch { return null; } };
  const write = (value) => { try { localStorage.setItem(STORED, value); } catch { /* for this page only */ } };
  switched.checked = read() !== "off";
  switched.addEventListener("change", () => write(switched.checked ? "on" : "off"));

  const listRows = () => [...document.querySelectorAll("#result_list tbody tr")];
  const findLink = (of) => of?.querySelector("th a[href]") ?? of?.querySelector("a[href]");

  function move(step) {
    const rows = listRows();
    if (!rows.length) return;
    const at = rows.indexOf(row?.isConnected ? row : document.activeElement.closest("#result_list tbody tr"));
    const next = rows[Math.min(Math.max(at < 0 && step < 0 ? 0 : at + step, 0), rows.length - 1)];
    row?.classList.remove("key-row");
    row = next;
    row.classList.add("key-row");
    findLink(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const field = document.getElementById("searchbar");
    field?.focus();
    field?.select();
  }

  // As a click does, so that Django's script counts it.
  const tick = () => row?.querySelector("input.action-select")?.click();

  function retry() {
    if (row && !document.querySelector("input.action-select:checked")) tick();
    // The label is written after the tick.
    setTimeout(() => {
      const button = document.querySelector("button[data-verb='retry_selected']:not(:disabled)");
      if (!button?.checkVisibility({ visibilityProperty: true })) return;
      const label = button.textContent;
      const question = document.getElementById("keys-question");
      question.textContent = question.dataset.question.replace("{verb}", label);
      confirm.querySelector("[value=yes]").textContent = label;
      confirm.returnValue = "";
      confirm.onclose = () => {
        if (confirm.returnValue === "yes") button.form.requestSubmit(button);
        else findLink(row)?.focus();
      };
      confirm.showModal();
    }, 10);
  }

  function open() {
    if (document.activeElement !== document.body) return false;
    const link = findLink(row);
    link?.click();
    return Boolean(link);
  }

  const showHelp = () => help.showModal();
  const KEYS = { "/": search, j: () => move(1), k: () => move(-1), x: tick, r: retry, "?": showHelp, Enter: open };

  function isTyping(element) {
    return element.closest("textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio])") !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (!switched.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
    if (act && act() !== false) event.preventDefault();
  });
  document.querySelector(".keys-open").addEventListener("click", showHelp);
})();
