// @ts-check
/** SharedWorker: one event stream for all tabs of a browser. Open while at least one tab listens. */

const EVENTS = "/api/v1/ie/requestqueue/events";
const TYPES = ["created", "queued", "dispatched", "processing", "success", "failed", "cancelled", "progress"];

/** @type {Set<MessagePort>} */
const ports = new Set();
/** @type {EventSource | null} */
let source = null;
let open = false;

/** @param {any} message */
function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function listen() {
  if (source) return;
  source = new EventSource(EVENTS);
  source.onopen = () => tell({ kind: "open", open: (open = true) });
  source.onerror = () => {
    tell({ kind: "open", open: (open = false) });
    // A refusal ends an EventSource for good; the network's failures it mends by itself.
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(() => ports.size && listen(), 3000);
    }
  };
  for (const type of TYPES) {
    source.addEventListener(`request.${type}`, (event) => tell({ kind: "event", event: JSON.parse(event.data) }));
  }
}

function leave() {
  source?.close();
  source = null;
  open = false;
}

// @ts-ignore: the global of a SharedWorker
self.onconnect = (/** @type {MessageEvent} */ event) => {
  const [port] = event.ports;
  ports.add(port);
  port.onmessage = () => {
    ports.delete(port);
    port.close();
    if (!ports.size) leave();
  };
  if (open) port.postMessage({ kind: "open", open: true });
  listen();
};
