// @ts-check
/** <rushes-form data-model>: price and faults as one types, submit (two clicks are one), watch. Plain without scripts. */
import { ApiError, call } from "../api.js";
import { bracketed, caption, MOST, onBracket } from "../bracket.js";
import { takeFiles } from "../dropped.js";
import { keepDraft, restoreDraft } from "../draft.js";
import { fieldsIn, originOf, readForm, showFaults, textOf } from "../fields.js";
import { tell } from "../shell.js";
import { stageOf } from "../rows.js";
import { duration, money } from "../words.js";
import { faultsOf, honest } from "../answers.js";
import { faultCard, tellFault } from "../fault.js";

class RushesForm extends HTMLElement {
  static typing = 250;
  key = crypto.randomUUID();
  sending = false;
  timer = 0;
  /** @type {AbortController | null} */
  asking = null;

  get model() {
    return this.dataset.model ?? "";
  }

  get form() {
    return /** @type {HTMLFormElement} */ (this.querySelector("form"));
  }

  connectedCallback() {
    restoreDraft(this.model, this.form);
    takeFiles(this);
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.send()));
    for (const type of ["input", "change"]) this.form.addEventListener(type, () => this.changed());
    onBracket(this.form, () => this.changed());
    this.find("[data-send]").addEventListener("click", (event) => event.detail > 1 && event.preventDefault());
    addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat && this.send());
    this.changed(false);
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  changed(keep = true) {
    this.key = crypto.randomUUID();
    if (keep) keepDraft(this.model, this.form);
    clearTimeout(this.timer);
    this.find(".price").toggleAttribute("data-stale", true);
    this.timer = setTimeout(() => this.ask(keep), RushesForm.typing);
    const { payload } = readForm(this.form);
    const many = bracketed(this.form, payload);
    this.find("[data-send-label]").textContent = many.length > 1 ? `Generate ${many.length > MOST ? `${MOST}+` : many.length}` : "Generate";
    document.dispatchEvent(new CustomEvent("payload-changed", { detail: many[0] ?? payload }));
  }

  /** A dry run of what would be sent: its price, its faults. @param {boolean} strict whether an empty field is a fault yet */
  async ask(strict) {
    const { payload, faults } = readForm(this.form);
    this.asking?.abort();
    if (!strict && fieldsIn(this.form).some((field) => field.dataset.group === "needed" && !textOf(field))) return;
    const many = bracketed(this.form, payload);
    this.asking = new AbortController();
    try {
      const { signal } = this.asking;
      const dry = async (/** @type {any} */ each) =>
        call("/requests?dry_run=true", { method: "POST", body: { model: this.model, payload: each }, signal });
      const answers = [await dry(many[0]), ...(await Promise.all(many.slice(1, MOST).map(dry)))];
      showFaults(this.form, faults);
      this.priced(answers);
      this.dataset.state = "priced";
    } catch (error) {
      if (!(error instanceof ApiError)) return;
      this.find(".price").toggleAttribute("data-stale", true);
      if (!payload.rushes_fault?.http && error.code === "invalid_payload") {
        showFaults(this.form, { ...faultsOf(error, strict), ...faults });
        this.dataset.state = "faulty";
      } else this.dataset.state = "refused";
    }
  }

  /** @param {Record<string, any>[]} answers */
  priced(answers) {
    const total = answers.reduce((sum, answer) => sum + answer.quote_micro_usd, 0);
    const [{ plan, eta_seconds: eta, eta_spread: spread, warnings }] = answers;
    this.find("[data-price]").textContent = money(total);
    const shape = `${plan?.width ? `${plan.width} × ${plan.height}, ` : ""}${plan?.seconds ?? "?"} s`;
    this.find("[data-price-note]").textContent = answers.length > 1 ? `for ${answers.length} requests` : shape;
    this.find("[data-forecast]").textContent = [honest(eta, spread), ...(warnings ?? [])].join(" ");
    this.find(".price").removeAttribute("data-stale");
  }

  async send() {
    if (this.sending) return;
    const { payload, faults } = readForm(this.form);
    showFaults(this.form, faults);
    if (Object.keys(faults).length) return;
    const many = bracketed(this.form, payload);
    if (many.length > MOST) return tell(`At most ${MOST} requests in one bracket.`);
    this.sending = true;
    this.find("[data-send]").toggleAttribute("disabled", true);
    try {
      const bracket = many.length > 1 ? this.key.slice(0, 8) : null;
      const made = [];
      for (const [i, each] of many.entries()) made.push(await this.submit(each, i, bracket));
      this.key = crypto.randomUUID();
      this.find("[data-fault-box]").replaceChildren();
      this.watch(made, many);
    } catch (error) {
      this.refused(error);
    } finally {
      this.sending = false;
      this.find("[data-send]").removeAttribute("disabled");
    }
  }

  /** @param {Record<string, any>} payload @param {number} i @param {string | null} bracket */
  submit(payload, i, bracket) {
    const metadata = { ...(bracket && { bracket }), ...originOf(payload) };
    const body = { model: this.model, payload, ...(Object.keys(metadata).length && { metadata }) };
    return call("/requests", { method: "POST", body, key: `${this.key}-${i}` });
  }

  /** New requests on the stage, the newest in place of the last. @param {any[]} made @param {any[]} payloads */
  watch(made, payloads) {
    const stages = made.map((short, i) => stageOf(short, payloads[i]));
    for (const [i, stage] of stages.entries()) caption(stage, payloads[i], this.form);
    this.find("[data-idle]").hidden = true;
    this.find("[data-runs]").toggleAttribute("data-many", stages.length > 1);
    this.find("[data-runs]").replaceChildren(...stages);
    for (const stage of stages) stage.read();
    this.toggleAttribute("data-started", true);
    if (matchMedia("(max-width: 860px)").matches) this.find(".viewer").scrollIntoView();
  }

  /** @param {unknown} error */
  refused(error) {
    if (!(error instanceof ApiError)) return tellFault(error, { hint: "Sent again, it is one request and charged once." });
    const marked = error.code === "invalid_payload";
    if (marked) showFaults(this.form, faultsOf(error, true));
    const card = faultCard(error, { note: "nothing was charged", hint: marked ? "See the fields that are marked." : undefined });
    this.find("[data-fault-box]").replaceChildren(card);
    if (marked) this.find("[aria-invalid]")?.focus();
    else card.scrollIntoView({ block: "nearest" });
    return undefined;
  }
}

customElements.define("rushes-form", RushesForm);
