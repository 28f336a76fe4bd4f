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
import "./elements/catcher.js";
import "./elements/once.js";
import "./elements/drop.js";
import "./elements/operate.js";

setAdvice(JSON.parse(document.getElementById("advice")?.textContent ?? "{}"));
startShell();
