// @ts-check
/** Films that play in the list: while pointed at or focused, three at most, and never against the wish for less motion. */

const MOST = 3;
/** @type {HTMLVideoElement[]} */
const playing = [];

/** @param {EventTarget | null} target */
const rowOf = (target) => (target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-video]")) : null);

/** @param {EventTarget | null} target */
export function play(target) {
  const row = rowOf(target);
  const thumb = row?.querySelector(".thumb");
  if (!row?.dataset.video || !thumb || thumb.querySelector("video") || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const film = Object.assign(document.createElement("video"), { muted: true, loop: true, playsInline: true, src: row.dataset.video });
  film.setAttribute("aria-hidden", "true");
  film.tabIndex = -1;
  thumb.append(film);
  film.play().catch(() => end(film)); // left before it began, or the link has run out: the picture stays
  playing.push(film);
  if (playing.length > MOST) end(playing[0]);
}

const LONG = 500;

/** Fingers do not hover: a long press on a row plays its film, and opens nothing; the next touch ends it. @param {HTMLElement} rows */
export function onLongPress(rows) {
  let timer = 0;
  /** @type {"" | "down" | "long"} */
  let press = "";
  rows.addEventListener("pointerdown", (event) => {
    press = "";
    if (event.pointerType === "mouse") return;
    for (const film of [...playing]) end(film);
    press = "down";
    timer = setTimeout(() => ((press = "long"), play(event.target)), LONG);
  });
  for (const type of ["pointerup", "pointercancel"]) rows.addEventListener(type, () => clearTimeout(timer));
  rows.addEventListener("contextmenu", (event) => press && event.preventDefault());
  rows.addEventListener("click", (event) => press === "long" && (event.preventDefault(), (press = "")));
}

/** @param {EventTarget | null} target */
export function stopPlaying(target) {
  const row = rowOf(target);
  if (!row || row.matches(":hover") || row.contains(document.activeElement)) return;
  for (const film of row.querySelectorAll(".thumb video")) end(/** @type {HTMLVideoElement} */ (film));
}

/** @param {HTMLVideoElement} film */
function end(film) {
  film.pause();
  film.removeAttribute("src");
  film.remove();
  if (playing.includes(film)) playing.splice(playing.indexOf(film), 1);
}
