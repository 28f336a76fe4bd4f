// @ts-check
/** <rushes-twins>: two films under one play head, side by side or one over the other with a wipe between them. */
import { CONTROLS, free } from "../shell.js";

const FRAME = 1 / 24;
/** Playing films that are further apart than this, in seconds, are brought together; paused ones are within a frame. */
const APART = 0.1;

class RushesTwins extends HTMLElement {
  connectedCallback() {
    this.films = [...this.querySelectorAll("video")];
    this.head = /** @type {HTMLInputElement | null} */ (this.querySelector("[data-head]"));
    if (!this.head) return;
    const { films, head } = this;
    films[1].muted = true;
    for (const film of films) {
      film.controls = film.loop = false;
      for (const type of ["loadedmetadata", "timeupdate", "seeked", "play", "pause"]) film.addEventListener(type, () => this.show());
    }
    this.find("[data-play]").addEventListener("click", () => this.play(this.longer.paused));
    head.addEventListener("input", () => this.seek(Number(head.value)));
    this.find("[data-over]").addEventListener("change", (event) => this.lay(/** @type {HTMLInputElement} */ (event.target).checked));
    this.find("[data-wipe]").addEventListener("input", () => this.wipe());
    addEventListener("keydown", (event) => this.key(event));
    this.show();
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  /** The play head goes as far as the longer film; the shorter one waits at its end. */
  get longer() {
    const [first, second] = this.films ?? [];
    return second.duration > first.duration ? second : first;
  }

  /** Play head, time and label say what the longer film does, and the other one is kept where that is. */
  show() {
    const { longer, head } = this;
    if (!head) return;
    head.max = String(longer.duration || 1);
    head.value = String(longer.currentTime);
    this.find("[data-time]").textContent = `${longer.currentTime.toFixed(1)} s`;
    this.find("[data-play-label]").textContent = longer.paused ? "Play both" : "Pause both";
    this.dataset.state = longer.paused ? "paused" : "playing";
    for (const film of this.films ?? []) {
      const at = Math.min(longer.currentTime, film.duration || 0);
      if (!film.seeking && Math.abs(film.currentTime - at) > (longer.paused ? FRAME / 2 : APART)) film.currentTime = at;
      if (longer.ended) film.pause();
    }
  }

  /** @param {boolean} on */
  play(on) {
    if (on && this.longer.ended) this.seek(0);
    for (const film of this.films ?? []) {
      if (on && !film.ended) film.play().catch(() => this.show()); // stopped before it began
      else film.pause();
    }
  }

  /** @param {number} to in seconds */
  seek(to) {
    const { longer } = this;
    for (const film of this.films ?? []) film.currentTime = Math.max(0, Math.min(to, film.duration || 0));
    if (!longer.paused) this.play(true);
  }

  /** One over the other, or side by side again. @param {boolean} on */
  lay(on) {
    this.toggleAttribute("data-over", on);
    this.find("[data-wipe-label]").hidden = !on;
    this.wipe();
  }

  /** How much is seen of the first film, from the left. */
  wipe() {
    this.style.setProperty("--wipe", `${/** @type {HTMLInputElement} */ (this.find("[data-wipe]")).value}%`);
  }

  /** Keys of a player, dead while something else has the focus. @param {KeyboardEvent} event */
  key(event) {
    if (!free(event, CONTROLS)) return;
    const step = event.key === "." ? FRAME : event.key === "," ? -FRAME : 0;
    if (step) (this.play(false), this.seek(this.longer.currentTime + step));
    else if (event.key === " ") (event.preventDefault(), this.play(this.longer.paused));
  }
}

customElements.define("rushes-twins", RushesTwins);
