// @ts-check
/** Whether a file is what a parameter takes, before it travels: the rules and sentences of the server's media/limits.py. */

/** @typedef {{formats?: string[], max_bytes?: number, min_side?: number, max_side?: number, max_aspect?: number, min_seconds?: number, max_seconds?: number}} Limits */

const MEGABYTE = 1024 * 1024;
/** What the API takes where a card says nothing. @type {Record<string, number>} */
const BYTES = { image: 10 * MEGABYTE, audio: 15 * MEGABYTE, video: 200 * MEGABYTE };
/** @type {Record<string, string>} */
const NAMES = { jpeg: "jpg", "x-wav": "wav", wave: "wav", mpeg: "mp3", "x-m4a": "m4a", quicktime: "mov", "x-flac": "flac", "x-ms-bmp": "bmp" };

/** What kind a file is: image, audio, video. @param {File} file */
export const kindOf = (file) => file.type.split("/")[0];

/** Its format as cards name it. @param {File} file */
function formatOf(file) {
  const [kind, name = ""] = file.type.split("/");
  return kind === "audio" && name === "mp4" ? "m4a" : (NAMES[name] ?? name);
}

/** @param {string[]} names */
const listing = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names[0]);

/** @param {number | undefined} low @param {number | undefined} high */
const between = (low, high) => (low == null ? `at most ${high}` : high == null ? `at least ${low}` : `${low} to ${high}`);

/**
 * What is wrong with a file, or "". What the browser cannot read is left for the server to judge.
 * @param {File} file @param {string} kind @param {Limits} limits
 */
export async function faultOf(file, kind, limits) {
  const given = formatOf(file) || "something else";
  if (kindOf(file) !== kind) return `Must be ${kind}, got ${given}`;
  if (limits.formats?.length && !limits.formats.map((each) => NAMES[each] ?? each).includes(given)) return `Must be ${listing(limits.formats)}, got ${given}`;
  const most = limits.max_bytes ?? BYTES[kind];
  if (file.size > most) return `Must be at most ${most / MEGABYTE} MB, got ${(file.size / MEGABYTE).toFixed(1)} MB`;
  const { width, height, seconds } = await measured(file, kind);
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (long && (short < (limits.min_side ?? 0) || long > (limits.max_side ?? long))) return `Must be ${between(limits.min_side, limits.max_side)} px a side, got ${width}x${height}`;
  if (limits.max_aspect && long > short * limits.max_aspect) return `Longer side must be at most ${limits.max_aspect} times the shorter, got ${width}x${height}`;
  const fits = seconds >= (limits.min_seconds ?? 0) - 0.05 && seconds <= (limits.max_seconds ?? Infinity) + 0.05;
  return seconds && !fits ? `Must last ${between(limits.min_seconds, limits.max_seconds)} s, got ${seconds.toFixed(1)} s` : "";
}

/** Sides as shown and length; zeros for what cannot be told. @param {File} file @param {string} kind */
async function measured(file, kind) {
  const nothing = { width: 0, height: 0, seconds: 0 };
  if (kind === "image") {
    const picture = await createImageBitmap(file).catch(() => null);
    return picture ? { ...nothing, width: picture.width, height: picture.height } : nothing;
  }
  const film = document.createElement("video");
  film.preload = "metadata";
  film.src = URL.createObjectURL(file);
  const read = await new Promise((resolve) => {
    film.onloadedmetadata = () => resolve(true);
    film.onerror = () => resolve(false);
  });
  URL.revokeObjectURL(film.src);
  return read ? { width: film.videoWidth, height: film.videoHeight, seconds: Number.isFinite(film.duration) ? film.duration : 0 } : nothing;
}
