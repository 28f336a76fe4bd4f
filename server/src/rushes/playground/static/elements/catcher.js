// @ts-check
/** <rushes-catcher data-path>: deliveries appear as they arrive, and each becomes a test at the press of a button. */
import { call } from "../api.js";
import { copy } from "../shell.js";

const EVERY = 2000;

class RushesCatcher extends HTMLElement {
  timer = 0;

  connectedCallback() {
    this.list = /** @type {HTMLElement} */ (this.querySelector("[data-caught]"));
    this.addEventListener("click", (event) => this.pressed(event));
    const look = () => (document.hidden ? undefined : this.look());
    this.timer = setInterval(look, EVERY);
    document.addEventListener("visibilitychange", look);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  newest() {
    const first = /** @type {HTMLElement | null} */ (this.list?.firstElementChild ?? null);
    return first ? Number(first.dataset.n) : 0;
  }

  async look() {
    try {
      const { caught } = await call(`${this.dataset.path}?newer_than=${this.newest()}`);
      for (const each of caught.reverse()) if (each.n > this.newest()) this.add(each);
      this.dataset.state = "read";
    } catch {
      this.dataset.state = "away"; // the bar of the page says so; the next look may succeed
    }
  }

  /** @param {Record<string, any>} each */
  add(each) {
    const template = /** @type {HTMLTemplateElement} */ (this.querySelector('[data-template="caught"]'));
    const row = /** @type {HTMLElement} */ (document.importNode(template.content, true).querySelector("li"));
    row.dataset.n = String(each.n);
    const texts = {
      event_id: each.event_id,
      at: `${new Date(each.at * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`,
      headers: Object.entries(each.headers).map(([name, value]) => `${name}: ${value}\n`).join(""),
      body: each.body,
    };
    for (const [name, text] of Object.entries(texts)) {
      const part = row.querySelector(`[data-part="${name}"]`);
      if (part) part.textContent = text;
    }
    this.list?.prepend(row);
    this.querySelector("[data-nothing]")?.setAttribute("hidden", "");
  }

  /** @param {MouseEvent} event */
  pressed(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-pytest]") : null;
    const row = button?.closest("li");
    if (!row) return;
    const text = (/** @type {string} */ name) => row.querySelector(`[data-part="${name}"]`)?.textContent ?? "";
    copy(asTest(text("headers"), text("body")));
  }
}

/**
 * A test that reads this very delivery. The secret stays out of it: set WEBHOOK_SECRET.
 * @param {string} headers @param {string} body
 */
export function asTest(headers, body) {
  const pairs = headers.trim().split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2));
  const stamp = pairs.find(([name]) => name === "webhook-timestamp")?.[1] ?? "0";
  const rows = pairs.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},`).join("\n");
  return `import os

from gmicloud.webhooks import unwrap

HEADERS = {
${rows}
}
BODY = ${JSON.stringify(body)}.encode()


def test_the_delivery_is_read() -> None:
    event = unwrap(BODY, HEADERS, os.environ["WEBHOOK_SECRET"], now=${stamp})
    assert event.type == ${JSON.stringify(JSON.parse(body).type)}
`;
}

customElements.define("rushes-catcher", RushesCatcher);
