/**
 * A value of the server that stays current: by server-sent events where they work, by asking again where they don't.
 *
 * A stream can be silent because nothing changes or because the server is gone; after SILENCE_MS the value is asked for,
 * so that the reader is never shown an old value as a current one.
 */

import { addressOf, get } from "../api/client";
import { asProblem, type Problem } from "../api/problem";

/** `live`: by stream; `polling`: by asking; `lost`: the server does not answer. */
export type Liveness = "connecting" | "live" | "polling" | "lost";

const POLL_MS = 3_000;
const SILENCE_MS = 10_000;
const REOPEN_MS = 15_000;

interface Listener<T> {
  onValue: (value: T) => void;
  onLiveness: (liveness: Liveness, problem: Problem | null) => void;
  /** After a value for which this is true nothing more is asked. */
  isLast?: (value: T) => boolean;
}

/** Follows the value until the returned function is called. `path` gives the value, `path`/stream its changes. */
export function follow<T>(path: string, eventName: string, listener: Listener<T>): () => void {
  const ended = new AbortController();
  let source: EventSource | null = null;
  let openedAt = 0;
  let heardAt = Date.now();
  let asking = false;

  const stop = () => {
    ended.abort();
    source?.close();
    clearInterval(timer);
  };

  const take = (value: T, liveness: Liveness) => {
    heardAt = Date.now();
    listener.onLiveness(liveness, null);
    listener.onValue(value);
    if (listener.isLast?.(value)) stop();
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const value = await get<T>(path, ended.signal);
      if (!ended.signal.aborted) take(value, isOpen() ? "live" : "polling");
    } catch (error) {
      if (!ended.signal.aborted) listener.onLiveness("lost", asProblem(error));
    } finally {
      asking = false;
    }
  };

  const isOpen = () => source?.readyState === EventSource.OPEN;

  const open = () => {
    source?.close();
    openedAt = Date.now();
    source = new EventSource(addressOf(`${path}/stream`));
    const onMessage = (message: MessageEvent<string>) => {
      take(JSON.parse(message.data) as T, "live");
    };
    source.addEventListener("message", onMessage);
    source.addEventListener(eventName, onMessage);
    source.onerror = () => void ask();
  };

  const tick = () => {
    const now = Date.now();
    if (source?.readyState === EventSource.CLOSED && now - openedAt > REOPEN_MS) open();
    if (!isOpen() || now - heardAt > SILENCE_MS) void ask();
  };

  const timer = setInterval(tick, POLL_MS);
  void ask();
  open();
  return stop;
}
