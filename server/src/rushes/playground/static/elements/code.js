// @ts-check
/** <rushes-code data-live>: samples whose payload follows the form; Alt 1-4 changes the language. As code.py writes. */

class RushesCode extends HTMLElement {
  connectedCallback() {
    if (!("live" in this.dataset)) return;
    document.addEventListener("payload-changed", (event) => this.write(/** @type {CustomEvent} */ (event).detail));
    addEventListener("keydown", (event) => {
      if (!event.altKey || !/^[1-4]$/.test(event.key)) return;
      const tab = this.querySelectorAll("input[type=radio]")[Number(event.key) - 1];
      if (tab instanceof HTMLInputElement) (event.preventDefault(), (tab.checked = true), tab.focus());
    });
  }

  /** @param {Record<string, any>} payload */
  write(payload) {
    for (const place of this.querySelectorAll("[data-payload]")) {
      const style = /** @type {HTMLElement} */ (place).dataset.payload ?? "";
      place.textContent = WRITERS[style](payload);
    }
  }
}

/** @type {Record<string, (payload: Record<string, any>) => string>} */
export const WRITERS = {
  json: (payload) => JSON.stringify(payload, null, 2),
  shell: (payload) => JSON.stringify(payload, null, 2).replaceAll("'", "'\\''"),
  python: (payload) => python(payload, 4),
  python_deeper: (payload) => python(payload, 8),
};

/** A JSON value as Python source. @param {any} value @param {number} indent @returns {string} */
function python(value, indent) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map((each) => python(each, indent)).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const pad = " ".repeat(indent);
  const rows = Object.entries(value).map(([key, each]) => `${pad}    ${JSON.stringify(key)}: ${python(each, indent + 4)},\n`);
  return rows.length ? `{\n${rows.join("")}${pad}}` : "{}";
}

customElements.define("rushes-code", RushesCode);
