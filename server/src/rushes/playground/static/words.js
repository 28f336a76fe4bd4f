// @ts-check
/** Words and figures as people write them; view.py has the same functions. */

export const DAY = 86400;

/** What to do after each failure and each refusal; the server writes it into the page. @type {Record<"failures" | "refusals", Record<string, string>>} */
export const advice = JSON.parse(document.getElementById("advice")?.textContent ?? "");

/** As Python's quote(safe="") writes it. @param {string} text */
export function quoted(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @param {number | null | undefined} micro */
export function money(micro) {
  if (micro == null) return "";
  const size = Math.abs(micro);
  const rest = String(size % 1e6).padStart(6, "0").replace(/0+$/, "").padEnd(2, "0");
  return `${micro < 0 ? "-" : ""}$${Math.floor(size / 1e6).toLocaleString("en-US")}.${rest}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  const total = Math.max(0, Math.trunc(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min${total % 60 ? ` ${total % 60} s` : ""}`;
  const minutes = Math.floor((total % 3600) / 60);
  if (total < DAY) return `${Math.floor(total / 3600)} h${minutes ? ` ${minutes} min` : ""}`;
  return `${Math.floor(total / DAY)} d`;
}

/** @param {number} then @param {number} now */
export function age(then, now) {
  const past = Math.max(0, Math.trunc(now) - then);
  for (const [size, unit] of /** @type {[number, string][]} */ ([[DAY, "d"], [3600, "h"], [60, "min"]])) {
    if (past >= size) return `${Math.floor(past / size)} ${unit} ago`;
  }
  return past < 5 ? "just now" : `${past} s ago`;
}

/** @param {number} then */
export function clock(then) {
  return `${new Date(then * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A link of this server without its host. @param {string | null | undefined} url */
export function ownLink(url) {
  if (!url) return "";
  const parts = new URL(url, "http://x");
  return /^\/(artifacts|files)\//.test(parts.pathname) ? parts.pathname + parts.search : url;
}
