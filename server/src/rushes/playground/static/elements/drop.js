// @ts-check
/** <rushes-drop>: files chosen, dropped or pasted are uploaded with a bar each; then the page shows them. */
import { upload } from "../api.js";

class RushesDrop extends HTMLElement {
  connectedCallback() {
    this.list = /** @type {HTMLElement} */ (this.querySelector("[data-uploads]"));
    const chooser = /** @type {HTMLInputElement} */ (this.querySelector("input[type=file]"));
    chooser.addEventListener("change", () => this.take(chooser.files));
    for (const type of ["dragover", "dragleave", "drop"]) this.addEventListener(type, (event) => this.drag(/** @type {DragEvent} */ (event)));
    addEventListener("paste", (event) => event.clipboardData?.files.length && this.take(event.clipboardData.files));
  }

  /** @param {DragEvent} event */
  drag(event) {
    event.preventDefault();
    this.toggleAttribute("data-over", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer?.files ?? null);
  }

  /** One after the other, so that the bars mean something. @param {FileList | null} files */
  async take(files) {
    let good = true;
    this.dataset.state = "uploading";
    for (const file of [...(files ?? [])]) good = (await this.send(file)) && good;
    this.dataset.state = good ? "uploaded" : "failed";
    if (good && files?.length) location.reload();
  }

  /** @param {File} file */
  async send(file) {
    const row = document.createElement("li");
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    const said = document.createElement("span");
    said.textContent = `${file.name}, ${(file.size / 1e6).toFixed(1)} MB`;
    row.append(said, bar);
    this.list?.append(row);
    try {
      await upload(file, (part) => (bar.value = part));
      return true;
    } catch (error) {
      bar.remove();
      row.className = "error";
      said.textContent = `${file.name}: ${error instanceof Error ? error.message : String(error)}`;
      return false;
    }
  }
}

customElements.define("rushes-drop", RushesDrop);
