// @ts-check
/** The one script of every page. */
import { setAdvice } from "./view.js";
import { startShell } from "./shell.js";
import "./elements/request.js";
import "./elements/code.js";
import "./elements/form.js";
import "./elements/media.js";
import "./elements/history.js";
import "./elements/sheet.js";

setAdvice(JSON.parse(document.getElementById("advice")?.textContent ?? "{}"));
startShell();
