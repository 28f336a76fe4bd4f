// @ts-check
/** <rushes-history>: the list lives. New requests wait in a bar, films play on hover, rows are picked and acted on. */
import { call, getRequest } from "../api.js";
import { onEvent, pause } from "../live.js";
import { onLongPress, play, stopPlaying } from "../playing.js";
import { tellFault } from "../fault.js";
import { Older, rowOf } from "../rows.js";
import { Selection } from "../selection.js";
import { free } from "../shell.js";

class RushesHistory extends HTMLElement {
  /** @type {Set<string>} */
  fresh = new Set();

  connectedCallback() {
    this.rows = /** @type {HTMLElement} */ (this.querySelector("[data-rows]"));
    this.selection = new Selection(this);
    this.fromTop = !new URLSearchParams(location.search).has("cursor");
    this.older = new Older(this, this.rows);
    onEvent((event) => this.hear(event));
    this.find("[data-new] button").addEventListener("click", () => this.insert());
    this.rows.addEventListener("pointerover", (event) => event.pointerType === "mouse" && play(event.target));
    this.rows.addEventListener("focusin", (event) => play(event.target));
    onLongPress(this.rows);
    for (const type of ["pointerout", "focusout"]) this.rows.addEventListener(type, (event) => stopPlaying(event.target));
    this.remember("[data-dense]", "rushes-dense", (on) => this.toggleAttribute("data-dense", on));
    this.find("[data-pause]").addEventListener("change", (event) => pause(/** @type {HTMLInputElement} */ (event.target).checked));
    addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  /** A switch whose choice this browser keeps. @param {string} selector @param {string} name @param {(on: boolean) => void} apply */
  remember(selector, name, apply) {
    const box = /** @type {HTMLInputElement} */ (this.find(selector));
    box.checked = localStorage.getItem(name) === "on";
    apply(box.checked);
    box.addEventListener("change", () => (apply(box.checked), localStorage.setItem(name, box.checked ? "on" : "off")));
  }

  /** Requests made elsewhere wait in the bar, so that nothing moves under the pointer. @param {import("../live.js").RequestEvent} event */
  hear(event) {
    const id = event.request_id;
    if (event.type !== "request.queued" || event.attempt > 0 || !this.fromTop) return;
    if (this.rows?.querySelector(`[data-id="${CSS.escape(id)}"]`)) return;
    this.fresh.add(id);
    this.find("[data-new]").hidden = false;
    this.find("[data-new-text]").textContent = `${this.fresh.size} new`;
  }

  async insert() {
    const query = new URLSearchParams(location.search);
    query.delete("cursor");
    // Whether a new one matches, the server knows.
    if (query.get("q")) return location.assign(`${location.pathname}?${query}`);
    for (const id of this.fresh) {
      const record = await getRequest(id);
      const row = rowOf(record);
      this.rows?.prepend(row);
      /** @type {import("./request.js").RushesRequest} */ (row.querySelector("rushes-request")).show(record);
    }
    this.fresh.clear();
    this.find("[data-new]").hidden = true;
    return undefined;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (!free(event)) return;
    const rows = [...(this.rows?.querySelectorAll(".row") ?? [])];
    const at = rows.findIndex((row) => row.hasAttribute("data-current"));
    const current = rows[at];
    if (event.key === "j" || event.key === "k") this.move(rows, at, event.key === "j" ? 1 : -1);
    else if (event.key.toLowerCase() === "x" && current) this.selection?.toggle(current, event.shiftKey);
    else if (event.key === "c" && current) this.one(current, "cancel");
    else if (event.key === "r" && current) location.assign(`${current.querySelector(".what p a")?.getAttribute("href")}?from=${/** @type {HTMLElement} */ (current).dataset.id}`);
    else if (event.key === "p") this.find("[data-pause]").click();
    else if (event.key === "Escape") this.selection?.clear();
  }

  /** @param {Element[]} rows @param {number} at @param {number} step */
  move(rows, at, step) {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!next) return;
    rows[at]?.removeAttribute("data-current");
    next.setAttribute("data-current", "");
    /** @type {HTMLElement | null} */ (next.querySelector("a.prompt"))?.focus();
  }

  /** @param {Element} row @param {string} action */
  async one(row, action) {
    const id = /** @type {HTMLElement} */ (row).dataset.id;
    try {
      await call(`/requests/${id}/${action}`, { method: "POST", body: {} });
    } catch (error) {
      tellFault(error);
    }
  }
}

customElements.define("rushes-history", RushesHistory);
