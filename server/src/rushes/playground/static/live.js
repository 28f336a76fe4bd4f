// @ts-check
/** What happens to the organisation's requests, as it happens. One stream per browser, held by stream.js. */

/** @typedef {{request_id: string, status: string, type: string, event_id: string | null, [name: string]: any}} RequestEvent */

/** @type {Set<(event: RequestEvent) => void>} */
const listeners = new Set();
/** @type {Set<(open: boolean) => void>} */
const watchers = new Set();
/** @type {MessagePort | null} */
let port = null;
let paused = false;
let wasOpen = false;

// The constructor of a worker takes a trusted URL only; this policy knows one.
const WORKER = new URL("./stream.js", import.meta.url).href;
// @ts-ignore: not in every browser
const trusted = self.trustedTypes?.createPolicy("rushes", { createScriptURL: () => WORKER });

function join() {
  if (port || !("SharedWorker" in self) || (!listeners.size && !watchers.size)) return;
  const worker = new SharedWorker(trusted ? trusted.createScriptURL("") : WORKER, { name: "rushes stream" });
  port = worker.port;
  port.onmessage = ({ data }) => {
    if (data.kind === "open") {
      wasOpen = data.open;
      for (const watcher of watchers) watcher(data.open);
    } else if (!paused) {
      for (const listener of listeners) listener(data.event);
    }
  };
}

/** Leaving lets the browser keep this page for the back button; a page that hears a worker is not kept. */
function leave() {
  port?.postMessage("bye");
  port?.close();
  port = null;
}

addEventListener("pagehide", leave);
addEventListener("pageshow", join);

/** Calls back for each event. Returns how to stop. @param {(event: RequestEvent) => void} listener */
export function onEvent(listener) {
  listeners.add(listener);
  join();
  return () => listeners.delete(listener);
}

/**
 * Calls back when the stream opens (each time: read again what you show) and when it is lost.
 * @param {(open: boolean) => void} watcher
 */
export function onStream(watcher) {
  watchers.add(watcher);
  if (wasOpen) watcher(true);
  join();
  return () => watchers.delete(watcher);
}

/** @param {boolean} value */
export function pause(value) {
  paused = value;
  if (!value && wasOpen) for (const watcher of watchers) watcher(true);
}
