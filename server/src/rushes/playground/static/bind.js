// @ts-check
/** Shows a flat set of values in the markup that the server wrote: data-text, data-if, data-set-*. No expressions. */

/**
 * @param {Element} root
 * @param {Record<string, any>} values
 */
export function bind(root, values) {
  for (const element of [root, ...root.querySelectorAll("*")]) {
    if (!(element instanceof HTMLElement || element instanceof SVGElement)) continue;
    for (const [key, name] of Object.entries(element.dataset)) {
      if (!name || !(name in values)) continue;
      const value = values[name];
      if (key === "text") put(element, value);
      else if (key === "if") element.toggleAttribute("hidden", !value);
      else if (key.startsWith("set")) set(element, attribute(key), value);
    }
  }
}

/** @param {Element} element @param {unknown} value */
function put(element, value) {
  const text = String(value);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {unknown} value */
function set(element, name, value) {
  const text = String(value);
  const wanted = value === "" || value === false ? null : text;
  if (wanted === element.getAttribute(name)) return;
  if (wanted === null) element.removeAttribute(name);
  else element.setAttribute(name, text);
}

/** The attribute a dataset key stands for: setDataState is data-state. @param {string} key */
function attribute(key) {
  return key.slice(3).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).slice(1);
}
