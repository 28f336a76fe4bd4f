// @ts-check
/** The public JSON API, called with the page's own cookie; what it refuses becomes an ApiError. */

const SESSION = "/api/v1/ie/requestqueue";

/** Where it is kept which page was left because the session had ended. */
export const RETURN = "rushes-return";

export class ApiError extends Error {
  /** @param {number} status @param {Record<string, any>} body @param {(name: string) => string | null} header */
  constructor(status, body, header) {
    super(body.error ?? "The server could not answer");
    this.status = status;
    this.code = body.code ?? "internal";
    this.param = body.param ?? null;
    this.detail = body.detail ?? {};
    this.retryAfter = Number(header("retry-after")) || 0;
    this.callId = header("rushes-call-id") ?? "";
  }
}

/**
 * One call below the session prefix. Throws ApiError, or TypeError when no server answers.
 * @param {string} path
 * @param {{method?: string, body?: any, key?: string, signal?: AbortSignal}} [options]
 */
export async function call(path, { method = "GET", body, key, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(path.startsWith("/api/") ? path : SESSION + path, { method, headers, body: sent, signal });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  if (answer.status === 401) signInAgain();
  throw new ApiError(answer.status, told, (name) => answer.headers.get(name));
}

/** The session has ended: what was typed is kept by the form itself, and we come back here. */
function signInAgain() {
  sessionStorage.setItem(RETURN, location.href);
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** @param {string} id */
export const getRequest = (id) => call(`/requests/${id}`);

/**
 * Uploads a file, telling how far it is; fetch cannot do that for a body that is sent.
 * @param {File} file
 * @param {(part: number) => void} onProgress from 0 to 1
 * @returns {Promise<Record<string, any>>}
 */
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", `${SESSION}/files`);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(new TypeError("The upload was cut off. Choose the file again."));
    request.onload = () =>
      request.status < 400 ? resolve(request.response) : reject(new ApiError(request.status, request.response ?? {}, (name) => request.getResponseHeader(name)));
    request.send(form);
  });
}
