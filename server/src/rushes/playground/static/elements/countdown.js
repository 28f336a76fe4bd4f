// @ts-check
/** <rushes-countdown data-seconds>: how long until the next try may be made; buttons with data-waits wait for it. */
import { duration } from "../words.js";

class RushesCountdown extends HTMLElement {
  timer = 0;

  connectedCallback() {
    const until = performance.now() + Number(this.dataset.seconds) * 1000;
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      this.textContent = left > 0 ? `Try again in ${duration(left)}.` : "You can try again now.";
      for (const button of document.querySelectorAll("[data-waits]")) button.toggleAttribute("disabled", left > 0);
      if (left <= 0) clearInterval(this.timer);
    };
    if (!Number(this.dataset.seconds)) return;
    this.timer = setInterval(tick, 500);
    tick();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }
}

customElements.define("rushes-countdown", RushesCountdown);
