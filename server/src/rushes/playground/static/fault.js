// @ts-check
/** What was refused, why, what to do, and all of it as a text for support: fault.py in the page, for scripts. */
import { ApiError } from "./api.js";
import { bind } from "./bind.js";
import { advice, clock, duration } from "./words.js";

/** The one sentence of an error, for places that have no room for more. @param {unknown} error */
export function sentence(error) {
  if (error instanceof ApiError) return error.message;
  // Without a line nothing went out; with one, an answer may have been lost on its way back.
  return `The server does not answer. ${navigator.onLine ? "It may have heard" : "Nothing was sent"}; your text is kept.`;
}

/** @param {unknown} error @param {string} [hint] what to do, where we know better than the table */
function words(error, hint) {
  const told = error instanceof ApiError ? error : null;
  const label = told ? `${told.status} ${told.code}` : "offline";
  // The wait is said by a clock of its own, which the sentence would soon contradict.
  const text = told?.retryAfter ? sentence(error).split(" Try again in ")[0] : sentence(error);
  const { callId: call = "", retryAfter: seconds = 0 } = told ?? {};
  const facts = [label, text, call && `Call ${call}`, `Page ${location.pathname}`, clock(Math.floor(Date.now() / 1000)), navigator.userAgent];
  const next = hint ?? advice.refusals[told?.code ?? ""] ?? "Check the connection, then try again.";
  return { label, text, advice: next, call, seconds, wait: seconds ? `Try again in ${duration(seconds)}.` : "", support: facts.filter(Boolean).join("\n") };
}

/** @param {unknown} error @param {{note?: string, hint?: string}} [more] */
export function faultCard(error, { note = "", hint } = {}) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector('[data-template="fault"]'));
  const card = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (document.importNode(template.content, true)).firstElementChild);
  bind(card, words(error, hint));
  const place = card.querySelector("[data-note]");
  if (place) place.textContent = note;
  return card;
}

/** In the corner, until somebody has read it. @param {unknown} error @param {{note?: string, hint?: string}} [more] */
export function tellFault(error, more) {
  const card = faultCard(error, more);
  const close = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Close" });
  close.addEventListener("click", () => card.remove());
  card.querySelector(".foot")?.append(close);
  document.querySelector("[data-toasts]")?.append(card);
}
