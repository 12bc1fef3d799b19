/** A trial of an alert: begun by the API, made by the monitor, looked at until it has ended. */

import { useCallback, useEffect, useRef, useState } from "react";

import { get, post } from "../../api/client";
import type { AlertTest } from "../../api/model";
import { Problem } from "../../api/problem";
import { type Action, useAction } from "../../lib/useAction";

const LOOK_MS = 700;
/** A script may run for 90 seconds and be stopped for 5 more. */
const PATIENCE_MS = 120_000;

export interface Trial {
  test: AlertTest | null;
  action: Action;
  start: (body?: unknown) => void;
}

function hasEnded(test: AlertTest): boolean {
  return test.state === "done" || test.state === "failed";
}

export function useTrial(channel: AlertTest["channel"]): Trial {
  const [test, setTest] = useState<AlertTest | null>(null);
  const action = useAction();
  const left = useRef<AbortController | null>(null);
  const { run } = action;

  useEffect(
    () => () => {
      left.current?.abort();
    },
    [],
  );

  const start = useCallback(
    (body: unknown = {}) => {
      const leaving = new AbortController();
      left.current = leaving;
      void run(async () => {
        let current = (await post<{ test: AlertTest }>(`/ha/alerts/${channel}/test`, body)).test;
        const until = Date.now() + PATIENCE_MS;
        while (!leaving.signal.aborted) {
          setTest(current);
          if (hasEnded(current)) return;
          if (Date.now() > until) throw stillWaiting();
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
          current = await get<AlertTest>(`/ha/alerts/tests/${encodeURIComponent(current.id)}`, leaving.signal);
        }
      });
    },
    [channel, run],
  );

  return { test, action, start };
}

function stillWaiting(): Problem {
  return new Problem({
    code: "trial-waits",
    title: "The Test Has Not Ended",
    detail: "The monitor of this server makes the test, and has not said how it went.",
    hint: "See on the status page whether the monitor runs.",
  });
}
