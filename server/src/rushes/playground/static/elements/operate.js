// @ts-check
/** <rushes-operate>: figures follow the machine; a page with other rows is fetched when rows come, go or change state. */
import { call } from "../api.js";
import { bind } from "../bind.js";
import { free } from "../shell.js";
import { duration } from "../words.js";

const EVERY = 3000;
/** @type {Record<string, string>} */
const TONES = { idle: "good", busy: "run", paused: "wait", draining: "wait", lost: "bad", open: "good", held: "bad", unserved: "wait" };

class RushesOperate extends HTMLElement {
  timer = 0;

  connectedCallback() {
    this.pause = /** @type {HTMLInputElement} */ (this.querySelector("[data-pause]"));
    this.timer = setInterval(() => this.look(), EVERY);
    addEventListener("keydown", (event) => event.key === "p" && free(event) && this.pause?.click());
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  async look() {
    if (document.hidden || this.pause?.checked) return;
    try {
      const read = (/** @type {string} */ name) => call(`/api/v1/operate/${name}`);
      const [overview, { lanes }, { qworkers }] = await Promise.all([read("overview"), read("lanes"), read("qworkers")]);
      const tiles = this.querySelector("[data-tiles]");
      if (tiles) bind(tiles, tilesView(overview));
      const same = this.rows("lanes", lanes, (row) => row.lane, (row) => laneView(row, overview.at));
      const all = this.rows("qworkers", qworkers, (row) => row.qworker_id, qworkerView) && same;
      this.dataset.state = all ? "read" : "changed";
      // Nothing is taken away from under somebody who is about to press a button.
      if (!all && !document.querySelector("details:is(.ask, .menu)[open], dialog[open]") && !this.contains(document.activeElement)) location.reload();
    } catch {
      this.dataset.state = "away"; // the bar of the page says so; the next look may succeed
    }
  }

  /**
   * Refreshes the rows of a list; false if others are there now, or one changed its state.
   * @param {string} name @param {any[]} rows @param {(row: any) => string} key @param {(row: any) => Record<string, string>} view
   */
  rows(name, rows, key, view) {
    const shown = [...this.querySelectorAll(`[data-list="${name}"] > [data-key]`)];
    const wanted = new Map(rows.map((row) => [key(row), row]));
    let same = shown.length === wanted.size;
    for (const element of shown) {
      const { key: name, state } = /** @type {HTMLElement} */ (element).dataset;
      const row = wanted.get(name ?? "");
      if (row) bind(element, view(row));
      same = same && row?.state === state;
    }
    return same;
  }
}

const grouped = (/** @type {number} */ value) => value.toLocaleString("en-US");
const capital = (/** @type {string} */ text) => text.charAt(0).toUpperCase() + text.slice(1);

/** As operate_view.seconds. @param {number | null} value */
const seconds = (value) => (value === null ? "none" : value < 60 ? `${value.toFixed(1)} s` : duration(value));

/** @param {any} overview */
export function tilesView({ waiting, running, busy, slots, qworkers, held_lanes: held, recent }) {
  return {
    waiting: grouped(waiting),
    running: grouped(running),
    slots: `${busy} of ${slots}`,
    qworkers: String(qworkers),
    done: (recent.finished / (recent.seconds / 60)).toFixed(1),
    failed: grouped(recent.failed),
    p50: seconds(recent.wait_p50_seconds),
    p95: seconds(recent.wait_p95_seconds),
    held: String(held),
  };
}

/** @param {any} row */
export function qworkerView(row) {
  const [first, ...others] = row.requests;
  return {
    label: capital(row.state),
    tone: TONES[row.state],
    slots: `${row.busy} of ${row.slots}`,
    age: `${Math.trunc(row.age_seconds)} s ago`,
    doing: first ? `${first.model} ${first.progress} %${others.length ? ` and ${others.length} more` : ""}` : "",
    memory: row.memory_bytes === null ? "" : `${grouped(Math.trunc(row.memory_bytes / 2 ** 20))} MiB · `,
  };
}

/** @param {any} row @param {number} now */
export function laneView(row, now) {
  return {
    label: capital(row.state),
    tone: TONES[row.state],
    queued: grouped(row.queued) + (row.queued_is_capped ? "+" : ""),
    running: grouped(row.running),
    oldest: row.oldest_queued_at === null ? "" : duration(now - row.oldest_queued_at),
  };
}

customElements.define("rushes-operate", RushesOperate);
