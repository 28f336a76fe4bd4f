// @ts-check
/** <rushes-media data-kind>: a file chosen, dropped or pasted is checked, shown and uploaded; its address is the value. */
import { upload } from "../api.js";

/** Bytes, as the API limits them unless a card says less. @type {Record<string, number>} */
const LIMITS = { image: 10 * 1024 * 1024, audio: 15 * 1024 * 1024, video: 200 * 1024 * 1024 };

class RushesMedia extends HTMLElement {
  connectedCallback() {
    this.kind = this.dataset.kind ?? "image";
    this.address = /** @type {HTMLInputElement} */ (this.querySelector("input:not([type=file])"));
    this.preview = /** @type {HTMLElement} */ (this.querySelector("[data-preview]"));
    const chooser = /** @type {HTMLInputElement} */ (this.querySelector("input[type=file]"));
    chooser.addEventListener("change", async () => {
      await this.take(chooser.files);
      chooser.value = "";
    });
    for (const type of ["dragover", "dragleave", "drop"]) this.addEventListener(type, (event) => this.drag(/** @type {DragEvent} */ (event)));
    this.addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) (event.preventDefault(), this.take(event.clipboardData.files));
    });
    this.address.addEventListener("change", () => this.address?.value || this.preview?.replaceChildren());
  }

  /** @param {DragEvent} event */
  drag(event) {
    event.preventDefault();
    this.toggleAttribute("data-over", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer?.files ?? null);
  }

  /** @param {FileList | null} files */
  async take(files) {
    const chosen = [...(files ?? [])].slice(0, "many" in this.dataset ? 16 : 1);
    for (const file of chosen) await this.send(file);
  }

  /** @param {File} file */
  async send(file) {
    const limit = LIMITS[this.kind ?? "image"];
    if (!file.type.startsWith(`${this.kind}/`)) return this.fault(`Needs ${this.kind === "image" ? "an" : "a"} ${this.kind}, this is ${file.type || "of an unknown type"}.`);
    if (file.size > limit) return this.fault(`At most ${limit / 1048576} MB, this has ${(file.size / 1048576).toFixed(1)} MB.`);
    this.fault("");
    this.dataset.state = "uploading";
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    this.show(file, bar);
    try {
      const { public_url: url } = await upload(file, (part) => (bar.value = part));
      if (this.address) this.address.value = "many" in this.dataset && this.address.value ? `${this.address.value} ${url}` : url;
      this.dataset.state = "uploaded";
      this.dispatchEvent(new Event("input", { bubbles: true }));
    } catch (error) {
      this.dataset.state = "failed";
      this.preview?.replaceChildren();
      this.fault(error instanceof Error ? error.message : String(error));
    } finally {
      bar.remove();
    }
    return undefined;
  }

  /** @param {File} file @param {HTMLElement} bar */
  show(file, bar) {
    const box = this.preview;
    if (!box) return;
    if (!("many" in this.dataset)) box.replaceChildren();
    const seen = this.kind === "image" ? document.createElement("img") : this.kind === "video" ? document.createElement("video") : document.createElement("audio");
    seen.src = URL.createObjectURL(file);
    if (seen instanceof HTMLImageElement) seen.alt = file.name;
    else seen.controls = true;
    box.append(seen, bar);
    box.hidden = false;
  }

  /** @param {string} text */
  fault(text) {
    const field = this.closest("[data-field]");
    const place = field?.querySelector("[data-error]");
    if (place) place.textContent = text;
    if (text) this.address?.setAttribute("aria-invalid", "true");
    else this.address?.removeAttribute("aria-invalid");
  }
}

customElements.define("rushes-media", RushesMedia);
