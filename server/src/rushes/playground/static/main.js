// @ts-check
/** What every page does, once the elements it has are there: the server writes a script for each. */
import { watchServer } from "./offline.js";
import { startShell } from "./shell.js";

startShell();
// Only those who have signed in have a stream to hear.
if (document.querySelector(".tools .menu")) watchServer();
