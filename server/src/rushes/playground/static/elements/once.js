// @ts-check
/** <rushes-once>: a secret that is shown once leaves the page when its reader is done, or goes away. */

class RushesOnce extends HTMLElement {
  connectedCallback() {
    this.querySelector("[data-done]")?.addEventListener("click", () => this.remove());
    addEventListener("pagehide", () => this.forget());
  }

  forget() {
    for (const place of this.querySelectorAll("[data-secret]")) place.textContent = "";
  }
}

customElements.define("rushes-once", RushesOnce);
