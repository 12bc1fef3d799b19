/** Requests to the JSON API: session cookie, CSRF token, ETags, problem documents, and sessions that end under way. */

import { Problem, problemOf, unreachable } from "./problem";

const BASE = "/api/v1";
/** Longer than the slowest answer: a preflight waits for a peer that does not answer. */
const REQUEST_TIMEOUT_MS = 45_000;

export interface Answer<T> {
  body: T;
  etag: string | null;
}

interface Options {
  body?: unknown;
  /** Sent as If-Match. */
  etag?: string | null;
  signal?: AbortSignal;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

let csrfToken: string | null = null;
let renewSession: (() => Promise<void>) | null = null;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** `renew` is called when the session has ended; the request is repeated once it resolves. */
export function onSessionEnd(renew: (() => Promise<void>) | null): void {
  renewSession = renew;
}

export function addressOf(path: string): string {
  return BASE + path;
}

function headersOf(method: Method, { body, etag }: Options): Headers {
  const headers = new Headers({ Accept: "application/json" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (etag) headers.set("If-Match", etag);
  if (method !== "GET" && csrfToken) headers.set("X-CSRF-Token", csrfToken);
  return headers;
}

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    return await fetch(addressOf(path), {
      method,
      headers: headersOf(method, options),
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw unreachable();
  }
}

/** The answer's body and ETag. Throws Problem. */
export async function request<T>(method: Method, path: string, options: Options = {}): Promise<Answer<T>> {
  let response = await send(method, path, options);
  if (response.status === 401 && path !== "/session" && renewSession) {
    await renewSession();
    response = await send(method, path, options);
  }
  if (!response.ok) throw await problemOf(response);
  const text = await response.text();
  try {
    return { body: (text === "" ? undefined : JSON.parse(text)) as T, etag: response.headers.get("ETag") };
  } catch {
    throw new Problem({ status: response.status, code: "unexpected-answer", title: "The Server Gave an Unexpected Answer" });
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request<T>("GET", path, { signal })).body;
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return (await request<T>("POST", path, { body })).body;
}
