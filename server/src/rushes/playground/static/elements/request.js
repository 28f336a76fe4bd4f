// @ts-check
/** <rushes-request data-id>: the markup of one request, kept as true as the stream and the API say it is. */
import { bind } from "../bind.js";
import { call, getRequest } from "../api.js";
import { onEvent, onStream } from "../live.js";
import { tellFault } from "../fault.js";
import { announce } from "../shell.js";
import { FINAL, requestView } from "../view.js";

const PROGRESS = ["status", "attempt", "progress", "stage", "queue_position", "eta_seconds"];

class RushesRequest extends HTMLElement {
  /** @type {Record<string, any> | null} */
  record = null;
  /** @type {(() => void)[]} */
  stops = [];
  reading = false;
  stale = false;

  connectedCallback() {
    this.addEventListener("submit", this.act);
    for (const media of this.querySelectorAll("video, img")) media.addEventListener("error", this.renew);
    this.stops = [onEvent((event) => event.request_id === this.dataset.id && this.hear(event))];
    if (this.isLive) this.stops.push(onStream((open) => open && this.isLive && this.read()));
  }

  disconnectedCallback() {
    for (const stop of this.stops) stop();
  }

  get isLive() {
    return !FINAL.includes(this.dataset.status ?? "success");
  }

  /** @param {Record<string, any>} event */
  hear(event) {
    if (event.type !== "request.progress" || !this.record) this.read();
    else if (!FINAL.includes(this.record.status)) {
      this.show({ ...this.record, ...Object.fromEntries(PROGRESS.map((name) => [name, event[name]])) });
    }
  }

  /** Read the record; calls that come meanwhile are one more read afterwards. */
  async read() {
    this.stale = true;
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.stale) {
        this.stale = false;
        this.show(await getRequest(this.dataset.id ?? ""));
      }
    } catch {
      // No answer: the offline bar says so, and the stream's return reads again.
    } finally {
      this.reading = false;
    }
  }

  /** @param {Record<string, any>} record */
  show(record) {
    const before = this.record?.status ?? this.dataset.status;
    this.record = record;
    const view = requestView(record, Date.now() / 1000);
    bind(this, view);
    if (this.matches(".stage") && document.querySelectorAll(".stage[data-id]").length === 1) document.title = `${view.live ? view.percent_text : view.label} · ${view.model} · rushes`;
    if (before !== record.status && this.matches(".stage")) announce(`${view.label}. ${view.prompt.slice(0, 80)}`);
    this.dispatchEvent(new Event("request-shown"));
  }

  /** A link that has run out is signed anew by reading the record; once. */
  renew = () => {
    if (this.dataset.renewed) return;
    this.dataset.renewed = "1";
    this.read();
  };

  /** Cancel without leaving the page. @param {SubmitEvent} event */
  act = async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.dataset.act !== "cancel") return;
    event.preventDefault();
    try {
      this.show(await call(`/requests/${this.dataset.id}/cancel`, { method: "POST", body: {} }));
    } catch (error) {
      tellFault(error);
    }
  };
}

customElements.define("rushes-request", RushesRequest);
export { RushesRequest };
