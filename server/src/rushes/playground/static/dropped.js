// @ts-check
/** Files dropped anywhere on a form, or pasted: one of our films brings its settings back, others go to the field that takes them. */
import { call } from "./api.js";
import { tellFault } from "./fault.js";
import { kindOf } from "./measure.js";
import { tell } from "./shell.js";
import { quoted } from "./words.js";

/** @param {HTMLElement} root the element of the form */
export function takeFiles(root) {
  const over = (/** @type {boolean} */ on) => root.toggleAttribute("data-over", on);
  document.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && (event.preventDefault(), over(true)));
  document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
  document.addEventListener("drop", (event) => {
    over(false);
    if (event.defaultPrevented || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    take(root, event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.defaultPrevented || !event.clipboardData?.files.length) return;
    event.preventDefault();
    take(root, event.clipboardData.files);
  });
  const chooser = document.querySelector("[data-settings]");
  chooser?.addEventListener("change", () => restore(/** @type {HTMLInputElement} */ (chooser).files?.[0], root));
}

/** @param {HTMLElement} root @param {FileList} files */
async function take(root, files) {
  for (const file of files) {
    if (file.type === "video/mp4" && (await restored(file, root))) return;
    const field = fieldFor(root, kindOf(file));
    if (field) await customElements.whenDefined("rushes-media").then(() => field.take([file]));
    else tell(file.type === "video/mp4" ? "No request of yours made this film, and this model takes no video." : `This model takes no ${kindOf(file) || "such file"}.`);
  }
}

/** The first field of a kind that is still empty, or takes several, or is there at all. @param {HTMLElement} root @param {string} kind */
function fieldFor(root, kind) {
  const fields = /** @type {import("./elements/media.js").RushesMedia[]} */ ([...root.querySelectorAll("rushes-media")].filter((each) => /** @type {HTMLElement} */ (each).dataset.kind === kind));
  return fields.find((field) => "many" in field.dataset || !field.address?.value) ?? fields[0];
}

/** @param {File | undefined} file @param {HTMLElement} root */
async function restore(file, root) {
  if (file && !(await restored(file, root))) tell("No request of yours made this film.");
}

/** Off to the form with the settings of the request that made a film; false where none did. @param {File} file @param {HTMLElement} root */
async function restored(file, root) {
  root.dataset.state = "looking";
  try {
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    const sha256 = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const { requests } = await call(`/requests?limit=1&sha256=${sha256}`);
    if (!requests.length) return false;
    location.assign(`/models/${quoted(requests[0].model)}?from=${requests[0].request_id}`);
    return true;
  } catch (error) {
    tellFault(error);
    return true;
  } finally {
    delete root.dataset.state;
  }
}
