// @ts-check
/** The bracket: unlock a field, give several values, and get a request for each combination. */
import { controlsOf, fieldsIn, textOf, valueOf } from "./fields.js";

export const MOST = 24;

/** The buttons that unlock fields. @param {HTMLElement} form @param {() => void} changed */
export function onBracket(form, changed) {
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-bracket]") : null;
    const field = button?.closest("[data-field]");
    if (field instanceof HTMLElement) (event.preventDefault(), toggleBracket(field), changed());
  });
}

/** Turns a field's control into a line of values, and back. @param {HTMLElement} field */
function toggleBracket(field) {
  const button = /** @type {HTMLElement} */ (field.querySelector("[data-bracket]"));
  const open = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(open));
  const old = field.querySelector("[data-values]");
  old?.remove();
  const own = field.querySelector(".segments") ?? controlsOf(field)[0];
  own.toggleAttribute("hidden", open);
  if (!open) return controlsOf(field)[0].focus();
  const text = textOf(field);
  const line = document.createElement(field.dataset.field === "prompt" ? "textarea" : "input");
  line.dataset.values = "";
  line.value = text;
  const many = field.dataset.field === "prompt" ? "one prompt a line" : field.dataset.type === "integer" ? "such as 1-4 or 1, 5, 9" : "separated by commas";
  line.placeholder = many;
  line.setAttribute("aria-label", `Several values, ${many}`);
  own.after(line);
  return line.focus();
}

/** The texts a line of values stands for. @param {HTMLElement} field @param {string} line */
export function spread(field, line) {
  if (field.dataset.field === "prompt") return line.split("\n").map((each) => each.trim()).filter(Boolean);
  return line.split(",").map((each) => each.trim()).filter(Boolean).flatMap((each) => {
    const range = field.dataset.type === "integer" ? /^(\d+)\s*-\s*(\d+)$/.exec(each) : null;
    if (!range) return [each];
    const [low, high] = [Number(range[1]), Number(range[2])];
    return Array.from({ length: Math.max(0, Math.min(high - low + 1, MOST + 1)) }, (_, i) => String(low + i));
  });
}

/**
 * Every combination of the values given, as payloads made of `payload`; one payload where no field is open.
 * @param {HTMLElement} root @param {Record<string, any>} payload
 */
export function bracketed(root, payload) {
  let made = [payload];
  for (const field of fieldsIn(root)) {
    const line = field.querySelector("[data-values]");
    if (!(line instanceof HTMLInputElement || line instanceof HTMLTextAreaElement)) continue;
    const values = spread(field, line.value).map((text) => valueOf(field, text));
    if (values.length) made = made.flatMap((each) => values.map((value) => ({ ...each, [field.dataset.field ?? ""]: value })));
  }
  return made.slice(0, MOST + 1);
}

/** Says over a film of a bracket which values are its own. @param {Element} stage @param {Record<string, any>} payload @param {HTMLElement} root */
export function caption(stage, payload, root) {
  const open = fieldsIn(root).filter((field) => field.querySelector("[data-values]"));
  const place = /** @type {HTMLElement} */ (stage.querySelector("[data-caption]"));
  place.textContent = open.map(({ dataset: { field = "" } }) => `${field === "prompt" ? "" : `${field} `}${payload[field]}`).join(", ");
  place.hidden = !open.length;
}
