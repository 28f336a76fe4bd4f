// @ts-check
/** <rushes-sheet>: twelve frames of the film above. Each can be looked at, or begin the next film. Without data-next it waits for the end. */
import { upload } from "../api.js";
import { tellFault } from "../fault.js";
import { onStream } from "../live.js";
import { CONTROLS, free, tell } from "../shell.js";
import { FINAL } from "../view.js";

const FRAMES = 12;
const WIDTH = 320;

class RushesSheet extends HTMLElement {
  fresh = false;

  connectedCallback() {
    this.video = /** @type {HTMLVideoElement | null} */ (document.querySelector(".stage video"));
    addEventListener("keydown", (event) => this.key(event));
    if (this.dataset.next) return void this.draw();
    document.querySelector(".stage")?.addEventListener("request-shown", () => this.ended());
    onStream(() => this.ended());
  }

  /**
   * What only the server writes (timeline, events, facts of the film) is new once the request has ended. It comes in
   * place of the old, and nothing else is touched: who types, plays or has something open goes on.
   */
  async ended() {
    if (this.fresh || !isFinal(document)) return;
    this.fresh = true;
    const page = await pageNow();
    // No answer, or one from before the end: the next word of the request or of the stream asks again.
    this.fresh = Boolean(page && isFinal(page));
    if (!page || !this.fresh) return;
    for (const old of document.querySelectorAll("[data-fresh]")) {
      const part = page.querySelector(`[data-fresh="${/** @type {HTMLElement} */ (old).dataset.fresh}"]`);
      if (part) old.replaceWith(document.importNode(part, true));
    }
    const sheet = /** @type {HTMLElement | null} */ (page.querySelector("rushes-sheet"));
    if (sheet) (Object.assign(this.dataset, sheet.dataset), this.draw());
    this.dataset.page = "fresh";
  }

  /** Draws the frames from a second, silent player, so that the visible one stays where it is. */
  async draw() {
    if (this.dataset.state || !this.video?.src) return;
    this.dataset.state = "drawing";
    const film = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: this.video.src });
    if (!(await happened(film, "loadeddata"))) return;
    const list = /** @type {HTMLElement} */ (this.querySelector("[data-frames]"));
    this.hidden = false;
    for (let i = 0; i < FRAMES; i++) {
      film.currentTime = (film.duration * (i + 0.5)) / FRAMES;
      if (!(await happened(film, "seeked"))) return;
      list.append(this.frame(film));
    }
    this.dataset.state = "drawn";
  }

  /** @param {HTMLVideoElement} film */
  frame(film) {
    const at = film.currentTime;
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = Math.round((WIDTH * film.videoHeight) / film.videoWidth);
    canvas.getContext("2d")?.drawImage(film, 0, 0, canvas.width, canvas.height);
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Begin the next film with this frame";
    button.setAttribute("aria-label", `Begin the next film with the frame at ${at.toFixed(1)} seconds`);
    button.append(canvas);
    button.addEventListener("click", () => this.begin(at, button));
    const time = Object.assign(document.createElement("time"), { textContent: `${at.toFixed(1)} s` });
    const item = document.createElement("li");
    item.append(button, time);
    return item;
  }

  /** The frame in full size becomes a file, and the form of an image-to-video model opens with it. @param {number} at @param {HTMLButtonElement} button */
  async begin(at, button) {
    if (!this.video) return;
    button.disabled = true;
    try {
      const film = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: this.video.src });
      await happened(film, "loadeddata");
      film.currentTime = at;
      await happened(film, "seeked");
      const canvas = Object.assign(document.createElement("canvas"), { width: film.videoWidth, height: film.videoHeight });
      canvas.getContext("2d")?.drawImage(film, 0, 0);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const { public_url: url } = await upload(new File([blob], "frame.png", { type: "image/png" }), () => {});
      const { next = "", nextName = "" } = this.dataset;
      location.assign(`${next}?p.${encodeURIComponent(nextName)}=${encodeURIComponent(url)}&of=${this.dataset.id}`);
    } catch (error) {
      tellFault(error);
      button.disabled = false;
    }
  }

  /** Keys of the player, dead while typing. @param {KeyboardEvent} event */
  key(event) {
    const { video } = this;
    if (!video?.src || !free(event, CONTROLS)) return;
    const step = 1 / 24;
    if (event.key === " ") (event.preventDefault(), video.paused ? video.play() : video.pause());
    else if (event.key === ",") (video.pause(), (video.currentTime -= step));
    else if (event.key === ".") (video.pause(), (video.currentTime += step));
    else if (event.key === "l") ((video.loop = !video.loop), tell(video.loop ? "Loops" : "Plays once"));
    else if (event.key === "f") video.requestFullscreen();
    else if (event.key === "d") /** @type {HTMLElement | null} */ (document.querySelector(".stage a[download]"))?.click();
  }
}

/** Whether a page says that its request has ended. @param {Document} page */
const isFinal = (page) => FINAL.includes(/** @type {HTMLElement | null} */ (page.querySelector(".stage"))?.dataset.status ?? "");

/** This page as the server writes it now. @returns {Promise<Document | null>} null where it does not */
function pageNow() {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    request.onloadend = () => resolve(request.responseXML);
    request.send();
  });
}

/** Waits for an event of a film; false when the film cannot be read. @param {HTMLVideoElement} film @param {string} name @returns {Promise<boolean>} */
function happened(film, name) {
  return new Promise((resolve) => {
    film.addEventListener(name, () => resolve(true), { once: true });
    film.addEventListener("error", () => resolve(false), { once: true });
  });
}

customElements.define("rushes-sheet", RushesSheet);
