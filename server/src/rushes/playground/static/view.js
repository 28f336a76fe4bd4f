// @ts-check
/** A request record in the words a person reads. view.py says the same, and a test runs both on the same records. */
import { advice, age, clock, DAY, duration, money, ownLink, quoted } from "./words.js";

const STEPS = ["queued", "loading", "generating", "encoding", "uploading"];
export const FINAL = ["success", "failed", "cancelled"];
/** @type {Record<string, string>} */
const TONES = { processing: "run", success: "good", failed: "bad", cancelled: "off" };

/**
 * @param {Record<string, any>} record
 * @param {number} now unix seconds
 * @returns {Record<string, any>}
 */
export function requestView(record, now) {
  const status = record.status;
  const final = FINAL.includes(status);
  return {
    id: record.request_id,
    short: record.request_id.slice(0, 8),
    href: `/requests/${record.request_id}`,
    cancel_href: `/requests/${record.request_id}/cancel`,
    model: record.model,
    model_href: `/models/${quoted(record.model)}`,
    prompt: promptOf(record.payload),
    title: promptOf(record.payload) || record.request_id.slice(0, 8),
    status,
    label: capital(status),
    tone: TONES[status] ?? "wait",
    waiting: ["created", "queued", "dispatched"].includes(status),
    running: status === "processing",
    success: status === "success",
    failed: status === "failed",
    cancelled: status === "cancelled",
    final,
    live: !final,
    again: final && Object.keys(record.payload).length > 0,
    ...progress(record, status),
    ...times(record, now),
    ...costs(record, final),
    ...media(record, now),
    ...fault(record),
    ...engine(record),
  };
}

/** @param {Record<string, any>} payload */
function promptOf(payload) {
  if (typeof payload.prompt === "string" && payload.prompt) return payload.prompt;
  const texts = Object.values(payload).filter((value) => typeof value === "string" && value);
  return texts.find((text) => !/^(https?:\/\/|data:)/.test(text)) ?? "";
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {Record<string, any>} record @param {string} status */
function progress(record, status) {
  const percent = status === "success" ? 100 : record.progress || 0;
  const stage = status === "processing" ? (record.stage ?? null) : null;
  const at = status === "success" ? STEPS.length : Math.max(0, STEPS.indexOf(stage ?? "queued"));
  const position = record.queue_position ?? null;
  const eta = record.eta_seconds ?? null;
  const steps = STEPS.map((name, i) => [`step_${name}`, i < at ? "done" : i === at ? "now" : "next"]);
  return {
    percent,
    percent_text: `${percent} %`,
    attempt_text: (record.attempt || 0) > 1 ? `attempt ${record.attempt}` : "",
    ...Object.fromEntries(steps),
    place: position === null ? "" : position === 0 ? "next in line" : `${position} ahead`,
    eta: eta === null ? "" : `about ${duration(eta)} left`,
    step: capital(stage ?? "starting"),
  };
}

/** @param {Record<string, any>} record @param {number} now */
function times(record, now) {
  const { created_at: created, started_at: started, finished_at: finished } = record;
  const waited = duration((started || finished || now) - created);
  const ran = started ? duration((finished || now) - started) : "";
  const said = `${waited} in the queue${ran ? `, ${ran} ${finished ? "to make" : "so far"}` : ""}`;
  return { created: clock(created), age: age(created, now), waited, ran, clock: said };
}

/** @param {Record<string, any>} record @param {boolean} final */
function costs(record, final) {
  const { charge_micro_usd: charge, quote_micro_usd: quote } = record;
  if (final) return { cost: money(charge || 0), cost_note: charge ? "charged" : "nothing charged" };
  return { cost: money(quote), cost_note: "quoted, charged only for a finished video" };
}

/** @param {Record<string, any>} record @param {number} now */
function media(record, now) {
  const outcome = record.outcome ?? {};
  const left = record.expires_at == null ? null : record.expires_at - Math.trunc(now);
  const expired = left !== null && left <= 0;
  return {
    video: expired ? "" : ownLink(outcome.video_url),
    thumb: expired ? "" : ownLink(outcome.thumbnail_image_url),
    has_video: Boolean(outcome.video_url) && !expired,
    gone: record.status === "success" && (expired || !outcome.video_url),
    expires: left === null ? "" : expired ? "expired" : `expires in ${duration(left)}`,
    expiring: left !== null && left > 0 && left < DAY,
    seed: record.seed == null ? "" : String(record.seed),
  };
}

/** @param {Record<string, any>} record */
function fault(record) {
  const code = record.error_code || "";
  const facts = [
    `Request ${record.request_id}`,
    `Model ${record.model}`,
    `${code}: ${record.error || ""}`,
    `Attempt ${record.attempt || 0}, engine ${record.engine || "none"}`,
    `Made ${clock(record.created_at)}`,
  ];
  const support = record.status === "failed" ? facts.join("\n") : "";
  return { support, error: record.error || "", error_code: code, advice: advice.failures[code] ?? "", retryable: record.retryable === true };
}

/** @param {Record<string, any>} record */
function engine(record) {
  const name = record.engine || "";
  const simulated = name === "animatic";
  const note = simulated ? `Drawn by animatic, not by ${record.model}` : `Made by ${name}`;
  return { engine: name, simulated, engine_note: note };
}
