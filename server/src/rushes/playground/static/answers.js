// @ts-check
/** What the API answers to a form, as the form shows it. */
import { duration } from "./words.js";

/** @param {import("./api.js").ApiError} error @param {boolean} strict */
export function faultsOf(error, strict) {
  const errors = /** @type {any[]} */ (error.detail.errors ?? []);
  return Object.fromEntries(errors.filter((e) => strict || e.code !== "missing").map((e) => [e.param, e.message]));
}

/** How long it takes, with its spread where that is known. @param {number | null} eta @param {Record<string, any> | null} spread */
export function honest(eta, spread) {
  if (eta == null) return "No film of this model was made here yet, so nobody knows how long one takes.";
  if (!spread) return `About ${duration(eta)}, from films of this model made before.`;
  return `${spread.low_seconds}-${spread.high_seconds} s once it starts, median ${duration(eta)}, learnt from ${spread.runs} films.`;
}
