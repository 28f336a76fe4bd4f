// @ts-check
/** The one script of every page. */
import { setAdvice } from "./view.js";
import { takeFiles } from "./dropped.js";
import { setRefusals } from "./fault.js";
import { watchServer } from "./offline.js";
import { startShell } from "./shell.js";
import "./elements/request.js";
import "./elements/code.js";
import "./elements/form.js";
import "./elements/media.js";
import "./elements/history.js";
import "./elements/sheet.js";
import "./elements/catcher.js";
import "./elements/once.js";
import "./elements/countdown.js";
import "./elements/drop.js";
import "./elements/operate.js";

const { failures, refusals } = JSON.parse(document.getElementById("advice")?.textContent ?? "{}");
setAdvice(failures);
setRefusals(refusals);
startShell();
const form = /** @type {HTMLElement | null} */ (document.querySelector("rushes-form"));
if (form) takeFiles(form);
// Only those who have signed in have a stream to hear.
if (document.querySelector(".tools .menu")) watchServer();
