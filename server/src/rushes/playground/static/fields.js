// @ts-check
/** A form of a model as a payload: the same rules as forms.py. Empty fields and defaults are left out. */

/** @param {HTMLElement} root @returns {HTMLElement[]} */
export const fieldsIn = (root) => [...root.querySelectorAll("[data-field]")].map((f) => /** @type {HTMLElement} */ (f));

/** The controls of a field that hold its value. @param {HTMLElement} field @returns {HTMLInputElement[]} */
export const controlsOf = (field) =>
  [...field.querySelectorAll(`[name="p.${CSS.escape(field.dataset.field ?? "")}"]`)].map((c) => /** @type {any} */ (c));

/** The text a field holds. @param {HTMLElement} field */
export function textOf(field) {
  const controls = controlsOf(field);
  if (field.dataset.widget === "switch") return controls[0].checked ? "true" : "false";
  if (field.dataset.widget === "choice") return controls.find((control) => control.checked)?.value ?? "";
  return controls[0].value.trim();
}

/** @param {HTMLElement} field @param {string} text */
export function fill(field, text) {
  const controls = controlsOf(field);
  for (const control of controls) {
    if (control.type === "checkbox") control.checked = text === "true";
    else if (control.type === "radio") control.checked = control.value === text;
    else control.value = text;
  }
}

/**
 * One value in its wire type; text that is no number stays text, for the API to refuse.
 * @param {HTMLElement} field @param {string} text
 */
export function valueOf(field, text) {
  const { widget, type } = field.dataset;
  if (widget === "switch" || type === "boolean") return text === "true";
  if (widget === "media_list") return text.split(/\s+/).filter(Boolean);
  if (widget === "json") return JSON.parse(text);
  if (type === "integer" || type === "float") return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  return text;
}

/**
 * The payload, and by name what cannot be read.
 * @param {HTMLElement} root
 */
export function readForm(root) {
  /** @type {Record<string, any>} */
  const payload = {};
  /** @type {Record<string, string>} */
  const faults = {};
  for (const field of fieldsIn(root)) {
    const { field: name = "", widget, default: standard } = field.dataset;
    const text = textOf(field);
    if (widget === "switch" && text === (standard || "false")) continue;
    if (text === "" || (text === standard && widget !== "media" && widget !== "switch")) continue;
    try {
      payload[name] = valueOf(field, text);
    } catch {
      faults[name] = "Must be JSON";
    }
  }
  const order = root.querySelector("[name=rushes_fault]:checked");
  if (order instanceof HTMLInputElement && order.value) payload.rushes_fault = JSON.parse(order.value);
  return { payload, faults };
}

/** Shows each fault beside its field, and says which are mended. @param {HTMLElement} root @param {Record<string, string>} faults */
export function showFaults(root, faults) {
  for (const field of fieldsIn(root)) {
    // What is wrong with a file that did not travel, the server cannot know.
    const file = /** @type {HTMLElement | null} */ (field.querySelector("rushes-media"))?.dataset.wrong;
    const text = faults[field.dataset.field ?? ""] ?? file ?? "";
    const place = field.querySelector("[data-error]");
    if (place && place.textContent !== text) place.textContent = text;
    for (const control of field.querySelectorAll("input:not([type=file]), select, textarea, fieldset")) {
      if (control instanceof HTMLInputElement && control.type === "radio") continue;
      if (text && control.tagName !== "FIELDSET") control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    if (text) field.closest("details")?.setAttribute("open", "");
  }
}

/** The request whose frame the address brought, while the payload still begins with it: the films are a chain (screens/lineage.py). @param {Record<string, any>} payload */
export function originOf(payload) {
  const query = new URLSearchParams(location.search);
  const kept = [...query].some(([name, value]) => name.startsWith("p.") && payload[name.slice(2)] === value);
  return kept && query.has("of") ? { made_from: query.get("of") } : {};
}
