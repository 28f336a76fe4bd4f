// @ts-check
/** An unsent form, kept in this browser for each model; never its files, never on the server. */
import { RETURN } from "./api.js";
import { controlsOf, fieldsIn, fill, textOf } from "./fields.js";

const place = (/** @type {string} */ model) => `rushes-draft:${model}`;

/** Whether somebody has filled in a field since the server wrote it. @param {HTMLElement} root */
function isTyped(root) {
  return fieldsIn(root).some((field) => controlsOf(field).some((control) => control instanceof HTMLSelectElement
    ? control.selectedIndex !== Math.max(0, [...control.options].findIndex((option) => option.defaultSelected))
    : Boolean(control.checked) !== Boolean(control.defaultChecked) || control.value !== control.defaultValue));
}

/** @param {string} model @param {HTMLElement} root */
export function keepDraft(model, root) {
  const texts = fieldsIn(root)
    .filter((field) => !field.dataset.widget?.startsWith("media"))
    .map((field) => [field.dataset.field, textOf(field)]);
  try {
    localStorage.setItem(place(model), JSON.stringify(Object.fromEntries(texts)));
  } catch {
    localStorage.removeItem(place(model)); // larger than a browser keeps: no draft is better than an older one
  }
}

/**
 * Fills the form as it was left. An address with settings of its own (?from=) wins, but not over what was typed there
 * before the session ended; and what was typed before this script came wins over everything.
 * @param {string} model @param {HTMLElement} root
 */
export function restoreDraft(model, root) {
  const kept = localStorage.getItem(place(model));
  const returned = sessionStorage.getItem(RETURN) === location.href;
  sessionStorage.removeItem(RETURN);
  if (!kept || (location.search && !returned) || root.querySelector("[aria-invalid]") || isTyped(root)) return;
  const texts = JSON.parse(kept);
  for (const field of fieldsIn(root)) {
    const text = texts[field.dataset.field ?? ""];
    if (typeof text === "string") fill(field, text);
  }
}
