// @ts-check
/** Rows picked in the list, and one action on all of them: by their ids, or on all that the filter matches. */
import { call } from "./api.js";
import { sentence } from "./fault.js";
import { tell } from "./shell.js";

/** @type {Record<string, string>} */
const EFFECTS = {
  cancel: "Those that are not final become cancelled; nothing is charged for them. The others stay as they are.",
  retry: "Those that failed or were cancelled are submitted again as new requests, each at its price.",
  purge: "Films, inputs and payloads are removed for good. Ids, times and charges stay.",
};
const TYPED = 1;

export class Selection {
  /** @param {HTMLElement} history */
  constructor(history) {
    this.history = history;
    this.all = false;
    /** @type {Element | null} */
    this.last = null;
    history.addEventListener("change", (event) => event.target instanceof Element && event.target.matches("[data-pick]") && this.show());
    history.addEventListener("click", (event) => this.click(event));
  }

  /** @returns {HTMLInputElement[]} */
  get boxes() {
    return [...this.history.querySelectorAll("[data-pick]")].map((box) => /** @type {HTMLInputElement} */ (box));
  }

  get ids() {
    return this.boxes.filter((box) => box.checked).map((box) => box.value);
  }

  get count() {
    return this.all ? Number(this.history.dataset.matched) : this.ids.length;
  }

  /** @param {Element} row @param {boolean} range */
  toggle(row, range) {
    const rows = [...this.history.querySelectorAll(".row")];
    const [from, to] = [range && this.last ? rows.indexOf(this.last) : rows.indexOf(row), rows.indexOf(row)];
    const wanted = range || !/** @type {HTMLInputElement} */ (row.querySelector("[data-pick]")).checked;
    for (const each of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      /** @type {HTMLInputElement} */ (each.querySelector("[data-pick]")).checked = wanted;
    }
    this.last = row;
    this.show();
  }

  clear() {
    this.all = false;
    for (const box of this.boxes) box.checked = false;
    this.show();
  }

  show() {
    const bar = /** @type {HTMLElement} */ (this.history.querySelector("[data-selection]"));
    if (!this.ids.length) this.all = false;
    bar.hidden = !this.ids.length;
    const [a, b, ...more] = this.ids;
    const pair = /** @type {HTMLAnchorElement} */ (bar.querySelector("[data-compare]"));
    pair.hidden = !b || more.length > 0 || this.all;
    pair.href = `/compare?a=${a}&b=${b}`;
    /** @type {HTMLElement} */ (bar.querySelector("[data-count]")).textContent = this.all ? `All ${this.count} that match` : `${this.count} selected`;
  }

  /** @param {Event} event */
  click(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    if ("all" in button.dataset) (this.all = true), this.show();
    else if ("none" in button.dataset) this.clear();
    else if (button.dataset.bulk) this.confirm(button.dataset.bulk);
  }

  /** Names the number and the effect, and has the number typed where more than one is meant. @param {string} action */
  confirm(action) {
    const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("bulk"));
    const $ = (/** @type {string} */ name) => /** @type {HTMLElement} */ (dialog.querySelector(`[data-bulk-${name}]`));
    const number = /** @type {HTMLInputElement} */ ($("number"));
    const { count } = this;
    $("title").textContent = `${action.charAt(0).toUpperCase() + action.slice(1)} ${count} ${count === 1 ? "request" : "requests"}`;
    $("text").textContent = EFFECTS[action];
    $("error").textContent = "";
    number.value = "";
    /** @type {HTMLElement} */ (number.closest("label")).hidden = count <= TYPED;
    dialog.showModal();
    $("go").onclick = async (event) => {
      event.preventDefault();
      if (count > TYPED && number.value.trim() !== String(count)) {
        $("error").textContent = `Type ${count}.`;
        return;
      }
      try {
        const { done, skipped } = await call("/requests/bulk", { method: "POST", body: { action, ...this.chosen() } });
        dialog.close();
        tell(`${done} done${skipped.length ? `, ${skipped.length} left as they are` : ""}`);
        location.reload();
      } catch (error) {
        $("error").textContent = sentence(error);
      }
    };
  }

  /** What a bulk action is told: ids, or the filter with the number it matched. */
  chosen() {
    if (!this.all) return { ids: this.ids };
    /** @type {Record<string, any>} */
    const filter = {};
    for (const [name, value] of new URL(this.history.dataset.query ?? "", location.origin).searchParams) {
      filter[name] = name === "status" ? [...(filter.status ?? []), value] : value;
    }
    return { filter, expect: this.count };
  }
}
