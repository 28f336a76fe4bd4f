// @ts-check
/** Requests that scripts add: stages, and rows of the list, the newest on top, older ones as one scrolls. */
import { call } from "./api.js";
import { bind } from "./bind.js";
import { faultCard } from "./fault.js";
import "./elements/request.js";
import { requestView } from "./view.js";

const PAGE = 100;
/** How far before the end the next page is fetched. */
const AHEAD = "1200px";

/** A row as the server writes it. @param {Record<string, any>} record */
export function rowOf(record) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector('[data-template="row"]'));
  const row = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (document.importNode(template.content, true)).firstElementChild);
  const request = /** @type {import("./elements/request.js").RushesRequest} */ (row.querySelector("rushes-request"));
  request.dataset.id = record.request_id;
  bind(request, requestView(record, Date.now() / 1000));
  /** @type {HTMLInputElement} */ (row.querySelector("[data-pick]")).value = record.request_id;
  return row;
}

/** A request on the big screen, as far as the answer to its submit tells. @param {Record<string, any>} short @param {Record<string, any>} payload */
export function stageOf(short, payload) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector('[data-template="stage"]'));
  const copy = /** @type {DocumentFragment} */ (document.importNode(template.content, true));
  const stage = /** @type {import("./elements/request.js").RushesRequest} */ (copy.querySelector("rushes-request"));
  bind(stage, requestView({ progress: 0, attempt: 0, payload, ...short }, Date.now() / 1000));
  stage.dataset.id = short.request_id;
  return stage;
}

/** The address of this list from another cursor on. @param {string} cursor */
function addressFrom(cursor) {
  const query = new URLSearchParams(location.search);
  if (cursor) query.set("cursor", cursor);
  else query.delete("cursor");
  return location.pathname + (query.size ? `?${query}` : "");
}

/** Older requests come as the end of the list comes near; without this the link at the end leads to them. */
export class Older {
  /** @param {HTMLElement} history @param {HTMLElement} rows */
  constructor(history, rows) {
    this.history = history;
    this.rows = rows;
    this.next = history.dataset.cursor ?? "";
    /** The first row of each page, and the cursor that it begins at. @type {{row: Element, cursor: string}[]} */
    this.pages = rows.firstElementChild ? [{ row: rows.firstElementChild, cursor: new URLSearchParams(location.search).get("cursor") ?? "" }] : [];
    const end = history.querySelector("[data-older]");
    if (!end) return;
    this.end = /** @type {HTMLElement} */ (end);
    this.end.addEventListener("click", (event) => (event.preventDefault(), this.load()));
    this.watcher = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.load(), { rootMargin: AHEAD });
    this.watcher.observe(end);
    addEventListener("scrollend", () => this.keepPlace());
  }

  async load() {
    if (!this.next || this.history.dataset.state === "loading") return;
    const cursor = this.next;
    const fault = /** @type {HTMLElement} */ (this.history.querySelector("[data-older-fault]"));
    const grey = /** @type {HTMLElement} */ (this.history.querySelector("[data-grey]"));
    this.history.dataset.state = "loading";
    grey.hidden = false;
    fault.replaceChildren();
    try {
      const { pathname, searchParams: query } = new URL(this.history.dataset.query ?? "", location.origin);
      query.set("limit", String(PAGE));
      query.set("cursor", cursor);
      this.show(cursor, await call(`${pathname}?${query}`));
    } catch (error) {
      fault.replaceChildren(faultCard(error));
    } finally {
      grey.hidden = true;
      this.history.dataset.state = "read";
    }
  }

  /** @param {string} cursor @param {Record<string, any>} answer */
  show(cursor, { requests, next_cursor: next }) {
    const rows = requests.map(rowOf);
    this.rows.append(...rows);
    if (rows.length) this.pages.push({ row: rows[0], cursor });
    this.next = next ?? "";
    const end = /** @type {HTMLElement} */ (this.end);
    end.hidden = !next;
    if (next) /** @type {HTMLAnchorElement} */ (end.querySelector("a")).href = addressFrom(next);
    // An observer tells of changes only, and the end may still be as near as it was.
    this.watcher?.unobserve(end);
    if (next) this.watcher?.observe(end);
  }

  /** The address is that of the page one looks at: a reload, or back without the browser's cache, begins there. */
  keepPlace() {
    const seen = this.pages.findLast(({ row }) => row.getBoundingClientRect().top < innerHeight / 2) ?? this.pages[0];
    const address = addressFrom(seen.cursor);
    if (address !== location.pathname + location.search) history.replaceState(history.state, "", address);
  }
}
