// @ts-check
/** <rushes-media data-kind data-limits>: a file chosen, dropped or pasted is checked, shown and uploaded; its address is the value. */
import { upload } from "../api.js";
import { faultOf } from "../measure.js";

const MOST = 16;

class RushesMedia extends HTMLElement {
  connectedCallback() {
    this.kind = this.dataset.kind ?? "image";
    /** @type {import("../measure.js").Limits} */
    this.limits = JSON.parse(this.dataset.limits ?? "{}");
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
    this.address.addEventListener("change", () => (this.address?.value ? this.fault("") : this.clear()));
  }

  /** @param {DragEvent} event */
  drag(event) {
    event.preventDefault();
    this.toggleAttribute("data-over", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer?.files ?? null);
  }

  /** @param {Iterable<File> | null} files */
  async take(files) {
    const chosen = [...(files ?? [])].slice(0, "many" in this.dataset ? MOST : 1);
    for (const file of chosen) await this.send(file);
  }

  /** @param {File} file */
  async send(file) {
    this.dataset.state = "checking";
    const wrong = await faultOf(file, this.kind ?? "image", this.limits ?? {});
    this.fault(wrong);
    if (wrong) return void (this.dataset.state = "refused");
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
    box.querySelector("button")?.remove();
    const seen = this.kind === "image" ? document.createElement("img") : this.kind === "video" ? document.createElement("video") : document.createElement("audio");
    seen.src = URL.createObjectURL(file);
    if (seen instanceof HTMLImageElement) seen.alt = file.name;
    else seen.controls = true;
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Remove" });
    remove.addEventListener("click", () => {
      if (this.address) this.address.value = "";
      this.clear();
      this.dispatchEvent(new Event("input", { bubbles: true }));
    });
    box.append(seen, bar, remove);
    box.hidden = false;
  }

  clear() {
    for (const seen of this.preview?.querySelectorAll("img, video, audio") ?? []) URL.revokeObjectURL(/** @type {HTMLImageElement} */ (seen).src);
    this.preview?.replaceChildren();
    this.fault("");
  }

  /** @param {string} text */
  fault(text) {
    const field = this.closest("[data-field]");
    const place = field?.querySelector("[data-error]");
    if (place) place.textContent = text;
    this.dataset.wrong = text;
    if (text) this.address?.setAttribute("aria-invalid", "true");
    else this.address?.removeAttribute("aria-invalid");
  }
}

customElements.define("rushes-media", RushesMedia);
export { RushesMedia };
