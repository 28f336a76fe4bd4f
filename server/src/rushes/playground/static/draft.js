// @ts-check
/** An unsent form, kept in this browser for each model; never its files, never on the server. */
import { fieldsIn, fill, textOf } from "./fields.js";

const place = (/** @type {string} */ model) => `rushes-draft:${model}`;

/** @param {string} model @param {HTMLElement} root */
export function keepDraft(model, root) {
  const texts = fieldsIn(root)
    .filter((field) => !field.dataset.widget?.startsWith("media"))
    .map((field) => [field.dataset.field, textOf(field)]);
  localStorage.setItem(place(model), JSON.stringify(Object.fromEntries(texts)));
}

/** Fills the form as it was left. An address with settings of its own (?from=) wins. @param {string} model @param {HTMLElement} root */
export function restoreDraft(model, root) {
  const kept = localStorage.getItem(place(model));
  if (!kept || location.search || root.querySelector("[aria-invalid]")) return;
  const texts = JSON.parse(kept);
  for (const field of fieldsIn(root)) {
    const text = texts[field.dataset.field ?? ""];
    if (typeof text === "string") fill(field, text);
  }
}
