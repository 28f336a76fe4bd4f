// @ts-check
/** What every page has: theme, keys, copying, dialogs, menus, and words for screen readers. */

const $ = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));

/** Said once to screen readers. @param {string} text */
export function announce(text) {
  const place = $("[data-announce]");
  if (place) place.textContent = text;
}

/** A short notice in the corner. @param {string} text */
export function tell(text) {
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.textContent = text;
  $("[data-toasts]")?.append(toast);
  setTimeout(() => toast.remove(), 6000);
}

/** @param {string} text */
export async function copy(text) {
  await navigator.clipboard.writeText(text);
  tell("Copied");
}

/** @param {string} id */
export function openDialog(id) {
  const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById(id));
  if (dialog && !dialog.open) dialog.showModal();
}

const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, dialog";
/** What a key may mean something else to than to a player. */
export const CONTROLS = "input, textarea, select, button, a, summary, video, dialog";

const keysOff = () => localStorage.getItem("rushes-keys") === "off";

/** Whether a single key is meant for the page, not for what has the focus. @param {KeyboardEvent} event @param {string} taken */
export const free = (event, taken = FIELDS) =>
  !(keysOff() || event.ctrlKey || event.metaKey || event.altKey || (event.target instanceof Element && event.target.closest(taken)));

let afterG = -Infinity;

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return openDialog("palette");
  }
  if (event.key === "Escape") closeMenus(null);
  if (!free(event) || document.querySelector("dialog[open]")) return undefined;
  if (event.timeStamp - afterG < 1200) {
    const keys = [...document.querySelectorAll("#help .keys dt")].find((dt) => dt.textContent === `g ${event.key}`);
    const name = keys?.nextElementSibling?.textContent;
    const link = [...document.querySelectorAll(".top nav a")].find((a) => a.textContent?.trim() === name);
    afterG = -Infinity;
    if (link instanceof HTMLAnchorElement) return link.click();
  }
  if (event.key === "g") afterG = event.timeStamp;
  else if (event.key === "?") openDialog("help");
  else if (event.key === "/") {
    event.preventDefault();
    $("[data-search]")?.focus();
  }
  return undefined;
}

/** An open menu closes when something else is meant. @param {EventTarget | null} target */
function closeMenus(target) {
  for (const menu of document.querySelectorAll("details.menu[open], details.ask[open]")) {
    if (!(target instanceof Node && menu.contains(target))) menu.removeAttribute("open");
  }
}

/** @param {MouseEvent} event */
function onClick(event) {
  closeMenus(event.target);
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (!button) return;
  const { open, copy: text, copyFrom } = button.dataset;
  if (open) {
    button.closest("dialog")?.close();
    openDialog(open);
  } else if (text) copy(text);
  else if (copyFrom) copy(document.getElementById(copyFrom)?.textContent ?? "");
  else if ("copyNext" in button.dataset) copy(button.nextElementSibling?.textContent ?? "");
}

/** The theme changes without a new page, so that nothing typed is lost. @param {SubmitEvent} event */
function onTheme(event) {
  event.preventDefault();
  const value = /** @type {HTMLButtonElement} */ (event.submitter).value;
  document.documentElement.dataset.theme = value;
  document.cookie = `rushes_theme=${value}; Path=/; Max-Age=31536000; SameSite=Lax`;
  for (const button of document.querySelectorAll(".theme button")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLButtonElement} */ (button).value === value));
  }
}

export function startShell() {
  addEventListener("keydown", onKey);
  addEventListener("click", onClick);
  $("[data-theme-switch]")?.addEventListener("submit", onTheme);
  for (const form of document.querySelectorAll("form[data-auto-submit]")) {
    form.addEventListener("change", (event) => {
      if (event.target instanceof HTMLSelectElement) /** @type {HTMLFormElement} */ (form).requestSubmit();
    });
  }
  const off = /** @type {HTMLInputElement | null} */ ($("[data-keys-off]"));
  if (off) {
    off.checked = keysOff();
    off.addEventListener("change", () => localStorage.setItem("rushes-keys", off.checked ? "off" : "on"));
  }
}
