// @ts-check
/** When no server answers: the bar says so and from when the page is, what is shown stays, and no form is thrown away. */
import { onEvent, onStream } from "./live.js";
import { tell } from "./shell.js";

const PATIENCE = 2000;
let lost = 0;
let last = new Date();

/** The bar shows when the stream stays away, not while it changes over. @param {boolean} open */
function onOnline(open) {
  const { dataset } = document.documentElement;
  if (open || dataset.stream === "open") last = new Date();
  dataset.stream = open ? "open" : "lost";
  clearTimeout(lost);
  if (open) show(false);
  else lost = setTimeout(show, PATIENCE, true);
}

/** @param {boolean} away */
function show(away) {
  document.documentElement.toggleAttribute("data-away", away);
  const bar = /** @type {HTMLElement} */ (document.querySelector("[data-offline]"));
  const since = /** @type {HTMLTimeElement} */ (bar.querySelector("[data-offline-since]"));
  since.dateTime = last.toISOString();
  since.textContent = last.toLocaleTimeString("en-GB");
  bar.hidden = !away;
}

/** A form sent into nothing would be an empty page of the browser; it stays instead, as it was filled in. @param {SubmitEvent} event */
function onSubmit(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method === "dialog" || !document.documentElement.hasAttribute("data-away")) return;
  event.preventDefault();
  tell("The server does not answer. Nothing was sent; send it again once the bar is gone.");
}

export function watchServer() {
  onStream(onOnline);
  onEvent(() => (last = new Date()));
  addEventListener("submit", onSubmit);
}
